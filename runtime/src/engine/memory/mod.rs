//! Memories whose writes can be undone: what a tick wrote becomes permanent at its end, or never happened.
//!
//! Two ways. [`protected`] (Linux) forbids writing to pages and learns of the first write to each by a signal; its costs
//! depend on the pages that a tick touches, never on the size of the state. [`copy`] needs nothing of the system and copies
//! the whole memory. What each costs is in `runtime/ARCHITECTURE.md`; `tests/benches/transaction.rs` measures it.
//!
//! When a transaction begins and ends is decided above; the stack pointer, the only other thing that mod code can change, is
//! put right by [`super::Guest`].

mod copy;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod protected;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use copy::CopyOfAll;
use serde::{Deserialize, Serialize};
use wasmtime::Memory;

/// How a tick's writes to a mod's memory are undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UndoMechanism {
    /// Write protection where the system has it (Linux on x86-64 and AArch64), a copy elsewhere. By userfaultfd where that is
    /// permitted (Linux 6.4), which takes a descriptor and a handler of `SIGBUS` for the process; else by `mprotect`.
    #[default]
    Automatic,
    /// As `Automatic`, but by `mprotect` alone: the first write of a tick to a page costs about twice as much.
    WriteProtection,
    /// A copy of all stack, data and heap in every tick that calls the mod. Costs grow with the size of the state; no signals.
    Copy,
}

/// Makes the memories of one engine.
#[derive(Clone, Default)]
pub(super) struct Memories {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    creator: Option<std::sync::Arc<protected::Creator>>,
}

impl Memories {
    /// Sets up a compiler's configuration for a mechanism.
    pub(super) fn new(mechanism: UndoMechanism, config: &mut wasmtime::Config) -> Self {
        #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
        if mechanism != UndoMechanism::Copy {
            let creator = std::sync::Arc::new(protected::Creator::new(mechanism == UndoMechanism::Automatic));
            config.with_host_memory(creator.clone());
            return Self { creator: Some(creator) };
        }
        let _ = (mechanism, config);
        Self::default()
    }

    /// What undoes the writes to a memory that was just made in `store`.
    pub(super) fn undo_of<T: 'static>(&self, memory: Memory, store: &mut wasmtime::Store<T>) -> Undo {
        #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
        if let Some(region) = self.creator.as_ref().and_then(|creator| creator.claim(memory.data_ptr(&mut *store))) {
            protected::watch(store, &region);
            return Undo(Mechanism::Protected(region));
        }
        let _ = (memory, store);
        Undo(Mechanism::Copy(CopyOfAll::default()))
    }
}

/// Code of a memory's store runs on this thread while it lives.
#[derive(Debug, Default)]
pub(super) struct Running<'u> {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    _protected: Option<protected::Running<'u>>,
    undo: PhantomData<&'u Undo>,
}

/// Undoes writes to one memory. Calls come in the order `begin`, then `commit` or `roll_back`.
pub(super) struct Undo(Mechanism);

enum Mechanism {
    /// See [`protected`].
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    Protected(std::sync::Arc<protected::Region>),
    /// See [`copy`].
    Copy(CopyOfAll),
}

impl Undo {
    /// Makes the memory ready for transactions, or ends that. Not to be called within one.
    pub(super) fn arm(&mut self, on: bool) {
        match &mut self.0 {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Mechanism::Protected(region) => region.arm(on),
            Mechanism::Copy(copy) => copy.clear(),
        }
    }

    /// From here on writes can be undone, if it answers true; the system may refuse.
    ///
    /// Stack and data lie below `image_end`, the heap above the image area.
    pub(super) fn begin(&mut self, memory: &[u8], image_end: usize) -> bool {
        match &mut self.0 {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Mechanism::Protected(region) => region.begin(),
            Mechanism::Copy(copy) => {
                copy.begin(memory, image_end);
                true
            }
        }
    }

    /// Keeps what was written since `begin`.
    pub(super) fn commit(&mut self) {
        match &mut self.0 {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Mechanism::Protected(region) => region.commit(),
            Mechanism::Copy(_) => {}
        }
    }

    /// Undoes what was written since `begin`, and growth where the mechanism can (the store must look at the size again).
    /// Whether it could.
    #[must_use]
    pub(super) fn roll_back<T: 'static>(&mut self, memory: Memory, store: &mut wasmtime::Store<T>) -> bool {
        match &mut self.0 {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Mechanism::Protected(region) => region.roll_back(),
            Mechanism::Copy(copy) => {
                copy.roll_back(memory.data_mut(store));
                true
            }
        }
    }

    /// To be held while code of the memory's store runs.
    #[inline]
    pub(super) fn running(&self) -> Running<'_> {
        match &self.0 {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Mechanism::Protected(region) => Running { _protected: Some(region.running()), undo: PhantomData },
            Mechanism::Copy(_) => Running::default(),
        }
    }

    /// The host is about to write to these bytes; whether it may. Only writes below a call of a mod are noticed by themselves.
    pub(super) fn touch(&mut self, bytes: std::ops::Range<usize>) -> bool {
        let _ = &bytes;
        match &mut self.0 {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Mechanism::Protected(region) => region.touch(bytes),
            Mechanism::Copy(_) => true,
        }
    }
}
