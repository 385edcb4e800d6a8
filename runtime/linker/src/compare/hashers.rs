//! Hashers of the mod's own: where they start from decides where entries lie, and what says so may be a constant that is
//! folded into the library's code and leaves no trace of its own. So the library's code for a map with such a hasher has
//! to be what it was, or nothing proves that the map's entries are still found.
//!
//! Bodies of `Hash` and `Hasher` that can be seen are compared in `reliance`.

use super::CandidateFacts;
use super::difference::{Difference, Reliance};
use super::reliance;
use super::work::Work;
use crate::GenerationId;
use crate::image::debug::DebugLevel;
use crate::image::name_table::without_tags;
use crate::image::{Body, Fingerprint, ModImage};
use crate::residents::Residents;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Compares with the version to be replaced and those that it does not descend from, unless something that was found
/// already explains changes of library code: `differences` are all others.
pub(super) fn compare(
    image: &ModImage,
    facts: &CandidateFacts,
    residents: &Residents,
    base: GenerationId,
    work: &Work,
    differences: &mut Vec<Difference>,
) {
    if differences.iter().any(explains) {
        return;
    }
    let is_full = |level: &DebugLevel| *level == DebugLevel::Full;
    let own: BTreeSet<&str> =
        image.debug.crates.iter().filter(|(_, level)| is_full(level)).map(|(identity, _)| &*identity.name).collect();
    let types = image.debug.types.keys().chain(residents.types.keys());
    let hashers: BTreeSet<&str> = types.filter_map(|name| hasher(name)).filter(|name| is_own(name, &own)).collect();
    if hashers.is_empty() {
        return;
    }
    let mut found: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for resident in reliance::others(base, residents) {
        for name in &facts.libraries {
            let (Some(was), Some(is)) = (resident.functions.get(name), facts.functions.get(name)) else { continue };
            if code(was) == code(is) || runs_own_code(name, &own, work) {
                continue;
            }
            for hasher in hashers.iter().filter(|hasher| work.contains(name, hasher)) {
                found.entry(hasher).or_default().insert(without_tags(name).into_owned());
            }
        }
    }
    differences.extend(found.into_iter().map(|(hasher, functions)| Difference::ReliedOnChanged {
        item: hasher.to_owned(),
        at: None,
        reason: Reliance::Hasher(functions.into_iter().collect()),
    }));
}

/// Whether library code may differ because of this; none of them passes without a question either.
fn explains(difference: &Difference) -> bool {
    use Difference as D;
    match difference {
        D::ReliedOnChanged { .. } | D::ToolchainChanged { .. } | D::AllocatorChanged { .. } | D::TypeChanged { .. } => {
            true
        }
        D::CrateIdentityChanged { uses_type_ids, in_state, .. } => *uses_type_ids || *in_state,
        _ => false,
    }
}

fn code(bodies: &BTreeSet<Body>) -> BTreeSet<Fingerprint> {
    bodies.iter().map(|body| body.code).collect()
}

/// What a map or set makes its hashers with.
fn hasher(type_name: &str) -> Option<&str> {
    let (head, arguments) = type_name.strip_suffix('>')?.split_once('<')?;
    let at = match head.rsplit("::").next()? {
        "HashMap" | "IndexMap" => 2,
        "HashSet" | "IndexSet" => 1,
        _ => return None,
    };
    is_path(head).then(|| split(arguments).nth(at)).flatten()
}

fn is_path(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

/// The parts of a list between commas that stand in no brackets.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut before) = (0usize, ' ');
    list.split(move |character| {
        match character {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = character;
        character == ',' && depth == 0
    })
    .map(str::trim)
}

/// Whether a type is, or is made of, one of the mod's own crates.
fn is_own(type_name: &str, own: &BTreeSet<&str>) -> bool {
    let mut paths = type_name.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    paths.any(|path| path.split_once("::").is_some_and(|(head, _)| own.contains(head)))
}

/// Whether a function is generic over one of the mod's own, a closure that it is given, say: it may have changed with that.
fn runs_own_code(name: &Arc<str>, own: &BTreeSet<&str>, work: &Work) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    own.iter().any(|own| {
        let value = format!("{own}.");
        work.spend(name.len()) && name.match_indices(&value).any(|(at, _)| !name[..at].ends_with(is_part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hasher_of_a_map_is_found_among_its_arguments() {
        for (name, expected) in [
            (
                "hashbrown::map::HashMap<u32, (u8, fn(u8, u8) -> u8), a::Seeded, alloc::alloc::Global>",
                Some("a::Seeded"),
            ),
            (
                "std::collections::hash::set::HashSet<u32, core::hash::BuildHasherDefault<a::Mixer>>",
                Some("core::hash::BuildHasherDefault<a::Mixer>"),
            ),
            ("&hashbrown::map::HashMap<u32, u32, a::Seeded>", None),
            ("alloc::vec::Vec<a::Seeded>", None),
            ("std::collections::hash::map::HashMap<u32>", None),
        ] {
            assert_eq!(hasher(name), expected, "{name}");
        }
    }

    #[test]
    fn own_types_and_own_code_are_told_from_the_librarys() {
        let own = BTreeSet::from(["a"]);
        assert!(is_own("core::hash::BuildHasherDefault<a::Mixer>", &own));
        assert!(!is_own("core::hash::BuildHasherDefault<b::a::Mixer>", &own));
        assert!(!is_own("std::hash::random::RandomState", &own));
        let work = Work::new(10_000);
        let runs = |name: &str| runs_own_code(&Arc::from(name), &own, &work);
        assert!(runs("<hashbrown::map::HashMap<u8, u8, a::Seeded>>.retain<a.prune::{closure#0}>"));
        assert!(!runs("<hashbrown::map::HashMap<u8, u8, a::Seeded>>.insert"));
        assert!(!runs("<hashbrown::map::HashMap<u8, u8, b::a.x>>.insert"));
    }
}
