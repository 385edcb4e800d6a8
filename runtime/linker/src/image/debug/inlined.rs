//! Which functions of the mod's own crates were inlined into which, and by whose code: the mod's own, or a library's, such
//! as a container that compares its keys.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::attributes::{High, TOMBSTONE};
use super::error::{DebugError, DebugProblem};
use super::facts::{CrateIdentity, DebugLevel, InlinedUse, Name};
use super::functions::whole;
use super::records::Records;
use super::sections::Sections;
use super::types::Names;
use crate::image::name::{SymbolName, crate_hash, parse, relied_on_trait};

/// By symbol of the function with the code, the functions inlined into it.
pub(super) type Inlined = BTreeMap<Name, BTreeMap<Name, InlinedUse>>;

/// What a symbol says of the function behind it.
#[derive(Clone)]
enum Origin {
    /// Of a crate with full debug information; whether containers rely on what it does.
    Own { symbol: Name, is_relied_on: bool },
    /// Hands the question on: how a library's tuple or option compares itself says nothing of who asked.
    PassThrough,
    /// Any other code of a library.
    Library,
}

/// Follows the inlined calls to what they call.
pub(super) fn inlined(
    names: &mut Names<'_, '_>,
    crates: &BTreeMap<CrateIdentity, DebugLevel>,
) -> Result<(Inlined, Vec<Ranged>), DebugError> {
    let records = names.records;
    let mut origins: HashMap<usize, Origin> = HashMap::new();
    let mut classes = Classes { crates, known: HashMap::new() };
    // The symbol, and whether what it calls counts as called by a library.
    let mut containers: HashMap<usize, Option<(Name, bool)>> = HashMap::new();
    let mut inlined = Inlined::new();
    let mut ranged = Vec::new();
    // By inlined call: whether what is called in there directly is called by a library. Callers stand before their calls.
    let mut calls_as_library: Vec<bool> = Vec::with_capacity(records.inlines.len());
    for record in &records.inlines {
        let fail = |problem: DebugProblem| problem.at_entry(record.offset);
        let origin = origin(names, &mut origins, &mut classes, record.origin).map_err(fail)?;
        let into = match containers.get(&record.function) {
            Some(known) => known.clone(),
            None => {
                let symbol = symbol_of(names, record.function).map_err(fail)?;
                let found = symbol.map(|symbol| {
                    let is_plain_own = matches!(classes.of(&symbol), Some((true, false)) | None);
                    (symbol, !is_plain_own)
                });
                containers.insert(record.function, found.clone());
                found
            }
        };
        let by_library = match (record.parent.and_then(|parent| calls_as_library.get(parent)), &into) {
            (Some(known), _) => *known,
            (None, into) => into.as_ref().is_none_or(|(_, is_library)| *is_library),
        };
        calls_as_library.push(match &origin {
            // One that is relied on itself, such as that of the type around: whoever asked for that one.
            Origin::PassThrough | Origin::Own { is_relied_on: true, .. } => by_library,
            Origin::Own { .. } => false,
            Origin::Library => true,
        });
        let (Origin::Own { symbol, is_relied_on }, Some((into, _))) = (origin, into) else { continue };
        names.reading.take(into.len() + symbol.len()).map_err(fail)?;
        let entry = inlined.entry(Arc::clone(&into)).or_default();
        if !entry.contains_key(&symbol) {
            names.budget.take(size_of::<(Name, InlinedUse)>()).map_err(fail)?;
        }
        let found = entry.entry(Arc::clone(&symbol)).or_default();
        if is_relied_on {
            found.is_relied_on = true;
            found.by_library |= by_library;
            names.budget.take(size_of::<Ranged>()).map_err(fail)?;
            ranged.push(Ranged { into, symbol, unit: record.unit, range: record.range, list: record.list });
        }
    }
    Ok((inlined, ranged))
}

/// Where the code of an inlined function lies, before lists of ranges are looked up.
pub(super) struct Ranged {
    into: Name,
    symbol: Name,
    unit: usize,
    range: Option<(u64, High)>,
    list: Option<usize>,
}

/// Looks the ranges up. What cannot be told stays `None`: anywhere in the function.
pub(super) fn place(
    mut inlined: Inlined,
    ranged: Vec<Ranged>,
    sections: &mut Sections<'_>,
    records: &Records<'_>,
) -> Result<Inlined, DebugError> {
    for Ranged { into, symbol, unit, range, list } in ranged {
        let Some(found) = inlined.get_mut(&into).and_then(|all| all.get_mut(&symbol)) else { continue };
        let ranges = match (range, list, records.units.get(unit)) {
            (Some((low, high)), _, _) => contiguous(low, high).map(|range| vec![range]),
            (None, Some(list), Some(unit)) => sections.ranges(unit, list)?,
            _ => None,
        };
        match (&mut found.ranges, ranges) {
            (Some(known), Some(ranges)) => known.extend(ranges),
            (known, _) => *known = None,
        }
    }
    Ok(inlined)
}

fn contiguous(low: u64, high: High) -> Option<Range<u32>> {
    let high = match high {
        High::Address(address) => address,
        High::Length(length) => low.checked_add(length)?,
    };
    (low != TOMBSTONE).then_some(u32::try_from(low).ok()?..u32::try_from(high).ok()?)
}

fn origin(
    names: &mut Names<'_, '_>,
    known: &mut HashMap<usize, Origin>,
    classes: &mut Classes<'_>,
    offset: usize,
) -> Result<Origin, DebugProblem> {
    if let Some(known) = known.get(&offset) {
        return Ok(known.clone());
    }
    let record = names.records.function_index(offset);
    let record = record.ok_or(DebugProblem::Dangling { expected: "function", target: offset })?;
    let origin = match symbol_of(names, record)? {
        Some(symbol) => match classes.of(&symbol) {
            Some((true, is_relied_on)) => Origin::Own { symbol, is_relied_on },
            Some((false, true)) => Origin::PassThrough,
            _ => Origin::Library,
        },
        None => Origin::Library,
    };
    known.insert(offset, origin.clone());
    Ok(origin)
}

/// What symbols say, each parsed once: units repeat the functions that they inline.
struct Classes<'a> {
    crates: &'a BTreeMap<CrateIdentity, DebugLevel>,
    known: HashMap<Name, Option<(bool, bool)>>,
}

impl Classes<'_> {
    /// Whether the symbol is of a crate with full debug information, and whether containers rely on it.
    fn of(&mut self, symbol: &Name) -> Option<(bool, bool)> {
        if let Some(known) = self.known.get(symbol) {
            return *known;
        }
        let class = classify(self.crates, symbol);
        self.known.insert(Arc::clone(symbol), class);
        class
    }
}

fn classify(crates: &BTreeMap<CrateIdentity, DebugLevel>, symbol: &str) -> Option<(bool, bool)> {
    let SymbolName::V0(name) = parse(symbol) else { return None };
    let (crate_name, hash) = name.root().home_crate()?;
    let identity = CrateIdentity { name: Name::from(&*crate_name), hash: crate_hash(hash)? };
    let is_own = crates.get(&identity) == Some(&DebugLevel::Full);
    Some((is_own, relied_on_trait(name.root()).is_some()))
}

/// The symbol of the function with this index.
fn symbol_of(names: &mut Names<'_, '_>, index: usize) -> Result<Option<Name>, DebugProblem> {
    let records = names.records;
    let Some(record) = records.functions.get(index) else { return Ok(None) };
    let named = whole(records, record)?.named;
    let symbol = named.linkage_name.or(named.name);
    symbol.map(|symbol| names.share_symbol(symbol)).transpose()
}
