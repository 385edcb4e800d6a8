//! Write protection: the first write of a tick to a page raises a signal, and its handler keeps a copy of the page.
//!
//! wasmtime owns the signal handler and asks the store's own handler first, for every fault below a call into WebAssembly (the
//! mod's code, wasmtime's bulk operations, host functions). The host's writes outside of such calls announce themselves by
//! [`Region::touch`]. So nothing here is installed in the process, and other handlers chain as wasmtime lets them.
//!
//! Pages that [`userfault`] protects raise another signal, and find their memory by what the thread runs ([`Region::running`]).
//!
//! [`mapping`] and [`userfault`] speak to the system, [`guarded`] chooses between them, [`log`] knows the pages, [`region`] ties
//! all to a memory.

mod guarded;
mod log;
mod mapping;
mod region;
mod runs;
#[cfg(test)]
mod tests;
mod userfault;

use std::sync::Arc;

use parking_lot::Mutex;
pub(super) use region::Region;
use region::RegionMemory;
pub(super) use userfault::Running;
use userfault::Userfault;
use wasmtime::{LinearMemory, MemoryType, unix::StoreExt};

/// Gives wasmtime its memories. It is told neither mod nor world, so they are found again by address.
pub(super) struct Creator {
    made: Mutex<Vec<Arc<Region>>>,
    userfault: Option<&'static Userfault>,
}

impl Creator {
    /// Memories are protected by userfaultfd where that is permitted, or by changing mappings alone.
    pub(super) fn new(with_userfault: bool) -> Self {
        let userfault = if with_userfault { Userfault::of_process() } else { None };
        Self { made: Mutex::default(), userfault }
    }

    /// The region that begins at `base`, once.
    pub(super) fn claim(&self, base: *mut u8) -> Option<Arc<Region>> {
        let mut made = self.made.lock();
        // Instances that could not be made leave theirs behind.
        made.retain(|region| Arc::strong_count(region) > 1);
        let found = made.iter().position(|region| region.base() == base)?;
        Some(made.swap_remove(found))
    }
}

// SAFETY: a region is page aligned, zeroed, reserved whole with its guard behind it and never moves; it lives as long as the
// `LinearMemory` that holds it. What this runtime changes about it behind wasmtime's back is protection of pages (its signal
// handler lifts it), contents between two calls, and the size in `Guest::roll_back`, which lets wasmtime see it.
unsafe impl wasmtime::MemoryCreator for Creator {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let capacity = reserved.unwrap_or_default().max(maximum.unwrap_or(minimum)).max(minimum);
        let region = Region::new(capacity, guard, minimum, maximum.unwrap_or(capacity), self.userfault);
        let region = Arc::new(region.map_err(|error| format!("{capacity} bytes of address space: {error}"))?);
        self.made.lock().push(region.clone());
        Ok(Box::new(RegionMemory(region)))
    }
}

/// Lets the region's pages be kept when code of `store` first writes to them.
pub(super) fn watch<T>(store: &mut wasmtime::Store<T>, region: &Arc<Region>) {
    let region = region.clone();
    let handler = move |signal: libc::c_int, information: *const libc::siginfo_t, _: *const libc::c_void| {
        // SAFETY: wasmtime hands on what the kernel gave it, and for this signal that names an address.
        signal == libc::SIGSEGV && region.on_fault(unsafe { (*information).si_addr() } as usize)
    };
    // SAFETY: the handler must be async-signal-safe. It allocates nothing and takes no lock: room for every page is reserved
    // when a transaction begins, and beside copying it makes two system calls, `mprotect` and an `ioctl`. The signal is raised by the thread itself, in the middle of code that holds no reference
    // into the region's log (see `Region::log`).
    unsafe { store.set_signal_handler(handler) };
}
