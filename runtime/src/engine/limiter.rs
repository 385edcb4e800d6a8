//! What a store may hold. wasmtime refuses the 10,001st instance of a store by default; generations stay resident here
//! and have a limit of their own, so the store's is lifted.

use crate::limits::TABLE_SLOTS_MAX;

/// Limits of one mod's store.
#[derive(Debug)]
pub(crate) struct StoreLimiter {
    memory_bytes_max: u64,
    /// Bytes that memory was not allowed to grow to in the call that runs.
    refused: Option<usize>,
}

impl StoreLimiter {
    /// A limiter that lets linear memory grow up to `memory_bytes_max`.
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        Self { memory_bytes_max, refused: None }
    }

    /// A call begins: what was refused before has nothing to do with it.
    #[inline]
    pub(crate) fn begin_call(&mut self) {
        self.refused = None;
    }

    /// What the call was refused, in the words of a fault: a mod that gets no memory only says that it gives up.
    pub(crate) fn refusal(&self) -> Option<String> {
        let (refused, limit) = (self.refused?, self.memory_bytes_max);
        Some(format!("it wanted {refused} bytes of memory, at most {limit} are allowed (limit memory_bytes_per_mod)"))
    }
}

impl wasmtime::ResourceLimiter for StoreLimiter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let is_allowed = desired as u64 <= self.memory_bytes_max;
        if !is_allowed {
            self.refused = Some(desired);
        }
        Ok(is_allowed)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_SLOTS_MAX as usize)
    }

    fn instances(&self) -> usize {
        usize::MAX
    }

    fn tables(&self) -> usize {
        usize::MAX
    }

    fn memories(&self) -> usize {
        usize::MAX
    }
}
