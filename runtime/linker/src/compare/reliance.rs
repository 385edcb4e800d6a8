//! Bodies that live data relies on: a hash table finds its entries only as long as keys hash and compare as they did when
//! they were put in. Which those bodies are, and whether they are still the same, also where they are inlined into
//! others.
//!
//! **Invariant:** what cannot be shown to be unchanged counts as changed.

use super::difference::{Difference, Reliance as Reason};
use super::functions;
use super::statics::is_opaque;
use crate::GenerationId;
use crate::image::bodies::unique;
use crate::image::debug::{Name, TypeLayout};
use crate::image::module::{RelocationKind, SymbolTarget};
use crate::image::name::{NumbersAsTheyAre, SymbolName, parse, relied_on_trait};
use crate::image::name_table::without_tags;
use crate::image::sections::CODE_SECTION;
use crate::image::{Fingerprint, ModImage};
use crate::limits::RELIANCE_STEPS;
use crate::residents::{Holder, Reliance, Relied, Resident, Residents};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Every body of the candidate that containers may rely on.
pub(super) fn facts(image: &ModImage, graph: &Graph<'_>) -> Relied {
    let mut relied = Relied::new();
    let mut seeds: BTreeMap<Arc<str>, BTreeSet<u32>> = BTreeMap::new();
    for (index, _, function) in image.function_symbols() {
        let Some(SymbolName::V0(parsed)) = image.names.parsed(index) else { continue };
        let (Some(name), Some(_)) = (&image.provisional[index], relied_on_trait(parsed.root())) else { continue };
        if is_opaque(image, index) {
            continue;
        }
        let reliance = relied.entry(name.clone()).or_default();
        reliance.self_type = self_type(parsed.root());
        reliance.own.extend(image.body(function).map(|body| body.code));
        seeds.entry(name.clone()).or_default().insert(function);
    }
    for (into, functions) in &image.debug.inlined {
        for (symbol, inlined) in functions.iter().filter(|(_, inlined)| inlined.is_relied_on) {
            let (name, into_name) = (image.names.plain(symbol), image.names.plain(into));
            let Some(of) = graph.by_name.get(&into_name) else { continue };
            let reliance = relied.entry(name.clone()).or_default();
            if let SymbolName::V0(parsed) = parse(symbol) {
                reliance.self_type = self_type(parsed.root());
            }
            let code = of.iter().filter_map(|function| image.body(*function)).map(|body| body.code).collect();
            let holder = Holder { code, by_library: inlined.by_library };
            reliance.holders.insert(into_name, holder);
            let called = seeds.entry(name).or_default();
            for function in of {
                called.extend(graph.called_within(*function, inlined.ranges.as_deref()));
            }
        }
    }
    let mut steps = RELIANCE_STEPS;
    for (name, start) in seeds {
        if let Some(reliance) = relied.get_mut(&name) {
            reliance.reached = graph.reached(start, &mut steps);
            reliance.reached.remove(&name);
        }
    }
    relied
}

fn self_type(path: crate::image::name::NodeRef<'_>) -> Arc<str> {
    let own = path.self_type().map(|own| own.without_arguments().render(&mut NumbersAsTheyAre));
    Arc::from(own.unwrap_or_default())
}

/// Which functions call which.
pub(super) struct Graph<'a> {
    image: &'a ModImage,
    /// Functions by name as numbered in this file.
    pub(super) by_name: HashMap<Arc<str>, BTreeSet<u32>>,
    names: HashMap<u32, Arc<str>>,
    /// Functions of crates without debug information of their own.
    libraries: BTreeSet<u32>,
    /// By defined function: where in the file it names which.
    pub(super) calls: HashMap<u32, Vec<(usize, u32)>>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(image: &'a ModImage) -> Self {
        let (mut by_name, mut names) = (HashMap::<Arc<str>, BTreeSet<u32>>::new(), HashMap::new());
        let mut libraries = BTreeSet::new();
        for (index, symbol, function) in image.function_symbols() {
            let Some(name) = &image.provisional[index] else { continue };
            by_name.entry(name.clone()).or_default().insert(function);
            names.insert(function, name.clone());
            if is_library(image, index, &symbol.name) {
                libraries.insert(function);
            }
        }
        let mut calls: HashMap<u32, Vec<(usize, u32)>> = HashMap::new();
        let mut at = 0;
        for relocation in &image.code_relocations {
            let (RelocationKind::FunctionIndexLeb | RelocationKind::TableIndexSleb) = relocation.kind else { continue };
            while image.functions.get(at).is_some_and(|function| function.body.end <= relocation.at) {
                at += 1;
            }
            let target = image.symbols.get(relocation.symbol as usize).map(|symbol| symbol.target);
            if let Some(SymbolTarget::Function(target)) = target {
                calls.entry(image.import_count() + at as u32).or_default().push((relocation.at, target));
            }
        }
        Self { image, by_name, names, libraries, calls }
    }

    /// Functions named in parts of a function, in all of it where the parts are not known.
    fn called_within(&self, function: u32, ranges: Option<&[Range<u32>]>) -> BTreeSet<u32> {
        let code = self.image.sections.iter().find(|section| section.id == CODE_SECTION);
        let start = code.map_or(0, |section| section.contents.start);
        let within = |at: usize| {
            let at = at.saturating_sub(start) as u64;
            // The relocated field follows the instruction's first byte.
            ranges.is_none_or(|ranges| {
                ranges.iter().any(|range| (u64::from(range.start)..u64::from(range.end)).contains(&at))
            })
        };
        let calls = self.calls.get(&function).into_iter().flatten();
        calls.filter(|(at, _)| within(*at)).map(|(_, target)| *target).collect()
    }

    /// Functions of the mod's own crates that `start` are or lead to, with their code.
    pub(super) fn reached(&self, start: BTreeSet<u32>, steps: &mut usize) -> BTreeMap<Arc<str>, BTreeSet<Fingerprint>> {
        let mut seen = start.clone();
        let mut waiting: Vec<u32> = start.into_iter().collect();
        let mut reached: BTreeMap<Arc<str>, BTreeSet<Fingerprint>> = BTreeMap::new();
        while let Some(function) = waiting.pop() {
            if !self.libraries.contains(&function)
                && let (Some(name), Some(body)) = (self.names.get(&function), self.image.body(function))
            {
                reached.entry(name.clone()).or_default().insert(body.code);
            }
            for (_, next) in self.calls.get(&function).into_iter().flatten() {
                let Some(left) = steps.checked_sub(1) else {
                    // Equal to nothing another version has.
                    reached.insert("more functions than are followed".into(), BTreeSet::from([unique().code]));
                    return reached;
                };
                *steps = left;
                if seen.insert(*next) {
                    waiting.push(*next);
                }
            }
        }
        reached
    }
}

/// Whether a function's symbol is of a crate without debug information of its own, or of no crate at all.
pub(super) fn is_library(image: &ModImage, index: usize, symbol: &str) -> bool {
    match image.names.parsed(index) {
        Some(SymbolName::V0(_)) => is_opaque(image, index),
        _ => image.debug.function(symbol).is_none(),
    }
}

/// Compares with the version to be replaced, and with every generation that it does not descend from. What changed on
/// the way to it was approved then.
pub(super) fn compare(
    image: &ModImage,
    relied: &Relied,
    base: GenerationId,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let mut told = BTreeSet::new();
    let codes = codes(image);
    let steps = Cell::new(RELIANCE_STEPS);
    let known_types = residents.types.iter().map(|(name, layouts)| (name, &**layouts));
    for resident in others(base, residents) {
        let old_codes = OnceCell::new();
        let names: BTreeSet<&Arc<str>> = relied.keys().chain(resident.relied.keys()).collect();
        for name in names {
            let (was, is) = (resident.relied.get(name), relied.get(name));
            let reason = match (was, is) {
                (Some(was), Some(is)) => changed(was, is),
                (Some(was), None) if is_key(image.debug.types.iter(), &was.self_type, &steps) => {
                    vanished(was, resident, old_codes.get_or_init(|| codes_of(resident)), &codes)
                }
                (None, Some(is)) if is_key(known_types.clone(), &is.self_type, &steps) => {
                    appeared(is, old_codes.get_or_init(|| codes_of(resident)))
                }
                _ => None,
            };
            if let Some(reason) = reason
                && told.insert(name.clone())
            {
                differences.push(Difference::ReliedOnChanged {
                    item: name.to_string(),
                    at: functions::position(image, name),
                    reason,
                });
            }
        }
    }
}

/// The version to be replaced and every generation that it does not descend from.
pub(super) fn others(base: GenerationId, residents: &Residents) -> impl Iterator<Item = &Resident> {
    let mut ancestors = BTreeSet::new();
    let mut at = residents.resident(base).and_then(|resident| resident.base);
    while let Some(older) = at.filter(|older| ancestors.insert(*older)) {
        at = residents.resident(older).and_then(|resident| resident.base);
    }
    let generations = (1..=residents.generation_count()).map(GenerationId::new);
    generations.filter(move |id| !ancestors.contains(id)).filter_map(|id| residents.resident(id))
}

type Codes<'a> = HashMap<Cow<'a, str>, BTreeSet<Fingerprint>>;

/// Code by name without tags.
fn codes_of(resident: &Resident) -> Codes<'_> {
    let mut codes = Codes::new();
    for (name, bodies) in &resident.functions {
        codes.entry(without_tags(name)).or_default().extend(bodies.iter().map(|body| body.code));
    }
    codes
}

fn codes(image: &ModImage) -> Codes<'_> {
    let mut codes = Codes::new();
    for (index, _, function) in image.function_symbols() {
        if let (Some(name), Some(body)) = (&image.provisional[index], image.body(function)) {
            codes.entry(Cow::Borrowed(&**name)).or_default().insert(body.code);
        }
    }
    codes
}

fn changed(was: &Reliance, is: &Reliance) -> Option<Reason> {
    let both = || is.holders.iter().filter_map(|(name, is)| Some((name, was.holders.get(name)?, is)));
    if !was.own.is_empty() && !is.own.is_empty() {
        if was.own != is.own {
            return Some(Reason::Changed);
        }
    } else if !both().any(|(_, was, is)| was.code == is.code) {
        // No code that holds it is what it was. That matters only where a container asks.
        let is_asked = |of: &Reliance| !of.own.is_empty() || of.holders.values().any(|holder| holder.by_library);
        if is_asked(was) || is_asked(is) {
            return Some(Reason::Unproved(is.holders.keys().map(ToString::to_string).collect()));
        }
    }
    let reached = is.reached.iter().filter(|(name, code)| was.reached.get(*name).is_some_and(|was| was != *code));
    let through: Vec<_> = reached.map(|(name, _)| name.to_string()).collect();
    (!through.is_empty()).then_some(Reason::Through(through))
}

/// It has no code any more, although the candidate has containers of its type: not used by them, or optimised away because
/// it does nothing now.
fn vanished(was: &Reliance, resident: &Resident, old: &Codes<'_>, codes: &Codes<'_>) -> Option<Reason> {
    let asking = was
        .holders
        .iter()
        .filter(|(name, holder)| holder.by_library && codes.get(&***name).is_some_and(|code| *code != holder.code));
    let mut suspects: Vec<_> = asking.map(|(name, _)| name.to_string()).collect();
    if !was.own.is_empty() {
        // Whoever called it may now do without: library code that is named after the type.
        let named = resident.libraries.iter().filter(|name| mentions(name, &was.self_type));
        let changed = named
            .map(|name| without_tags(name))
            .filter(|name| codes.get(name).is_some_and(|code| old.get(name) != Some(code)));
        suspects.extend(changed.map(Cow::into_owned));
    }
    (!suspects.is_empty()).then_some(Reason::Unproved(suspects))
}

/// The resident has no code of it: it was not used, or did nothing. New use of a type that is a key already is suspect
/// where the code around was there before.
fn appeared(is: &Reliance, old: &Codes<'_>) -> Option<Reason> {
    let suspects = is
        .holders
        .iter()
        .filter(|(name, holder)| holder.by_library && old.get(&***name).is_some_and(|old| *old != holder.code));
    let suspects: Vec<_> = suspects.map(|(name, _)| name.to_string()).collect();
    (!suspects.is_empty()).then_some(Reason::Unproved(suspects))
}

/// Whether any of these types is generic over the given one, or over one that holds it, and not one of those that never
/// compare what they hold: then it may be the key of a container.
fn is_key<'a>(
    types: impl Iterator<Item = (&'a Name, &'a BTreeSet<TypeLayout>)> + Clone,
    self_type: &str,
    steps: &Cell<usize>,
) -> bool {
    const HARMLESS: [&str; 23] = [
        "core::option::",
        "core::result::",
        "core::cell::",
        "core::mem::",
        "core::ptr::",
        "core::marker::",
        "core::slice::",
        "core::iter::",
        "core::ops::",
        "core::fmt::",
        "core::pin::",
        "core::task::",
        "alloc::vec::",
        "alloc::boxed::",
        "alloc::raw_vec::",
        "alloc::rc::",
        "alloc::sync::",
        "alloc::collections::vec_deque::",
        "alloc::collections::linked_list::",
        "core::array::",
        "std::sync::",
        "std::thread::",
        "std::sys::thread_local::",
    ];
    const MAPS: [(&str, &[&str]); 4] = [
        ("std::collections::hash::", &["HashMap", "HashSet"]),
        ("hashbrown::", &["HashMap", "HashSet", "HashTable", "RawTable"]),
        ("alloc::collections::btree::", &["BTreeMap", "BTreeSet"]),
        ("indexmap::", &["IndexMap", "IndexSet"]),
    ];
    if self_type.is_empty() {
        return false;
    }
    // All that holds it in place, at whatever depth: a container of pairs or of structs compares what is in them.
    let mut holding: BTreeSet<&str> = BTreeSet::from([self_type]);
    loop {
        let Some(left) = steps.get().checked_sub(types.clone().count()) else { return true };
        steps.set(left);
        let more = types.clone().filter(|(name, layouts)| {
            let fields = layouts.iter().flat_map(|layout| {
                let contents = layout.variants.iter().filter_map(|variant| variant.content.as_ref());
                layout.fields.iter().chain(contents)
            });
            !holding.contains(&***name)
                && !name.contains('<')
                && fields.into_iter().any(|f| holding.contains(&*f.type_name))
        });
        let more: Vec<&str> = more.map(|(name, _)| &**name).collect();
        if more.is_empty() {
            break;
        }
        holding.extend(more);
    }
    types.into_iter().any(|(name, _)| {
        let Some((head, arguments)) = name.split_once('<') else { return false };
        // A table under a map holds pairs of key and value.
        let of_pairs = arguments.strip_prefix('(').filter(|_| head.starts_with("hashbrown::raw::"));
        let compared = match MAPS.iter().find(|(module, _)| head.starts_with(module)) {
            Some((_, names)) if names.contains(&head.rsplit("::").next().unwrap_or(head)) => {
                key(of_pairs.unwrap_or(arguments))
            }
            // Nodes, iterators and entries of these are not asked for by themselves.
            Some(_) => return false,
            None => arguments,
        };
        // References and tuples of containers compare nothing; the containers have types of their own.
        let is_path = !head.is_empty() && head.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
        is_path
            && !HARMLESS.iter().any(|harmless| head.starts_with(harmless))
            && holding.iter().any(|holding| mentions(compared, holding))
    })
}

/// The first of several: maps compare keys, not values.
fn key(arguments: &str) -> &str {
    let (mut depth, mut before) = (0usize, ' ');
    for (at, character) in arguments.char_indices() {
        match character {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            ',' | '>' | ')' if depth == 0 => return &arguments[..at],
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = character;
    }
    arguments
}

/// Whether a path stands in a text as a whole.
fn mentions(text: &str, path: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    !path.is_empty()
        && text.match_indices(path).any(|(at, _)| {
            !text[..at].ends_with(is_part) && !text[at + path.len()..].starts_with(|c| is_part(c) && c != ':')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_key_among(names: &[&str], of: &str) -> bool {
        let types: BTreeMap<Name, BTreeSet<TypeLayout>> =
            names.iter().map(|name| (Name::from(*name), BTreeSet::new())).collect();
        is_key(types.iter(), of, &Cell::new(1000))
    }

    #[test]
    fn only_what_a_container_compares_is_a_key() {
        for (name, expected) in [
            ("std::collections::hash::map::HashMap<game::Key, u32, S>", true),
            ("std::collections::hash::map::HashMap<u32, game::Key, S>", false),
            ("hashbrown::raw::RawTable<((game::Key, u8), u32), A>", true),
            ("std::collections::hash::map::HashMap<(u8, game::Key), u32, S>", true),
            ("hashbrown::raw::RawTable<(u32, game::Key), A>", false),
            ("alloc::collections::btree::set::BTreeSet<fn(u32) -> game::Key, A>", true),
            ("&hashbrown::raw::Bucket<(u32, game::Key)>", false),
            ("alloc::collections::btree::node::Handle<NodeRef<Mut, u32, game::Key>, Edge>", false),
            ("alloc::vec::Vec<game::Key, A>", false),
            ("core::option::Option<game::Key>", false),
            ("priority::Queue<u32, game::Key>", true),
            ("hashbrown::map::HashMap<game::Keyed, u32>", false),
            ("game::Key", false),
        ] {
            assert_eq!(is_key_among(&[name], "game::Key"), expected, "{name}");
        }
    }
}
