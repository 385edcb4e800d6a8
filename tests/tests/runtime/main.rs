//! The runtime over mods built for it: swaps, calls, faults, bad input, control. Everything through the public API.
//!
//! No verdict depends on the clock: a test waits for events, with a timeout that only a hang reaches.

#![allow(clippy::unwrap_used, missing_docs)]

mod approval;
mod bad_input;
mod calling;
mod compiling;
mod console;
mod control;
mod faults;
mod kept_code;
mod limits;
mod server;
mod swapping;
mod transactions;
mod watch;
