//! What a tick that committed hands out.

use super::{Effects, Fault, RecordedQueries, SwapRecord};

/// A tick that happened.
#[derive(Debug)]
#[non_exhaustive]
pub struct TickDone<'w, T> {
    /// Number of the tick, from 1.
    pub number: u64,
    /// What the closure returned.
    pub value: T,
    /// What the mods asked the server to do, in the order in which they asked.
    pub effects: Effects<'w>,
    /// What the mods asked the server, and what it answered.
    pub queries: RecordedQueries<'w>,
    /// What mods faulted with in this tick, the runs that were undone included. Each says what the world did about it.
    pub faults: Vec<Fault>,
    /// What became active at this tick's boundary, and what went back within it.
    pub swapped: Vec<SwapRecord>,
}
