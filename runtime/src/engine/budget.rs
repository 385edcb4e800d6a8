//! Processor time of one mod in one tick: epoch interruption is the alarm, the thread's own processor time the charge.
//!
//! A thread of the engine moves the epoch every few milliseconds; code that then runs looks at the thread's processor time. So a
//! busy machine or a compile in the background never condemns healthy code, and hooks that end between two alarms, nearly
//! all of them, never ask for the time. From a tick's first alarm on, calls are timed by the clock, and the next alarm charges the
//! time that lay within calls, but no more than the processor time that the thread used meanwhile. A thread's processor
//! time is asked for at alarms only: that is a system call and may cost a hundred times what a hook does.

use std::time::{Duration, Instant};

use super::EngineError;
use crate::{clock, limits::CPU_ALARM_MS};

/// What a mod may still use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    limit_ns: u64,
    limit_name: &'static str,
    spent_ns: u64,
    /// What is not charged yet. Nothing is measured before a tick's first alarm.
    since_alarm: Option<Uncharged>,
    /// When the call that runs was entered, or when the last alarm came in it. None before the first alarm.
    entered: Option<Instant>,
}

/// Since the last alarm.
#[derive(Clone, Copy, Debug)]
struct Uncharged {
    /// Processor time of the thread at that alarm.
    thread_ns: u64,
    /// Time by the clock within calls that ended.
    in_calls_ns: u64,
}

impl Budget {
    /// A fresh one of so many milliseconds, 0 for no limit.
    pub(super) fn of_ms(limit_ms: u64, limit_name: &'static str) -> Self {
        Self { limit_ns: limit_ms.saturating_mul(1_000_000), limit_name, ..Self::default() }
    }

    #[inline]
    pub(super) fn enter(&mut self) {
        if self.since_alarm.is_some() {
            self.begin_timing();
        }
    }

    #[inline]
    pub(super) fn leave(&mut self) {
        if self.entered.is_some() {
            self.end_timing(clock::now());
        }
    }

    #[cold]
    fn begin_timing(&mut self) {
        self.entered = Some(clock::now());
    }

    #[cold]
    fn end_timing(&mut self, now: Instant) {
        if let (Some(entered), Some(uncharged)) = (self.entered.take(), &mut self.since_alarm) {
            uncharged.in_calls_ns += clock::nanos(now.saturating_duration_since(entered));
        }
    }

    /// The alarm, in the middle of a call. An error ends the call.
    pub(super) fn alarm(&mut self) -> Result<(), String> {
        // Without a limit nothing is charged.
        if self.limit_ns == 0 { Ok(()) } else { self.alarm_at(clock::now(), thread_ns()) }
    }

    fn alarm_at(&mut self, now: Instant, thread_ns: u64) -> Result<(), String> {
        self.end_timing(now);
        if let Some(Uncharged { thread_ns: before, in_calls_ns }) = self.since_alarm {
            self.spent_ns += in_calls_ns.min(thread_ns.saturating_sub(before));
        }
        self.since_alarm = Some(Uncharged { thread_ns, in_calls_ns: 0 });
        self.entered = Some(now);
        let spent_ns = self.spent_ns;
        if spent_ns <= self.limit_ns {
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

    /// A budget of 10 ms whose alarms come at these times by the clock and by the thread, in milliseconds, all in one call.
    fn after(alarms: &[(u64, u64)]) -> (Budget, Result<(), String>) {
        let (mut budget, start) = (Budget::of_ms(10, "cpu_ms_per_tick"), clock::now());
        let mut last = Ok(());
        for (clock, thread) in alarms {
            last = budget.alarm_at(start + Duration::from_millis(*clock), thread * MS);
        }
        (budget, last)
    }

    #[test]
    fn only_time_between_alarms_within_calls_is_charged() {
        assert_eq!(after(&[(500, 500)]).1, Ok(()), "what was before the first alarm is unknown, and is not charged");
        assert_eq!(after(&[(500, 500), (510, 510)]).1, Ok(()));
        let message = after(&[(500, 500), (510, 510), (511, 511)]).1.err().unwrap_or_default();
        assert!(message.contains("11 ms") && message.contains("limit cpu_ms_per_tick"), "{message}");
    }

    #[test]
    fn what_the_thread_did_not_get_and_what_it_did_between_calls_is_not_charged() {
        assert_eq!(after(&[(0, 0), (900, 9)]).1, Ok(()), "others had the processor");
        let (mut budget, _) = after(&[(0, 0)]);
        let alarm = budget.entered.unwrap_or_else(clock::now);
        budget.end_timing(alarm + Duration::from_millis(4));
        budget.entered = Some(alarm + Duration::from_millis(904));
        assert_eq!(budget.alarm_at(alarm + Duration::from_millis(909), 909 * MS), Ok(()), "the server's own work");
        assert_eq!(budget.spent_ns, 9 * MS, "two calls that were not ended add up");
        assert!(budget.alarm_at(alarm + Duration::from_millis(911), 911 * MS).is_err());
    }

    #[test]
    fn calls_before_the_first_alarm_are_not_even_timed() {
        let mut budget = Budget::of_ms(10, "cpu_ms_per_tick");
        budget.enter();
        assert_eq!(budget.entered, None);
        assert!(budget.alarm().is_ok());
        budget.leave();
        assert_eq!(budget.entered, None);
        budget.enter();
        assert!(budget.entered.is_some());
    }

    #[test]
    fn no_limit_is_no_limit() {
        let mut budget = Budget::of_ms(0, "cpu_ms_per_tick");
        budget.enter();
        assert!(budget.alarm().is_ok() && budget.alarm().is_ok());
        budget.leave();
        budget.enter();
        assert_eq!(budget.entered, None, "and the time is not even asked for");
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
