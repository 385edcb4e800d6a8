//! Write protection by userfaultfd, without splitting mappings. The first write to a page raises `SIGBUS`; its handler copies
//! the page and lifts the protection. Many systems forbid the call to ordinary processes or in containers.

use std::io;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::mapping::{Mapping, runs};
use super::write_protection::UndoLog;
use super::{Mechanism, PAGE};

const FEATURE_SIGBUS: u64 = 1 << 7;
pub(crate) const FEATURE_WP_UNPOPULATED: u64 = 1 << 13;
pub(crate) const FEATURE_WP_ASYNC: u64 = 1 << 15;
const USER_MODE_ONLY: i32 = 1;
const MODE_WRITE_PROTECT: u64 = 1 << 1;
const UFFDIO_API: u64 = 0xc018_aa3f;
const UFFDIO_REGISTER: u64 = 0xc020_aa00;
const UFFDIO_WRITEPROTECT: u64 = 0xc018_aa06;

/// A userfaultfd.
pub(crate) struct Descriptor(i32);

impl Descriptor {
    pub(crate) fn new(features: u64) -> io::Result<Self> {
        // SAFETY: a call that makes a descriptor and touches no memory.
        let descriptor = unsafe { libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | USER_MODE_ONLY) };
        let descriptor = Self(i32::try_from(descriptor).unwrap_or(-1));
        if descriptor.0 < 0 {
            return Err(io::Error::last_os_error());
        }
        descriptor.call(UFFDIO_API, [0xaa, features, 0, 0])?;
        Ok(descriptor)
    }

    pub(crate) fn register(&self, mapping: &Mapping) -> io::Result<()> {
        self.call(UFFDIO_REGISTER, [mapping.base as u64, mapping.bytes as u64, MODE_WRITE_PROTECT, 0])
    }

    pub(crate) fn protect(&self, mapping: &Mapping, pages: std::ops::Range<usize>, on: bool) -> io::Result<()> {
        let start = mapping.page(pages.start) as u64;
        self.call(UFFDIO_WRITEPROTECT, [start, (pages.len() * PAGE) as u64, u64::from(on), 0])
    }

    fn call(&self, request: u64, mut words: [u64; 4]) -> io::Result<()> {
        // SAFETY: every request above takes at most four words, laid out as given.
        let done = unsafe { libc::ioctl(self.0, request, words.as_mut_ptr()) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the descriptor belongs to this value.
        unsafe { libc::close(self.0) };
    }
}

struct Protected {
    memory: Mapping,
    descriptor: Descriptor,
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
    if current.descriptor.protect(&current.memory, page..page + 1, false).is_err() {
        std::process::abort();
    }
}

pub(crate) struct Userfault(Box<Protected>);

impl Userfault {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let memory = Mapping::anonymous(bytes)?;
        memory.fill();
        let descriptor = Descriptor::new(FEATURE_SIGBUS | FEATURE_WP_UNPOPULATED)?;
        descriptor.register(&memory)?;
        descriptor.protect(&memory, 0..bytes / PAGE, true)?;
        let undo = UndoLog::new(bytes)?;
        let mut protected = Box::new(Protected { memory, descriptor, undo });
        super::write_protection::install(libc::SIGBUS, on_fault)?;
        CURRENT.store(&raw mut *protected, Ordering::Relaxed);
        Ok(Self(protected))
    }

    fn protect_again(&mut self) -> io::Result<()> {
        let Protected { memory, descriptor, undo } = &mut *self.0;
        runs(&mut undo.pages).into_iter().try_for_each(|run| descriptor.protect(memory, run, true))?;
        undo.pages.clear();
        Ok(())
    }
}

impl Mechanism for Userfault {
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
