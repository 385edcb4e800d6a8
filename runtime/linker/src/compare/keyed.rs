//! Types that live state is found by: those of which objects of `dyn Any` were made. A `TypeId` goes by name and place, so
//! one that was renamed or moved is another type, and what the old code put away under it is not found again.

use super::difference::Difference;
use super::environment::may_ask_for_type_ids;
use crate::image::ModImage;
use crate::image::debug::DebugLevel;
use crate::image::name::{NumbersAsTheyAre, SymbolName, parse};
use crate::residents::Resident;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Types of the mod's own crates of which objects of `dyn Any` are made, or that are
/// part of such a type, as debug information writes their paths.
pub(super) fn types(image: &ModImage) -> BTreeSet<Arc<str>> {
    let symbols = image.symbols.iter().map(|symbol| symbol.name.as_str());
    let all = symbols.chain(image.debug.functions.keys().map(|symbol| &**symbol));
    let full = image.debug.crates.iter().filter(|(_, level)| **level == DebugLevel::Full);
    let crates: BTreeSet<&str> = full.map(|(identity, _)| &*identity.name).collect();
    let mut found = BTreeSet::new();
    for symbol in all.filter(|symbol| may_ask_for_type_ids(symbol)) {
        let SymbolName::V0(name) = parse(symbol) else { continue };
        let root = name.root();
        let is_any = root.trait_path().is_some_and(|path| path.render(&mut NumbersAsTheyAre) == "core::any::Any");
        let Some(of) = root.self_type().filter(|_| is_any) else { continue };
        // A list of a type is another one as soon as the type is. What stands in an impl block or a closure, or beside
        // another of its name, is written otherwise in debug information.
        let text = of.render(&mut NumbersAsTheyAre).replace('.', "::");
        if text.contains(['{', '#']) {
            continue;
        }
        let paths = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
        let own = paths.filter(|path| path.split_once("::").is_some_and(|(head, _)| crates.contains(head)));
        found.extend(own.filter(|path| !path.ends_with(':')).map(Arc::from));
    }
    found
}

/// Types that the version to be replaced put away under their identity, and that the candidate does not have at all.
pub(super) fn compare(
    image: &ModImage,
    keyed: &BTreeSet<Arc<str>>,
    resident: &Resident,
    differences: &mut Vec<Difference>,
) {
    let gone = || resident.keyed.difference(keyed);
    if gone().next().is_none() {
        return;
    }
    let heads: BTreeSet<&str> = image.debug.types.keys().map(|name| name.split('<').next().unwrap_or(name)).collect();
    let gone = gone().filter(|name| !heads.contains(&***name));
    differences.extend(gone.map(|name| Difference::TypeIdentityGone { item: name.to_string() }));
}
