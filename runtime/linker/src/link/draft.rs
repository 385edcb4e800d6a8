//! Addresses, piece ids and slots as they are being given out. Nothing reaches the residents before all went well.

use super::types::TypeOrder;
use super::{LinkReport, PlaceError};
use crate::compare::Comparison;
use crate::image::module::SymbolTarget;
use crate::image::{DataPiece, FunctionType};
use crate::residents::{BoundStatic, PlacedPiece, ReadOnlyKey, Residents};
use crate::{PieceId, SlotIndex, limits};
use std::collections::HashMap;
use std::sync::Arc;

/// What a candidate adds to the residents.
pub(super) struct Admission {
    pub(super) statics: HashMap<Arc<str>, BoundStatic>,
    pub(super) slots: HashMap<Arc<str>, SlotIndex>,
    pub(super) read_only: HashMap<ReadOnlyKey, PlacedPiece>,
    /// `None` if the order that residents keep is not added to.
    pub(super) function_types: Option<Vec<FunctionType>>,
    pub(super) next_address: u32,
    pub(super) next_piece: u32,
    pub(super) stack_size: u32,
}

/// Hands out what the candidate needs, taking what residents already have first.
pub(super) struct Draft<'a> {
    residents: &'a Residents,
    new: Admission,
    /// For every function symbol whose address is taken, its slot.
    slot_of_symbol: HashMap<u32, SlotIndex>,
    /// Slots this generation fills itself, with the function that goes there.
    pub(super) own: HashMap<SlotIndex, u32>,
    pub(super) types: TypeOrder,
    report: LinkReport,
    start_address: u32,
}

impl<'a> Draft<'a> {
    pub(super) fn new(residents: &'a Residents, comparison: &Comparison) -> Result<Self, PlaceError> {
        let first = residents.generation_count() == 0;
        let stack_size = if first { comparison.image.stack_size } else { residents.stack_size };
        let next_address =
            if first { stack_size.max(limits::NULL_GUARD_BYTES).next_multiple_of(16) } else { residents.next_address };
        let mut draft = Self {
            residents,
            new: Admission {
                statics: HashMap::new(),
                slots: HashMap::new(),
                read_only: HashMap::new(),
                function_types: None,
                next_address,
                next_piece: residents.next_piece,
                stack_size,
            },
            slot_of_symbol: HashMap::new(),
            own: HashMap::new(),
            types: TypeOrder::new(residents, &comparison.image),
            report: LinkReport::default(),
            start_address: next_address,
        };
        draft.give_slots(comparison)?;
        Ok(draft)
    }

    /// One slot per identity of an address-taken function, derived from the relocations' symbols: several symbols may
    /// share one function.
    fn give_slots(&mut self, comparison: &Comparison) -> Result<(), PlaceError> {
        let image = &comparison.image;
        let relocations = image.code_relocations.iter().chain(&image.data_relocations);
        for relocation in relocations.filter(|relocation| relocation.kind.is_table_index()) {
            if self.slot_of_symbol.contains_key(&relocation.symbol) {
                continue;
            }
            let symbol = &image.symbols[relocation.symbol as usize];
            let SymbolTarget::Function(function) = symbol.target else { continue };
            let Some(name) = &comparison.facts.slot_names[relocation.symbol as usize] else {
                return Err(PlaceError::Inconsistent("the address of a function without a name is taken".into()));
            };
            let slot = self.slot(name)?;
            self.slot_of_symbol.insert(relocation.symbol, slot);
            // Copies of one function are one function: the first serves.
            self.own.entry(slot).or_insert(function);
        }
        Ok(())
    }

    fn slot(&mut self, name: &Arc<str>) -> Result<SlotIndex, PlaceError> {
        if let Some(slot) = self.residents.slots.get(name) {
            self.report.slots_bound += 1;
            return Ok(*slot);
        }
        if let Some(slot) = self.new.slots.get(name) {
            return Ok(*slot);
        }
        let slot = self.residents.table_size() + self.new.slots.len() as u32;
        if slot >= limits::TABLE_SLOTS_MAX {
            return Err(PlaceError::BeyondLimit {
                what: "the number of table slots",
                limit_name: "TABLE_SLOTS_MAX",
                limit: limits::TABLE_SLOTS_MAX,
            });
        }
        self.report.slots_fresh += 1;
        self.new.slots.insert(name.clone(), slot);
        Ok(slot)
    }

    /// The slot of a function symbol whose address is taken.
    pub(super) fn slot_of(&self, symbol: u32) -> Option<SlotIndex> {
        self.slot_of_symbol.get(&symbol).copied()
    }

    pub(super) fn own_slots(&self) -> Vec<SlotIndex> {
        let mut slots: Vec<_> = self.own.keys().copied().collect();
        slots.sort_unstable();
        slots
    }

    /// The live address of a mutable static, or fresh space. Returns address, piece id and whether it is fresh.
    pub(super) fn place_static(
        &mut self,
        name: &Arc<str>,
        piece: &DataPiece,
    ) -> Result<(u32, PieceId, bool), PlaceError> {
        if let Some(bound) = self.residents.statics.get(name) {
            if bound.size != piece.size || bound.address % piece.alignment != piece.phase {
                return Err(PlaceError::Inconsistent(format!(
                    "static `{name}` has {} bytes aligned to {}, the live one {} aligned to {}",
                    piece.size, piece.alignment, bound.size, bound.alignment
                )));
            }
            self.report.statics_bound += 1;
            return Ok((bound.address, bound.piece, false));
        }
        let (address, id) = self.allocate(piece)?;
        self.report.statics_fresh += 1;
        let bound = BoundStatic { address, size: piece.size, alignment: piece.alignment, piece: id };
        self.new.statics.insert(name.clone(), bound);
        Ok((address, id, true))
    }

    /// Where these read-only bytes already stand, of this candidate or of a resident.
    pub(super) fn find_read_only(&mut self, key: &ReadOnlyKey, piece: &DataPiece) -> Option<(u32, PieceId, bool)> {
        let fits = |placed: &PlacedPiece| placed.address % piece.alignment == piece.phase;
        if let Some(placed) = self.residents.read_only.get(key).filter(|placed| fits(placed)) {
            self.report.read_only_bound += 1;
            return Some((placed.address, placed.piece, false));
        }
        let placed = self.new.read_only.get(key).filter(|placed| fits(placed))?;
        Some((placed.address, placed.piece, true))
    }

    /// Remembers read-only bytes so that later generations find them.
    pub(super) fn remember_read_only(&mut self, key: ReadOnlyKey, address: u32, piece: PieceId) {
        self.new.read_only.entry(key).or_insert(PlacedPiece { address, piece });
    }

    /// Fresh space for a piece of read-only data.
    pub(super) fn place_read_only(&mut self, piece: &DataPiece) -> Result<(u32, PieceId), PlaceError> {
        self.report.read_only_fresh += 1;
        self.allocate(piece)
    }

    fn allocate(&mut self, piece: &DataPiece) -> Result<(u32, PieceId), PlaceError> {
        let full = |needed: u64| PlaceError::ImageAreaFull {
            needed: u32::try_from(needed).unwrap_or(u32::MAX),
            free: limits::IMAGE_AREA_BYTES.saturating_sub(self.start_address),
            limit: limits::IMAGE_AREA_BYTES,
        };
        let start = u64::from(self.new.next_address);
        let alignment = u64::from(piece.alignment.max(1));
        // The smallest address not below `start` that stands to the alignment as the piece did in its segment.
        let address = start + (u64::from(piece.phase) + alignment - start % alignment) % alignment;
        let end = address + u64::from(piece.size);
        if end > u64::from(limits::IMAGE_AREA_BYTES) {
            return Err(full(end - u64::from(self.start_address)));
        }
        let id = PieceId(self.new.next_piece);
        self.new.next_piece += 1;
        self.new.next_address = end as u32;
        Ok((address as u32, id))
    }

    pub(super) fn report(&self) -> LinkReport {
        let mut report = self.report.clone();
        report.fresh_bytes = self.new.next_address - self.start_address;
        report
    }

    pub(super) fn finish(self) -> Admission {
        Admission { function_types: self.types.kept(), ..self.new }
    }

    /// What an absolute symbol of the static linker stands for in a live image.
    pub(super) fn absolute(&self, name: &str) -> Option<u32> {
        match name {
            // The heap begins at the end of the image area and only grows by `memory.grow`.
            "__heap_base" | "__heap_end" | "__data_end" => Some(limits::IMAGE_AREA_BYTES),
            "__stack_low" => Some(0),
            "__stack_high" => Some(self.new.stack_size),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(residents: &Residents) -> Draft<'_> {
        Draft {
            residents,
            new: Admission {
                statics: HashMap::new(),
                slots: HashMap::new(),
                read_only: HashMap::new(),
                function_types: None,
                next_address: limits::NULL_GUARD_BYTES,
                next_piece: 0,
                stack_size: 0,
            },
            slot_of_symbol: HashMap::new(),
            own: HashMap::new(),
            types: TypeOrder::after(&[], &[]),
            report: LinkReport::default(),
            start_address: limits::NULL_GUARD_BYTES,
        }
    }

    #[test]
    fn a_table_that_is_full_names_its_limit() {
        let residents = Residents::default();
        let mut draft = draft(&residents);
        let first = residents.table_size();
        for number in first..limits::TABLE_SLOTS_MAX {
            assert_eq!(draft.slot(&number.to_string().into()).ok(), Some(number));
        }
        let refused = draft.slot(&"one more".into()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("TABLE_SLOTS_MAX") && refused.contains("1000000"), "{refused}");
        assert_eq!(draft.slot(&first.to_string().into()).ok(), Some(first), "what has a slot keeps it");
    }

    #[test]
    fn an_image_area_that_is_full_names_its_limit() {
        let residents = Residents::default();
        let mut draft = draft(&residents);
        let piece = |size| DataPiece {
            segment: 0,
            offset: 0,
            size,
            mutable: false,
            alignment: 1,
            phase: 0,
            symbols: vec![],
            relocations: 0..0,
        };
        let all = limits::IMAGE_AREA_BYTES - limits::NULL_GUARD_BYTES;
        assert!(draft.place_read_only(&piece(all - 8)).is_ok());
        let refused = draft.place_read_only(&piece(9)).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused.contains("image area") && refused.contains(&limits::IMAGE_AREA_BYTES.to_string()), "{refused}");
        assert!(draft.place_read_only(&piece(8)).is_ok(), "what fits still goes in");
    }
}
