//! Names and places of what debug information calls by its linkage name, each made once per comparison.

use super::difference::SourcePosition;
use crate::image::ModImage;
use crate::image::debug::Position;
use crate::image::name::without_llvm_suffix;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// Entries that are looked at to find the first item inside a function that has none of its own.
const INSIDE: usize = 1000;

/// Looks names of one image up.
pub(super) struct Linkage<'a> {
    image: &'a ModImage,
    known: RefCell<HashMap<&'a str, Arc<str>>>,
    /// In order, so that what is inside a function follows it.
    positions: OnceCell<Vec<(Arc<str>, &'a Position)>>,
}

impl<'a> Linkage<'a> {
    pub(super) fn new(image: &'a ModImage) -> Self {
        let mut known = HashMap::new();
        for (symbol, name) in image.symbols.iter().zip(&image.provisional) {
            // Only names that `plain` would render from the very same text.
            if let (Some(name), std::borrow::Cow::Borrowed(linkage)) = (name, without_llvm_suffix(&symbol.name)) {
                known.insert(linkage, name.clone());
            }
        }
        Self { image, known: RefCell::new(known), positions: OnceCell::new() }
    }

    pub(super) fn image(&self) -> &'a ModImage {
        self.image
    }

    /// The name of what debug information calls by this linkage name, as numbered in its file.
    pub(super) fn plain(&self, linkage: &'a str) -> Arc<str> {
        let mut known = self.known.borrow_mut();
        known.entry(linkage).or_insert_with(|| self.image.names.plain(linkage)).clone()
    }

    /// Where a function stands that may be inlined everywhere, or the first item inside it; by its name without tags.
    pub(super) fn position(&self, name: &str) -> Option<SourcePosition> {
        let positions = self.positions.get_or_init(|| {
            let functions = self.image.debug.functions.iter();
            let placed = functions.filter_map(|(symbol, facts)| Some((symbol, facts.position.as_ref()?)));
            let mut all: Vec<_> = placed.map(|(symbol, position)| (self.plain(symbol), position)).collect();
            all.sort();
            all
        });
        let start = positions.partition_point(|(other, _)| &**other < name);
        let within = positions[start..].iter().take(INSIDE);
        let within = within.map_while(|(other, position)| Some((other.strip_prefix(name)?.len(), position)));
        within.min().map(|(_, position)| SourcePosition::from(*position))
    }
}
