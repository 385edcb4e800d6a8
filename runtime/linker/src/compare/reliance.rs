//! Bodies that live data relies on: a hash table finds its entries only as long as keys hash and compare as they did when
//! they were put in. Which those bodies are, and whether they are still the same, also where they are inlined into
//! others.
//!
//! **Invariant:** what cannot be shown to be unchanged counts as changed.

use super::difference::{Difference, Reliance as Reason};
use super::keys::{Keys, mentions};
use super::linkage::Linkage;
use super::statics::is_opaque;
use super::work::{ENTRY, Work};
use crate::GenerationId;
use crate::image::module::{RelocationKind, SymbolTarget};
use crate::image::name::{NumbersAsTheyAre, SymbolName, parse, relied_on_trait};
use crate::image::name_table::without_tags;
use crate::image::sections::CODE_SECTION;
use crate::image::{Fingerprint, Fingerprinter, ModImage};
use crate::residents::{Holder, Reliance, Relied, Resident, Residents};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// What following one call costs.
const CALL_STEPS: usize = 8;

/// Every body of the candidate that containers may rely on.
pub(super) fn facts(image: &ModImage, graph: &Graph<'_>, linkage: &Linkage<'_>, work: &Work) -> Relied {
    let mut codes: HashMap<Arc<str>, Arc<BTreeSet<Fingerprint>>> = HashMap::new();
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
    for (into, functions) in &linkage.image().debug.inlined {
        for (symbol, inlined) in functions.iter().filter(|(_, inlined)| inlined.is_relied_on) {
            let (name, into_name) = (linkage.plain(symbol), linkage.plain(into));
            let Some(of) = graph.by_name.get(&into_name) else { continue };
            let reliance = relied.entry(name.clone()).or_default();
            if let SymbolName::V0(parsed) = parse(symbol) {
                reliance.self_type = self_type(parsed.root());
            }
            let code = codes.entry(into_name.clone()).or_insert_with(|| {
                Arc::new(of.iter().filter_map(|function| image.body(*function)).map(|body| body.code).collect())
            });
            let holder = Holder { code: code.clone(), by_library: inlined.by_library };
            reliance.holders.insert(into_name, holder);
            let called = seeds.entry(name).or_default();
            for function in of {
                graph.called_within(*function, inlined.ranges.as_deref(), work, called);
            }
        }
    }
    for (name, start) in seeds {
        if let Some(reliance) = relied.get_mut(&name) {
            reliance.reached = graph.reached(start, work);
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
    /// Where in the file the code section's content begins.
    code_start: usize,
    seen: RefCell<Seen>,
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
        let code = image.sections.iter().find(|section| section.id == CODE_SECTION);
        let code_start = code.map_or(0, |section| section.contents.start);
        let count = image.imports.len() + image.functions.len();
        let seen = RefCell::new(Seen { walk: 0, by_function: vec![0; count] });
        Self { image, by_name, names, libraries, calls, code_start, seen }
    }

    /// Adds the functions named in parts of a function, in all of it where the parts are not known.
    fn called_within(&self, function: u32, ranges: Option<&[Range<u32>]>, work: &Work, called: &mut BTreeSet<u32>) {
        let calls = self.calls.get(&function).map_or(&[][..], Vec::as_slice);
        let mut add = |calls: &[(usize, u32)]| {
            if work.spend(ENTRY * (1 + calls.len())) {
                called.extend(calls.iter().map(|(_, target)| *target));
            }
        };
        let Some(ranges) = ranges else { return add(calls) };
        for range in ranges {
            // The relocated field follows the instruction's first byte.
            let from = calls.partition_point(|(at, _)| *at < self.code_start + range.start as usize);
            let to = calls.partition_point(|(at, _)| *at < self.code_start + range.end as usize).max(from);
            add(&calls[from..to]);
        }
    }

    /// Functions of the mod's own crates that `start` are or lead to, with their code.
    pub(super) fn reached(&self, start: BTreeSet<u32>, work: &Work) -> BTreeMap<Arc<str>, Fingerprint> {
        let mut seen = self.seen.borrow_mut();
        let seen = seen.anew();
        let mut waiting: Vec<u32> = start.into_iter().filter(|function| seen.insert(*function)).collect();
        let mut reached: BTreeMap<Arc<str>, BTreeSet<Fingerprint>> = BTreeMap::new();
        while let Some(function) = waiting.pop() {
            if !self.libraries.contains(&function)
                && let (Some(name), Some(body)) = (self.names.get(&function), self.image.body(function))
            {
                // For what is kept of it, too.
                work.spend(4 * ENTRY);
                reached.entry(name.clone()).or_default().insert(body.code);
            }
            let calls = self.calls.get(&function).map_or(&[][..], Vec::as_slice);
            if !work.spend(CALL_STEPS * calls.len()) {
                break;
            }
            waiting.extend(calls.iter().map(|(_, next)| *next).filter(|next| seen.insert(*next)));
        }
        reached.into_iter().map(|(name, codes)| (name, all(codes))).collect()
    }
}

/// What stands for several codes.
fn all(codes: BTreeSet<Fingerprint>) -> Fingerprint {
    match codes.first() {
        Some(only) if codes.len() == 1 => *only,
        _ => {
            let mut fingerprinter = Fingerprinter::new();
            codes.iter().for_each(|code| fingerprinter.add(&code.bytes()));
            fingerprinter.finish()
        }
    }
}

/// Which functions were met on a walk. Beginning another costs nothing.
#[derive(Default)]
struct Seen {
    walk: u32,
    by_function: Vec<u32>,
}

impl Seen {
    fn anew(&mut self) -> &mut Self {
        self.walk += 1;
        self
    }

    /// Whether it is met for the first time.
    fn insert(&mut self, function: u32) -> bool {
        let index = function as usize;
        // The parser has bounded the number of functions, but not what symbols speak of.
        if index >= self.by_function.len() {
            return false;
        }
        std::mem::replace(&mut self.by_function[index], self.walk) != self.walk
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
    relied: &Relied,
    base: GenerationId,
    residents: &Residents,
    linkage: &Linkage<'_>,
    work: &Work,
    differences: &mut Vec<Difference>,
) {
    let image = linkage.image();
    let mut told = BTreeSet::new();
    let codes = codes(image);
    let (own, known) = (OnceCell::new(), OnceCell::new());
    let own_keys = || own.get_or_init(|| Keys::new(image.debug.types.iter(), work));
    let known_types = || residents.types.iter().map(|(name, layouts)| (name, &**layouts));
    let known_keys = || known.get_or_init(|| Keys::new(known_types(), work));
    for resident in others(base, residents) {
        let old_codes = OnceCell::new();
        let names: BTreeSet<&Arc<str>> = relied.keys().chain(resident.relied.keys()).collect();
        for name in names {
            let (was, is) = (resident.relied.get(name), relied.get(name));
            let reason = match (was, is) {
                (Some(was), Some(is)) => changed(was, is, work),
                (Some(was), None) if own_keys().contain(&was.self_type, work) => {
                    vanished(was, resident, old_codes.get_or_init(|| codes_of(resident)), &codes, work)
                }
                (None, Some(is)) if known_keys().contain(&is.self_type, work) => {
                    appeared(is, old_codes.get_or_init(|| codes_of(resident)), work)
                }
                _ => None,
            };
            if let Some(reason) = reason
                && told.insert(name.clone())
            {
                differences.push(Difference::ReliedOnChanged {
                    item: name.to_string(),
                    at: linkage.position(name),
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

fn changed(was: &Reliance, is: &Reliance, work: &Work) -> Option<Reason> {
    let both = || is.holders.iter().filter_map(|(name, is)| Some((name, was.holders.get(name)?, is)));
    if !was.own.is_empty() && !is.own.is_empty() {
        if was.own != is.own {
            return Some(Reason::Changed);
        }
    } else if !both().any(|(_, was, is)| was.code == is.code) {
        // No code that holds it is what it was. That matters only where a container asks.
        let is_asked = |of: &Reliance| !of.own.is_empty() || of.holders.values().any(|holder| holder.by_library);
        if is_asked(was) || is_asked(is) {
            return Some(Reason::Unproved(told(is.holders.keys(), work)));
        }
    }
    let reached = is.reached.iter().filter(|(name, code)| was.reached.get(*name).is_some_and(|was| was != *code));
    let through = told(reached.map(|(name, _)| name), work);
    (!through.is_empty()).then_some(Reason::Through(through))
}

/// Names for people. Each is long, and many bodies may lead to the same functions.
fn told(names: impl Iterator<Item = impl ToString + AsRef<str>>, work: &Work) -> Vec<String> {
    names.take_while(|name| work.spend(ENTRY + name.as_ref().len())).map(|name| name.to_string()).collect()
}

/// It has no code any more, although the candidate has containers of its type: not used by them, or optimised away because
/// it does nothing now.
fn vanished(was: &Reliance, resident: &Resident, old: &Codes<'_>, codes: &Codes<'_>, work: &Work) -> Option<Reason> {
    let asking = was
        .holders
        .iter()
        .filter(|(name, holder)| holder.by_library && codes.get(&***name).is_some_and(|code| *code != *holder.code));
    let mut suspects = told(asking.map(|(name, _)| name), work);
    if !was.own.is_empty() {
        // Whoever called it may now do without: library code that is named after the type.
        let named = resident.libraries.iter().filter(|name| !work.spend(name.len()) || mentions(name, &was.self_type));
        let changed = named
            .map(|name| without_tags(name))
            .filter(|name| codes.get(name).is_some_and(|code| old.get(name) != Some(code)));
        suspects.extend(told(changed, work));
    }
    (!suspects.is_empty()).then_some(Reason::Unproved(suspects))
}

/// The resident has no code of it: it was not used, or did nothing. New use of a type that is a key already is suspect
/// where the code around was there before.
fn appeared(is: &Reliance, old: &Codes<'_>, work: &Work) -> Option<Reason> {
    let suspects = is
        .holders
        .iter()
        .filter(|(name, holder)| holder.by_library && old.get(&***name).is_some_and(|old| *old != *holder.code));
    let suspects = told(suspects.map(|(name, _)| name), work);
    (!suspects.is_empty()).then_some(Reason::Unproved(suspects))
}
