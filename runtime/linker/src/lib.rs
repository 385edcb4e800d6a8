//! Minimal root to compile `image::debug` and `image::name`; the crate's real root replaces it.
#![allow(
    dead_code,
    unused_imports,
    reason = "only tests use the two modules here"
)]

mod image;
mod limits;
