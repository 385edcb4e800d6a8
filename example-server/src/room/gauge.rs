//! What a world shows of its ticks while it runs: written by its thread, read by whoever tells players. No lock on either side.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use crate::{limits::STATUS_SECONDS, pacer::Start};

/// See the module.
#[derive(Debug)]
pub(crate) struct TickGauge {
    ticks: AtomicU64,
    late: AtomicU64,
    skipped: AtomicU64,
    /// Microseconds of the last ticks, in a ring.
    durations_us: Box<[AtomicU32]>,
}

/// A world's ticks at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TickFigures {
    pub(crate) late: u64,
    pub(crate) skipped: u64,
    pub(crate) p50_us: u32,
    pub(crate) p99_us: u32,
}

impl TickGauge {
    pub(crate) fn new(tick_rate: u32) -> Self {
        let count = tick_rate.max(1) * STATUS_SECONDS;
        Self {
            ticks: AtomicU64::new(0),
            late: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            durations_us: (0..count).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// One more tick. Called by the world's thread only.
    pub(crate) fn ticked(&self, start: Start, duration: Duration) {
        let number = self.ticks.fetch_add(1, Ordering::Relaxed);
        self.late.fetch_add(u64::from(start.is_late), Ordering::Relaxed);
        self.skipped.fetch_add(u64::from(start.skipped), Ordering::Relaxed);
        let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
        self.durations_us[(number % self.durations_us.len() as u64) as usize].store(micros, Ordering::Relaxed);
    }

    /// The figures now. A tick that ends meanwhile is in some of them.
    pub(crate) fn read(&self) -> TickFigures {
        let known = self.ticks.load(Ordering::Relaxed).min(self.durations_us.len() as u64) as usize;
        let mut durations: Vec<u32> = self.durations_us[..known].iter().map(|us| us.load(Ordering::Relaxed)).collect();
        durations.sort_unstable();
        // The value of which at least that share is not above, as in the soak's report.
        let at = |percent: usize| match durations.len() {
            0 => 0,
            count => durations[(count * percent).div_ceil(100).max(1) - 1],
        };
        TickFigures {
            late: self.late.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            p50_us: at(50),
            p99_us: at(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_last_seconds() {
        let gauge = TickGauge::new(20);
        assert_eq!(gauge.read(), TickFigures::default());
        let late = Start { delay: Duration::ZERO, is_late: true, skipped: 2 };
        gauge.ticked(late, Duration::from_secs(9));
        let punctual = Start { is_late: false, skipped: 0, ..late };
        for us in 1..=u64::from(20 * STATUS_SECONDS) {
            gauge.ticked(punctual, Duration::from_micros(us));
        }
        assert_eq!(gauge.read(), TickFigures { late: 1, skipped: 2, p50_us: 50, p99_us: 99 });
    }
}
