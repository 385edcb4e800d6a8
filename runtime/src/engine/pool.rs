//! Threads for compiling, at low priority, so that a compile in the background never delays a tick.

use crate::limits;

use super::EngineError;

/// A rayon pool of its own: wasmtime compiles in rayon's current pool, and the global one belongs to the server.
#[derive(Debug)]
pub(crate) struct PreparePool {
    pool: rayon::ThreadPool,
}

impl PreparePool {
    /// A pool of `threads` threads, at least 1 and at most [`limits::PREPARE_THREADS_MAX`].
    pub(crate) fn new(threads: usize) -> Result<Self, EngineError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.clamp(1, limits::PREPARE_THREADS_MAX))
            .thread_name(|index| format!("tickswap-compile-{index}"))
            .start_handler(|_| yield_to_ticks())
            .build()
            .map_err(|error| EngineError::Unusable(format!("no threads to compile on: {error}")))?;
        Ok(Self { pool })
    }

    /// Runs `work` on the pool and waits for it.
    pub(crate) fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
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
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn only_the_pools_own_threads_are_made_low() {
        let niceness = || rustix::process::getpriority_process(Some(rustix::thread::gettid()));
        let before = niceness().ok();
        let inside = PreparePool::new(1).ok().map(|pool| pool.install(niceness));
        assert_eq!(inside, Some(Ok(limits::PREPARE_NICENESS)));
        assert_eq!(niceness().ok(), before);
    }
}
