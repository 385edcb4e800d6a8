//! userfaultfd: the kernel forbids writing page by page without splitting mappings, and raises `SIGBUS` at the first write.
//!
//! wasmtime installs no handler for `SIGBUS` on Linux, so one is installed here, once in a process, before whose own turn nothing
//! happens: a fault that is not a refused write to the memory whose code this thread runs goes to the handler that was there before.
//! Where the kernel or a container forbids userfaultfd, mappings are changed instead (see [`super::guarded`]).

use std::{cell::Cell, io, marker::PhantomData, mem::MaybeUninit, os::fd::OwnedFd, ptr::null, sync::OnceLock};

use rustix::{
    ioctl::{Opcode, Updater, ioctl, opcode},
    mm::UserfaultfdFlags,
};

use super::region::Region;

/// Faults of user code alone: what an ordinary process may ask for (Linux 5.11).
const USER_MODE_ONLY: u32 = 1;
const API_VERSION: u64 = 0xaa;
const FEATURE_SIGBUS: u64 = 1 << 7;
/// Pages that were never touched can be protected, too (Linux 6.4).
const FEATURE_WP_UNPOPULATED: u64 = 1 << 13;
const MODE_WRITE_PROTECT: u64 = 1 << 1;

/// Requests and their arguments, as in `linux/userfaultfd.h`.
const API: Opcode = opcode::read_write::<[u64; 3]>(0xaa, 0x3f);
const REGISTER: Opcode = opcode::read_write::<[u64; 4]>(0xaa, 0x00);
const WAKE: Opcode = opcode::read::<[u64; 2]>(0xaa, 0x02);
const WRITE_PROTECT: Opcode = opcode::read_write::<[u64; 3]>(0xaa, 0x06);

/// The process's descriptor. Never closed; whoever closes all descriptors ends the protection ([`Userfault::is_alive`]).
#[derive(Debug)]
pub(super) struct Userfault(OwnedFd);

impl Userfault {
    /// The process's, if the system permits one.
    pub(super) fn of_process() -> Option<&'static Self> {
        static USERFAULT: OnceLock<Option<Userfault>> = OnceLock::new();
        let open = || {
            let opened = Self::open();
            if let Err(error) = &opened {
                tracing::info!(
                    target: "tickswap", %error,
                    "userfaultfd is not to be had: a tick's first write to a page costs about twice as much without it"
                );
            }
            opened.ok()
        };
        USERFAULT.get_or_init(open).as_ref()
    }

    /// A descriptor of its own.
    pub(super) fn open() -> io::Result<Self> {
        let flags = UserfaultfdFlags::CLOEXEC | UserfaultfdFlags::from_bits_retain(USER_MODE_ONLY);
        // SAFETY: nothing is registered with the descriptor but memories of this module, whose faults are expected.
        let descriptor = unsafe { rustix::mm::userfaultfd(flags) }?;
        let opened = Self(descriptor);
        opened.request::<API, 3>([API_VERSION, FEATURE_SIGBUS | FEATURE_WP_UNPOPULATED, 0])?;
        install_handler()?;
        Ok(opened)
    }

    #[cfg(test)]
    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.0
    }

    /// Lets pages be protected. They are of an anonymous mapping, and go with it.
    pub(super) fn register(&self, start: *mut u8, bytes: usize) -> io::Result<()> {
        self.request::<REGISTER, 4>([start as u64, bytes as u64, MODE_WRITE_PROTECT, 0])
    }

    /// Forbids writing to registered pages, or allows it.
    pub(super) fn protect(&self, start: *mut u8, bytes: usize, on: bool) -> io::Result<()> {
        if bytes == 0 {
            return Ok(());
        }
        self.request::<WRITE_PROTECT, 3>([start as u64, bytes as u64, u64::from(on)])
    }

    /// Whether pages are protected still: closing the descriptor allows all writing, and nobody is told.
    pub(super) fn is_alive(&self, page: *mut u8) -> bool {
        self.request::<WAKE, 2>([page as u64, rustix::param::page_size() as u64]).is_ok()
    }

    fn request<const REQUEST: Opcode, const WORDS: usize>(&self, mut words: [u64; WORDS]) -> io::Result<()> {
        // SAFETY: each request above stands with the number of words that the kernel reads and writes for it, and none makes
        // the kernel change memory: protecting makes writes fault, which the handler answers.
        unsafe { ioctl(&self.0, Updater::<REQUEST, [u64; WORDS]>::new(&mut words)) }?;
        Ok(())
    }
}

thread_local! {
    /// The memory of the mod whose code this thread runs. Without a destructor, so the handler may always read it.
    static RUNNING: Cell<*const Region> = const { Cell::new(null()) };
}

/// While it lives, this thread runs code that writes to a memory. Calls may nest, through queries that tick another world.
#[derive(Debug)]
pub(in crate::engine::memory) struct Running<'r> {
    before: *const Region,
    region: PhantomData<&'r Region>,
}

impl<'r> Running<'r> {
    #[inline]
    pub(super) fn new(region: &'r Region) -> Self {
        Self { before: RUNNING.replace(region), region: PhantomData }
    }
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        RUNNING.set(self.before);
    }
}

/// What handled `SIGBUS` before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

fn install_handler() -> io::Result<()> {
    // SAFETY: an action of zeros is valid; it is only written to here, and filled before it is used.
    let (mut before, mut action): (libc::sigaction, libc::sigaction) =
        unsafe { (MaybeUninit::zeroed().assume_init(), MaybeUninit::zeroed().assume_init()) };
    // SAFETY: asking alone.
    if unsafe { libc::sigaction(libc::SIGBUS, null(), &raw mut before) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // Known before the handler can run for the first time.
    let _ = BEFORE.set(before);
    action.sa_sigaction = on_bus_error as *const () as usize;
    // A handler that faults itself is a defect: the signal stays blocked within it, and the kernel ends the process.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler is async-signal-safe: it reads a thread's own cell, and `Region::on_fault` allocates nothing and takes
    // no lock (see `super::watch`). It leaves `errno` alone: system calls here go to the kernel without the C library.
    let done = unsafe { libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

extern "C" fn on_bus_error(signal: libc::c_int, information: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel hands valid information to a handler installed with `SA_SIGINFO`; this signal names an address.
    let address = unsafe { (*information).si_addr() } as usize;
    let running = RUNNING.get();
    // SAFETY: the region outlives the `Running` that put it there, which this thread has not dropped yet.
    let is_answered = unsafe { running.as_ref() }.is_some_and(|region| region.on_fault(address));
    if !is_answered {
        hand_on(signal, information, context);
    }
}

fn hand_on(signal: libc::c_int, information: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let Some(before) = BEFORE.get() else { return };
    // SAFETY: as in `on_bus_error`. Signals that somebody sent, and that are no faults, have such codes.
    let is_sent = unsafe { (*information).si_code } <= 0;
    if before.sa_sigaction == libc::SIG_IGN && is_sent {
        return;
    }
    if before.sa_sigaction == libc::SIG_DFL || before.sa_sigaction == libc::SIG_IGN {
        // The instruction faults again, or the signal comes again, and the process ends as it would have. No fault can be ignored.
        // SAFETY: zeros are the default action; both calls are async-signal-safe.
        unsafe {
            let default: libc::sigaction = MaybeUninit::zeroed().assume_init();
            libc::sigaction(signal, &raw const default, std::ptr::null_mut());
            if is_sent {
                libc::raise(signal);
            }
        }
    } else if before.sa_flags & libc::SA_SIGINFO != 0 {
        type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
        // SAFETY: whoever installed it with this flag said that it is such a function.
        unsafe { std::mem::transmute::<usize, Handler>(before.sa_sigaction)(signal, information, context) };
    } else {
        // SAFETY: whoever installed it without the flag said that it is such a function.
        unsafe { std::mem::transmute::<usize, extern "C" fn(libc::c_int)>(before.sa_sigaction)(signal) };
    }
}
