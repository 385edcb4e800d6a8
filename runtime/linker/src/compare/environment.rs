//! Everything around functions and data: exports, imports, toolchain, crates, allocator, stack, and the proof of how the
//! file was built.

use super::CandidateFacts;
use super::contract;
use super::difference::Difference;
use super::difference::SourcePosition;
use super::reliance::Graph;
use super::statics::STANDARD;
use super::work::Work;
use crate::image::debug::{DebugLevel, is_transient};
use crate::image::module::SymbolTarget;
use crate::image::name::{NodeRef, NumbersAsTheyAre, SymbolName, parse};
use crate::image::name_table::{TAG_CLOSE, TAG_OPEN, without_tags};
use crate::image::{Fingerprint, FunctionExport, ModImage};
use crate::residents::{Resident, Residents, StaticProof};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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
    let in_table = |function: &u32| {
        let mut segments = image.elements.iter();
        segments.any(|segment| segment.functions.contains(function))
    };
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

/// What the allocation entry points lead to: another allocator over the same heap corrupts it. One of the mod's own is
/// all that it calls of the mod's own crates; any other is pinned by its crate's hash.
pub(super) fn allocator(
    image: &ModImage,
    graph: &Graph<'_>,
    names: &[Option<Arc<str>>],
    work: &Work,
) -> Vec<(Arc<str>, BTreeSet<Fingerprint>)> {
    const ENTRY_POINTS: [&str; 4] = ["__rust_alloc", "__rust_dealloc", "__rust_realloc", "__rust_alloc_zeroed"];
    let mut found = Vec::new();
    let mut entries = BTreeSet::new();
    for (index, symbol) in image.symbols.iter().enumerate() {
        let (SymbolTarget::Function(function), Some(name)) = (symbol.target, &names[index]) else { continue };
        if name.rsplit(['.', ':']).next().is_some_and(|last| ENTRY_POINTS.contains(&last)) {
            found.push((name.clone(), image.body(function).map(|body| body.code).into_iter().collect()));
            entries.insert(function);
        }
    }
    let reached = graph.reached(entries, work).into_iter();
    found.extend(reached.map(|(name, code)| (name, BTreeSet::from([code]))));
    found.sort();
    found.dedup();
    found
}

/// Whether a symbol may have to do with `TypeId`: only its name, parsed, tells, since parts of a path may be back
/// references.
pub(super) fn may_ask_for_type_ids(symbol: &str) -> bool {
    symbol.contains("3Any") || symbol.contains("6TypeId")
}

/// Whether a name has to do with `TypeId`.
pub(super) fn asks_for_type_ids(name: &str) -> bool {
    name.contains("core::any::Any") || name.contains("core::any::TypeId")
}

/// Whether a function may ask for the `TypeId` of what it is generic over. Combinators of the standard library never do,
/// although objects of `dyn Any` may pass through them.
pub(super) fn asks_for_parameters(name: &str) -> bool {
    const COMBINATORS: [&str; 3] = ["<core::option::Option<", "<core::result::Result<", "<core::iter::"];
    asks_for_type_ids(name) && !COMBINATORS.iter().any(|head| name.starts_with(head))
}

/// Whether anything in the file shows that types are told apart at run time: a type or object in debug information, or a
/// function, that has to do with `TypeId`. The standard library's own use, for panics, does not count.
pub(super) fn uses_type_ids(image: &ModImage) -> bool {
    const SIGNS: [&str; 2] = ["core::any::TypeId", "dyn core::any::Any"];
    // Every `Context` of a future has room for one such reference; it is no use of it.
    let in_context = |name: &str| {
        let pointee = name.strip_prefix("&mut ").or(name.strip_prefix("* ")).unwrap_or(name);
        pointee == "dyn core::any::Any" && image.debug.types.contains_key("core::task::wake::ExtData")
    };
    let in_types = || {
        let mut names = image.debug.types.keys();
        names.any(|name| SIGNS.iter().any(|sign| name.contains(sign)) && !in_context(name))
    };
    let in_symbols = || {
        image.symbols.iter().enumerate().any(|(index, symbol)| {
            may_ask_for_type_ids(&symbol.name)
                && image.provisional[index].as_ref().is_some_and(|name| asks_for_type_ids(name))
                && match image.names.parsed(index) {
                    Some(SymbolName::V0(name)) => name.crates().iter().any(|(name, _)| !STANDARD.contains(&&**name)),
                    _ => true,
                }
        })
    };
    in_types() || in_symbols()
}

/// Types of the mod's own crates with an `impl Drop` that some code uses.
pub(super) fn drops(image: &ModImage) -> BTreeMap<Arc<str>, Option<SourcePosition>> {
    let mut drops = BTreeMap::new();
    for (symbol, function) in &image.debug.functions {
        // Parts of a path may be back references; its last identifier never is all of them.
        if !symbol.contains("4Drop") {
            continue;
        }
        let SymbolName::V0(name) = parse(symbol) else { continue };
        let is_drop = |path: NodeRef<'_>| path.render(&mut NumbersAsTheyAre) == "core::ops::drop::Drop";
        let root = name.root();
        if root.is_closure() || !root.trait_path().is_some_and(is_drop) {
            continue;
        }
        let Some(of) = root.self_type().and_then(|of| of.nominal_path()) else { continue };
        let home = of.home_crate();
        let is_own = home.is_some_and(|(name, hash)| image.debug.level_of(&name, hash) == Some(DebugLevel::Full));
        if is_own {
            let of = Arc::from(of.render(&mut NumbersAsTheyAre));
            drops.insert(of, function.position.as_ref().map(SourcePosition::from));
        }
    }
    drops
}

/// Values of a type that gains or loses `Drop` were made by code that knew nothing of it.
pub(super) fn compare_drops(
    image: &ModImage,
    facts: &CandidateFacts,
    resident: &Resident,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let heads: BTreeSet<&str> = image.debug.types.keys().map(|name| name.split('<').next().unwrap_or(name)).collect();
    let known: BTreeSet<&str> = residents.types.keys().map(|name| name.split('<').next().unwrap_or(name)).collect();
    let is_live = |name: &str| heads.contains(name) && known.contains(name);
    for (name, at) in &facts.drops {
        if is_live(name) && !residents.generations.iter().any(|resident| resident.drops.contains(name)) {
            differences.push(Difference::DropChanged { item: name.to_string(), at: at.clone(), is_added: true });
        }
    }
    for name in resident.drops.iter().filter(|name| is_live(name) && !facts.drops.contains_key(*name)) {
        differences.push(Difference::DropChanged { item: name.to_string(), at: None, is_added: false });
    }
}

/// Types of one name in one function have `TypeId`s by their order, which nothing shows once they change places: their
/// function must not have changed.
fn compare_types_of_one_name(
    image: &ModImage,
    facts: &CandidateFacts,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let last = |name: &str| name.rsplit(['.', ':']).next().unwrap_or(name).split('<').next().unwrap_or(name).to_owned();
    let changed: BTreeSet<String> = differences
        .iter()
        .filter_map(|difference| match difference {
            Difference::FunctionChanged { item, .. } if !facts.libraries.contains(item.as_str()) => Some(last(item)),
            _ => None,
        })
        .collect();
    let ambiguous = image.debug.types.iter().filter(|(name, layouts)| {
        let known = residents.types.get(*name);
        known.is_some_and(|known| known.len() > 1 || layouts.len() > 1)
            && !name.contains('<')
            && !is_transient(name)
            && !is_of_fixed_crate(image, name)
    });
    let with_code: HashSet<String> = facts.functions.keys().map(|function| last(function)).collect();
    for (name, _) in ambiguous {
        let Some((parent, _)) = name.rsplit_once("::") else { continue };
        let parent = last(parent);
        // One that is inlined everywhere may be in any function that changed.
        let has_code = with_code.contains(&parent);
        if changed.contains(&parent) || (!has_code && !changed.is_empty()) {
            differences.push(Difference::TypeIdentityReused { item: name.to_string() });
        }
    }
}

/// Whether a type is of a crate from a registry. Its source is that of its hash, which is compared by itself.
fn is_of_fixed_crate(image: &ModImage, type_name: &str) -> bool {
    let home = type_name.split("::").next().unwrap_or(type_name);
    image
        .names
        .crates
        .get(home)
        .is_some_and(|hashes| hashes.iter().all(|hash| image.debug.level_of(home, hash) != Some(DebugLevel::Full)))
}

/// Crates of which live state may hold anything that they made or know: their types, their statics, pointers to their
/// functions. Without debug information of its own, nothing proves that these are what they were.
fn crates_in_state(residents: &Residents) -> HashSet<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '.';
    let texts = residents.types.keys().chain(residents.statics.keys()).chain(residents.slots.keys());
    let vtables = residents.vtables.keys().flat_map(|(concrete, trait_name)| [concrete, trait_name]);
    let mut found = HashSet::new();
    for text in texts.chain(vtables) {
        // A crate stands where a path begins, before `::`, `.` or its hash in brackets.
        let mut rest: &str = text;
        while let Some(start) = rest.find(is_part) {
            let path = &rest[start..];
            let end = path.find(|c| !is_part(c)).unwrap_or(path.len());
            let (path, after) = path.split_at(end);
            rest = after;
            let head = path.split([':', '.']).next().unwrap_or(path);
            let next = &path[head.len()..];
            if next.starts_with("::") || next.starts_with('.') || (next.is_empty() && after.starts_with('[')) {
                found.insert(head);
            }
        }
    }
    found
}

/// A `TypeId` goes by number, as the compiler counts closures and repeated names. Where such a number now means another
/// item, state that is keyed by the identity finds the wrong one.
pub(super) fn compare_identified(
    image: &ModImage,
    facts: &CandidateFacts,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let mut reused = BTreeSet::new();
    for (plain, known) in &facts.identified {
        let others = residents.generations.iter().filter_map(|resident| resident.identified.get(plain));
        if others.into_iter().any(|other| other != known) {
            let items = numbered_items(known);
            let is_whole = |item: &String| !item.starts_with(':');
            match items.iter().any(is_whole) {
                true => reused.extend(items.into_iter().filter(is_whole)),
                false => drop(reused.insert(plain.to_string())),
            }
        }
    }
    differences.extend(reused.into_iter().map(|item| Difference::TypeIdentityReused { item }));
    if !facts.uses_type_ids && !residents.generations.iter().any(|resident| resident.uses_type_ids) {
        return;
    }
    compare_types_of_one_name(image, facts, residents, differences);
    // A type that is generic over a function is known by the function, and holds what that returns.
    let through_functions = image.debug.types.iter().filter(|(name, _)| {
        is_transient(name) && name.split_once("-> ").is_some_and(|(_, result)| is_transient(result))
    });
    for (name, layouts) in through_functions {
        let mut known = residents.generations.iter().filter_map(|resident| resident.transient_types.get(name));
        if known.any(|known| **known != *layouts) {
            differences.push(Difference::TypeIdentityReused { item: name.to_string() });
        }
    }
}

/// The items with a tag that a name mentions, as far as they are paths.
fn numbered_items(name: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || "_.:{}#".contains(c) || c == TAG_CLOSE;
    let tags = name.match_indices(TAG_OPEN).map(|(at, _)| {
        // Tags of items that it stands in are part of the path.
        let start = name[..at]
            .rfind(|c: char| !is_part(c) && c != TAG_OPEN)
            .map_or(0, |before| before + name[before..].chars().next().map_or(0, char::len_utf8));
        without_tags(&name[start..at]).into_owned()
    });
    tags.collect()
}

pub(super) fn compare(
    image: &ModImage,
    facts: &CandidateFacts,
    resident: &Resident,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let told = contract::compare(image, resident, differences);
    compare_exports(image, resident, &told, differences);
    let known: HashSet<_> = resident.imports.iter().collect();
    for import in image.imports.iter().filter(|import| !known.contains(import)) {
        differences.push(Difference::ImportAdded {
            item: format!("{}.{}", import.module, import.name),
            is: import.signature.to_string(),
        });
    }
    if image.toolchain != resident.toolchain {
        differences.push(Difference::ToolchainChanged { was: resident.toolchain.clone(), is: image.toolchain.clone() });
    }
    // State may hold what a crate or an allocator of any resident made, although the version replaced names neither.
    let set = |hashes: &BTreeSet<String>| hashes.iter().cloned().collect::<Vec<_>>();
    let uses_type_ids = facts.uses_type_ids || residents.generations.iter().any(|known| known.uses_type_ids);
    let in_state = OnceCell::new();
    for (name, is) in &image.names.crates {
        // A crate that only one version names tells nothing; two of one name show as more hashes.
        let mut known = residents.generations.iter().filter_map(|generation| generation.crates.get(name));
        if let Some(was) = known.find(|was| *was != is) {
            let in_state: &HashSet<&str> = in_state.get_or_init(|| crates_in_state(residents));
            differences.push(Difference::CrateIdentityChanged {
                item: name.clone(),
                uses_type_ids,
                in_state: in_state.contains(name.as_str()),
                was: set(was),
                is: set(is),
            });
        }
    }
    // A version that allocates in fewer ways has fewer entry points; those that both have must lead to the same place.
    let allocators = residents.generations.iter().flat_map(|generation| &generation.allocator);
    let mut known: HashMap<&str, BTreeSet<&BTreeSet<Fingerprint>>> = HashMap::new();
    for (name, code) in allocators {
        known.entry(name).or_default().insert(code);
    }
    let conflict = facts
        .allocator
        .iter()
        .find(|(name, code)| known.get(&**name).is_some_and(|known| known.len() > 1 || !known.contains(code)));
    if let Some((name, _)) = conflict {
        differences.push(Difference::AllocatorChanged {
            was: format!("`{name}` as it was"),
            is: "another allocator, or other code of it".into(),
        });
    }
    if image.stack_size > residents.stack_size {
        differences.push(Difference::StackGrown { was: residents.stack_size, is: image.stack_size });
    }
}

/// `told`: exports of hooks about which the contract section said more already.
fn compare_exports(image: &ModImage, resident: &Resident, told: &BTreeSet<String>, differences: &mut Vec<Difference>) {
    fn by_name(exports: &[FunctionExport]) -> HashMap<&str, &FunctionExport> {
        exports.iter().rev().map(|export| (export.name.as_str(), export)).collect()
    }
    let (old, new) = (by_name(&resident.exports), by_name(&image.exports));
    for export in image.exports.iter().filter(|export| !told.contains(&export.name)) {
        let (item, is) = (export.name.clone(), export.signature.to_string());
        match old.get(export.name.as_str()) {
            None => differences.push(Difference::ExportAdded { item, is }),
            Some(was) if was.signature != export.signature => {
                differences.push(Difference::ExportChanged { item, was: was.signature.to_string(), is });
            }
            Some(_) => {}
        }
    }
    for was in resident.exports.iter().filter(|export| !told.contains(&export.name)) {
        if !new.contains_key(was.name.as_str()) {
            differences.push(Difference::ExportRemoved { item: was.name.clone(), was: was.signature.to_string() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_live_state_may_hold_of_a_crate_is_found_by_its_path() {
        let mut residents = Residents::new();
        assert!(crates_in_state(&residents).is_empty());
        residents.types.insert("alloc::vec::Vec<glam::Vec3>".into(), Arc::default());
        residents.slots.insert("<arena::Key as indexmap::Equivalent>.equivalent | fn()".into(), 1);
        residents.slots.insert("itoa[3kPq].format | (i32) in itoa[3kPq]".into(), 2);
        for (name, expected) in [("glam", true), ("lam", false), ("gla", false), ("indexmap", true), ("itoa", true)] {
            assert_eq!(crates_in_state(&residents).contains(name), expected, "{name}");
        }
    }

    #[test]
    fn items_that_are_known_by_number_are_named_once() {
        let name = "<a.f::{closure#0}\u{2039}g2\u{203a} as core::any::Any>.type_id";
        assert_eq!(numbered_items(name), BTreeSet::from(["a.f::{closure#0}".to_owned()]));
        let name = "a.f\u{2039}g1\u{203a}::{closure#1}\u{2039}g2\u{203a}";
        assert_eq!(numbered_items(name), BTreeSet::from(["a.f".to_owned(), "a.f::{closure#1}".to_owned()]));
    }
}
