//! Debug information written by hand, entry by entry: what no compiler makes. DWARF 4, one unit, 32-bit addresses.

use crate::image::debug::{DebugError, DebugFacts, read};

/// Attribute and form, as in an abbreviation.
pub(crate) type Attribute = (u8, u8);

pub(crate) const NAME: Attribute = (0x03, 0x0e);
pub(crate) const LINKAGE: Attribute = (0x6e, 0x0e);
pub(crate) const SIZE: Attribute = (0x0b, 0x07);
pub(crate) const TYPE: Attribute = (0x49, 0x13);
pub(crate) const ORIGIN: Attribute = (0x31, 0x13);
pub(crate) const CONTAINING: Attribute = (0x1d, 0x13);
pub(crate) const LOW: Attribute = (0x11, 0x01);
pub(crate) const HIGH: Attribute = (0x12, 0x06);
pub(crate) const RANGES: Attribute = (0x55, 0x17);
pub(crate) const COUNT: Attribute = (0x37, 0x0b);
/// `DW_OP_addr` and an address.
pub(crate) const LOCATION: Attribute = (0x02, 0x18);

/// A flag that takes no byte.
pub(crate) const DECLARED: Attribute = (0x3c, 0x19);
/// A line program.
pub(crate) const LINES: Attribute = (0x10, 0x17);
pub(crate) const FILE: Attribute = (0x3a, 0x0b);
pub(crate) const LINE: Attribute = (0x3b, 0x0b);

pub(crate) const ARRAY: u8 = 0x01;
pub(crate) const PARAMETER: u8 = 0x05;
pub(crate) const BLOCK: u8 = 0x0b;
pub(crate) const MEMBER: u8 = 0x0d;
pub(crate) const POINTER: u8 = 0x0f;
pub(crate) const UNIT: u8 = 0x11;
pub(crate) const STRUCTURE: u8 = 0x13;
pub(crate) const INLINED: u8 = 0x1d;
pub(crate) const SUBRANGE: u8 = 0x21;
pub(crate) const FUNCTION: u8 = 0x2e;
pub(crate) const VARIABLE: u8 = 0x34;
pub(crate) const NAMESPACE: u8 = 0x39;

/// A unit while it is written. It is of a crate `a` with the identity 0.
pub(crate) struct Craft {
    pub(crate) info: Vec<u8>,
    pub(crate) abbreviations: Vec<u8>,
    pub(crate) strings: Vec<u8>,
    pub(crate) ranges: Vec<u8>,
    pub(crate) lines: Vec<u8>,
    /// Where the first unit ends, if more follow.
    pub(crate) first_unit: Option<usize>,
    kinds: u8,
}

/// What an entry may be told.
pub(crate) enum Value<'a> {
    Text(&'a str),
    /// A text that stands there already.
    Known(u32),
    Number(u32),
    Long(u64),
    Byte(u8),
    At(u32),
}

impl Craft {
    pub(crate) fn new() -> Self {
        let mut craft = Self {
            info: Vec::new(),
            abbreviations: Vec::new(),
            strings: Vec::new(),
            ranges: Vec::new(),
            lines: Vec::new(),
            first_unit: None,
            kinds: 0,
        };
        // The length is filled in at the end.
        craft.info.extend([0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4]);
        let unit = craft.kind(UNIT, true, &[NAME]);
        craft.entry(unit, &[Value::Text("src/lib.rs/@/a.0-cgu.0")]);
        craft
    }

    /// A kind of entry.
    pub(crate) fn kind(&mut self, tag: u8, has_children: bool, attributes: &[Attribute]) -> u8 {
        self.kinds += 1;
        self.abbreviations.extend([self.kinds, tag, u8::from(has_children)]);
        attributes.iter().for_each(|(name, form)| self.abbreviations.extend([*name, *form]));
        self.abbreviations.extend([0, 0]);
        self.kinds
    }

    pub(crate) fn text(&mut self, text: &str) -> u32 {
        let at = self.strings.len() as u32;
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// An entry; answers its offset.
    pub(crate) fn entry(&mut self, kind: u8, values: &[Value<'_>]) -> u32 {
        let at = self.info.len() as u32;
        self.info.push(kind);
        for value in values {
            match value {
                Value::Text(text) => {
                    let text = self.text(text);
                    self.info.extend(text.to_le_bytes());
                }
                Value::Known(number) | Value::Number(number) => self.info.extend(number.to_le_bytes()),
                Value::Long(number) => self.info.extend(number.to_le_bytes()),
                Value::Byte(number) => self.info.push(*number),
                Value::At(address) => {
                    self.info.extend([5, 3]);
                    self.info.extend(address.to_le_bytes());
                }
            }
        }
        at
    }

    /// No more children.
    pub(crate) fn end(&mut self) {
        self.info.push(0);
    }

    /// The sections by name.
    pub(crate) fn sections(&self) -> [(&'static str, Vec<u8>); 5] {
        let mut info = self.info.clone();
        let length = (self.first_unit.unwrap_or(info.len()) - 4) as u32;
        info[..4].copy_from_slice(&length.to_le_bytes());
        let mut abbreviations = self.abbreviations.clone();
        abbreviations.push(0);
        [
            (".debug_info", info),
            (".debug_abbrev", abbreviations),
            (".debug_str", self.strings.clone()),
            (".debug_ranges", self.ranges.clone()),
            (".debug_line", self.lines.clone()),
        ]
    }

    pub(crate) fn read(&self) -> Result<DebugFacts, DebugError> {
        let sections = self.sections();
        read(|name| sections.iter().find(|(other, _)| *other == name).map(|(_, content)| content.as_slice()))
    }
}
