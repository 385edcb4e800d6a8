//! Functions: their names with source signatures, their bodies, and which of them a change touched.

use super::CandidateFacts;
use super::causes;
use super::difference::{Difference, SourcePosition};
use super::linkage::Linkage;
use super::work::Work;
use crate::image::debug::{FunctionFacts, Position, is_transient};
use crate::image::module::SymbolTarget;
use crate::image::name::SymbolName;
use crate::image::name_table::TAG_OPEN;
use crate::image::{Body, ModImage};
use crate::residents::{Resident, Residents};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Between name and signature of a slot.
const SIGNATURE: &str = " | ";

/// For every function symbol the identity of its table slot.
///
/// WebAssembly's own type is not enough: `on_hit(&mut u64)` and `on_hit(&mut String)` have one symbol name and one
/// WebAssembly type. Where debug information knows the source signature, it is part of the identity; elsewhere, in crates
/// compiled without it, the crate's hash is, since that crate did not change.
pub(super) fn slot_names(image: &ModImage, names: &[Option<Arc<str>>]) -> Vec<Option<Arc<str>>> {
    let mut slots = vec![None; image.symbols.len()];
    for (index, symbol, function) in image.function_symbols() {
        let Some(name) = &names[index] else { continue };
        let signature = match image.debug.function(&symbol.name) {
            Some(facts) if !facts.signatures.is_empty() => source_signature(facts),
            _ => {
                let wasm = image.function_type(function).map(ToString::to_string).unwrap_or_default();
                format!("{wasm} in {}", crate_hashes(image, index))
            }
        };
        slots[index] = Some(Arc::from(format!("{name}{SIGNATURE}{signature}")));
    }
    slots
}

fn source_signature(facts: &FunctionFacts) -> String {
    let signatures = facts.signatures.iter().map(|signature| {
        let result = signature.result.as_deref().unwrap_or("()");
        format!("fn({}) -> {result}", signature.parameters.join(", "))
    });
    signatures.collect::<Vec<_>>().join(" or ")
}

fn crate_hashes(image: &ModImage, symbol: usize) -> String {
    match image.names.parsed(symbol) {
        Some(SymbolName::V0(name)) => {
            let mut crates: Vec<_> = name.crates().iter().map(|(name, hash)| format!("{name}[{hash}]")).collect();
            crates.sort();
            crates.dedup();
            crates.join(" ")
        }
        _ => String::new(),
    }
}

/// Bodies by function name.
pub(super) fn bodies(image: &ModImage, names: &[Option<Arc<str>>]) -> BTreeMap<Arc<str>, BTreeSet<Body>> {
    let mut bodies: BTreeMap<Arc<str>, BTreeSet<Body>> = BTreeMap::new();
    for (index, _, function) in image.function_symbols() {
        if let (Some(name), Some(body)) = (&names[index], image.body(function)) {
            bodies.entry(name.clone()).or_default().insert(*body);
        }
    }
    bodies
}

pub(super) fn compare(
    image: &ModImage,
    facts: &CandidateFacts,
    resident: &Resident,
    linkage: &Linkage<'_>,
    work: &Work,
    differences: &mut Vec<Difference>,
) {
    let positions = positions(image, &facts.names);
    let code = |bodies: &BTreeSet<Body>| bodies.iter().map(|body| body.code).collect::<BTreeSet<_>>();
    for (name, bodies) in &facts.functions {
        let (item, at) = (name.to_string(), positions.get(name).map(|at| SourcePosition::from(*at)));
        match resident.functions.get(name) {
            None => differences.push(Difference::FunctionAdded { item, at, cause: None }),
            Some(old) if code(old) != code(bodies) => {
                differences.push(Difference::FunctionChanged { item, at, cause: None });
            }
            Some(old) if **old != *bodies => differences.push(Difference::PositionsMoved { item, at }),
            Some(_) => {}
        }
    }
    for name in resident.functions.keys().filter(|name| !facts.functions.contains_key(*name)) {
        let at = resident.positions.get(name).map(SourcePosition::from);
        differences.push(Difference::FunctionRemoved { item: name.to_string(), at, cause: None });
    }
    causes::explain(facts, resident, linkage, work, differences);
}

/// Functions that live pointers may lead to and that have another signature now. Slots are names with signatures, so the
/// pointers keep the old body; somebody should know.
pub(super) fn signatures(
    image: &ModImage,
    facts: &CandidateFacts,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, signature) in residents.slots.keys().filter_map(|slot| slot.split_once(SIGNATURE)) {
        known.entry(name).or_default().insert(signature);
    }
    let positions = positions(image, &facts.names);
    let own: BTreeSet<(&str, &str)> =
        facts.slot_names.iter().flatten().filter_map(|slot| slot.split_once(SIGNATURE)).collect();
    for (name, is) in own {
        let Some(was) = known.get(name).filter(|was| !was.contains(is)) else { continue };
        // Numbered items, and what is generic over them, are matched by other means; libraries change with their crate.
        let is_numbered = name.contains(TAG_OPEN) || is_transient(is) || is_transient(name);
        if is_numbered || facts.libraries.contains(name) {
            continue;
        }
        differences.push(Difference::SignatureChanged {
            item: name.to_owned(),
            at: positions.get(name).map(|at| SourcePosition::from(*at)),
            was: was.iter().copied().collect::<Vec<_>>().join(" or "),
            is: is.to_owned(),
        });
    }
}

/// Several functions of one plain name, such as local ones of two C files: a slot could not tell them apart. Copies of
/// Rust functions have one v0 name and are one function.
pub(super) fn ambiguous(image: &ModImage, differences: &mut Vec<Difference>) {
    let mut plain: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for (index, symbol, function) in image.function_symbols() {
        if let Some(SymbolName::Plain(_)) = image.names.parsed(index) {
            plain.entry(&symbol.name).or_default().insert(function);
        }
    }
    let in_table: HashSet<u32> = image.elements.iter().flat_map(|segment| segment.functions.iter().copied()).collect();
    for (name, functions) in plain.iter().filter(|(_, functions)| functions.len() > 1) {
        if functions.iter().any(|function| in_table.contains(function)) {
            differences.push(Difference::FunctionAmbiguous { item: (*name).to_owned() });
        }
    }
}

/// Positions by name.
pub(crate) fn positions<'a>(image: &'a ModImage, names: &[Option<Arc<str>>]) -> BTreeMap<Arc<str>, &'a Position> {
    let mut positions = BTreeMap::new();
    for (index, symbol) in image.symbols.iter().enumerate() {
        let SymbolTarget::Function(_) = symbol.target else { continue };
        let (Some(name), Some(function)) = (&names[index], image.debug.function(&symbol.name)) else {
            continue;
        };
        if let Some(position) = &function.position {
            positions.insert(name.clone(), position);
        }
    }
    positions
}
