//! Undoing by protecting pages, whatever forbids the writes: the first write to a page raises a signal, whose handler copies the
//! page into an undo log and allows writing. Commit protects the touched pages again, rollback copies them back first.
//!
//! [`Guarded`] protects all touched pages at the end. [`KeptPages`] is nearer to what the runtime does: pages that one tick touched stay
//! writable and are copied when the next begins, and those that it leaves as they were are protected again. A game touches much
//! the same pages tick after tick.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::mapping::{Mapping, runs};
use super::{Mechanism, PAGE};

/// Forbids and allows writing to pages.
pub(crate) trait Guard: Sized + 'static {
    /// What a forbidden write raises.
    const SIGNAL: i32;

    /// Takes a filled memory over, of which every page can be written.
    fn new(memory: &Mapping) -> io::Result<Self>;
    /// Must be fit for a signal handler.
    fn protect(&self, memory: &Mapping, pages: Range<usize>, on: bool) -> io::Result<()>;
}

/// Copies of pages as they were, in the order in which they were touched.
pub(crate) struct UndoLog {
    copies: Mapping,
    pub(crate) pages: Vec<usize>,
}

impl UndoLog {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        Ok(Self { copies: Mapping::anonymous(bytes)?, pages: Vec::with_capacity(bytes / PAGE) })
    }

    /// Allocates nothing: the log has room for every page.
    pub(crate) fn keep(&mut self, memory: &Mapping, pages: Range<usize>) {
        // SAFETY: the log is as large as the memory, and a page is kept once.
        unsafe {
            let to = self.copies.page(self.pages.len());
            memory.page(pages.start).copy_to_nonoverlapping(to, pages.len() * PAGE);
        }
        self.pages.extend(pages);
    }

    pub(crate) fn restore(&self, memory: &Mapping) {
        for (number, page) in self.pages.iter().enumerate() {
            // SAFETY: both pages exist in mappings of their own.
            unsafe { self.copies.page(number).copy_to_nonoverlapping(memory.page(*page), PAGE) };
        }
    }
}

struct Protected<G> {
    memory: Mapping,
    guard: G,
    undo: UndoLog,
}

impl<G: Guard> Protected<G> {
    fn first_write(&mut self, address: usize) -> io::Result<()> {
        let page = address.wrapping_sub(self.memory.base as usize) / PAGE;
        if page >= self.memory.bytes / PAGE {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.undo.keep(&self.memory, page..page + 1);
        self.guard.protect(&self.memory, page..page + 1, false)
    }

    fn protect_again(&mut self) -> io::Result<()> {
        let Self { memory, guard, undo } = self;
        runs(&mut undo.pages).into_iter().try_for_each(|run| guard.protect(memory, run, true))?;
        undo.pages.clear();
        Ok(())
    }
}

/// What the handlers work on. The bench has one memory at a time, on one thread.
static CURRENT: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn on_fault<G: Guard>(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid `siginfo_t` to a handler installed with `SA_SIGINFO`.
    let address = unsafe { (*info).si_addr() } as usize;
    // SAFETY: `Guarded::new` set it with this handler, to a box of this type that outlives its memory; the fault is on the only
    // thread that uses it.
    let current = unsafe { CURRENT.load(Ordering::Relaxed).cast::<Protected<G>>().as_mut() };
    if current.is_none_or(|current| current.first_write(address).is_err()) {
        std::process::abort();
    }
}

fn install<G: Guard>() -> io::Result<()> {
    // SAFETY: an action of zeros is valid, and its fields are set before use.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_fault::<G> as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
    // SAFETY: the action is complete; the old one is not asked for.
    let done = unsafe { libc::sigaction(G::SIGNAL, &raw const action, std::ptr::null_mut()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// See the module.
pub(crate) struct Guarded<G>(Box<Protected<G>>);

impl<G: Guard> Guarded<G> {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let memory = Mapping::anonymous(bytes)?;
        memory.fill();
        let guard = G::new(&memory)?;
        guard.protect(&memory, 0..bytes / PAGE, true)?;
        let mut protected = Box::new(Protected { memory, guard, undo: UndoLog::new(bytes)? });
        install::<G>()?;
        CURRENT.store((&raw mut *protected).cast(), Ordering::Relaxed);
        Ok(Self(protected))
    }
}

impl<G: Guard> Mechanism for Guarded<G> {
    fn base(&mut self) -> *mut u8 {
        self.0.memory.base
    }

    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.0.protect_again()
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.0.undo.restore(&self.0.memory);
        self.0.protect_again()
    }
}

/// Ticks for which a page that is left alone stays writable.
const TICKS_KEPT: u8 = 2;

/// See the module.
pub(crate) struct KeptPages<G> {
    inner: Guarded<G>,
    left_alone: Vec<u8>,
}

impl<G: Guard> KeptPages<G> {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        Ok(Self { inner: Guarded::new(bytes)?, left_alone: vec![0; bytes / PAGE] })
    }
}

impl<G: Guard> Mechanism for KeptPages<G> {
    fn base(&mut self) -> *mut u8 {
        self.inner.base()
    }

    fn begin(&mut self) -> io::Result<()> {
        let Protected { memory, undo, .. } = &mut *self.inner.0;
        let kept = std::mem::take(&mut undo.pages);
        undo.pages = Vec::with_capacity(memory.bytes / PAGE);
        kept.iter().for_each(|page| undo.keep(memory, *page..page + 1));
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        let Protected { memory, guard, undo } = &mut *self.inner.0;
        let mut leaving = Vec::new();
        let (copies, left_alone) = (&undo.copies, &mut self.left_alone);
        let mut number = 0;
        undo.pages.retain(|page| {
            // SAFETY: both pages exist and nobody writes to them now.
            let (now, before) = unsafe {
                let now = std::slice::from_raw_parts(memory.page(*page), PAGE);
                (now, std::slice::from_raw_parts(copies.page(number), PAGE))
            };
            number += 1;
            let age = &mut left_alone[*page];
            *age = if now == before { *age + 1 } else { 0 };
            if *age >= TICKS_KEPT {
                *age = 0;
                leaving.push(*page);
                return false;
            }
            true
        });
        runs(&mut leaving).into_iter().try_for_each(|run| guard.protect(memory, run, true))
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.inner.0.undo.restore(&self.inner.0.memory);
        Ok(())
    }
}
