//! `PAGEMAP_SCAN` (Linux 6.7): the kernel says which pages of a range are in a state, and protects them again in the same
//! call. Here with asynchronous write protection through userfaultfd and a second copy of the whole memory: commit copies the
//! touched pages into it, rollback copies them back.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::mapping::Mapping;
use super::userfault::{Descriptor, FEATURE_WP_ASYNC, FEATURE_WP_UNPOPULATED};
use super::{Mechanism, PAGE};

/// The page was written since it was protected.
const IS_WRITTEN: u64 = 1 << 1;
/// The page belongs to a file: in a private mapping, it was not written.
pub(crate) const IS_FILE: u64 = 1 << 2;
/// The page is in memory.
pub(crate) const IS_PRESENT: u64 = 1 << 3;
const PROTECT_MATCHING: u64 = 1 << 0;
const CHECK_ASYNC: u64 = 1 << 1;
/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: u64 = 0xc060_6610;
const REGIONS: usize = 1024;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

#[repr(C)]
#[derive(Default)]
struct Argument {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_length: u64,
    pages_max: u64,
    inverted: u64,
    required: u64,
    any_of: u64,
    answered: u64,
}

/// Looks for pages of a mapping in a state.
pub(crate) struct Scanner {
    pagemap: File,
    regions: Vec<Region>,
}

impl Scanner {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { pagemap: File::open("/proc/self/pagemap")?, regions: vec![Region::default(); REGIONS] })
    }

    /// Runs of pages that are in all the `required` states, where those in `inverted` must not hold.
    pub(crate) fn scan(
        &mut self,
        mapping: &Mapping,
        (required, inverted, flags): (u64, u64, u64),
        runs: &mut Vec<std::ops::Range<usize>>,
    ) -> io::Result<()> {
        runs.clear();
        let (base, end) = (mapping.base as u64, mapping.base as u64 + mapping.bytes as u64);
        let mut start = base;
        while start < end {
            let mut argument = Argument {
                size: size_of::<Argument>() as u64,
                flags,
                start,
                end,
                regions: self.regions.as_mut_ptr() as u64,
                regions_length: REGIONS as u64,
                inverted,
                required,
                answered: required,
                ..Argument::default()
            };
            // SAFETY: the argument says where the regions lie and how many have room; the kernel writes no more.
            let found = unsafe { libc::ioctl(self.pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut argument) };
            let found = usize::try_from(found).map_err(|_| io::Error::last_os_error())?;
            let pages = |address: u64| (address - base) as usize / PAGE;
            runs.extend(self.regions[..found].iter().map(|region| pages(region.start)..pages(region.end)));
            start = argument.walk_end;
        }
        Ok(())
    }
}

pub(crate) struct PagemapScan {
    memory: Mapping,
    kept: Mapping,
    scanner: Scanner,
    runs: Vec<std::ops::Range<usize>>,
    _protection: Descriptor,
}

impl PagemapScan {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let (memory, kept) = (Mapping::anonymous(bytes)?, Mapping::anonymous(bytes)?);
        memory.fill();
        kept.fill();
        let protection = Descriptor::new(FEATURE_WP_ASYNC | FEATURE_WP_UNPOPULATED)?;
        protection.register(&memory)?;
        protection.protect(&memory, 0..bytes / PAGE, true)?;
        Ok(Self { memory, kept, scanner: Scanner::new()?, runs: Vec::new(), _protection: protection })
    }

    fn touched(&mut self) -> io::Result<()> {
        self.scanner.scan(&self.memory, (IS_WRITTEN, 0, PROTECT_MATCHING | CHECK_ASYNC), &mut self.runs)
    }
}

impl Mechanism for PagemapScan {
    fn base(&mut self) -> *mut u8 {
        self.memory.base
    }

    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.touched()?;
        self.runs.iter().for_each(|run| self.memory.copy_to(&self.kept, run.clone()));
        Ok(())
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.touched()?;
        self.runs.iter().for_each(|run| self.kept.copy_to(&self.memory, run.clone()));
        // Copying back was writing: the pages are protected again.
        self.touched()
    }
}
