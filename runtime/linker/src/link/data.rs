//! Gives every piece of data its address and its relocated bytes.
//!
//! Statics come first, because their addresses depend on nothing. Read-only pieces follow what they point to, so that a
//! piece is compared with residents' bytes when its own are final; pieces in a circle get fresh space.

use super::draft::Draft;
use super::{Piece, PlaceError, patch};
use crate::PieceId;
use crate::compare::Comparison;
use crate::image::module::{Relocation, SymbolTarget};
use crate::image::{DataPiece, ModImage};
use crate::residents::ReadOnlyKey;
use std::collections::HashMap;
use std::sync::Arc;

/// Addresses of pieces, by their index in the image.
pub(super) struct Addresses(Vec<Option<u32>>);

impl Addresses {
    /// The address of a data symbol, `None` while its piece has none.
    pub(super) fn of_symbol(
        &self,
        image: &ModImage,
        draft: &Draft<'_>,
        symbol: u32,
    ) -> Result<Option<u32>, PlaceError> {
        let entry = &image.symbols[symbol as usize];
        match entry.target {
            SymbolTarget::Absolute(_) => match draft.absolute(&entry.name) {
                Some(address) => Ok(Some(address)),
                None => Err(PlaceError::UnknownAbsolute { symbol: entry.name.clone() }),
            },
            SymbolTarget::UndefinedData => Ok(Some(0)),
            _ => {
                let Some((piece, offset)) = image.symbol_pieces[symbol as usize] else { return Ok(None) };
                Ok(self.0[piece as usize].map(|address| address + offset))
            }
        }
    }
}

/// The placed image.
pub(super) struct PlacedData {
    pub(super) addresses: Addresses,
    pub(super) pieces: Vec<Piece>,
}

pub(super) fn place(comparison: &Comparison, draft: &mut Draft<'_>) -> Result<PlacedData, PlaceError> {
    let image = &comparison.image;
    let mut placer = Placer {
        comparison,
        addresses: Addresses(vec![None; image.pieces.len()]),
        state: vec![State::Waiting; image.pieces.len()],
        placed: HashMap::new(),
    };
    let names: HashMap<usize, &Arc<str>> =
        comparison.facts.statics.iter().map(|(name, (index, _))| (*index as usize, name)).collect();
    let mut mutable = Vec::new();
    for (index, piece) in image.pieces.iter().enumerate().filter(|(_, piece)| piece.mutable) {
        match names.get(&index) {
            Some(name) => {
                let (address, id, fresh) = draft.place_static(name, piece)?;
                placer.addresses.0[index] = Some(address);
                placer.state[index] = State::Done;
                mutable.push((index, id, fresh));
            }
            // Empty statics have no bytes to keep; any aligned address serves.
            None if piece.size == 0 => {
                placer.addresses.0[index] = Some(piece.alignment);
                placer.state[index] = State::Done;
            }
            None => {
                return Err(PlaceError::Inconsistent(format!(
                    "mutable data in segment `{}` has no name",
                    image.segments[piece.segment as usize].name
                )));
            }
        }
    }
    for index in 0..image.pieces.len() {
        placer.place_read_only(index, draft)?;
    }
    for (index, id, fresh) in mutable {
        let bytes = placer.bytes(index, draft)?;
        placer.keep(index, id, bytes, fresh);
    }
    let mut pieces: Vec<Piece> = placer.placed.into_values().collect();
    pieces.sort_by_key(|piece| (piece.address, piece.id));
    Ok(PlacedData { addresses: placer.addresses, pieces })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// On the current path; meeting it again is a circle.
    Entered,
    Done,
}

struct Placer<'a> {
    comparison: &'a Comparison,
    addresses: Addresses,
    state: Vec<State>,
    placed: HashMap<PieceId, Piece>,
}

impl Placer<'_> {
    /// Places a read-only piece after everything it points to. An explicit stack: chains can be as long as a file likes.
    fn place_read_only(&mut self, start: usize, draft: &mut Draft<'_>) -> Result<(), PlaceError> {
        let image = &self.comparison.image;
        let mut path = vec![start];
        while let Some(&index) = path.last() {
            match self.state[index] {
                State::Done => {
                    path.pop();
                }
                State::Waiting => {
                    self.state[index] = State::Entered;
                    for target in targets(image, &image.pieces[index]) {
                        match self.state[target] {
                            State::Waiting => path.push(target),
                            // A circle, possibly of one: it is broken here by fresh space.
                            State::Entered if self.addresses.0[target].is_none() => self.place_fresh(target, draft)?,
                            _ => {}
                        }
                    }
                }
                State::Entered => {
                    path.pop();
                    self.finish(index, draft)?;
                    self.state[index] = State::Done;
                }
            }
        }
        Ok(())
    }

    /// Reserves fresh space for a piece whose bytes are not final yet.
    fn place_fresh(&mut self, index: usize, draft: &mut Draft<'_>) -> Result<(), PlaceError> {
        let (address, id) = draft.place_read_only(&self.comparison.image.pieces[index])?;
        self.addresses.0[index] = Some(address);
        self.placed.insert(id, Piece { id, address, bytes: Arc::from([]), fresh: true });
        Ok(())
    }

    fn finish(&mut self, index: usize, draft: &mut Draft<'_>) -> Result<(), PlaceError> {
        let image = &self.comparison.image;
        let piece = &image.pieces[index];
        if let Some(address) = self.addresses.0[index] {
            // In a circle: the space was reserved, and now all that it points to has an address.
            let bytes = self.bytes(index, draft)?;
            let id =
                self.placed.values().find(|placed| placed.address == address && placed.bytes.is_empty()).map(|p| p.id);
            if let Some(id) = id {
                self.keep(index, id, bytes, true);
            }
            return Ok(());
        }
        let bytes = self.bytes(index, draft)?;
        let key = ReadOnlyKey { name: self.name(piece), bytes: bytes.clone() };
        let (id, fresh) = match draft.find_read_only(&key, piece) {
            Some((address, id, fresh)) => {
                self.addresses.0[index] = Some(address);
                (id, fresh)
            }
            None => {
                let (address, id) = draft.place_read_only(piece)?;
                self.addresses.0[index] = Some(address);
                draft.remember_read_only(key, address, id);
                (id, true)
            }
        };
        self.keep(index, id, bytes, fresh);
        Ok(())
    }

    fn keep(&mut self, index: usize, id: PieceId, bytes: Arc<[u8]>, fresh: bool) {
        if let Some(address) = self.addresses.0[index] {
            let known_fresh = self.placed.get(&id).is_some_and(|piece| piece.fresh);
            self.placed.insert(id, Piece { id, address, bytes, fresh: fresh || known_fresh });
        }
    }

    fn bytes(&self, index: usize, draft: &Draft<'_>) -> Result<Arc<[u8]>, PlaceError> {
        let image = &self.comparison.image;
        let piece = &image.pieces[index];
        let mut bytes = image.piece_bytes(piece).to_vec();
        let start = image.segments[piece.segment as usize].data.start + piece.offset as usize;
        patch::fields(image, draft, &self.addresses, relocations(image, piece), start, &mut bytes)?;
        Ok(Arc::from(bytes))
    }

    /// Names and offsets of the piece's named symbols; empty for anonymous data, which is matched by content alone.
    fn name(&self, piece: &DataPiece) -> Arc<str> {
        let names = piece.symbols.iter().filter_map(|(symbol, offset)| {
            self.comparison.facts.names[*symbol as usize].as_ref().map(|name| format!("{offset}:{name}"))
        });
        Arc::from(names.collect::<Vec<_>>().join(" "))
    }
}

fn relocations<'a>(image: &'a ModImage, piece: &DataPiece) -> &'a [Relocation] {
    &image.data_relocations[piece.relocations.clone()]
}

/// The pieces that a piece points to.
fn targets<'a>(image: &'a ModImage, piece: &'a DataPiece) -> impl Iterator<Item = usize> + 'a {
    relocations(image, piece)
        .iter()
        .filter(|relocation| relocation.kind.is_memory_address())
        .filter_map(|relocation| image.symbol_pieces[relocation.symbol as usize])
        .map(|(piece, _)| piece as usize)
}
