//! Minimal parent of the two modules; the real one replaces it.
pub(crate) mod name;
pub(crate) mod debug;
