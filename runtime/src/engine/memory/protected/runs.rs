//! How many mappings the memories of a process take together: the kernel allows a process only so many.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

/// Runs of writable pages between ticks, over all memories of the process. Each costs up to two mappings.
static ALL: AtomicUsize = AtomicUsize::new(0);

/// One memory's part of them.
#[derive(Debug, Default)]
pub(super) struct RunsKept(usize);

impl RunsKept {
    /// Takes so many instead of those it has. Whether there is room; if not, it has none.
    pub(super) fn replace(&mut self, runs: usize) -> bool {
        let others = ALL.fetch_sub(self.0, Ordering::Relaxed) - self.0;
        self.0 = if others + runs <= runs_max() { runs } else { 0 };
        ALL.fetch_add(self.0, Ordering::Relaxed);
        self.0 == runs
    }
}

impl Drop for RunsKept {
    fn drop(&mut self) {
        ALL.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// A quarter of the mappings that a process may have: a run splits one mapping into up to three.
fn runs_max() -> usize {
    static RUNS_MAX: OnceLock<usize> = OnceLock::new();
    /// The kernel's default, where it cannot be read.
    const MAPPINGS: usize = 65_530;
    *RUNS_MAX.get_or_init(|| {
        let read = std::fs::read_to_string("/proc/sys/vm/max_map_count");
        read.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(MAPPINGS) / 4
    })
}
