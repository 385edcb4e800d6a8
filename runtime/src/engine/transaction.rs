//! A mod's memory and stack pointer as something that a tick changes entirely or not at all.
//!
//! Linked modules have no mutable global but the stack pointer (the linker refuses others), and no code that changes tables;
//! so memory, its size and the stack pointer are all that a call can change.

use super::{Guest, HostSide, guest::Transaction};

impl<H: HostSide> Guest<H> {
    /// Whether transactions are possible from now on. What is there now is what the next one begins with.
    ///
    /// Costs grow with the memory's size, so this is for staging and idle time, never for a boundary. Not within a transaction.
    pub(crate) fn set_transactional(&mut self, on: bool) {
        if on == self.is_transactional() || self.transaction == Transaction::Open {
            return;
        }
        self.undo.arm(on);
        self.transaction = if on { Transaction::Closed } else { Transaction::Off };
    }

    /// Whether what the mod does can be undone.
    pub(crate) fn is_transactional(&self) -> bool {
        self.transaction != Transaction::Off
    }

    /// Whether a transaction has begun.
    #[inline]
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.transaction == Transaction::Open
    }

    /// Begins a transaction, where that is possible and none has begun. Whether one is open now.
    #[inline]
    pub(crate) fn begin(&mut self) -> bool {
        if self.transaction == Transaction::Closed && self.undo.begin(self.memory.data(&self.store), self.image_end) {
            self.transaction = Transaction::Open;
        }
        self.is_in_transaction()
    }

    /// Keeps what was done since the transaction began.
    pub(crate) fn commit(&mut self) {
        if self.is_in_transaction() {
            self.undo.commit();
            self.transaction = Transaction::Closed;
        }
    }

    /// Undoes what was done since the transaction began. Whether it could: other code of the process may have taken away
    /// what tells the writes.
    #[must_use]
    pub(crate) fn roll_back(&mut self) -> bool {
        if !self.is_in_transaction() {
            return true;
        }
        let is_undone = self.undo.roll_back(self.memory, &mut self.store);
        self.transaction = Transaction::Closed;
        // Growing by nothing lets the store see that the memory is smaller than it was.
        if let Err(error) = self.memory.grow(&mut self.store, 0) {
            tracing::error!(target: "tickswap", %error, "the size of an undone memory cannot be read again");
        }
        self.reset_stack();
        is_undone
    }

    /// Writes into the mod's memory from outside of a call.
    pub(super) fn write(&mut self, address: usize, bytes: &[u8]) -> Result<(), String> {
        let end = address.saturating_add(bytes.len());
        if !self.undo.touch(address..end) {
            return Err(format!("the system does not let {} bytes at {address:#x} be written", bytes.len()));
        }
        self.memory.write(&mut self.store, address, bytes).map_err(|error| error.to_string())
    }
}
