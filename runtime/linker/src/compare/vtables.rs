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
use std::fmt;
use std::sync::Arc;

/// A vtable of the candidate, of the concrete type and trait that debug information names.
#[derive(Debug)]
pub(crate) struct Vtable {
    pub(crate) concrete: Arc<str>,
    pub(crate) trait_name: Arc<str>,
    pub(crate) shape: Arc<VtableShape>,
}

const WORD_BYTES: usize = 4;
/// Stands for a receiver that is not written as the object's type.
const UNKNOWN: &str = "?";
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
    let mut known_traits: BTreeMap<&str, BTreeSet<Vec<Method>>> = BTreeMap::new();
    for (key, shapes) in &residents.vtables {
        let trait_name = &*key.1;
        known_traits.entry(trait_name).or_default().extend(shapes.iter().map(|shape| methods(shape, &key.0)));
    }
    let mut shown = BTreeSet::new();
    for vtable in &facts.vtables {
        shown.insert(&*vtable.trait_name);
        let item = || format!("<{} as {}>", vtable.concrete, vtable.trait_name);
        let changed = |was: String, is: String| Difference::VtableChanged { item: item(), was, is };
        if !is_transient(&vtable.concrete) && !is_function(&vtable.concrete) {
            let key = (vtable.concrete.clone(), vtable.trait_name.clone());
            // Two types of one name have a vtable each.
            if let Some(known) = residents.vtables.get(&key)
                && !known.iter().any(|was| same_shape(was, &vtable.shape))
            {
                let was = known.iter().map(|was| describe(was, &vtable.concrete)).collect::<Vec<_>>().join(" or ");
                differences.push(changed(was, describe(&vtable.shape, &vtable.concrete)));
                continue;
            }
        }
        // Old objects of other types have vtables of the trait's old shape.
        if let Some(known) = known_traits.get(&*vtable.trait_name) {
            let own = methods(&vtable.shape, &vtable.concrete);
            if let Some(other) = known.iter().find(|known| !compatible(known, &own)) {
                differences.push(changed(text(other), text(&own)));
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

/// A method as all types of a trait have it. Closures and shims have no name of the trait's: theirs is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Method {
    /// With the trait that it is of, which may be one that the object's trait builds on.
    name: String,
    /// Types of the parameters, where debug information knows them; the object's own type is `Self`.
    parameters: Option<Vec<String>>,
    result: Option<String>,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            return f.write_str("..");
        }
        let parameters = self.parameters.as_ref().map_or_else(|| "..".to_owned(), |parameters| parameters.join(", "));
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
            let (parameters, result) = parts_of(signature, concrete).unzip();
            Method { name: name_in_trait(path).unwrap_or_default(), parameters, result }
        }
        _ => Method { name: String::new(), parameters: None, result: None },
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

/// `Self`, `A`, `B` and `C` of `fn(Self, A, B) -> C`.
fn parts_of(signature: &str, concrete: &str) -> Option<(Vec<String>, String)> {
    let rest = signature.strip_prefix("fn(").filter(|_| !signature.contains(" or fn("))?;
    let (mut depth, mut parts, mut before) = (0usize, vec![String::new()], ' ');
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '<' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                let mut parts: Vec<_> = parts.into_iter().map(|part| part.trim().to_owned()).collect();
                if let Some(receiver) = parts.first_mut() {
                    let is_known = !concrete.is_empty() && receiver.contains(concrete);
                    *receiver = if is_known { receiver.replace(concrete, "Self") } else { UNKNOWN.to_owned() };
                }
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

/// Debug information may leave parameters out that have no name, so lists of other lengths tell nothing. The receiver is
/// compared too: who calls a method that took the object by reference as one that takes the box frees it twice.
fn compatible(one: &[Method], other: &[Method]) -> bool {
    fn same<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
        one.is_none() || other.is_none() || one == other
    }
    let known = |text| Some(text).filter(|text: &&String| *text != UNKNOWN);
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| {
            let unnamed = a.name.is_empty() || b.name.is_empty();
            let same_parameters = match (&a.parameters, &b.parameters) {
                (Some(a), Some(b)) if a.len() == b.len() => a.iter().zip(b).all(|(a, b)| same(known(a), known(b))),
                _ => true,
            };
            unnamed || (a.name == b.name && same_parameters && same(a.result.as_ref(), b.result.as_ref()))
        })
}

/// Functions as objects of `dyn Fn`: all of one signature share the name of the type. They hold no data.
fn is_function(concrete: &str) -> bool {
    ["fn(", "unsafe fn(", "extern \"", "unsafe extern \""].iter().any(|prefix| concrete.starts_with(prefix))
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
    methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(slot: &str, concrete: &str) -> Method {
        let entries = [0, 4, 4].map(VtableEntry::Number).into_iter();
        let shape = VtableShape { entries: entries.chain([VtableEntry::Function(Arc::from(slot))]).collect() };
        methods(&shape, concrete).remove(0)
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
}
