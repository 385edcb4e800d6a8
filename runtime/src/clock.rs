//! The only place that reads the clock. What times mean (a pause, a stage, a compile) is said where they are taken.

use std::time::{Duration, Instant};

/// The present moment.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Nanoseconds since `start`, at most `u64::MAX`.
pub(crate) fn nanos_since(start: Instant) -> u64 {
    nanos(start.elapsed())
}

/// A duration in nanoseconds, at most `u64::MAX`.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
