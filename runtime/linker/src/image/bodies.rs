//! Function bodies modulo relocation: two builds of unchanged source have equal fingerprints although addresses, indices
//! and line numbers moved.
//!
//! Every relocated field is replaced by what it points to: functions, statics and types by name, anonymous read-only data
//! by its content. Fingerprints are compared within one process only; they are no signature.

use super::ModImage;
use super::module::{Relocation, RelocationKind, SymbolTarget};
use crate::limits::DATA_DEPTH;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// 128 bits that stand for a normalised run of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fingerprint(u128);

/// Gathers bytes and texts into a [`Fingerprint`].
pub(crate) struct Fingerprinter {
    low: DefaultHasher,
    high: DefaultHasher,
}

impl Fingerprinter {
    pub(crate) fn new() -> Self {
        let mut high = DefaultHasher::new();
        high.write_u64(0x7469_636b_7377_6170);
        Self { low: DefaultHasher::new(), high }
    }

    /// Adds a run of bytes with its length, so that runs cannot flow into each other.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        for hasher in [&mut self.low, &mut self.high] {
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        }
    }

    pub(crate) fn add_number(&mut self, number: i64) {
        self.add(&number.to_le_bytes());
    }

    pub(crate) fn finish(self) -> Fingerprint {
        Fingerprint(u128::from(self.low.finish()) | u128::from(self.high.finish()) << 64)
    }
}

impl Fingerprint {
    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }
}

/// A function's body, normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Body {
    /// Panic locations without line and column.
    pub(crate) code: Fingerprint,
    /// The same with line and column: tells whether source positions moved.
    pub(crate) with_positions: Fingerprint,
}

/// Fingerprints of all defined functions, in their order.
pub(super) fn normalise(image: &ModImage) -> Vec<Body> {
    let mut contents = Contents::new(image);
    let mut relocations = image.code_relocations.as_slice();
    image
        .functions
        .iter()
        .map(|function| {
            let own = relocations.partition_point(|relocation| relocation.at < function.body.end);
            let (inside, rest) = relocations.split_at(own);
            relocations = rest;
            contents.fingerprint(function.body.clone(), inside, Some(function.type_index))
        })
        .collect()
}

/// Fingerprints of data symbols' bytes, modulo relocation. What several of them point to is read once.
pub(crate) struct DataFingerprints<'a>(Contents<'a>);

impl<'a> DataFingerprints<'a> {
    pub(crate) fn new(image: &'a ModImage) -> Self {
        Self(Contents::new(image))
    }

    /// That of one symbol.
    pub(crate) fn of(&mut self, symbol: u32) -> Fingerprint {
        self.0.symbol(symbol).with_positions
    }
}

struct Contents<'a> {
    image: &'a ModImage,
    /// `None` while a symbol is being worked on, which ends circles.
    known: HashMap<u32, Option<Body>>,
    /// What stands for the names met so far, by symbol, and for types, by index. Most are met many times.
    named: HashMap<u32, Body>,
    signatures: HashMap<u32, Body>,
    /// How many anonymous symbols point to each other on the way here.
    depth: usize,
}

impl<'a> Contents<'a> {
    fn new(image: &'a ModImage) -> Self {
        let (known, named, signatures) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { image, known, named, signatures, depth: 0 }
    }

    fn fingerprint(&mut self, range: std::ops::Range<usize>, inside: &[Relocation], type_index: Option<u32>) -> Body {
        let image = self.image;
        let (mut code, mut with_positions) = (Fingerprinter::new(), Fingerprinter::new());
        if let Some(signature) = type_index.map(|index| self.signature(index)) {
            code.add(&signature.code.bytes());
            with_positions.add(&signature.code.bytes());
        }
        let mut at = range.start;
        for relocation in inside {
            let plain = &image.bytes[at..relocation.at];
            let target = self.target(relocation);
            for (fingerprinter, target) in [(&mut code, target.code), (&mut with_positions, target.with_positions)] {
                fingerprinter.add(plain);
                fingerprinter.add_number(relocation.kind as i64);
                fingerprinter.add(&target.bytes());
                fingerprinter.add_number(relocation.addend);
            }
            at = relocation.at + relocation.kind.width();
        }
        code.add(&image.bytes[at..range.end]);
        with_positions.add(&image.bytes[at..range.end]);
        Body { code: code.finish(), with_positions: with_positions.finish() }
    }

    /// What stands for the thing a relocation points to.
    fn target(&mut self, relocation: &Relocation) -> Body {
        if relocation.kind == RelocationKind::TypeIndexLeb {
            return self.signature(relocation.symbol);
        }
        if let Some(Some(name)) = self.image.provisional.get(relocation.symbol as usize) {
            return *self.named.entry(relocation.symbol).or_insert_with(|| named(name));
        }
        self.symbol(relocation.symbol)
    }

    fn signature(&mut self, type_index: u32) -> Body {
        let ty = self.image.types.get(type_index as usize);
        *self.signatures.entry(type_index).or_insert_with(|| named(&ty.map(ToString::to_string).unwrap_or_default()))
    }

    /// The content of an anonymous data symbol.
    fn symbol(&mut self, index: u32) -> Body {
        if let Some(known) = self.known.get(&index) {
            return known.unwrap_or_else(|| named("a circle"));
        }
        if self.depth >= DATA_DEPTH {
            // Rust nests constants a few levels deep. What is deeper is taken for changed.
            return unique();
        }
        self.known.insert(index, None);
        self.depth += 1;
        let body = self.symbol_content(index);
        self.depth -= 1;
        self.known.insert(index, Some(body));
        body
    }

    fn symbol_content(&mut self, index: u32) -> Body {
        let image = self.image;
        let symbol = &image.symbols[index as usize];
        let SymbolTarget::Data { segment, offset, size } = symbol.target else { return named(&symbol.name) };
        let start = image.segments[segment as usize].data.start + offset as usize;
        let range = start..start + size as usize;
        let from = image.data_relocations.partition_point(|r| r.at < range.start);
        let to = image.data_relocations.partition_point(|r| r.at + r.kind.width() <= range.end).max(from);
        let inside = &image.data_relocations[from..to];
        if self.is_panic_location(&range, inside) {
            let file = self.fingerprint(range.start..range.start + 8, inside, None);
            let whole = self.fingerprint(range, inside, None);
            return Body { code: file.code, with_positions: whole.with_positions };
        }
        self.fingerprint(range, inside, None)
    }

    /// Whether a symbol is a `core::panic::Location`: address and length of a file name, then line and column.
    fn is_panic_location(&self, range: &std::ops::Range<usize>, inside: &[Relocation]) -> bool {
        const LOCATION_BYTES: usize = 16;
        let [name] = inside else { return false };
        if range.len() != LOCATION_BYTES || name.at != range.start || name.addend < 0 {
            return false;
        }
        let image = self.image;
        let Some(SymbolTarget::Data { segment, offset, .. }) =
            image.symbols.get(name.symbol as usize).map(|s| s.target)
        else {
            return false;
        };
        let length =
            image.bytes[range.start + 4..range.start + 8].iter().rev().fold(0usize, |n, b| n << 8 | *b as usize);
        let segment = &image.segments[segment as usize];
        let start = segment.data.start + offset as usize + name.addend as usize;
        let text = start.checked_add(length).filter(|end| *end <= segment.data.end).map(|end| &image.bytes[start..end]);
        text.is_some_and(|text| text.strip_suffix(b"\0").unwrap_or(text).ends_with(b".rs"))
    }
}

/// Equal to nothing, not even to itself another time.
pub(crate) fn unique() -> Body {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    named(&format!("unique {}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

fn named(name: &str) -> Body {
    let mut fingerprinter = Fingerprinter::new();
    fingerprinter.add(b"name");
    fingerprinter.add(name.as_bytes());
    let fingerprint = fingerprinter.finish();
    Body { code: fingerprint, with_positions: fingerprint }
}
