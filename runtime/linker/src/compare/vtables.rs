//! Vtables: objects in live state keep using theirs, so a trait's vtable keeps its shape.

use super::CandidateFacts;
use super::difference::Difference;
use crate::image::ModImage;
use crate::image::debug::{Location, VtableVariable, is_transient};
use crate::image::module::RelocationKind;
use crate::image::name::{NumbersAsTheyAre, SymbolName};
use crate::image::name_table::without_tags;
use crate::residents::{Residents, VtableEntry, VtableShape};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A vtable of the candidate, of the concrete type and trait that debug information names.
#[derive(Debug)]
pub(crate) struct Vtable {
    pub(crate) concrete: Arc<str>,
    pub(crate) trait_name: Arc<str>,
    pub(crate) shape: Arc<VtableShape>,
}

const WORD_BYTES: usize = 4;
/// Drop glue, size and alignment come before the methods.
const METHODS_START: usize = 3;

/// Reads every live vtable that debug information names.
pub(super) fn read(
    image: &ModImage,
    slot_names: &[Option<Arc<str>>],
    differences: &mut Vec<Difference>,
) -> Vec<Vtable> {
    let mut vtables = Vec::new();
    for variable in &image.debug.vtables {
        let (Location::Plain(address), Some(size)) = (variable.location, variable.size) else { continue };
        let (Some(concrete), Some(trait_name)) = (&variable.concrete_type, &variable.trait_name) else { continue };
        let segment = image.segments.iter().find(|segment| {
            segment.address <= address
                && u64::from(address) + size <= u64::from(segment.address) + segment.data.len() as u64
        });
        let Some(segment) = segment else { continue };
        let start = segment.data.start + (address - segment.address) as usize;
        let mut entries = Vec::new();
        for word in 0..size as usize / WORD_BYTES {
            let at = start + word * WORD_BYTES;
            let relocation = image.data_relocations.binary_search_by_key(&at, |relocation| relocation.at);
            entries.push(match relocation.ok().map(|index| &image.data_relocations[index]) {
                None => VtableEntry::Number(
                    image.bytes[at..at + WORD_BYTES].iter().rev().fold(0, |n, b| n << 8 | u32::from(*b)),
                ),
                Some(relocation) if relocation.kind == RelocationKind::TableIndexI32 => {
                    check_owner(image, relocation.symbol as usize, concrete, variable, differences);
                    match &slot_names[relocation.symbol as usize] {
                        Some(slot) => VtableEntry::Function(slot.clone()),
                        None => VtableEntry::Data,
                    }
                }
                Some(_) => VtableEntry::Data,
            });
        }
        vtables.push(Vtable {
            concrete: concrete.clone(),
            trait_name: trait_name.clone(),
            shape: Arc::new(VtableShape { entries }),
        });
    }
    vtables
}

/// A method named after another type than the vtable's own shows that equal functions were merged.
fn check_owner(
    image: &ModImage,
    symbol: usize,
    concrete: &str,
    variable: &VtableVariable,
    differences: &mut Vec<Difference>,
) {
    let Some(SymbolName::V0(name)) = image.names.parsed(symbol) else { return };
    let Some(owner) = name.root().self_type().filter(|owner| owner.arguments().is_empty()) else { return };
    let Some(owner) = owner.nominal_path() else { return };
    let owner = owner.render(&mut NumbersAsTheyAre);
    // Only plain paths are compared: how generic types are written differs between symbols and debug information.
    let is_plain_path =
        |text: &str| text.contains("::") && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
    if is_plain_path(concrete) && is_plain_path(&owner) && owner != concrete {
        differences.push(Difference::VtableEntryForeign {
            item: variable.name.to_string(),
            entry: image.symbols[symbol].name.clone(),
        });
    }
}

pub(super) fn compare(
    image: &ModImage,
    facts: &CandidateFacts,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let mut known_traits: BTreeMap<&str, BTreeSet<Vec<String>>> = BTreeMap::new();
    for ((_, trait_name), shape) in &residents.vtables {
        known_traits.entry(trait_name).or_default().insert(method_names(shape));
    }
    let mut shown = BTreeSet::new();
    for vtable in &facts.vtables {
        shown.insert(&*vtable.trait_name);
        let item = || format!("<{} as {}>", vtable.concrete, vtable.trait_name);
        let changed = |was: String, is: String| Difference::VtableChanged { item: item(), was, is };
        if !is_transient(&vtable.concrete) {
            let key = (vtable.concrete.clone(), vtable.trait_name.clone());
            if let Some(was) = residents.vtables.get(&key)
                && !same_shape(was, &vtable.shape)
            {
                differences.push(changed(describe(was), describe(&vtable.shape)));
                continue;
            }
        }
        // Old objects of other types have vtables of the trait's old shape.
        if let Some(known) = known_traits.get(&*vtable.trait_name) {
            let own = method_names(&vtable.shape);
            if let Some(other) = known.iter().find(|known| !compatible(known, &own)) {
                differences.push(changed(other.join(", "), own.join(", ")));
            }
        }
    }
    for trait_name in known_traits.keys().filter(|name| !shown.contains(*name)) {
        if !is_standard_trait(trait_name) && mentions_object(image, trait_name) {
            differences.push(Difference::TraitShapeUnknown { item: (*trait_name).to_owned() });
        }
    }
}

/// Same entries. A drop glue may have another body but not come or go; methods are the same functions by name and signature.
fn same_shape(was: &VtableShape, is: &VtableShape) -> bool {
    was.entries.len() == is.entries.len()
        && was.entries.iter().zip(&is.entries).enumerate().all(|(index, pair)| match pair {
            (VtableEntry::Function(_), VtableEntry::Function(_)) if index == 0 => true,
            (VtableEntry::Function(was), VtableEntry::Function(is)) => without_tags(was) == without_tags(is),
            (was, is) => was == is,
        })
}

/// The methods' own names, which all types of a trait share. Closures and shims have none: they match any.
fn method_names(shape: &VtableShape) -> Vec<String> {
    let names = shape.entries.iter().skip(METHODS_START).map(|entry| match entry {
        VtableEntry::Function(slot) => {
            let slot = without_tags(slot);
            let path = slot.split(" | ").next().unwrap_or_default();
            let name = path.rsplit('.').next().unwrap_or_default();
            let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            if is_plain { name.to_owned() } else { String::new() }
        }
        _ => String::new(),
    });
    names.collect()
}

fn compatible(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.is_empty() || b.is_empty() || a == b)
}

fn is_standard_trait(name: &str) -> bool {
    ["core::", "std::", "alloc::"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether any type of the candidate holds an object of the trait.
fn mentions_object(image: &ModImage, trait_name: &str) -> bool {
    let needle = format!("dyn {trait_name}");
    image.debug.types.keys().any(|name| {
        name.match_indices(&needle).any(|(at, _)| {
            !name[at + needle.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == ':')
        })
    })
}

fn describe(shape: &VtableShape) -> String {
    let entries = shape.entries.iter().map(|entry| match entry {
        VtableEntry::Function(slot) => without_tags(slot).into_owned(),
        VtableEntry::Number(number) => number.to_string(),
        VtableEntry::Data => "data".into(),
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(", "))
}
