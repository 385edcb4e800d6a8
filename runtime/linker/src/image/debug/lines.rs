//! Names of source files, from the headers of line programs. The programs themselves are not run here.

use std::collections::HashMap;
use std::sync::Arc;

use gimli::{DebugLineOffset, LittleEndian, Reader as _};

use super::error::{DebugError, DebugProblem, LINES};
use super::facts::Name;
use super::records::UnitRecord;
use super::sections::{Sections, Slice};
use crate::limits::DEBUG_LINE_HEADER_BYTES;

/// The files of each line program that was asked for.
#[derive(Default)]
pub(super) struct Files {
    programs: HashMap<usize, HashMap<u64, Name>>,
    bytes: usize,
}

impl Files {
    /// The path of `file` in `unit`.
    pub(super) fn path<'a>(
        &mut self,
        sections: &mut Sections<'a>,
        unit: &UnitRecord<'a>,
        file: u64,
    ) -> Result<Option<Name>, DebugError> {
        let Some(offset) = unit.line_program else {
            return Ok(None);
        };
        if !self.programs.contains_key(&offset) {
            let fail = |problem: DebugProblem| problem.at(LINES, offset);
            let length = header_length(sections.lines, offset).map_err(fail)?;
            self.bytes = self.bytes.saturating_add(length);
            // Programs do not overlap, so their headers together are no longer than the section.
            if length > DEBUG_LINE_HEADER_BYTES || self.bytes > sections.lines.len() {
                return Err(fail(DebugProblem::Limit { what: "bytes of file lists", limit: DEBUG_LINE_HEADER_BYTES }));
            }
            let files = read(sections, unit, offset).map_err(fail)?;
            self.programs.insert(offset, files);
        }
        Ok(self.programs.get(&offset).and_then(|files| files.get(&file)).cloned())
    }
}

/// What the header of a line program says its length is: its lists are within.
fn header_length(lines: &[u8], offset: usize) -> Result<usize, DebugProblem> {
    let mut slice = gimli::EndianSlice::new(lines.get(offset..).unwrap_or_default(), LittleEndian);
    let (_, format) = slice.read_initial_length()?;
    if slice.read_u16()? >= 5 {
        slice.read_u16()?;
    }
    Ok(slice.read_length(format)?)
}

fn read<'a>(
    sections: &mut Sections<'a>,
    unit: &UnitRecord<'a>,
    offset: usize,
) -> Result<HashMap<u64, Name>, DebugProblem> {
    let program = gimli::DebugLine::new(sections.lines, LittleEndian).program(
        DebugLineOffset(offset),
        unit.encoding.encoding.address_size,
        unit.directory.map(|directory| Slice::new(directory.as_bytes(), LittleEndian)),
        None,
    )?;
    let header = program.header();
    let mut directories = HashMap::new();
    let mut files = HashMap::new();
    let first = if header.version() >= 5 { 0 } else { 1 };
    for (index, file) in (first..).zip(header.file_names()) {
        let name = sections.text(&unit.encoding, &file.path_name())?;
        let directory = match directories.get(&file.directory_index()) {
            Some(known) => *known,
            None => {
                let directory = match file.directory(header) {
                    Some(value) => sections.text(&unit.encoding, &value)?,
                    None => "",
                };
                directories.insert(file.directory_index(), directory);
                directory
            }
        };
        let path = join(unit.directory.unwrap_or_default(), &join(directory, name));
        sections.memory.take(path.len() + size_of::<(u64, Name)>())?;
        files.insert(index, Arc::from(path));
    }
    Ok(files)
}

fn join(directory: &str, path: &str) -> String {
    match (directory, path) {
        ("", path) => path.to_owned(),
        (_, path) if path.starts_with('/') || path.get(1..2) == Some(":") => path.to_owned(),
        (directory, path) => format!("{directory}/{path}"),
    }
}
