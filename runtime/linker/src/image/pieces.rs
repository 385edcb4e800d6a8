//! Cuts data segments into pieces: the smallest runs of bytes that can be given an address of their own.
//!
//! Strings are merged by the static linker, so read-only symbols may overlap; such a group is one piece. Mutable symbols
//! never overlap, and every byte that is not zero padding belongs to a symbol, or the file is refused.

use super::error::{Found, Problem};
use super::module::{Relocation, Segment, Symbol, SymbolTarget};

/// A run of bytes that keeps together.
#[derive(Clone, Debug)]
pub(crate) struct DataPiece {
    pub(crate) segment: u32,
    /// Offset in the segment.
    pub(crate) offset: u32,
    pub(crate) size: u32,
    pub(crate) mutable: bool,
    /// The piece's address modulo this must stay what `phase` says.
    pub(crate) alignment: u32,
    pub(crate) phase: u32,
    /// Symbol indices with their offsets in the piece, ascending.
    pub(crate) symbols: Vec<(u32, u32)>,
    /// Its range in the list of data relocations.
    pub(crate) relocations: std::ops::Range<usize>,
}

pub(super) struct Layout {
    pub(super) pieces: Vec<DataPiece>,
    pub(super) symbol_pieces: Vec<Option<(u32, u32)>>,
}

pub(super) fn cut(
    bytes: &[u8],
    segments: &[Segment],
    symbols: &[Symbol],
    relocations: &[Relocation],
    problems: &mut Found,
) -> Layout {
    let mut by_segment: Vec<Vec<(u32, u32, u32)>> = vec![Vec::new(); segments.len()];
    for (index, symbol) in symbols.iter().enumerate() {
        if let SymbolTarget::Data { segment, offset, size } = symbol.target {
            by_segment[segment as usize].push((offset, size, index as u32));
        }
    }
    let mut layout = Layout { pieces: Vec::new(), symbol_pieces: vec![None; symbols.len()] };
    for (index, (segment, mut members)) in segments.iter().zip(by_segment).enumerate() {
        members.sort();
        let first = layout.pieces.len();
        for (offset, size, symbol) in members {
            let joins = layout.pieces[first..].last_mut().filter(|piece| {
                // An empty symbol at the end of a piece belongs to it, not to what follows.
                offset < piece.offset + piece.size || (offset == piece.offset && (piece.size == 0 || size == 0))
            });
            match joins {
                Some(piece) => {
                    if piece.mutable && size > 0 && piece.size > 0 {
                        problems.push_with(|| Problem::OverlappingStatics {
                            segment: segment.name.clone(),
                            first: piece
                                .symbols
                                .first()
                                .map_or_else(String::new, |s| symbols[s.0 as usize].name.clone()),
                            second: symbols[symbol as usize].name.clone(),
                        });
                    }
                    piece.size = piece.size.max(offset + size - piece.offset);
                    piece.symbols.push((symbol, offset - piece.offset));
                }
                None => layout.pieces.push(DataPiece {
                    segment: index as u32,
                    offset,
                    size,
                    mutable: segment.mutable,
                    alignment: segment.alignment,
                    phase: offset % segment.alignment,
                    symbols: vec![(symbol, 0)],
                    relocations: 0..0,
                }),
            }
        }
        report_gaps(bytes, segment, &layout.pieces[first..], problems);
    }
    attach_relocations(segments, relocations, &mut layout.pieces, problems);
    for (index, piece) in layout.pieces.iter().enumerate() {
        for (symbol, offset) in &piece.symbols {
            layout.symbol_pieces[*symbol as usize] = Some((index as u32, *offset));
        }
    }
    layout
}

fn report_gaps(bytes: &[u8], segment: &Segment, pieces: &[DataPiece], problems: &mut Found) {
    let data = &bytes[segment.data.clone()];
    let mut covered = 0;
    let ends = pieces.iter().map(|p| (p.offset as usize, (p.offset + p.size) as usize));
    for (start, end) in ends.chain(std::iter::once((data.len(), data.len()))) {
        let gap = data.get(covered..start).unwrap_or(&[]);
        if gap.iter().any(|byte| *byte != 0) {
            problems.push_with(|| Problem::UnnamedData {
                segment: segment.name.clone(),
                offset: covered as u32,
                bytes: gap.len() as u32,
            });
        }
        covered = covered.max(end);
    }
}

fn attach_relocations(
    segments: &[Segment],
    relocations: &[Relocation],
    pieces: &mut [DataPiece],
    problems: &mut Found,
) {
    let mut attached = 0;
    for piece in pieces.iter_mut() {
        let start = segments[piece.segment as usize].data.start + piece.offset as usize;
        let end = start + piece.size as usize;
        let from = relocations.partition_point(|r| r.at < start);
        let to = relocations.partition_point(|r| r.at + r.kind.width() <= end).max(from);
        piece.relocations = from..to;
        attached += to - from;
    }
    if attached != relocations.len() {
        problems.push(Problem::BadRelocation {
            section: "data",
            offset: 0,
            what: "does not lie within the bytes of one symbol",
        });
    }
}
