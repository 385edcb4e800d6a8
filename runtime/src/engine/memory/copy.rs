//! The portable way: the memory is copied when a transaction begins, and copied back when it is undone.
//!
//! Growth stays, as zeros behind the old end: the mod's allocator is back in the state in which it did not have them.

/// The copy of one memory.
#[derive(Debug, Default)]
pub(crate) struct CopyOfAll {
    before: Vec<u8>,
}

impl CopyOfAll {
    /// Gives the copy's space back.
    pub(super) fn clear(&mut self) {
        self.before = Vec::new();
    }

    pub(super) fn begin(&mut self, memory: &[u8]) {
        self.before.clear();
        self.before.extend_from_slice(memory);
    }

    pub(super) fn roll_back(&mut self, memory: &mut [u8]) {
        let length = self.before.len().min(memory.len());
        let (old, grown) = memory.split_at_mut(length);
        old.copy_from_slice(&self.before[..length]);
        grown.fill(0);
    }
}
