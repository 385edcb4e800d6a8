//! The cells behind a mod's statics. All `unsafe` of this crate about state is here and in `super`.
//!
//! There is deliberately no borrow flag: a flag lives in memory, and would stay set after a trap that could not be
//! undone, so that not even a repaired generation could run.

use core::cell::{Cell, UnsafeCell};

/// Holds a mod's state.
pub struct StateCell<T>(UnsafeCell<Option<T>>);

// SAFETY: wasm32-unknown-unknown without the atomics feature has one thread.
unsafe impl<T> Sync for StateCell<T> {}

impl<T> StateCell<T> {
    /// Without state, as in a world that has not started.
    pub const fn empty() -> Self {
        Self(UnsafeCell::new(None))
    }

    /// Puts the state in.
    ///
    /// # Safety
    ///
    /// No reference from [`StateCell::get`] lives.
    pub(super) unsafe fn fill(&self, state: T) {
        // SAFETY: the caller's promise.
        unsafe { *self.0.get() = Some(state) }
    }

    /// The state, if the world has started.
    ///
    /// # Safety
    ///
    /// No other reference from this method lives.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn get(&self) -> Option<&mut T> {
        // SAFETY: the caller's promise.
        unsafe { (*self.0.get()).as_mut() }
    }
}

/// A static that only ever holds 0 or 7. `globalopt` would make one byte of it; the linker checks that it did not.
pub struct ProofCell(Cell<u32>);

// SAFETY: wasm32-unknown-unknown without the atomics feature has one thread.
unsafe impl Sync for ProofCell {}

impl ProofCell {
    /// Holds 0.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self(Cell::new(0))
    }

    /// What it holds.
    #[inline(always)]
    pub fn get(&self) -> u32 {
        self.0.get()
    }

    /// Makes it hold 7.
    #[inline(always)]
    pub fn set_seven(&self) {
        self.0.set(7);
    }
}
