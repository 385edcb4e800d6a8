//! The rules and traps of live linking, each with mods built for it and patched over live state.

#![allow(clippy::unwrap_used, missing_docs)]

mod additions;
mod broken;
mod damaged;
mod numbered;
mod ordinary;
mod residents;
mod rules;
mod third_party;
mod traps;
mod type_order;
mod verdicts;
