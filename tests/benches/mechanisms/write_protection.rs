//! Write protection by `mprotect`. The first write to a page raises `SIGSEGV`; its handler copies the page into an undo log and
//! makes it writable. Commit protects the touched pages again, rollback copies them back first. Needs no privilege.
//!
//! [`KeptPages`] is what the runtime does: pages that one tick touched stay writable and are copied when the next begins, and
//! those that it leaves as they were are protected again. A game touches much the same pages tick after tick.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::mapping::{Mapping, runs};
use super::{Mechanism, PAGE};

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

/// Installs a handler for a signal.
pub(crate) fn install(
    signal: i32,
    handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void),
) -> io::Result<()> {
    // SAFETY: an action of zeros is valid, and its fields are set before use.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
    // SAFETY: the action is complete; the old one is not asked for.
    let done = unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

struct Protected {
    memory: Mapping,
    undo: UndoLog,
}

/// What the handler works on. The bench has one memory at a time, on one thread.
static CURRENT: AtomicPtr<Protected> = AtomicPtr::new(std::ptr::null_mut());

extern "C" fn on_fault(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid `siginfo_t` to a handler installed with `SA_SIGINFO`.
    let address = unsafe { (*info).si_addr() } as usize;
    // SAFETY: set by `new` to a box that outlives its memory; the fault is on the only thread that uses it.
    let Some(current) = (unsafe { CURRENT.load(Ordering::Relaxed).as_mut() }) else { std::process::abort() };
    let page = address.wrapping_sub(current.memory.base as usize) / PAGE;
    if page >= current.memory.bytes / PAGE {
        std::process::abort();
    }
    current.undo.keep(&current.memory, page..page + 1);
    if current.memory.protect(page..page + 1, libc::PROT_READ | libc::PROT_WRITE).is_err() {
        std::process::abort();
    }
}

pub(crate) struct WriteProtection(Box<Protected>);

impl WriteProtection {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let memory = Mapping::anonymous(bytes)?;
        memory.fill();
        memory.protect(0..bytes / PAGE, libc::PROT_READ)?;
        let mut protected = Box::new(Protected { memory, undo: UndoLog::new(bytes)? });
        install(libc::SIGSEGV, on_fault)?;
        CURRENT.store(&raw mut *protected, Ordering::Relaxed);
        Ok(Self(protected))
    }

    fn protect_again(&mut self) -> io::Result<()> {
        let Protected { memory, undo } = &mut *self.0;
        runs(&mut undo.pages).into_iter().try_for_each(|run| memory.protect(run, libc::PROT_READ))?;
        undo.pages.clear();
        Ok(())
    }
}

impl Mechanism for WriteProtection {
    fn base(&mut self) -> *mut u8 {
        self.0.memory.base
    }

    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.protect_again()
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.0.undo.restore(&self.0.memory);
        self.protect_again()
    }
}

/// Ticks for which a page that is left alone stays writable.
const TICKS_KEPT: u8 = 2;

pub(crate) struct KeptPages {
    inner: WriteProtection,
    left_alone: Vec<u8>,
}

impl KeptPages {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        Ok(Self { inner: WriteProtection::new(bytes)?, left_alone: vec![0; bytes / PAGE] })
    }
}

impl Mechanism for KeptPages {
    fn base(&mut self) -> *mut u8 {
        self.inner.base()
    }

    fn begin(&mut self) -> io::Result<()> {
        let Protected { memory, undo } = &mut *self.inner.0;
        let kept = std::mem::take(&mut undo.pages);
        undo.pages = Vec::with_capacity(memory.bytes / PAGE);
        kept.iter().for_each(|page| undo.keep(memory, *page..page + 1));
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        let Protected { memory, undo } = &mut *self.inner.0;
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
        runs(&mut leaving).into_iter().try_for_each(|run| memory.protect(run, libc::PROT_READ))
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.inner.0.undo.restore(&self.inner.0.memory);
        Ok(())
    }
}
