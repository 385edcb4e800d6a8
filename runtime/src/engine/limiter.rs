//! What a store may hold. wasmtime refuses the 10,001st instance of a store by default; generations stay resident here
//! and have a limit of their own, so the store's is lifted.

use crate::limits::TABLE_SLOTS_MAX;

/// Limits of one mod's store.
#[derive(Debug)]
pub(crate) struct StoreLimiter {
    memory_bytes_max: u64,
}

impl StoreLimiter {
    /// A limiter that lets linear memory grow up to `memory_bytes_max`.
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        Self { memory_bytes_max }
    }
}

impl wasmtime::ResourceLimiter for StoreLimiter {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired as u64 <= self.memory_bytes_max)
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
