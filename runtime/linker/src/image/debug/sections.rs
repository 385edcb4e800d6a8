//! Access to the raw sections: units, their abbreviations, strings and addresses. Knows DWARF's encodings and none of
//! the facts that are looked for.
//!
//! gimli reads well-formed things safely, but some of what it reads in one call costs far more than the bytes that ask
//! for it (a table of abbreviations named by many units, names that share bytes). Those go through the checks here.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use gimli::{Abbreviations, AttributeValue, Encoding, EndianSlice, LittleEndian, UnitHeader};

use super::error::{ABBREVIATIONS, DebugError, DebugProblem, INFO};
use super::records::UnitRecord;
use crate::limits::{
    DEBUG_ABBREVIATION_BYTES, DEBUG_ATTRIBUTES, DEBUG_BYTES_MIN, DEBUG_MEMORY_FACTOR, DEBUG_READING_FACTOR,
};

/// A slice of a section.
pub(super) type Slice<'a> = EndianSlice<'a, LittleEndian>;
/// An attribute's value.
pub(super) type Value<'a> = AttributeValue<Slice<'a>>;

/// The debug sections of one mod.
pub(super) struct Sections<'a> {
    pub(super) info: &'a [u8],
    abbreviations: &'a [u8],
    pub(super) lines: &'a [u8],
    strings: &'a [u8],
    line_strings: &'a [u8],
    string_offsets: &'a [u8],
    addresses: &'a [u8],
    range_lists: gimli::RangeLists<Slice<'a>>,
    known_strings: HashMap<usize, &'a str>,
    known_abbreviations: HashMap<usize, Arc<Abbreviations>>,
    abbreviation_budget: Budget,
    /// What reading names may still cost in time.
    pub(super) reading: Budget,
    /// What the facts may still cost in memory.
    pub(super) memory: Budget,
}

/// A unit's own part of the encoding.
#[derive(Clone, Copy)]
pub(super) struct UnitEncoding {
    pub(super) encoding: Encoding,
    pub(super) string_offsets_base: usize,
    pub(super) address_base: usize,
}

impl UnitEncoding {
    /// Of a unit whose root has not been read.
    pub(super) fn without_bases(header: &UnitHeader<Slice<'_>>) -> Self {
        Self { encoding: header.encoding(), string_offsets_base: 0, address_base: 0 }
    }

    /// Reads from the root where the unit's strings and addresses begin (DWARF 5).
    pub(super) fn of(header: &UnitHeader<Slice<'_>>, abbreviations: &Abbreviations) -> Result<Self, DebugProblem> {
        let mut encoding = Self::without_bases(header);
        let mut entries = header.entries_raw(abbreviations, None)?;
        let Some(abbreviation) = entries.read_abbreviation()? else {
            return Ok(encoding);
        };
        for specification in abbreviation.attributes() {
            match entries.read_attribute(*specification)?.value() {
                AttributeValue::DebugStrOffsetsBase(base) => encoding.string_offsets_base = base.0,
                AttributeValue::DebugAddrBase(base) => encoding.address_base = base.0,
                _ => {}
            }
        }
        Ok(encoding)
    }
}

impl<'a> Sections<'a> {
    /// `section` gives a custom section's content by name.
    pub(super) fn new(section: impl Fn(&str) -> Option<&'a [u8]>) -> Self {
        let get = |name: &str| section(name).unwrap_or_default();
        let mut sections = Self {
            info: get(INFO),
            abbreviations: get(ABBREVIATIONS),
            lines: get(super::error::LINES),
            strings: get(".debug_str"),
            line_strings: get(".debug_line_str"),
            string_offsets: get(".debug_str_offsets"),
            addresses: get(".debug_addr"),
            range_lists: gimli::RangeLists::new(
                gimli::DebugRanges::new(get(".debug_ranges"), LittleEndian),
                gimli::DebugRngLists::new(get(".debug_rnglists"), LittleEndian),
            ),
            known_strings: HashMap::new(),
            known_abbreviations: HashMap::new(),
            abbreviation_budget: Budget { left: 0, limit: 0, what: "bytes of abbreviations" },
            reading: Budget { left: 0, limit: 0, what: "bytes of names" },
            memory: Budget { left: 0, limit: 0, what: "bytes of facts" },
        };
        let all = sections.info.len() + sections.strings.len() + sections.line_strings.len() + sections.lines.len();
        let times = |factor| DEBUG_BYTES_MIN.saturating_add(all.saturating_mul(factor));
        sections.reading.allow(times(DEBUG_READING_FACTOR));
        sections.memory.allow(times(DEBUG_MEMORY_FACTOR));
        // Each table once, and some slack for tables that share an end.
        let abbreviations = sections.abbreviations.len().saturating_mul(2);
        sections.abbreviation_budget.allow(abbreviations.min(DEBUG_ABBREVIATION_BYTES));
        sections
    }

    /// The abbreviations at `offset`, read once.
    pub(super) fn abbreviations(&mut self, offset: usize) -> Result<Arc<Abbreviations>, DebugError> {
        if let Some(known) = self.known_abbreviations.get(&offset) {
            return Ok(Arc::clone(known));
        }
        let fail = |problem: DebugProblem| problem.at(ABBREVIATIONS, offset);
        let table = self.abbreviations.get(offset..).ok_or_else(|| fail(outside(offset)))?;
        let length = table_length(table, self.abbreviation_budget.left).map_err(fail)?;
        self.abbreviation_budget.take(length).map_err(fail)?;
        let parsed = gimli::DebugAbbrev::new(&table[..length], LittleEndian)
            .abbreviations(gimli::DebugAbbrevOffset(0))
            .map_err(|error| fail(error.into()))?;
        let parsed = Arc::new(parsed);
        self.known_abbreviations.insert(offset, Arc::clone(&parsed));
        Ok(parsed)
    }

    /// The text of a string attribute.
    pub(super) fn text(&mut self, unit: &UnitEncoding, value: &Value<'a>) -> Result<&'a str, DebugProblem> {
        match *value {
            AttributeValue::String(slice) => {
                self.reading.take(slice.len())?;
                std::str::from_utf8(slice.slice()).map_err(|_| DebugProblem::NotText)
            }
            AttributeValue::DebugStrRef(offset) => self.shared_text(offset.0),
            AttributeValue::DebugLineStrRef(offset) => {
                let text = terminated(self.line_strings, offset.0, &mut self.reading)?;
                std::str::from_utf8(text).map_err(|_| DebugProblem::NotText)
            }
            AttributeValue::DebugStrOffsetsIndex(index) => {
                let size = usize::from(unit.encoding.format.word_size());
                let offset = number_at(self.string_offsets, unit.string_offsets_base, index.0, size)?;
                self.shared_text(usize::try_from(offset).unwrap_or(usize::MAX))
            }
            _ => Err(DebugProblem::Form { attribute: "a name" }),
        }
    }

    fn shared_text(&mut self, offset: usize) -> Result<&'a str, DebugProblem> {
        if let Some(known) = self.known_strings.get(&offset) {
            // What is done with the name costs as much as it did the first time.
            self.reading.take(known.len())?;
            return Ok(known);
        }
        let bytes = terminated(self.strings, offset, &mut self.reading)?;
        let text = std::str::from_utf8(bytes).map_err(|_| DebugProblem::NotText)?;
        self.known_strings.insert(offset, text);
        Ok(text)
    }

    /// An address by its index in `.debug_addr` (DWARF 5).
    pub(super) fn address(&self, unit: &UnitEncoding, index: usize) -> Result<u64, DebugProblem> {
        number_at(self.addresses, unit.address_base, index, usize::from(unit.encoding.address_size))
    }
}

impl Sections<'_> {
    /// The ranges of the list at `offset`; `None` if it cannot be read.
    pub(super) fn ranges(
        &mut self,
        unit: &UnitRecord<'_>,
        offset: usize,
    ) -> Result<Option<Vec<Range<u32>>>, DebugError> {
        let addresses = gimli::DebugAddr::from(Slice::new(self.addresses, LittleEndian));
        let base = gimli::DebugAddrBase(unit.encoding.address_base);
        let (list, encoding) = (gimli::RangeListsOffset(offset), unit.encoding.encoding);
        let fail = |problem: DebugProblem| problem.at(".debug_ranges", offset);
        let Ok(mut entries) = self.range_lists.raw_ranges(list, encoding) else {
            return Ok(None);
        };
        // Lists may share their ends, so reading them costs as reading names does; and most entries may give no range.
        while let Ok(Some(_)) = entries.next() {
            self.reading.take(size_of::<Range<u32>>()).map_err(fail)?;
        }
        let Ok(mut list) = self.range_lists.ranges(list, encoding, unit.low, &addresses, base) else {
            return Ok(None);
        };
        let mut ranges = Vec::new();
        loop {
            match list.next() {
                Ok(Some(range)) => match (u32::try_from(range.begin), u32::try_from(range.end)) {
                    (Ok(begin), Ok(end)) => {
                        self.memory.take(size_of::<Range<u32>>()).map_err(fail)?;
                        ranges.push(begin..end);
                    }
                    _ => return Ok(None),
                },
                Ok(None) => return Ok(Some(ranges)),
                Err(_) => return Ok(None),
            }
        }
    }
}

/// How much of something may still be used.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    left: usize,
    limit: usize,
    what: &'static str,
}

impl Budget {
    fn allow(&mut self, amount: usize) {
        self.left = amount;
        self.limit = amount;
    }

    /// Another of the same kind, of which nothing is used.
    pub(super) fn whole(&self) -> Self {
        Self { left: self.limit, ..*self }
    }

    /// Uses `amount`.
    pub(super) fn take(&mut self, amount: usize) -> Result<(), DebugProblem> {
        self.left = self.left.checked_sub(amount).ok_or(DebugProblem::Limit { what: self.what, limit: self.limit })?;
        Ok(())
    }
}

fn outside(offset: usize) -> DebugProblem {
    gimli::Error::OffsetOutOfBounds(offset as u64).into()
}

/// The bytes up to a zero.
fn terminated<'a>(section: &'a [u8], offset: usize, budget: &mut Budget) -> Result<&'a [u8], DebugProblem> {
    let rest = section.get(offset..).ok_or_else(|| outside(offset))?;
    let length =
        rest.iter().take(budget.left.saturating_add(1)).position(|byte| *byte == 0).ok_or_else(|| outside(offset))?;
    budget.take(length)?;
    Ok(&rest[..length])
}

/// The number of `size` bytes at `index` of the table at `base`.
fn number_at(section: &[u8], base: usize, index: usize, size: usize) -> Result<u64, DebugProblem> {
    let start = index.checked_mul(size).and_then(|start| start.checked_add(base));
    let bytes = start
        .and_then(|start| section.get(start..start.checked_add(size)?))
        .filter(|bytes| bytes.len() <= 8)
        .ok_or_else(|| outside(index))?;
    Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Bytes of a table of abbreviations, whose form is checked on the way.
fn table_length(table: &[u8], limit: usize) -> Result<usize, DebugProblem> {
    let mut slice = EndianSlice::new(table, LittleEndian);
    use gimli::Reader as _;
    loop {
        if table.len() - slice.len() > limit {
            return Err(DebugProblem::Limit { what: "bytes of abbreviations", limit });
        }
        if slice.read_uleb128()? == 0 {
            return Ok(table.len() - slice.len());
        }
        slice.read_uleb128()?;
        slice.read_u8()?;
        let mut attributes = 0;
        loop {
            let (name, form) = (slice.read_uleb128()?, slice.read_uleb128()?);
            if form == u64::from(gimli::DW_FORM_implicit_const.0) {
                slice.read_sleb128()?;
            }
            if (name, form) == (0, 0) {
                break;
            }
            attributes += 1;
            if attributes > DEBUG_ATTRIBUTES {
                return Err(DebugProblem::Limit { what: "attributes of an entry", limit: DEBUG_ATTRIBUTES });
            }
        }
    }
}
