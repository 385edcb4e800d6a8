//! Vtables: objects in live state keep using theirs, so a trait's vtable keeps its shape.

use super::CandidateFacts;
use super::difference::Difference;
use super::work::{ENTRY, Work};
use crate::image::debug::{Location, is_transient};
use crate::image::module::{Relocation, RelocationKind, Segment};
use crate::image::name::{NumbersAsTheyAre, SymbolName};
use crate::image::name_table::without_tags;
use crate::image::{Fingerprint, Fingerprinter, ModImage};
use crate::limits::{NAMES_TOLD, VTABLE_BYTES_FACTOR};
use crate::residents::{Residents, VtableEntry, VtableKey, VtableShape};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::ops::Range;
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
    let mut segments: Vec<&Segment> = image.segments.iter().filter(|segment| !segment.data.is_empty()).collect();
    segments.sort_by_key(|segment| segment.address);
    let mut owners = Owners { image, known: HashMap::new() };
    // Variables may lie, and all name the same bytes: those are read once.
    let mut known: HashMap<(u32, u64), Arc<VtableShape>> = HashMap::new();
    let data_bytes: usize = segments.iter().map(|segment| segment.data.len()).sum();
    let limit = data_bytes.saturating_mul(VTABLE_BYTES_FACTOR);
    let mut left = limit;
    for variable in &image.debug.vtables {
        let (Location::Plain(address), Some(size)) = (variable.location, variable.size) else { continue };
        let (Some(concrete), Some(trait_name)) = (&variable.concrete_type, &variable.trait_name) else { continue };
        let Some(range) = place(&segments, address, size) else { continue };
        if !known.contains_key(&(address, size)) {
            let Some(rest) = left.checked_sub(range.len()) else {
                differences.push(Difference::LimitReached {
                    what: "bytes of vtables".into(),
                    limit_name: "VTABLE_BYTES_FACTOR".into(),
                    limit: limit as u64,
                });
                return vtables;
            };
            left = rest;
            known.insert((address, size), Arc::new(shape(image, slot_names, &range)));
        }
        let shape = &known[&(address, size)];
        if let Some(symbol) = owners.foreign(concrete, &range) {
            differences.push(Difference::VtableEntryForeign {
                item: variable.name.to_string(),
                entry: image.symbols[symbol as usize].name.clone(),
            });
        }
        vtables.push(Vtable { concrete: concrete.clone(), trait_name: trait_name.clone(), shape: shape.clone() });
    }
    vtables
}

/// Where in the file `size` bytes at an address lie, all of them in one segment. Segments do not overlap.
fn place(segments: &[&Segment], address: u32, size: u64) -> Option<Range<usize>> {
    let segment = segments[..segments.partition_point(|segment| segment.address <= address)].last()?;
    let offset = (address - segment.address) as usize;
    let end = usize::try_from(size).ok().and_then(|size| offset.checked_add(size))?;
    (end <= segment.data.len()).then(|| segment.data.start + offset..segment.data.start + end)
}

/// The relocations of the bytes in this range of the file.
fn relocations<'a>(image: &'a ModImage, range: &Range<usize>) -> &'a [Relocation] {
    let all = &image.data_relocations;
    let from = all.partition_point(|relocation| relocation.at < range.start);
    &all[from..all.partition_point(|relocation| relocation.at < range.end).max(from)]
}

fn shape(image: &ModImage, slot_names: &[Option<Arc<str>>], range: &Range<usize>) -> VtableShape {
    let mut relocations = relocations(image, range).iter().peekable();
    let words = image.bytes[range.clone()].chunks_exact(WORD_BYTES).zip((range.start..).step_by(WORD_BYTES));
    let entries = words.map(|(word, at)| {
        while relocations.next_if(|relocation| relocation.at < at).is_some() {}
        match relocations.peek().filter(|relocation| relocation.at == at) {
            None => VtableEntry::Number(word.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))),
            Some(relocation) if relocation.kind == RelocationKind::TableIndexI32 => {
                let slot = &slot_names[relocation.symbol as usize];
                slot.clone().map_or(VtableEntry::Data, VtableEntry::Function)
            }
            Some(_) => VtableEntry::Data,
        }
    });
    VtableShape { entries: entries.collect() }
}

/// Types that methods are named after.
struct Owners<'a> {
    image: &'a ModImage,
    /// By symbol; `None` where the name tells nothing that can be compared.
    known: HashMap<u32, Option<String>>,
}

impl Owners<'_> {
    /// A method named after another type than the vtable's own shows that equal functions were merged. Answers the first.
    fn foreign(&mut self, concrete: &str, range: &Range<usize>) -> Option<u32> {
        // Only plain paths are compared: how generic types are written differs between symbols and debug information.
        if !is_plain_path(concrete) {
            return None;
        }
        let methods = relocations(self.image, range).iter().filter(|r| r.kind == RelocationKind::TableIndexI32);
        methods.map(|relocation| relocation.symbol).find(|symbol| {
            let owner = self.known.entry(*symbol).or_insert_with(|| owner(self.image, *symbol as usize));
            owner.as_ref().is_some_and(|owner| owner != concrete)
        })
    }
}

fn owner(image: &ModImage, symbol: usize) -> Option<String> {
    let Some(SymbolName::V0(name)) = image.names.parsed(symbol) else { return None };
    let owner = name.root().self_type().filter(|owner| owner.arguments().is_empty())?.nominal_path()?;
    Some(owner.render(&mut NumbersAsTheyAre)).filter(|owner| is_plain_path(owner))
}

fn is_plain_path(text: &str) -> bool {
    text.contains("::") && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

pub(super) fn compare(
    image: &ModImage,
    facts: &CandidateFacts,
    residents: &Residents,
    work: &Work,
    differences: &mut Vec<Difference>,
) {
    let mut lists: BTreeMap<&str, BTreeSet<Vec<Method>>> = BTreeMap::new();
    // Many vtables may be the same bytes.
    let steps = |shape: &VtableShape| {
        let text = shape.entries.iter().map(|entry| match entry {
            VtableEntry::Function(slot) => ENTRY + slot.len(),
            _ => ENTRY,
        });
        text.fold(ENTRY, usize::saturating_add)
    };
    for ((_, trait_name), shapes) in &residents.vtables {
        if !shapes.iter().all(|shape| work.spend(steps(shape))) {
            return;
        }
        lists.entry(trait_name).or_default().extend(shapes.iter().map(|shape| methods(shape)));
    }
    let known_traits: BTreeMap<&str, Trait<'_>> =
        lists.iter().map(|(name, lists)| (*name, Trait::new(lists))).collect();
    let mut known_shapes: HashMap<VtableKey, HashSet<Fingerprint>> = HashMap::new();
    let mut shown = BTreeSet::new();
    for vtable in &facts.vtables {
        if !work.spend(steps(&vtable.shape)) {
            return;
        }
        shown.insert(&*vtable.trait_name);
        let item = || format!("<{} as {}>", vtable.concrete, vtable.trait_name);
        let changed = |was: String, is: String| Difference::VtableChanged { item: item(), was, is };
        if !is_transient(&vtable.concrete) && !is_function(&vtable.concrete) {
            let key = (vtable.concrete.clone(), vtable.trait_name.clone());
            // Two types of one name have a vtable each.
            if let Some(known) = residents.vtables.get(&key) {
                let shapes = known_shapes.entry(key);
                let shapes = shapes.or_insert_with(|| known.iter().map(|shape| fingerprint(shape)).collect());
                if !shapes.contains(&fingerprint(&vtable.shape)) {
                    let was = listed(known.iter().map(|was| describe(was)), known.len(), " or ");
                    differences.push(changed(was, describe(&vtable.shape)));
                    continue;
                }
            }
        }
        // Old objects of other types have vtables of the trait's old shape.
        if let Some(known) = known_traits.get(&*vtable.trait_name) {
            let own = methods(&vtable.shape);
            if let Some(other) = known.incompatible(&own) {
                let text = |methods: &[Method]| listed(methods.iter().map(ToString::to_string), methods.len(), ", ");
                differences.push(changed(text(other), text(&own)));
            }
        }
    }
    let objects: Vec<&str> =
        image.debug.types.keys().map(|name| &**name).filter(|name| name.contains("dyn ")).collect();
    for trait_name in known_traits.keys().filter(|name| !shown.contains(*name)) {
        if !is_standard_trait(trait_name) && mentions_object(&objects, trait_name, work) {
            differences.push(Difference::TraitShapeUnknown { item: (*trait_name).to_owned() });
        }
    }
}

/// Equal for vtables with the same entries. A drop glue may have another body but not come or go; methods are the same
/// functions by name and signature.
fn fingerprint(shape: &VtableShape) -> Fingerprint {
    let mut all = Fingerprinter::new();
    for (index, entry) in shape.entries.iter().enumerate() {
        match entry {
            VtableEntry::Function(_) if index == 0 => all.add(b"drop glue"),
            VtableEntry::Function(slot) => {
                all.add(b"function");
                all.add(without_tags(slot).as_bytes());
            }
            VtableEntry::Number(number) => {
                all.add(b"number");
                all.add_number(i64::from(*number));
            }
            VtableEntry::Data => all.add(b"data"),
        }
    }
    all.finish()
}

/// A method as all types of a trait have it. Closures and shims have no name of the trait's: theirs is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Method {
    name: String,
    /// Types of the parameters after the object itself, where debug information knows them.
    parameters: Option<Vec<String>>,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = self.parameters.as_ref().map_or_else(|| "..".to_owned(), |parameters| parameters.join(", "));
        write!(f, "{}({parameters})", self.name)
    }
}

fn methods(shape: &VtableShape) -> Vec<Method> {
    let methods = shape.entries.iter().skip(METHODS_START).map(|entry| match entry {
        VtableEntry::Function(slot) => {
            let slot = without_tags(slot);
            let (path, signature) = slot.split_once(" | ").unwrap_or((&slot, ""));
            let name = path.rsplit('.').next().unwrap_or_default();
            let is_plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let name = if is_plain { name.to_owned() } else { String::new() };
            Method { name, parameters: parameters_after_self(signature) }
        }
        _ => Method { name: String::new(), parameters: None },
    });
    methods.collect()
}

/// `A` and `B` of `fn(Self, A, B) -> C`.
fn parameters_after_self(signature: &str) -> Option<Vec<String>> {
    let rest = signature.strip_prefix("fn(").filter(|_| !signature.contains(" or fn("))?;
    let (mut depth, mut parts, mut before) = (0usize, vec![String::new()], ' ');
    for c in rest.chars() {
        match c {
            '(' | '<' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                let after_self = parts.into_iter().skip(1).map(|part| part.trim().to_owned());
                return Some(after_self.collect());
            }
            '>' if before == '-' => {}
            ')' | '>' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
        match (c, depth, parts.last_mut()) {
            (',', 0, _) => parts.push(String::new()),
            (_, _, Some(part)) => part.push(c),
            _ => {}
        }
    }
    None
}

/// All lists of methods that residents have for one trait, place by place. Debug information may leave parameters out that
/// have no name, so parameters of other numbers tell nothing, and neither do methods without a name.
#[derive(Default)]
struct Trait<'a> {
    /// By number of methods a list that has it.
    lengths: BTreeMap<usize, &'a Vec<Method>>,
    places: Vec<Place<'a>>,
}

/// What the lists have at one place, with a list that does.
#[derive(Default)]
struct Place<'a> {
    names: BTreeMap<&'a str, &'a Vec<Method>>,
    /// By number of parameters.
    parameters: BTreeMap<usize, BTreeMap<&'a Vec<String>, &'a Vec<Method>>>,
}

impl<'a> Trait<'a> {
    fn new(lists: &'a BTreeSet<Vec<Method>>) -> Self {
        let mut all = Self::default();
        for list in lists {
            all.lengths.entry(list.len()).or_insert(list);
            if all.places.len() < list.len() {
                all.places.resize_with(list.len(), Place::default);
            }
            for (method, place) in list.iter().zip(&mut all.places).filter(|(method, _)| !method.name.is_empty()) {
                place.names.entry(&method.name).or_insert(list);
                if let Some(parameters) = &method.parameters {
                    place.parameters.entry(parameters.len()).or_default().entry(parameters).or_insert(list);
                }
            }
        }
        all
    }

    /// A list whose methods are not these.
    fn incompatible(&self, own: &[Method]) -> Option<&'a Vec<Method>> {
        // Of two keys one is another.
        let length = self.lengths.iter().find(|(length, _)| **length != own.len()).map(|(_, list)| *list);
        let named = || own.iter().zip(&self.places).filter(|(method, _)| !method.name.is_empty());
        length.or_else(|| {
            named().find_map(|(method, place)| {
                let name = place.names.iter().find(|(name, _)| **name != method.name).map(|(_, list)| *list);
                name.or_else(|| {
                    let own = method.parameters.as_ref()?;
                    let known = place.parameters.get(&own.len())?;
                    known.iter().find(|(parameters, _)| **parameters != own).map(|(_, list)| *list)
                })
            })
        })
    }
}

/// Functions as objects of `dyn Fn`: all of one signature share the name of the type. They hold no data.
fn is_function(concrete: &str) -> bool {
    ["fn(", "unsafe fn(", "extern \"", "unsafe extern \""].iter().any(|prefix| concrete.starts_with(prefix))
}

fn is_standard_trait(name: &str) -> bool {
    ["core::", "std::", "alloc::"].iter().any(|prefix| name.starts_with(prefix))
}

/// Whether any of these types, which hold objects, holds one of the trait.
fn mentions_object(objects: &[&str], trait_name: &str, work: &Work) -> bool {
    let needle = format!("dyn {trait_name}");
    objects.iter().any(|name| {
        !work.spend(name.len())
            || name.match_indices(&needle).any(|(at, _)| {
                let after = &name[at + needle.len()..];
                !after.starts_with(|next: char| next.is_alphanumeric() || next == '_' || next == ':')
            })
    })
}

fn describe(shape: &VtableShape) -> String {
    let entries = shape.entries.iter().map(|entry| match entry {
        VtableEntry::Function(slot) => without_tags(slot).into_owned(),
        VtableEntry::Number(number) => number.to_string(),
        VtableEntry::Data => "data".into(),
    });
    format!("[{}]", listed(entries, shape.entries.len(), ", "))
}

/// The first of many, and how many more there are.
fn listed(all: impl Iterator<Item = String>, count: usize, separator: &str) -> String {
    let mut text = all.take(NAMES_TOLD).collect::<Vec<_>>().join(separator);
    if count > NAMES_TOLD {
        text.push_str(&format!("{separator}{} more", count - NAMES_TOLD));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str, parameters: Option<&[&str]>) -> Method {
        let parameters = parameters.map(|all| all.iter().map(|&one| one.to_owned()).collect());
        Method { name: name.to_owned(), parameters }
    }

    /// As every list of a trait is held against every other one.
    fn compatible(one: &[Method], other: &[Method]) -> bool {
        one.len() == other.len()
            && one.iter().zip(other).all(|(a, b)| {
                let unnamed = a.name.is_empty() || b.name.is_empty();
                let same_parameters = match (&a.parameters, &b.parameters) {
                    (Some(a), Some(b)) if a.len() == b.len() => a == b,
                    _ => true,
                };
                unnamed || (a.name == b.name && same_parameters)
            })
    }

    #[test]
    fn all_lists_of_a_trait_at_once_say_what_each_of_them_says() {
        let choices = [
            method("", None),
            method("area", None),
            method("area", Some(&["u32"])),
            method("area", Some(&["u64"])),
            method("area", Some(&[])),
            method("name", Some(&["u32"])),
        ];
        let lists: Vec<Vec<Method>> = (0..36)
            .map(|n| vec![choices[n / 6].clone(), choices[n % 6].clone()])
            .chain([Vec::new(), vec![choices[1].clone()]])
            .collect();
        for own in &lists {
            for first in &lists {
                for second in &lists {
                    let known = BTreeSet::from([first.clone(), second.clone()]);
                    let found = Trait::new(&known).incompatible(own);
                    let expected = known.iter().any(|list| !compatible(list, own));
                    assert_eq!(found.is_some(), expected, "{own:?} among {known:?}");
                    assert!(found.is_none_or(|list| !compatible(list, own)), "{own:?} and {found:?}");
                }
            }
        }
    }

    #[test]
    fn long_vtables_are_told_in_part() {
        let shape = VtableShape { entries: vec![VtableEntry::Data; 5000] };
        assert!(describe(&shape).ends_with(", data, 4900 more]"));
        assert_eq!(describe(&VtableShape { entries: vec![VtableEntry::Number(7)] }), "[7]");
    }
}
