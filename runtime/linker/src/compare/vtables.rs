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
use std::collections::hash_map::Entry;
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
        let known = known.entry((address, size));
        if let Entry::Vacant(_) = &known {
            let Some(rest) = left.checked_sub(range.len()) else {
                differences.push(Difference::LimitReached {
                    what: "bytes of vtables".into(),
                    limit_name: "VTABLE_BYTES_FACTOR".into(),
                    limit: limit as u64,
                });
                return vtables;
            };
            left = rest;
        }
        let shape = known.or_insert_with(|| Arc::new(shape(image, slot_names, &range))).clone();
        if let Some(symbol) = owners.foreign(concrete, &range) {
            differences.push(Difference::VtableEntryForeign {
                item: variable.name.to_string(),
                entry: image.symbols[symbol as usize].name.clone(),
            });
        }
        vtables.push(Vtable { concrete: concrete.clone(), trait_name: trait_name.clone(), shape });
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
    for ((concrete, trait_name), shapes) in &residents.vtables {
        if !shapes.iter().all(|shape| work.spend(steps(shape))) {
            return;
        }
        lists.entry(trait_name).or_default().extend(shapes.iter().map(|shape| methods(shape, concrete)));
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
                    let was = listed(known.iter().map(|was| describe(was, &vtable.concrete)), known.len(), " or ");
                    differences.push(changed(was, describe(&vtable.shape, &vtable.concrete)));
                    continue;
                }
            }
        }
        // Old objects of other types have vtables of the trait's old shape.
        if let Some(known) = known_traits.get(&*vtable.trait_name) {
            let own = methods(&vtable.shape, &vtable.concrete);
            if let Some(other) = known.incompatible(&own) {
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
    /// With the trait that it is of, which may be one that the object's trait builds on.
    name: String,
    /// What the object is passed as, where that is known; its own type is `Self`.
    receiver: Option<String>,
    /// Types of the parameters after it, where debug information knows them.
    parameters: Option<Vec<String>>,
    result: Option<String>,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            return f.write_str("..");
        }
        let receiver = self.receiver.iter().map(String::as_str);
        let parameters = self.parameters.as_ref().map(|all| receiver.chain(all.iter().map(String::as_str)));
        let parameters = parameters.map_or_else(|| "..".to_owned(), |all| all.collect::<Vec<_>>().join(", "));
        write!(f, "{}({parameters})", self.name)?;
        match self.result.as_deref() {
            None | Some("()") => Ok(()),
            Some(result) => write!(f, " -> {result}"),
        }
    }
}

/// The methods in the vtable of an object of the type `concrete`.
fn methods(shape: &VtableShape, concrete: &str) -> Vec<Method> {
    let methods = shape.entries.iter().skip(METHODS_START).map(|entry| match entry {
        VtableEntry::Function(slot) => {
            let slot = without_tags(slot);
            let (path, signature) = slot.split_once(" | ").unwrap_or((&slot, ""));
            let name = name_in_trait(path).unwrap_or_default();
            let (parameters, result) = parts_of(signature).unzip();
            let (receiver, parameters) = parameters.map(receiver_of).unzip();
            let is_known = |receiver: &String| !concrete.is_empty() && receiver.contains(concrete);
            let receiver = receiver.filter(is_known).map(|receiver| receiver.replace(concrete, "Self"));
            Method { name, receiver, parameters, result }
        }
        _ => Method { name: String::new(), receiver: None, parameters: None, result: None },
    });
    methods.collect()
}

/// `Trait::method` of `<Type as Trait>.method`, and `method` of any other path; nothing for closures and shims.
fn name_in_trait(path: &str) -> Option<String> {
    let (of, name) = path.rsplit_once('.').unwrap_or(("", path));
    let is_plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_plain(name) {
        return None;
    }
    // Types may be written `<A as B>::C` themselves.
    let inner = of.strip_prefix('<').and_then(|of| of.strip_suffix('>')).unwrap_or_default();
    let (mut depth, mut before, mut of_trait) = (0usize, ' ', None);
    for (at, character) in inner.char_indices() {
        match character {
            '(' | '<' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            ')' | '>' | ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => of_trait = inner[at..].strip_prefix(" as ").or(of_trait),
            _ => {}
        }
        before = character;
    }
    Some(of_trait.map_or_else(|| name.to_owned(), |of_trait| format!("{of_trait}::{name}")))
}

/// The receiver and what comes after it.
fn receiver_of(mut parameters: Vec<String>) -> (String, Vec<String>) {
    let after = parameters.split_off(parameters.len().min(1));
    (parameters.pop().unwrap_or_default(), after)
}

/// `Self`, `A`, `B` and `C` of `fn(Self, A, B) -> C`.
fn parts_of(signature: &str) -> Option<(Vec<String>, String)> {
    let rest = signature.strip_prefix("fn(").filter(|_| !signature.contains(" or fn("))?;
    let (mut depth, mut parts, mut before) = (0usize, vec![String::new()], ' ');
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '<' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                let parts = parts.into_iter().map(|part| part.trim().to_owned()).collect();
                let result = rest[at + 1..].strip_prefix(" -> ").unwrap_or("()");
                return Some((parts, result.to_owned()));
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
    receivers: BTreeMap<&'a str, &'a Vec<Method>>,
    results: BTreeMap<&'a str, &'a Vec<Method>>,
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
                if let Some(receiver) = &method.receiver {
                    place.receivers.entry(receiver).or_insert(list);
                }
                if let Some(result) = &method.result {
                    place.results.entry(result).or_insert(list);
                }
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
                let other = |known: &BTreeMap<&'a str, &'a Vec<Method>>, own: Option<&String>| {
                    let own = own?;
                    known.iter().find(|(known, _)| **known != own.as_str()).map(|(_, list)| *list)
                };
                let named = other(&place.names, Some(&method.name));
                let received = || other(&place.receivers, method.receiver.as_ref());
                let resulting = || other(&place.results, method.result.as_ref());
                named.or_else(received).or_else(resulting).or_else(|| {
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

/// What an object is told by its vtable, in words.
fn describe(shape: &VtableShape, concrete: &str) -> String {
    let number = |entry: Option<&VtableEntry>| match entry {
        Some(VtableEntry::Number(number)) => number.to_string(),
        _ => "?".to_owned(),
    };
    let drop = if matches!(shape.entries.first(), Some(VtableEntry::Function(_))) { "dropped" } else { "not dropped" };
    let (size, alignment) = (number(shape.entries.get(1)), number(shape.entries.get(2)));
    let methods = text(&methods(shape, concrete));
    format!("{drop}, {size} bytes aligned to {alignment}, methods: {methods}")
}

fn text(methods: &[Method]) -> String {
    listed(methods.iter().map(ToString::to_string), methods.len(), ", ")
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

    fn method(slot: &str, concrete: &str) -> Method {
        let entries = [0, 4, 4].map(VtableEntry::Number).into_iter();
        let shape = VtableShape { entries: entries.chain([VtableEntry::Function(Arc::from(slot))]).collect() };
        methods(&shape, concrete).remove(0)
    }

    fn known(name: &str, parameters: Option<&[&str]>, result: Option<&str>) -> Method {
        let parameters = parameters.map(|all| all.iter().map(|&one| one.to_owned()).collect());
        Method { name: name.to_owned(), receiver: None, parameters, result: result.map(str::to_owned) }
    }

    /// As every list of a trait is held against every other one.
    fn compatible(one: &[Method], other: &[Method]) -> bool {
        let same = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
        one.len() == other.len()
            && one.iter().zip(other).all(|(a, b)| {
                let unnamed = a.name.is_empty() || b.name.is_empty();
                let same_parameters = match (&a.parameters, &b.parameters) {
                    (Some(a), Some(b)) if a.len() == b.len() => a == b,
                    _ => true,
                };
                unnamed
                    || (a.name == b.name
                        && same_parameters
                        && same(&a.receiver, &b.receiver)
                        && same(&a.result, &b.result))
            })
    }

    #[test]
    fn all_lists_of_a_trait_at_once_say_what_each_of_them_says() {
        let choices = [
            known("", None, None),
            known("area", None, Some("u8")),
            known("area", Some(&["u32"]), None),
            known("area", Some(&["u64"]), Some("u8")),
            known("area", Some(&[]), Some("u16")),
            known("name", Some(&["u32"]), Some("u8")),
        ];
        let lists: Vec<Vec<Method>> = (0..36)
            .map(|n| vec![choices[n / 6].clone(), choices[n % 6].clone()])
            .chain([Vec::new(), vec![choices[1].clone()]])
            .collect();
        for own in &lists {
            for first in &lists {
                for second in &lists {
                    let all = BTreeSet::from([first.clone(), second.clone()]);
                    let found = Trait::new(&all).incompatible(own);
                    let expected = all.iter().any(|list| !compatible(list, own));
                    assert_eq!(found.is_some(), expected, "{own:?} among {all:?}");
                    assert!(found.is_none_or(|list| !compatible(list, own)), "{own:?} and {found:?}");
                }
            }
        }
    }

    #[test]
    fn methods_of_one_trait_are_told_from_those_of_another() {
        for (path, expected) in [
            ("<a::Fire as a::Spell>.cast", Some("a::Spell::cast")),
            (
                "<a::Fire<<a::B as a::C>::D> as a::Spell<u8, fn(u8) -> u8>>.cast",
                Some("a::Spell<u8, fn(u8) -> u8>::cast"),
            ),
            ("<(dyn a::X + a::Y; '0) as a::Spell>.cast", Some("a::Spell::cast")),
            ("a.cast", Some("cast")),
            ("<a.f::{closure#0} as core::ops::function::FnOnce<()>>.call_once.{shim:vtable#0}", None),
        ] {
            assert_eq!(name_in_trait(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_method_is_what_all_types_of_a_trait_have_in_common() {
        let of = |concrete: &str, signature: &str| method(&format!("<{concrete} as a::T>.m | {signature}"), concrete);
        let all_are = |signature: &str, other: &str, expected| {
            let (one, other) = (of("a::A", signature), of("b::B<u8>", other));
            assert_eq!(
                compatible(std::slice::from_ref(&one), std::slice::from_ref(&other)),
                expected,
                "{one} and {other}"
            );
        };
        all_are("fn(&a::A, u32) -> u32", "fn(&b::B<u8>, u32) -> u32", true);
        all_are("fn(&a::A, u32) -> u32", "fn(&b::B<u8>, u64) -> u32", false);
        all_are("fn(&a::A, u32) -> u32", "fn(&b::B<u8>, u32) -> &u8", false);
        all_are("fn(&a::A, u32) -> u32", "fn(alloc::boxed::Box<b::B<u8>>, u32) -> u32", false);
        // A parameter without a name is left out, and a library's function has no source signature.
        all_are("fn(&a::A, u32) -> u32", "fn(&b::B<u8>) -> u32", true);
        all_are("fn(&a::A, u32) -> u32", "(i32, i32) -> i32 in b[1]", true);
    }

    #[test]
    fn long_vtables_are_told_in_part() {
        let shape = VtableShape { entries: vec![VtableEntry::Data; 5000] };
        assert!(describe(&shape, "").ends_with(", .., 4897 more"));
    }
}
