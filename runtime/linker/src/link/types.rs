//! The order of a linked module's function types: those that residents have come first and keep their positions.
//!
//! An engine's compiled function holds positions of types where it calls through a table. A file numbers its types in the
//! order in which functions use them, so one new signature moves all that follow, and functions that did not change would be
//! compiled again. Nothing but speed depends on the order.

use super::{PlaceError, patch};
use crate::image::module::Relocation;
use crate::image::{FunctionType, ModImage, ValueType};
use crate::limits;
use crate::residents::Residents;
use std::collections::HashMap;
use wasm_encoder as wasm;

/// Types in their order, and where each of the file's went.
#[derive(Debug)]
pub(super) struct TypeOrder {
    /// Empty if the file's own order stays.
    types: Vec<FunctionType>,
    /// By index in the file.
    positions: Vec<u32>,
}

impl TypeOrder {
    pub(super) fn new(residents: &Residents, image: &ModImage) -> Self {
        Self::after(&residents.function_types, &image.types)
    }

    pub(super) fn after(known: &[FunctionType], own: &[FunctionType]) -> Self {
        // What reading keeps of a reference does not say of which kind it is.
        let is_plain =
            |ty: &FunctionType| !ty.parameters.iter().chain(&ty.results).any(|ty| *ty == ValueType::Reference);
        let mut types = known.to_vec();
        let mut position: HashMap<FunctionType, u32> = types.iter().cloned().zip(0..).collect();
        let mut positions = Vec::with_capacity(own.len());
        for ty in own {
            positions.push(*position.entry(ty.clone()).or_insert_with(|| {
                types.push(ty.clone());
                types.len() as u32 - 1
            }));
        }
        if types.len() > limits::FUNCTION_TYPES_KEPT_MAX || !own.iter().all(is_plain) {
            return Self { types: Vec::new(), positions: (0..own.len() as u32).collect() };
        }
        Self { types, positions }
    }

    /// Position in the linked module of a type of the file.
    pub(super) fn position(&self, index: u32) -> Result<u32, PlaceError> {
        let position = self.positions.get(index as usize).copied();
        position.ok_or_else(|| PlaceError::Inconsistent(format!("there is no type {index}")))
    }

    /// The position for a field in code, which must hold the index that its relocation names.
    pub(super) fn position_for(&self, relocation: &Relocation, field: &[u8]) -> Result<u32, PlaceError> {
        match patch::read_unsigned(field) {
            Some(found) if found == relocation.symbol => self.position(found),
            _ => Err(PlaceError::Inconsistent(format!(
                "the field at {} does not hold type {}, which its relocation names",
                relocation.at, relocation.symbol
            ))),
        }
    }

    /// The type section and the function section, or `None` if those of the file stay as they are.
    pub(super) fn sections(
        &self,
        image: &ModImage,
    ) -> Result<Option<(wasm::TypeSection, wasm::FunctionSection)>, PlaceError> {
        if self.types.is_empty() {
            return Ok(None);
        }
        let mut types = wasm::TypeSection::new();
        for ty in &self.types {
            types.ty().function(ty.parameters.iter().map(value_type), ty.results.iter().map(value_type));
        }
        let mut functions = wasm::FunctionSection::new();
        for function in &image.functions {
            functions.function(self.position(function.type_index)?);
        }
        Ok(Some((types, functions)))
    }

    /// The order that later generations keep, or `None` if it is the one they keep anyway.
    pub(super) fn kept(self) -> Option<Vec<FunctionType>> {
        (!self.types.is_empty()).then_some(self.types)
    }
}

fn value_type(ty: &ValueType) -> wasm::ValType {
    match ty {
        ValueType::I32 => wasm::ValType::I32,
        ValueType::I64 => wasm::ValType::I64,
        ValueType::F32 => wasm::ValType::F32,
        ValueType::F64 => wasm::ValType::F64,
        ValueType::V128 => wasm::ValType::V128,
        // Never asked for: with one of these the file's own sections stay.
        ValueType::Reference => wasm::ValType::FUNCREF,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValueType::{F64, I32, I64, Reference};

    fn ty(parameters: &[ValueType]) -> FunctionType {
        FunctionType { parameters: parameters.to_vec(), results: vec![I32] }
    }

    #[test]
    fn known_types_keep_their_positions_and_new_ones_follow() {
        let first = TypeOrder::after(&[], &[ty(&[I32]), ty(&[I64]), ty(&[I32])]);
        assert_eq!((&first.types, &first.positions), (&vec![ty(&[I32]), ty(&[I64])], &vec![0, 1, 0]));
        let second = TypeOrder::after(&first.types, &[ty(&[F64]), ty(&[I64])]);
        assert_eq!(second.positions, [2, 1]);
        assert_eq!(second.kept(), Some(vec![ty(&[I32]), ty(&[I64]), ty(&[F64])]));
    }

    #[test]
    fn a_file_with_references_or_too_many_types_keeps_its_own_order() {
        let references = TypeOrder::after(&[ty(&[I32])], &[ty(&[I64]), ty(&[Reference])]);
        assert_eq!(references.positions, [0, 1]);
        assert_eq!(references.kept(), None);
        let numbered = |number: usize| -> Vec<ValueType> {
            (0..16).map(|bit| if number >> bit & 1 == 1 { I64 } else { I32 }).collect()
        };
        let many: Vec<FunctionType> =
            (0..=limits::FUNCTION_TYPES_KEPT_MAX).map(|number| ty(&numbered(number))).collect();
        let order = TypeOrder::after(&[ty(&[I64])], &many[..10]);
        assert_eq!(order.positions[0], 1);
        assert_eq!(TypeOrder::after(&[ty(&[I64])], &many).kept(), None);
    }

    #[test]
    fn a_field_that_holds_another_type_than_its_relocation_names_is_refused() {
        use crate::image::module::RelocationKind;
        let order = TypeOrder::after(&[ty(&[F64])], &[ty(&[I32]), ty(&[I64])]);
        let relocation = Relocation { kind: RelocationKind::TypeIndexLeb, at: 7, symbol: 1, addend: 0 };
        assert_eq!(order.position_for(&relocation, &[0x81, 0x80, 0x80, 0x80, 0]).ok(), Some(2));
        assert!(order.position_for(&relocation, &[0x80, 0x80, 0x80, 0x80, 0]).is_err());
    }
}
