//! Functions: their names with source signatures, their bodies, and which of them a change touched.

use super::CandidateFacts;
use super::difference::{Difference, SourcePosition};
use crate::image::debug::FunctionFacts;
use crate::image::module::SymbolTarget;
use crate::image::name::SymbolName;
use crate::image::{Body, ModImage};
use crate::residents::Resident;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
        slots[index] = Some(Arc::from(format!("{name} | {signature}")));
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
    differences: &mut Vec<Difference>,
) {
    let positions = positions(image, facts);
    let code = |bodies: &BTreeSet<Body>| bodies.iter().map(|body| body.code).collect::<BTreeSet<_>>();
    for (name, bodies) in &facts.functions {
        let at = positions.get(name).cloned();
        match resident.functions.get(name) {
            None => differences.push(Difference::FunctionAdded { item: name.to_string(), at }),
            Some(old) if code(old) != code(bodies) => {
                differences.push(Difference::FunctionChanged { item: name.to_string(), at });
            }
            Some(old) if **old != *bodies => differences.push(Difference::PositionsMoved { item: name.to_string() }),
            Some(_) => {}
        }
    }
    for name in resident.functions.keys().filter(|name| !facts.functions.contains_key(*name)) {
        differences.push(Difference::FunctionRemoved { item: name.to_string() });
    }
}

fn positions(image: &ModImage, facts: &CandidateFacts) -> BTreeMap<Arc<str>, SourcePosition> {
    let mut positions = BTreeMap::new();
    for (index, symbol) in image.symbols.iter().enumerate() {
        let SymbolTarget::Function(_) = symbol.target else { continue };
        let (Some(name), Some(function)) = (&facts.names[index], image.debug.function(&symbol.name)) else {
            continue;
        };
        if let Some(position) = &function.position {
            let line = u32::try_from(position.line).unwrap_or(u32::MAX);
            positions.insert(name.clone(), SourcePosition { file: position.file.to_string(), line });
        }
    }
    positions
}
