//! When ticks are due, and what counts as late. Reads no clock: the present moment is given to it.

use std::time::{Duration, Instant};

use crate::limits::CATCH_UP_TICKS_MAX;

/// A fixed rate. After a stall it catches up, tick after tick, for a bounded time; what lies beyond is skipped.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    period: Duration,
    due: Instant,
}

/// How a tick began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// How long after its time.
    pub(crate) delay: Duration,
    /// Whether it is late: more than half a period after its time.
    pub(crate) is_late: bool,
    /// Ticks that were skipped right before it.
    pub(crate) skipped: u32,
}

impl Pacer {
    /// That many ticks per second; the first is due at `first`.
    pub(crate) fn new(rate: u32, first: Instant) -> Self {
        Self { period: Duration::from_secs(1) / rate.max(1), due: first }
    }

    /// When the next tick is due.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// The time between two ticks.
    pub(crate) fn period(&self) -> Duration {
        self.period
    }

    /// The next tick begins now.
    pub(crate) fn begin(&mut self, now: Instant) -> Start {
        let delay = now.saturating_duration_since(self.due);
        let mut skipped = 0;
        if delay > self.period * CATCH_UP_TICKS_MAX {
            // Counted, not run: a burst of hundreds of ticks would be a second stall.
            let behind = delay.as_nanos() / self.period.as_nanos().max(1);
            skipped = u32::try_from(behind).unwrap_or(u32::MAX);
            self.due += self.period * skipped;
        }
        self.due += self.period;
        Start { delay, is_late: delay > self.period / 2, skipped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_tick_is_late_more_than_half_a_period_after_its_time() {
        let start = Instant::now();
        let mut pacer = Pacer::new(100, start);
        assert_eq!(pacer.begin(start), Start { delay: Duration::ZERO, is_late: false, skipped: 0 });
        assert!(!pacer.begin(start + 15 * MS).is_late);
        let late = pacer.begin(start + 25 * MS + Duration::from_nanos(1));
        assert!(late.is_late);
        assert_eq!(late.delay, 5 * MS + Duration::from_nanos(1));
    }

    #[test]
    fn times_do_not_drift_with_lateness() {
        let start = Instant::now();
        let mut pacer = Pacer::new(100, start);
        for tick in 0..1000 {
            assert_eq!(pacer.due(), start + tick * 10 * MS);
            pacer.begin(pacer.due() + 3 * MS);
        }
    }

    #[test]
    fn a_stall_is_caught_up_on_and_a_long_one_skipped() {
        let start = Instant::now();
        let mut pacer = Pacer::new(100, start);
        pacer.begin(start);
        let after = start + 60 * MS;
        let starts: Vec<bool> = (0..7).map(|_| pacer.begin(after).is_late).collect();
        assert_eq!(starts, [true, true, true, true, true, false, false]);
        let mut pacer = Pacer::new(100, start);
        let start_of_skip = pacer.begin(start + 10_000 * MS);
        assert!(start_of_skip.is_late);
        assert_eq!(start_of_skip.skipped, 1000);
        assert_eq!(pacer.due(), start + 10_010 * MS);
    }
}
