//! Threads for compiling, at low priority, so that a compile in the background never delays a tick.
//!
//! Neither a thread nor the compiler can be interrupted. Work that takes too long is abandoned: nobody waits for it any more, it
//! comes to its end in the background, and what it made is dropped there. It is counted until then.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::bounded;

use super::EngineError;
use crate::limits;

/// A rayon pool of its own: wasmtime compiles in rayon's current pool, and the global one belongs to the server.
#[derive(Debug)]
pub(crate) struct PreparePool {
    pool: rayon::ThreadPool,
    abandoned: Arc<AtomicUsize>,
}

/// The work took longer than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abandoned;

const WAITING: u8 = 0;
const RUNNING: u8 = 1;
const ABANDONED: u8 = 2;

impl PreparePool {
    /// A pool of `threads` threads, at least 1 and at most [`limits::PREPARE_THREADS_MAX`].
    pub(crate) fn new(threads: usize) -> Result<Self, EngineError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.clamp(1, limits::PREPARE_THREADS_MAX))
            .thread_name(|index| format!("tickswap-compile-{index}"))
            .start_handler(|_| yield_to_ticks())
            .build()
            .map_err(|error| EngineError::Unusable(format!("no threads to compile on: {error}")))?;
        Ok(Self { pool, abandoned: Arc::default() })
    }

    /// Runs `work` on the pool and waits for it, at most so long; without a limit to its end. A panic of it goes on here.
    pub(crate) fn run<R: Send + 'static>(
        &self,
        wait: Option<Duration>,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Abandoned> {
        let Some(wait) = wait else {
            return Ok(self.pool.install(work));
        };
        let (sender, receiver) = bounded(1);
        let state = Arc::new(AtomicU8::new(WAITING));
        let (worker_state, abandoned) = (state.clone(), self.abandoned.clone());
        self.pool.spawn(move || {
            // What was abandoned before a thread had time for it never begins.
            let begun = worker_state.compare_exchange(WAITING, RUNNING, Ordering::AcqRel, Ordering::Acquire);
            if begun.is_ok() {
                let _ = sender.send(catch_unwind(AssertUnwindSafe(work)));
                if worker_state.swap(WAITING, Ordering::AcqRel) == ABANDONED {
                    abandoned.fetch_sub(1, Ordering::Release);
                }
            }
        });
        match receiver.recv_timeout(wait) {
            Ok(result) => Ok(result.unwrap_or_else(|panic| resume_unwind(panic))),
            Err(_) => {
                // Counted before the worker can see that it is abandoned, so that the count never falls below zero.
                self.abandoned.fetch_add(1, Ordering::AcqRel);
                let found = state.swap(ABANDONED, Ordering::AcqRel);
                if found != RUNNING {
                    self.abandoned.fetch_sub(1, Ordering::Release);
                }
                // It may have ended just now.
                match receiver.try_recv() {
                    Ok(result) => Ok(result.unwrap_or_else(|panic| resume_unwind(panic))),
                    Err(_) => Err(Abandoned),
                }
            }
        }
    }

    /// Pieces of abandoned work that have not come to their end.
    pub(crate) fn abandoned(&self) -> usize {
        self.abandoned.load(Ordering::Acquire)
    }
}

/// Lowers the priority of the calling thread, where the system knows priorities of threads.
pub(crate) fn yield_to_ticks() {
    // On Linux the process call with a thread's number changes that thread alone.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), limits::PREPARE_NICENESS) {
        tracing::debug!(%error, "a preparing thread keeps its priority");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_pools_own_threads_are_made_low() {
        let niceness = || rustix::process::getpriority_process(Some(rustix::thread::gettid()));
        let before = niceness().ok();
        let inside = PreparePool::new(1).unwrap().run(None, niceness);
        assert_eq!(inside, Ok(Ok(limits::PREPARE_NICENESS)));
        assert_eq!(niceness().ok(), before);
    }

    #[test]
    fn work_that_takes_too_long_is_abandoned_and_counted_until_it_ends() {
        let pool = PreparePool::new(1).unwrap();
        let (release, released) = bounded::<()>(0);
        // Again until a thread has begun it in time, whatever else the machine does.
        while pool.abandoned() == 0 {
            let released = released.clone();
            let work = move || {
                let _ = released.recv();
            };
            assert_eq!(pool.run(Some(Duration::from_millis(20)), work), Err(Abandoned));
        }
        assert_eq!(pool.abandoned(), 1);
        // The only thread is taken: this never begins, so it counts for nothing.
        let never = || unreachable!("it was abandoned before it began");
        assert_eq!(pool.run(Some(Duration::ZERO), never), Err::<(), _>(Abandoned));
        assert_eq!(pool.abandoned(), 1);
        drop(release);
        assert_eq!(pool.run(Some(Duration::from_secs(300)), || 7), Ok(7), "the thread is free again");
        assert_eq!(pool.abandoned(), 0);
    }

    #[test]
    fn a_panic_goes_on_where_the_work_was_asked_for() {
        let pool = PreparePool::new(1).unwrap();
        for wait in [None, Some(Duration::from_secs(300))] {
            let panicked = catch_unwind(AssertUnwindSafe(|| pool.run(wait, || panic!("broken"))));
            assert!(panicked.is_err());
        }
        assert_eq!(pool.run(Some(Duration::from_secs(300)), || 7), Ok(7));
    }
}
