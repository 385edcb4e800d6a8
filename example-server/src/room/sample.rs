//! What a room remembers of its ticks for a measurement. Room for it is made beforehand, so that remembering costs no tick.

use std::time::Duration;

use tickswap::{ChangeKind, SwapRecord};

use crate::pacer::Start;

/// One tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickSample {
    /// The phase that the measurement was in.
    pub phase: u8,
    /// Whether it started more than half a period after its time.
    pub is_late: bool,
    /// Nanoseconds from its time to its start.
    pub delay_ns: u64,
    /// Nanoseconds from its start to its commit, its effects included.
    pub duration_ns: u64,
    /// New code that became active at its boundary.
    pub flip: Option<Flip>,
}

/// New code that became active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flip {
    /// Changes that became active at this boundary.
    pub changes: u32,
    /// Nanoseconds from entering the boundary to the first hook.
    pub pause_ns: u64,
    /// Nanoseconds of staging, all changes together.
    pub stage_ns: u64,
}

/// What a room says when it ends.
#[derive(Clone, Debug, Default)]
pub struct RoomReport {
    /// The world.
    pub world: String,
    /// Its ticks in order, as many as there was room for.
    pub samples: Vec<TickSample>,
    /// Ticks that were not remembered.
    pub forgotten: u64,
    /// Ticks that were skipped after stalls.
    pub skipped: u64,
}

/// Collects samples.
#[derive(Debug)]
pub(super) struct Samples {
    report: RoomReport,
    count_max: usize,
}

impl Samples {
    pub(super) fn new(count_max: usize) -> Self {
        let samples = Vec::with_capacity(count_max);
        Self { report: RoomReport { samples, ..RoomReport::default() }, count_max }
    }

    pub(super) fn add(&mut self, start: Start, duration: Duration, phase: u8, flips: &[SwapRecord]) {
        self.report.skipped += u64::from(start.skipped);
        if self.report.samples.len() >= self.count_max {
            self.report.forgotten += 1;
            return;
        }
        // Going back by itself happens within a tick, not at its boundary.
        let at_boundary = || flips.iter().filter(|flip| flip.kind != ChangeKind::AutomaticRollBack);
        let flip = at_boundary().next().map(|first| Flip {
            changes: u32::try_from(at_boundary().count()).unwrap_or(u32::MAX),
            pause_ns: first.pause_ns,
            stage_ns: at_boundary().map(|flip| flip.stage_ns).sum(),
        });
        self.report.samples.push(TickSample {
            phase,
            is_late: start.is_late,
            delay_ns: nanos(start.delay),
            duration_ns: nanos(duration),
            flip,
        });
    }

    pub(super) fn report(self, world: String) -> RoomReport {
        RoomReport { world, ..self.report }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
