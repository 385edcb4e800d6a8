//! A memory file, mapped privately: the kernel copies a page when it is first written. Commit writes private pages into the
//! file and drops them, rollback drops all.

use std::io;

use super::mapping::Mapping;
use super::pagemap::{IS_FILE, IS_PRESENT, Scanner};
use super::{Mechanism, PAGE};

pub(crate) struct PrivateMapping {
    memory: Mapping,
    file: Mapping,
    scanner: Scanner,
    runs: Vec<std::ops::Range<usize>>,
}

impl PrivateMapping {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        // SAFETY: the name is a C string; the call makes a new file.
        let descriptor = unsafe { libc::memfd_create(c"bench".as_ptr(), libc::MFD_CLOEXEC) };
        // SAFETY: the descriptor belongs to this function; mappings keep the file when it is closed.
        if descriptor < 0 || unsafe { libc::ftruncate(descriptor, bytes as i64) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let file = Mapping::new(bytes, libc::MAP_SHARED, descriptor)?;
        let memory = Mapping::new(bytes, libc::MAP_PRIVATE | libc::MAP_NORESERVE, descriptor)?;
        // SAFETY: nobody else knows the descriptor.
        unsafe { libc::close(descriptor) };
        file.fill();
        for page in 0..bytes / PAGE {
            // SAFETY: reading the mapping's own pages; they are as present as in a memory that is in use.
            unsafe { memory.page(page).read_volatile() };
        }
        Ok(Self { memory, file, scanner: Scanner::new()?, runs: Vec::new() })
    }
}

impl Mechanism for PrivateMapping {
    fn base(&mut self) -> *mut u8 {
        self.memory.base
    }

    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        self.scanner.scan(&self.memory, (IS_PRESENT | IS_FILE, IS_FILE, 0), &mut self.runs)?;
        for run in &self.runs {
            self.memory.copy_to(&self.file, run.clone());
            self.memory.drop_pages(run.clone())?;
        }
        Ok(())
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.memory.drop_pages(0..self.memory.bytes / PAGE)
    }
}
