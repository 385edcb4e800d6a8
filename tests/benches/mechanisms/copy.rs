//! The portable way: the whole memory is copied when a tick begins.

use std::io;

use super::Mechanism;
use super::mapping::Mapping;

pub(crate) struct Copy {
    memory: Vec<u8>,
    before: Vec<u8>,
}

impl Copy {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        Mapping::anonymous(bytes).map(drop)?;
        Ok(Self { memory: vec![1; bytes], before: vec![1; bytes] })
    }
}

impl Mechanism for Copy {
    fn base(&mut self) -> *mut u8 {
        self.memory.as_mut_ptr()
    }

    fn begin(&mut self) -> io::Result<()> {
        self.before.copy_from_slice(&self.memory);
        Ok(())
    }

    fn commit(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn roll_back(&mut self) -> io::Result<()> {
        self.memory.copy_from_slice(&self.before);
        Ok(())
    }
}
