//! Writes addresses and slots into relocated fields. Every field keeps its width, so code offsets stay true.

use super::{PlaceError, data::Addresses, draft::Draft};
use crate::image::ModImage;
use crate::image::module::{Relocation, RelocationKind};

/// Patches the fields of `relocations` in `bytes`, which begin at `start` in the file.
pub(super) fn fields(
    image: &ModImage,
    draft: &Draft<'_>,
    addresses: &Addresses,
    relocations: &[Relocation],
    start: usize,
    bytes: &mut [u8],
) -> Result<(), PlaceError> {
    for relocation in relocations {
        let at = relocation.at - start;
        let field = bytes
            .get_mut(at..at + relocation.kind.width())
            .ok_or_else(|| PlaceError::Inconsistent(format!("a relocation at {} leaves its section", relocation.at)))?;
        let Some(value) = value(image, draft, addresses, relocation, field)? else { continue };
        match relocation.kind {
            RelocationKind::MemoryAddressLeb | RelocationKind::TypeIndexLeb => padded_unsigned(field, value),
            RelocationKind::MemoryAddressSleb | RelocationKind::TableIndexSleb => padded_signed(field, value as i32),
            _ => field.copy_from_slice(&value.to_le_bytes()),
        }
    }
    Ok(())
}

/// The new value of a field, `None` where it stays: indices of functions, globals and tables hold within a module.
fn value(
    image: &ModImage,
    draft: &Draft<'_>,
    addresses: &Addresses,
    relocation: &Relocation,
    field: &[u8],
) -> Result<Option<u32>, PlaceError> {
    let name = || image.symbols[relocation.symbol as usize].name.clone();
    if relocation.kind.is_table_index() {
        let slot = draft.slot_of(relocation.symbol);
        return slot.map(Some).ok_or_else(|| PlaceError::Inconsistent(format!("`{}` has no table slot", name())));
    }
    if relocation.kind == RelocationKind::TypeIndexLeb {
        return draft.types.position_for(relocation, field).map(Some);
    }
    if !relocation.kind.is_memory_address() {
        return Ok(None);
    }
    let address = addresses
        .of_symbol(image, draft, relocation.symbol)?
        .ok_or_else(|| PlaceError::Inconsistent(format!("`{}` has no address", name())))?;
    // Addends may leave their symbol in either direction; what counts is symbol plus addend, modulo 2^32 as the
    // processor sees it, but a sum that wraps is no address of this memory.
    let sum = i64::from(address) + relocation.addend;
    match u32::try_from(sum) {
        Ok(value) => Ok(Some(value)),
        // A base before the start of the memory, to which code adds an index, is computed modulo 2^32.
        Err(_) if sum < 0 && sum >= -i64::from(i32::MAX) => Ok(Some(sum as u32)),
        Err(_) => Err(PlaceError::AddressOverflow { symbol: name(), addend: relocation.addend }),
    }
}

/// Unsigned LEB128 padded to the field's width.
fn padded_unsigned(field: &mut [u8], mut value: u32) {
    let last = field.len() - 1;
    for (index, byte) in field.iter_mut().enumerate() {
        *byte = (value & 0x7f) as u8 | if index < last { 0x80 } else { 0 };
        value >>= 7;
    }
}

/// What [`padded_unsigned`] wrote; `None` if it is no number of 32 bits.
pub(super) fn read_unsigned(field: &[u8]) -> Option<u32> {
    wasmparser::BinaryReader::new(field, 0).read_var_u32().ok()
}

/// Signed LEB128 padded to the field's width.
fn padded_signed(field: &mut [u8], value: i32) {
    let mut value = i64::from(value);
    let last = field.len() - 1;
    for (index, byte) in field.iter_mut().enumerate() {
        *byte = (value & 0x7f) as u8 | if index < last { 0x80 } else { 0 };
        value >>= 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::BinaryReader;

    proptest::proptest! {
        #[test]
        fn padded_fields_read_back_as_what_was_written(value: u32) {
            let mut field = [0; 5];
            padded_unsigned(&mut field, value);
            proptest::prop_assert_eq!(read_unsigned(&field), Some(value));
            padded_signed(&mut field, value as i32);
            proptest::prop_assert_eq!(BinaryReader::new(&field, 0).read_var_i32().ok(), Some(value as i32));
        }
    }
}
