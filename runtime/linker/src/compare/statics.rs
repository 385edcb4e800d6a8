//! Mutable statics: what proves that a symbol's bytes are what the source says, and whether they still are.
//!
//! A static is bound to a live address only if proved. Debug information must name one plain address, the symbol's, and
//! a type of the symbol's size; a crate compiled without debug information must be the very same crate.

use super::CandidateFacts;
use super::callsites::CallSites;
use super::difference::{Difference, SourcePosition};
use crate::image::bodies::DataFingerprints;
use crate::image::debug::{DebugLevel, Location, StaticVariable};
use crate::image::module::SymbolTarget;
use crate::image::name::SymbolName;
use crate::image::name_table::{TAG_OPEN, without_tags};
use crate::image::{Fingerprint, ModImage};
use crate::residents::{Resident, Residents, StaticFacts, StaticProof};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

type StaticsByName = BTreeMap<Arc<str>, (u32, StaticFacts)>;
/// Where statics stand in the source, by name.
pub(super) type Positions = BTreeMap<Arc<str>, SourcePosition>;

/// Every mutable static of the candidate. What has no name of its own, or shares it, is a difference at once.
pub(super) fn facts(
    image: &ModImage,
    names: &[Option<Arc<str>>],
    call_sites: &CallSites,
    differences: &mut Vec<Difference>,
) -> (StaticsByName, Positions) {
    let variables: HashMap<&str, &StaticVariable> =
        image.debug.variables.iter().map(|variable| (&*variable.linkage_name, variable)).collect();
    let mut fingerprints = DataFingerprints::new(image);
    let mut statics: StaticsByName = BTreeMap::new();
    let mut positions = Positions::new();
    for (index, piece) in image.pieces.iter().enumerate().filter(|(_, piece)| piece.mutable && piece.size > 0) {
        let Some((symbol, _)) = piece.symbols.iter().find(|(symbol, _)| names[*symbol as usize].is_some()) else {
            let item = piece.symbols.first().map(|(symbol, _)| image.symbols[*symbol as usize].name.clone());
            differences.push(Difference::StaticUnproved {
                item: item.unwrap_or_default(),
                at: None,
                why: "mutable data without a name of its own cannot be found again in another version".into(),
            });
            continue;
        };
        let (Some(name), raw) = (&names[*symbol as usize], &image.symbols[*symbol as usize].name) else { continue };
        let address = image.segments[piece.segment as usize].address + piece.offset;
        let facts = StaticFacts {
            size: piece.size,
            alignment: piece.alignment,
            proof: prove(image, *symbol as usize, raw, address, piece.size, variables.get(raw.as_str()).copied()),
            initial: fingerprints.of(*symbol),
            is_standard: is_standard(image, *symbol as usize),
            is_call_site: call_sites.contains(*symbol),
        };
        let at = variables.get(raw.as_str()).and_then(|variable| variable.position.as_ref()).map(SourcePosition::from);
        if let Some(at) = &at {
            positions.insert(name.clone(), at.clone());
        }
        if let StaticProof::Unproved(why) = &facts.proof {
            differences.push(Difference::StaticUnproved { item: name.to_string(), at: at.clone(), why: why.clone() });
        }
        if statics.insert(name.clone(), (index as u32, facts)).is_some() {
            differences.push(Difference::StaticUnproved {
                item: name.to_string(),
                at,
                why: "two statics of the module have this name".into(),
            });
        }
    }
    (statics, positions)
}

fn prove(
    image: &ModImage,
    symbol: usize,
    raw: &str,
    address: u32,
    size: u32,
    variable: Option<&StaticVariable>,
) -> StaticProof {
    let opaque = is_opaque(image, symbol);
    if let Some(SymbolName::V0(name)) = image.names.parsed(symbol)
        && let Some(suffix) = name.suffix()
        && !opaque
    {
        return StaticProof::Unproved(format!("the optimiser split it (`{suffix}`)"));
    }
    match variable {
        Some(variable) => match variable.location {
            Location::Plain(found) if found == address && variable.type_size == Some(u64::from(size)) => {
                let name = variable.type_name.as_deref().unwrap_or_default();
                StaticProof::Type(match variable.type_shape {
                    // The name stands for several types.
                    Some(shape) => Arc::from(format!("{name} of shape {shape:016x}")),
                    None => Arc::from(name),
                })
            }
            Location::Plain(found) if found != address => {
                StaticProof::Unproved(format!("its symbol is at {address:#x}, its debug information at {found:#x}"))
            }
            Location::Plain(_) => StaticProof::Unproved(format!(
                "its symbol has {size} bytes, its type `{}` has {:?}",
                variable.type_name.as_deref().unwrap_or("?"),
                variable.type_size
            )),
            _ => StaticProof::Unproved("debug information gives it no plain address: the optimiser rewrote it".into()),
        },
        None if opaque => StaticProof::SameBinary(Arc::from(raw)),
        None => StaticProof::Unproved("debug information does not know it".into()),
    }
}

/// Whether the static's crate was compiled without debug information of its own: a crate from a registry, or the
/// standard library, whose sources the compiler names by its own prefix.
pub(super) fn is_opaque(image: &ModImage, symbol: usize) -> bool {
    match image.names.parsed(symbol) {
        Some(SymbolName::V0(name)) => name
            .root()
            .home_crate()
            .is_some_and(|(name, hash)| image.debug.level_of(&name, hash) != Some(DebugLevel::Full)),
        _ => false,
    }
}

/// Crates that come with the compiler.
pub(super) const STANDARD: [&str; 9] =
    ["std", "core", "alloc", "hashbrown", "dlmalloc", "panic_abort", "rustc_demangle", "std_detect", "__rustc"];

fn is_standard(image: &ModImage, symbol: usize) -> bool {
    match image.names.parsed(symbol) {
        Some(SymbolName::V0(name)) => {
            is_opaque(image, symbol) && name.root().home_crate().is_some_and(|(name, _)| STANDARD.contains(&&*name))
        }
        _ => false,
    }
}

/// Named read-only data: content modulo relocation.
pub(super) fn read_only(
    image: &ModImage,
    names: &[Option<Arc<str>>],
    call_sites: &CallSites,
) -> BTreeMap<Arc<str>, Fingerprint> {
    let mut found = BTreeMap::new();
    let mut fingerprints = DataFingerprints::new(image);
    for (index, symbol) in image.symbols.iter().enumerate() {
        let (SymbolTarget::Data { segment, .. }, Some(name)) = (symbol.target, &names[index]) else { continue };
        if !image.segments[segment as usize].mutable && !call_sites.mentions(index as u32) {
            found.insert(name.clone(), fingerprints.of(index as u32));
        }
    }
    found
}

pub(super) fn compare(
    facts: &CandidateFacts,
    positions: &Positions,
    resident: &Resident,
    residents: &Residents,
    differences: &mut Vec<Difference>,
) {
    let added: BTreeSet<_> = facts
        .statics
        .keys()
        .filter(|name| !residents.statics.contains_key(*name))
        .filter_map(|n| repeated(n))
        .collect();
    let mut unmatched = BTreeSet::new();
    for name in resident.statics.keys().filter(|name| !facts.statics.contains_key(*name)) {
        unmatched.extend(repeated(name).filter(|plain| added.contains(plain)));
    }
    for (name, (_, is)) in &facts.statics {
        let (item, at) = (name.to_string(), positions.get(name).cloned());
        if !residents.statics.contains_key(name) {
            if !is.is_call_site && repeated(name).is_some_and(|plain| unmatched.contains(&plain)) {
                differences.push(Difference::StaticUnmatched { item, at });
                continue;
            }
            differences.push(if is.is_standard {
                Difference::StandardStaticAdded { item, size: is.size }
            } else if is.is_call_site {
                Difference::CallSiteAdded { item, at }
            } else {
                Difference::StaticAdded { item, at, type_name: type_name(&is.proof), size: is.size }
            });
            continue;
        }
        // Live bytes may come from any generation that had it, not from the one to be replaced alone.
        let mut is_same = true;
        for was in residents.generations.iter().filter_map(|generation| generation.statics.get(name)) {
            if (&was.proof, was.size, was.alignment) != (&is.proof, is.size, is.alignment) {
                differences.push(Difference::StaticChanged {
                    item: item.clone(),
                    at: at.clone(),
                    was: describe(was),
                    is: describe(is),
                });
                is_same = false;
                break;
            }
        }
        if is_same && resident.statics.get(name).is_some_and(|was| was.initial != is.initial) {
            differences.push(Difference::StaticInitialValueChanged { item, at });
        }
    }
    for (name, was) in &resident.statics {
        // The standard library's statics come and go with what of it is used; their live values stay where they are. Call
        // sites come and go with log lines; the list that the live ones are in stays.
        let is_told = repeated(name).is_some_and(|plain| unmatched.contains(&plain));
        if !facts.statics.contains_key(name) && !was.is_standard && !was.is_call_site && !is_told {
            differences.push(Difference::StaticRemoved { item: name.to_string() });
        }
    }
    for (name, is) in &facts.read_only {
        if resident.read_only.get(name).is_some_and(|was| was != is) {
            differences.push(Difference::ReadOnlyDataChanged { item: name.to_string() });
        }
    }
}

/// What of a name is left without what tells repeated ones apart: nothing shows which of them is which.
fn repeated(name: &str) -> Option<Cow<'_, str>> {
    name.contains(TAG_OPEN).then(|| without_tags(name))
}

fn type_name(proof: &StaticProof) -> String {
    match proof {
        StaticProof::Type(name) => name.to_string(),
        StaticProof::SameBinary(symbol) => format!("of a crate without debug information ({symbol})"),
        StaticProof::Unproved(_) => "unknown".into(),
    }
}

fn describe(facts: &StaticFacts) -> String {
    format!("`{}` of {} bytes aligned to {}", type_name(&facts.proof), facts.size, facts.alignment)
}
