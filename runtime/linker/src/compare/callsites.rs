//! Call sites of log lines: the static that `tracing`'s macros make for each line, which caches who wants to hear of it.
//!
//! All of one function share a name, and each points to what the line says of itself: level, fields, source line. Such a
//! static is no state of the game, and a new one asks again who wants to hear it; code that found another line's behind it
//! would report that line, or panic over its fields. So a call site is known by its content: one that says the same is the
//! live one, and any other is new. That is known of this type of this library only; no other static is taken for new.

use crate::image::bodies::DataFingerprints;
use crate::image::debug::{DebugLevel, StaticVariable};
use crate::image::name_table::{TAG_CLOSE, TAG_OPEN, without_tags};
use crate::image::{Fingerprinter, ModImage};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The type of such statics, and the crate that it must come from: one from a registry, not one of the mod's own that took
/// the name.
const CALL_SITE: &str = "tracing_core::callsite::DefaultCallsite";
const CRATE: &str = "tracing_core";

/// The call sites of one image.
pub(super) struct CallSites {
    /// Their symbols, each with a fingerprint of all that the line says of itself.
    contents: HashMap<u32, u128>,
    /// Symbols of the read-only data that they point to.
    descriptions: HashSet<u32>,
}

impl CallSites {
    pub(super) fn new(image: &ModImage) -> Self {
        let mut found = Self { contents: HashMap::new(), descriptions: HashSet::new() };
        let is_call_site = |variable: &&StaticVariable| variable.type_name.as_deref() == Some(CALL_SITE);
        let variables: HashSet<&str> =
            image.debug.variables.iter().filter(is_call_site).map(|variable| &*variable.linkage_name).collect();
        let is_own = |crate_name: &str, level: DebugLevel| crate_name == CRATE && level == DebugLevel::Full;
        if variables.is_empty() || image.debug.crates.iter().any(|(identity, level)| is_own(&identity.name, *level)) {
            return found;
        }
        let mut fingerprints = DataFingerprints::new(image);
        let symbols = (0..).zip(&image.symbols).filter(|(_, symbol)| variables.contains(symbol.name.as_str()));
        for (index, _) in symbols {
            let Some((piece, _)) = image.symbol_pieces[index as usize] else { continue };
            let piece = &image.pieces[piece as usize];
            if !piece.mutable {
                continue;
            }
            let mut content = Fingerprinter::new();
            content.add(&fingerprints.of(index).bytes());
            for relocation in &image.data_relocations[piece.relocations.clone()] {
                let target = image.symbol_pieces.get(relocation.symbol as usize).copied().flatten();
                if target.is_some_and(|(target, _)| !image.pieces[target as usize].mutable) {
                    content.add(&fingerprints.of(relocation.symbol).bytes());
                    found.descriptions.insert(relocation.symbol);
                }
            }
            found.contents.insert(index, u128::from_le_bytes(content.finish().bytes()));
        }
        found
    }

    pub(super) fn contains(&self, symbol: u32) -> bool {
        self.contents.contains_key(&symbol)
    }

    /// Whether a symbol is of a call site, or of what one says of itself.
    pub(super) fn mentions(&self, symbol: u32) -> bool {
        self.contains(symbol) || self.descriptions.contains(&symbol)
    }

    /// Names call sites by their content instead of the number that their place gives them alone.
    pub(super) fn name(&self, symbols: &mut [Option<Arc<str>>]) {
        for (symbol, content) in &self.contents {
            if let Some(Some(name)) = symbols.get_mut(*symbol as usize) {
                *name = Arc::from(format!("{}{TAG_OPEN}{content:032x}{TAG_CLOSE}", without_tags(name)));
            }
        }
    }
}
