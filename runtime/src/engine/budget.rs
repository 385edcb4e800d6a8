//! Processor time of one mod in one tick: epoch interruption is the alarm, the thread's own processor time the charge.
//!
//! A thread of the engine moves the epoch every few milliseconds; code that runs then looks at the thread's processor time. So a
//! busy machine or a compile in the background never condemns healthy code, and hooks that end between two alarms, nearly
//! all of them, never ask for the time. From a tick's first alarm on, the time is taken at both ends of each of the mod's calls.

use std::time::Duration;

use super::EngineError;
use crate::limits::CPU_ALARM_MS;

/// What a mod may still use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    limit_ns: u64,
    limit_name: &'static str,
    spent_ns: u64,
    /// Processor time of the thread when the call that runs was entered, or when its first alarm came.
    entered_ns: Option<u64>,
    /// An alarm has come since the budget began.
    is_exact: bool,
}

impl Budget {
    /// A fresh one of so many milliseconds, 0 for no limit.
    pub(super) fn of_ms(limit_ms: u64, limit_name: &'static str) -> Self {
        Self { limit_ns: limit_ms.saturating_mul(1_000_000), limit_name, ..Self::default() }
    }

    #[inline]
    pub(super) fn enter(&mut self) {
        if self.is_exact {
            self.entered_ns = Some(thread_ns());
        }
    }

    #[inline]
    pub(super) fn leave(&mut self) {
        if let Some(entered) = self.entered_ns.take() {
            self.spent_ns += thread_ns().saturating_sub(entered);
        }
    }

    /// The alarm, in the middle of a call. An error ends the call.
    pub(super) fn alarm(&mut self) -> Result<(), String> {
        self.alarm_at(thread_ns())
    }

    fn alarm_at(&mut self, now_ns: u64) -> Result<(), String> {
        self.is_exact = true;
        let entered = *self.entered_ns.get_or_insert(now_ns);
        let spent_ns = self.spent_ns + now_ns.saturating_sub(entered);
        if self.limit_ns == 0 || spent_ns <= self.limit_ns {
            return Ok(());
        }
        Err(format!(
            "it used {} ms of processor time, at most {} ms are allowed (limit {}); do less in one tick, or raise the limit",
            spent_ns / 1_000_000,
            self.limit_ns / 1_000_000,
            self.limit_name
        ))
    }
}

/// Starts the thread that rings; it ends by itself when the engine is gone.
pub(super) fn start_alarm(engine: &wasmtime::Engine) -> Result<(), EngineError> {
    let engine = engine.weak();
    let ring = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(Duration::from_millis(CPU_ALARM_MS));
        }
    };
    let started = std::thread::Builder::new().name("tickswap-alarm".to_owned()).spawn(ring);
    started.map(drop).map_err(|error| EngineError::Unusable(format!("no thread for the alarm of CPU time: {error}")))
}

/// Nanoseconds of processor time that this thread has used.
#[cfg(unix)]
fn thread_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec`, which is there.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if outcome != 0 {
        return 0;
    }
    u64::try_from(time.tv_sec).unwrap_or_default() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// Where the system tells no processor time of threads: nanoseconds on the clock, from the first time on that this is asked.
#[cfg(not(unix))]
fn thread_ns() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    crate::clock::nanos_since(*START.get_or_init(crate::clock::now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn only_time_between_alarms_within_calls_is_charged() {
        let mut budget = Budget::of_ms(10, "cpu_ms_per_tick");
        assert_eq!(budget.alarm_at(500 * MS), Ok(()), "what was before the first alarm is unknown, and is not charged");
        assert_eq!(budget.alarm_at(510 * MS), Ok(()));
        let message = budget.alarm_at(511 * MS).err().unwrap_or_default();
        assert!(message.contains("11 ms") && message.contains("limit cpu_ms_per_tick"), "{message}");
    }

    #[test]
    fn calls_after_the_first_alarm_add_up() {
        let mut budget = Budget::of_ms(10, "cpu_ms_per_tick");
        budget.enter();
        assert_eq!(budget.entered_ns, None, "no alarm yet: the time is not even asked for");
        assert!(budget.alarm().is_ok());
        budget.leave();
        budget.spent_ns += 9 * MS;
        budget.enter();
        let entered = budget.entered_ns.unwrap_or_default();
        assert!(budget.alarm_at(entered + 3 * MS).is_err());
    }

    #[test]
    fn no_limit_is_no_limit() {
        let mut budget = Budget::of_ms(0, "cpu_ms_per_tick");
        assert!(budget.alarm_at(0).is_ok());
        assert!(budget.alarm_at(u64::MAX).is_ok());
    }

    #[test]
    #[cfg(unix)]
    fn sleeping_is_not_charged_and_working_is() {
        let before = thread_ns();
        std::thread::sleep(Duration::from_millis(60));
        assert!(thread_ns() - before < 50 * MS, "a sleeping thread uses no processor");
        let mut work = 0_u64;
        while thread_ns() == before {
            work = std::hint::black_box(work + 1);
        }
    }
}
