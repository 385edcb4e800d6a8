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

/// Types of the mod's own crates of which objects of `dyn Any` are made, as debug information writes their paths, without
/// arguments.
pub(super) fn types(image: &ModImage) -> BTreeSet<Arc<str>> {
    let symbols = image.symbols.iter().map(|symbol| symbol.name.as_str());
    let all = symbols.chain(image.debug.functions.keys().map(|symbol| &**symbol));
    let mut found = BTreeSet::new();
    for symbol in all.filter(|symbol| may_ask_for_type_ids(symbol)) {
        let SymbolName::V0(name) = parse(symbol) else { continue };
        let root = name.root();
        let is_any = root.trait_path().is_some_and(|path| path.render(&mut NumbersAsTheyAre) == "core::any::Any");
        let Some(of) = root.self_type().filter(|_| is_any).and_then(|of| of.nominal_path()) else { continue };
        let is_own =
            of.home_crate().is_some_and(|(name, hash)| image.debug.level_of(&name, hash) == Some(DebugLevel::Full));
        let path = of.render(&mut NumbersAsTheyAre).replace('.', "::");
        // What stands in an impl block, a closure or beside another of its name is written otherwise there.
        let is_plain = path.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':');
        if is_own && is_plain {
            found.insert(Arc::from(path));
        }
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
