//! What explains differences that nobody made by hand: code inlined from a changed function, copies of generics, parts of
//! libraries that come and go with what is called. For the report only; nothing is exempt because of it.

use super::CandidateFacts;
use super::difference::{Cause, Difference};
use super::linkage::Linkage;
use super::reliance::is_library;
use super::work::{ENTRY, Work};
use crate::image::ModImage;
use crate::image::debug::DebugLevel;
use crate::image::name_table::without_tags;
use crate::residents::Resident;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Names of functions of crates without debug information of their own.
pub(super) fn libraries(image: &ModImage, names: &[Option<Arc<str>>]) -> BTreeSet<Arc<str>> {
    let functions = image.function_symbols().filter(|(index, symbol, _)| is_library(image, *index, &symbol.name));
    functions.filter_map(|(index, _, _)| names[index].clone()).collect()
}

/// Fills in the causes of what comparing functions found.
pub(super) fn explain(
    facts: &CandidateFacts,
    resident: &Resident,
    linkage: &Linkage<'_>,
    work: &Work,
    differences: &mut [Difference],
) {
    let changed: BTreeSet<String> = differences
        .iter()
        .filter_map(|difference| match difference {
            Difference::FunctionChanged { item, .. } if !facts.libraries.contains(item.as_str()) => {
                Some(without_tags(item).into_owned())
            }
            _ => None,
        })
        .collect();
    let inlined = inlined_from(linkage, &changed);
    for difference in differences {
        match difference {
            Difference::FunctionChanged { item, cause, .. } => {
                let copies = |bodies: Option<&BTreeSet<crate::image::Body>>| {
                    bodies.into_iter().flatten().map(|body| body.code).collect::<BTreeSet<_>>()
                };
                let old = copies(resident.functions.get(item.as_str()).map(|bodies| &**bodies));
                let new = copies(facts.functions.get(item.as_str()));
                *cause = if facts.libraries.contains(item.as_str()) {
                    Some(Cause::Library)
                } else if !old.is_disjoint(&new) {
                    Some(Cause::Instance)
                } else {
                    let told = |names: &BTreeSet<Arc<str>>| {
                        let names = names.iter().take_while(|name| work.spend(ENTRY + name.len()));
                        Cause::InlinedFrom(names.map(ToString::to_string).collect())
                    };
                    inlined.get(&*without_tags(item)).map(told)
                };
            }
            Difference::FunctionAdded { item, cause, .. } if facts.libraries.contains(item.as_str()) => {
                *cause = Some(Cause::Library);
            }
            Difference::FunctionRemoved { item, cause, .. } if resident.libraries.contains(item.as_str()) => {
                *cause = Some(Cause::Library);
            }
            _ => {}
        }
    }
}

/// For changed functions the other changed ones that were inlined into them. Where two are inlined into each other,
/// neither explains the other.
fn inlined_from(linkage: &Linkage<'_>, changed: &BTreeSet<String>) -> BTreeMap<Arc<str>, BTreeSet<Arc<str>>> {
    let mut inlined: BTreeMap<Arc<str>, BTreeSet<Arc<str>>> = BTreeMap::new();
    for (into, functions) in &linkage.image().debug.inlined {
        let into = linkage.plain(into);
        if !changed.contains(&*into) {
            continue;
        }
        for function in functions.keys() {
            let function = linkage.plain(function);
            if function != into && changed.contains(&*function) {
                inlined.entry(into.clone()).or_default().insert(function);
            }
        }
    }
    let all = inlined.clone();
    for (into, functions) in &mut inlined {
        functions.retain(|function| !all.get(function).is_some_and(|theirs| theirs.contains(into)));
    }
    inlined.retain(|_, functions| !functions.is_empty());
    inlined
}

/// Names of the mod's own crates.
pub(super) fn own_crates(image: &ModImage) -> HashSet<&str> {
    let full = image.debug.crates.iter().filter(|(_, level)| **level == DebugLevel::Full);
    full.map(|(identity, _)| &*identity.name).collect()
}

/// The cause of a type that is not of the mod's own crates: it is a library's, or generic over others.
pub(super) fn of_type(own_crates: &HashSet<&str>, name: &str) -> Option<Cause> {
    let is_own = own_crates.contains(name.split("::").next().unwrap_or(name));
    (!is_own || name.contains('<')).then_some(if is_own { Cause::Instance } else { Cause::Library })
}
