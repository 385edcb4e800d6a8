//! One entry's attributes, decoded into what the facts need. What they mean together is `collect.rs`'s.

use gimli::{AttributeValue, DwAt};

use super::error::DebugProblem;
use super::sections::{Sections, UnitEncoding, Value};

/// Where a variable lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Location {
    /// At this address: exactly one `DW_OP_addr`.
    Plain(u32),
    /// It was optimised away, or the linker dropped it.
    Absent,
    /// Anything else: split, computed, constant.
    Complicated,
}

/// The address which wasm-ld writes for what it dropped.
pub(super) const TOMBSTONE: u64 = 0xffff_ffff;

/// All that any of the wanted entries has.
#[derive(Default)]
pub(super) struct Attributes<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) linkage_name: Option<&'a str>,
    pub(super) type_: Option<usize>,
    pub(super) containing_type: Option<usize>,
    pub(super) origin: Option<usize>,
    pub(super) discriminant: Option<usize>,
    pub(super) size: Option<u64>,
    pub(super) alignment: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) count: Option<u64>,
    pub(super) encoding: Option<u64>,
    pub(super) low: Option<u64>,
    pub(super) high: Option<High>,
    /// Offset of a list of ranges.
    pub(super) ranges: Option<usize>,
    pub(super) file: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) value: Option<i128>,
    pub(super) values: Option<&'a [u8]>,
    pub(super) declaration: bool,
    pub(super) location: Option<Location>,
    pub(super) producer: Option<&'a str>,
    pub(super) directory: Option<&'a str>,
    pub(super) line_program: Option<usize>,
}

/// `DW_AT_high_pc` is an address or a length.
#[derive(Clone, Copy)]
pub(super) enum High {
    Address(u64),
    Length(u64),
}

impl<'a> Attributes<'a> {
    /// Takes one attribute. `unit` is the unit's offset, to which references are relative.
    pub(super) fn take(
        &mut self,
        sections: &mut Sections<'a>,
        encoding: &UnitEncoding,
        unit: usize,
        name: DwAt,
        value: Value<'a>,
    ) -> Result<(), DebugProblem> {
        match name {
            gimli::DW_AT_name => self.name = Some(sections.text(encoding, &value)?),
            gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                self.linkage_name = Some(sections.text(encoding, &value)?);
            }
            gimli::DW_AT_producer => self.producer = Some(sections.text(encoding, &value)?),
            gimli::DW_AT_comp_dir => self.directory = Some(sections.text(encoding, &value)?),
            gimli::DW_AT_type => self.type_ = reference(unit, &value)?,
            gimli::DW_AT_containing_type => self.containing_type = reference(unit, &value)?,
            gimli::DW_AT_specification | gimli::DW_AT_abstract_origin => self.origin = reference(unit, &value)?,
            gimli::DW_AT_discr => self.discriminant = reference(unit, &value)?,
            gimli::DW_AT_byte_size => self.size = value.udata_value(),
            gimli::DW_AT_alignment => self.alignment = value.udata_value(),
            // A location that is an expression is computed at run time; nothing that rustc writes has one.
            gimli::DW_AT_data_member_location => {
                self.offset =
                    Some(value.udata_value().ok_or(DebugProblem::Form { attribute: "DW_AT_data_member_location" })?);
            }
            gimli::DW_AT_count => self.count = value.udata_value(),
            gimli::DW_AT_upper_bound => self.count = value.udata_value().and_then(|last| last.checked_add(1)),
            gimli::DW_AT_encoding => {
                self.encoding = match value {
                    AttributeValue::Encoding(encoding) => Some(u64::from(encoding.0)),
                    value => value.udata_value(),
                };
            }
            gimli::DW_AT_low_pc => self.low = address(sections, encoding, &value)?,
            gimli::DW_AT_high_pc => {
                self.high = match address(sections, encoding, &value)? {
                    Some(address) => Some(High::Address(address)),
                    None => value.udata_value().map(High::Length),
                };
            }
            gimli::DW_AT_ranges => {
                if let AttributeValue::RangeListsRef(offset) = value {
                    self.ranges = Some(offset.0);
                }
            }
            gimli::DW_AT_decl_file => {
                self.file = match value {
                    AttributeValue::FileIndex(index) => Some(index),
                    value => value.udata_value(),
                };
            }
            gimli::DW_AT_decl_line => self.line = value.udata_value(),
            gimli::DW_AT_declaration => self.declaration = matches!(value, AttributeValue::Flag(true)),
            gimli::DW_AT_discr_value | gimli::DW_AT_const_value => self.value = number(&value),
            gimli::DW_AT_discr_list => {
                if let AttributeValue::Block(bytes) = value {
                    self.values = Some(bytes.slice());
                }
            }
            gimli::DW_AT_location => self.location = Some(location(sections, encoding, &value)?),
            gimli::DW_AT_stmt_list => {
                if let AttributeValue::DebugLineRef(offset) = value {
                    self.line_program = Some(offset.0);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Offset in `.debug_info` of what is referred to. A signature of a type unit, which rustc does not write, is refused.
fn reference(unit: usize, value: &Value<'_>) -> Result<Option<usize>, DebugProblem> {
    match *value {
        AttributeValue::UnitRef(offset) => Ok(unit.checked_add(offset.0)),
        AttributeValue::DebugInfoRef(offset) => Ok(Some(offset.0)),
        _ => Err(DebugProblem::Form { attribute: "a reference" }),
    }
}

fn address(sections: &Sections<'_>, unit: &UnitEncoding, value: &Value<'_>) -> Result<Option<u64>, DebugProblem> {
    Ok(match *value {
        AttributeValue::Addr(address) => Some(address),
        AttributeValue::DebugAddrIndex(index) => Some(sections.address(unit, index.0)?),
        _ => None,
    })
}

/// A constant of up to 128 bits. Those of 16 bytes are taken bit by bit.
fn number(value: &Value<'_>) -> Option<i128> {
    Some(match *value {
        AttributeValue::Data1(value) => i128::from(value),
        AttributeValue::Data2(value) => i128::from(value),
        AttributeValue::Data4(value) => i128::from(value),
        AttributeValue::Data8(value) | AttributeValue::Udata(value) => i128::from(value),
        AttributeValue::Data16(value) => value.cast_signed(),
        AttributeValue::Sdata(value) => i128::from(value),
        AttributeValue::Block(bytes) if bytes.len() <= 16 => {
            bytes.slice().iter().rev().fold(0, |number, byte| number << 8 | i128::from(*byte))
        }
        _ => return None,
    })
}

/// Reads the expression by hand: anything but one operation is complicated, whatever it says.
fn location(sections: &Sections<'_>, unit: &UnitEncoding, value: &Value<'_>) -> Result<Location, DebugProblem> {
    use gimli::Reader as _;
    let AttributeValue::Exprloc(expression) = *value else {
        return Ok(Location::Complicated);
    };
    let mut bytes = expression.0;
    if bytes.is_empty() {
        return Ok(Location::Absent);
    }
    let address = match gimli::DwOp(bytes.read_u8()?) {
        gimli::DW_OP_addr => bytes.read_address(unit.encoding.address_size)?,
        gimli::DW_OP_addrx => {
            let index = bytes.read_uleb128()?;
            sections.address(unit, usize::try_from(index).unwrap_or(usize::MAX))?
        }
        _ => return Ok(Location::Complicated),
    };
    Ok(match u32::try_from(address) {
        _ if !bytes.is_empty() => Location::Complicated,
        _ if address == TOMBSTONE => Location::Absent,
        Ok(address) => Location::Plain(address),
        Err(_) => Location::Complicated,
    })
}
