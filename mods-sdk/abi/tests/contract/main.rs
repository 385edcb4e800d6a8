//! Behaviour of what the macros write for a server, over the public API: clients, dispatchers, the contract check.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod check;
mod client;
mod fingerprints;
mod game;

mod host_functions;

/// tickswap-abi under another name, for what the macros write with `crate = path`.
use tickswap_abi as tickswap;
