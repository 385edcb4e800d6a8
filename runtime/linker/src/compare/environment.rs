//! Everything around functions and data: exports, imports, toolchain, crates, allocator, stack, and the proof of how the
//! file was built.

use super::CandidateFacts;
use super::difference::Difference;
use crate::image::module::SymbolTarget;
use crate::image::{Body, ModImage};
use crate::residents::{Resident, Residents, StaticProof};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Two equal functions that must stay two, and a static of a small domain that must stay whole. The SDK emits them.
const TWINS: [&str; 2] = ["tickswap_proof_twin_a", "tickswap_proof_twin_b"];
const SMALL_STATIC: &str = "TICKSWAP_PROOF_SMALL";

/// The file must show that it was built with `mergefunc` and `globalopt` off: the first gives two functions with equal
/// code one address, the second narrows statics, and neither can be seen in the code it produced.
pub(super) fn proof(image: &ModImage, facts: &CandidateFacts, differences: &mut Vec<Difference>) {
    let mut missing = |what: &str| differences.push(Difference::ProofMissing { what: what.to_owned() });
    let twins: BTreeSet<u32> = image
        .function_symbols()
        .filter(|(_, symbol, _)| TWINS.contains(&symbol.name.as_str()))
        .map(|(_, _, function)| function)
        .collect();
    let in_table = |function: &u32| image.elements.iter().any(|segment| segment.functions.contains(function));
    if twins.len() != TWINS.len() || !twins.iter().all(in_table) {
        missing(
            "expected two equal functions of the SDK in two table slots, found them merged or missing: functions may have been merged; build with `cargo tickswap build` and use `#[tickswap_sdk::module]`",
        );
    }
    let small = facts.statics.iter().find(|(name, _)| name.rsplit(['.', ':']).next() == Some(SMALL_STATIC));
    if !small.is_some_and(|(_, (_, facts))| facts.size == 4 && matches!(facts.proof, StaticProof::Type(_))) {
        missing(
            "expected a whole four-byte static of the SDK, found it rewritten or missing: statics may have been narrowed; build with `cargo tickswap build` and use `#[tickswap_sdk::module]`",
        );
    }
}

/// What the allocation entry points lead to: another allocator over the same heap corrupts it.
pub(super) fn allocator(image: &ModImage, names: &[Option<Arc<str>>]) -> Vec<(Arc<str>, Option<Body>)> {
    const ENTRY_POINTS: [&str; 4] = ["__rust_alloc", "__rust_dealloc", "__rust_realloc", "__rust_alloc_zeroed"];
    let mut found = Vec::new();
    for (index, symbol) in image.symbols.iter().enumerate() {
        let (SymbolTarget::Function(function), Some(name)) = (symbol.target, &names[index]) else { continue };
        if name.rsplit(['.', ':']).next().is_some_and(|last| ENTRY_POINTS.contains(&last)) {
            found.push((name.clone(), image.body(function).copied()));
        }
    }
    found.sort();
    found.dedup();
    found
}

pub(super) fn compare(
    image: &ModImage,
    facts: &CandidateFacts,
    resident: &Resident,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    compare_exports(image, resident, differences);
    for import in image.imports.iter().filter(|import| !resident.imports.contains(import)) {
        differences.push(Difference::ImportAdded {
            item: format!("{}.{}", import.module, import.name),
            is: import.signature.to_string(),
        });
    }
    if image.toolchain != resident.toolchain {
        differences.push(Difference::ToolchainChanged { was: resident.toolchain.clone(), is: image.toolchain.clone() });
    }
    let set = |hashes: &BTreeSet<String>| hashes.iter().cloned().collect::<Vec<_>>();
    for (name, is) in &image.names.crates {
        // A crate that only one version names tells nothing; two of one name show as more hashes.
        if let Some(was) = resident.crates.get(name).filter(|was| *was != is) {
            differences.push(Difference::CrateIdentityChanged { item: name.clone(), was: set(was), is: set(is) });
        }
    }
    let code = |entries: &[(Arc<str>, Option<Body>)]| {
        entries.iter().map(|(name, body)| (name.clone(), body.map(|body| body.code))).collect::<BTreeSet<_>>()
    };
    // A version that allocates in fewer ways has fewer entry points; those that both have must lead to the same place.
    let (was, is) = (code(&resident.allocator), code(&facts.allocator));
    let conflict = is.iter().find(|(name, body)| was.iter().any(|(n, b)| n == name && b != body));
    if let Some((name, _)) = conflict {
        differences.push(Difference::AllocatorChanged {
            was: format!("what `{name}` led to"),
            is: "another: memory allocated by one would be freed by the other".into(),
        });
    }
    if image.stack_size > residents.stack_size {
        differences.push(Difference::StackGrown { was: residents.stack_size, is: image.stack_size });
    }
    let sections: BTreeSet<&String> = image.custom.keys().chain(resident.custom.keys()).collect();
    for section in sections {
        if image.custom.get(section) != resident.custom.get(section) {
            differences.push(Difference::DescriptionChanged { item: section.clone() });
        }
    }
}

fn compare_exports(image: &ModImage, resident: &Resident, differences: &mut Vec<Difference>) {
    for export in &image.exports {
        let (item, is) = (export.name.clone(), export.signature.to_string());
        match resident.exports.iter().find(|was| was.name == export.name) {
            None => differences.push(Difference::ExportAdded { item, is }),
            Some(was) if was.signature != export.signature => {
                differences.push(Difference::ExportChanged { item, was: was.signature.to_string(), is });
            }
            Some(_) => {}
        }
    }
    for was in &resident.exports {
        if !image.exports.iter().any(|export| export.name == was.name) {
            differences.push(Difference::ExportRemoved { item: was.name.clone(), was: was.signature.to_string() });
        }
    }
}
