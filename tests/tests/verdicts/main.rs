//! That verdicts are right: pairs of mods with the report they must get, edits that know what they imply, laws, and bytes of
//! every kind.

#![allow(clippy::unwrap_used, missing_docs)]

mod corpus;
mod counted;
mod fuzz;
mod laws;
mod limits;
mod mutation;
mod random;
