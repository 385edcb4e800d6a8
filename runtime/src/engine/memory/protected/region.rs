//! One linear memory: its address space, its size, and the log of its transaction.

use std::{
    cell::UnsafeCell,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use wasmtime::LinearMemory;

use super::{
    guarded::Guarded,
    log::PageLog,
    userfault::{Running, Userfault},
};

/// See the module. Shared by wasmtime's instance, the signal handler and [`crate::engine::Guest`], all of one store.
pub(in crate::engine::memory) struct Region {
    memory: Guarded,
    /// Bytes to which it can grow without moving.
    capacity: usize,
    size: AtomicUsize,
    /// Used by the thread that has the store, through the methods below and the signal handler.
    log: UnsafeCell<PageLog>,
}

// SAFETY: everything but `log` is shared as it is. `log` is reached by methods of `Undo`, which `Guest` calls with its store in
// hand and exclusively borrowed, and by the handler, which runs on the thread that runs code of that store. A store is used
// by one thread at a time, so accesses never overlap between threads. On one thread they never nest: the methods do not
// fault on pages that they have not made writable, so the handler never interrupts one of them.
unsafe impl Sync for Region {}
// SAFETY: see above; nothing in it is tied to a thread.
unsafe impl Send for Region {}

impl Region {
    /// `size` accessible bytes of `capacity` reserved ones, with a guard behind. Transactions concern at most `tracked` bytes.
    pub(super) fn new(
        capacity: usize,
        guard: usize,
        size: usize,
        tracked: usize,
        userfault: Option<&'static Userfault>,
    ) -> io::Result<Self> {
        let memory = Guarded::reserve(capacity + guard, userfault)?;
        memory.make_accessible(0..size)?;
        let log = UnsafeCell::new(PageLog::new(tracked)?);
        Ok(Self { memory, capacity, size: AtomicUsize::new(size), log })
    }

    /// Where the memory begins.
    pub(super) fn base(&self) -> *mut u8 {
        self.memory.base()
    }

    /// Turns write protection on or off.
    pub(in crate::engine::memory) fn arm(&self, on: bool) {
        self.log().arm(&self.memory, self.size(), on);
    }

    /// Whether what is written from now on can be undone.
    pub(in crate::engine::memory) fn begin(&self) -> bool {
        self.log().begin(&self.memory, self.size())
    }

    pub(in crate::engine::memory) fn commit(&self) {
        self.log().commit(&self.memory);
    }

    /// Also gives back what the memory grew by. The store learns its size by growing by nothing. Whether all was undone.
    pub(in crate::engine::memory) fn roll_back(&self) -> bool {
        let (size, is_undone) = self.log().roll_back(&self.memory, self.size());
        self.size.store(size, Ordering::Relaxed);
        is_undone
    }

    /// This thread runs code of the store, until the answer is dropped.
    #[inline]
    pub(in crate::engine::memory) fn running(&self) -> Running<'_> {
        Running::new(self)
    }

    /// The host is about to write. Whether it may.
    pub(in crate::engine::memory) fn touch(&self, bytes: std::ops::Range<usize>) -> bool {
        self.log().touch(&self.memory, bytes)
    }

    /// A write was refused at this address. Whether it will succeed now.
    pub(super) fn on_fault(&self, address: usize) -> bool {
        match address.checked_sub(self.base() as usize) {
            Some(offset) if offset < self.size() => self.log().on_fault(&self.memory, offset),
            _ => false,
        }
    }

    /// Pages that stay writable between transactions.
    #[cfg(test)]
    pub(super) fn pages_kept(&self) -> usize {
        self.log().pages_kept()
    }

    fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    #[expect(clippy::mut_from_ref, reason = "exclusive by the rule at `Sync`")]
    fn log(&self) -> &mut PageLog {
        // SAFETY: no other reference exists, by the rule at `Sync`; each lives for one method call of this file.
        unsafe { &mut *self.log.get() }
    }
}

/// What wasmtime holds.
pub(super) struct RegionMemory(pub(super) Arc<Region>);

// SAFETY: aligned to pages, a multiple of them (WebAssembly's pages are larger), guarded; see `Creator`.
unsafe impl LinearMemory for RegionMemory {
    fn byte_size(&self) -> usize {
        self.0.size()
    }

    fn byte_capacity(&self) -> usize {
        self.0.capacity
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        let region = &self.0;
        if new_size > region.capacity {
            return Err(wasmtime::Error::msg(format!("{new_size} bytes do not fit {} reserved", region.capacity)));
        }
        // New pages can be written at once: undoing the transaction in which they came gives them back.
        region.memory.make_accessible(region.size()..new_size)?;
        region.size.store(new_size, Ordering::Relaxed);
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.0.base()
    }
}
