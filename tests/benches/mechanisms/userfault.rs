//! Write protection by userfaultfd, without splitting mappings; a refused write raises `SIGBUS`. Many systems forbid the call to
//! ordinary processes or in containers.

use std::io;
use std::ops::Range;

use super::PAGE;
use super::guarded::Guard;
use super::mapping::Mapping;

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

    pub(crate) fn protect(&self, mapping: &Mapping, pages: Range<usize>, on: bool) -> io::Result<()> {
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

/// See the module.
pub(crate) struct Userfault(Descriptor);

impl Guard for Userfault {
    const SIGNAL: i32 = libc::SIGBUS;

    fn new(memory: &Mapping) -> io::Result<Self> {
        let descriptor = Descriptor::new(FEATURE_SIGBUS | FEATURE_WP_UNPOPULATED)?;
        descriptor.register(memory)?;
        Ok(Self(descriptor))
    }

    fn protect(&self, memory: &Mapping, pages: Range<usize>, on: bool) -> io::Result<()> {
        self.0.protect(memory, pages, on)
    }
}
