//! The server's side: the seam between generated contract code and the runtime. Not compiled into mods.

pub(crate) mod answers;
pub(crate) mod caller;
pub(crate) mod client;
pub(crate) mod contract;
pub(crate) mod descriptors;
pub(crate) mod functions;
pub(crate) mod mismatch;
pub(crate) mod mod_name;
