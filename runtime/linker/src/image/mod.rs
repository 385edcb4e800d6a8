//! Minimal parent of the two modules; the real one replaces it.
pub(crate) mod debug;
pub(crate) mod name;
