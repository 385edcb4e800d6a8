//! Which types containers may compare: those that a container is generic over, and all that these hold in place.

use super::work::{ENTRY, Work};
use crate::image::debug::{Name, TypeLayout};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Modules of generic types that never compare what they hold.
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

/// Containers of pairs, which compare the first of each.
const MAPS: [(&str, &[&str]); 4] = [
    ("std::collections::hash::", &["HashMap", "HashSet"]),
    ("hashbrown::", &["HashMap", "HashSet", "HashTable", "RawTable"]),
    ("alloc::collections::btree::", &["BTreeMap", "BTreeSet"]),
    ("indexmap::", &["IndexMap", "IndexSet"]),
];

/// Types that may be keys, or parts of keys, of a container.
pub(super) struct Keys<'a> {
    /// What containers compare, as it stands in their names.
    compared: Vec<&'a str>,
    /// Every path that stands there as a whole.
    paths: HashSet<&'a str>,
    /// Types that are held in place by what is mentioned, at whatever depth: a container of pairs or of structs compares
    /// what is in them.
    held: HashSet<&'a str>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(types: impl Iterator<Item = (&'a Name, &'a BTreeSet<TypeLayout>)>, work: &Work) -> Self {
        let types: HashMap<&str, &BTreeSet<TypeLayout>> = types.map(|(name, layouts)| (&**name, layouts)).collect();
        let compared: Vec<&str> = types.keys().filter_map(|name| compared(name)).collect();
        let paths = compared.iter().flat_map(|text| paths(text)).take_while(|path| work.spend(ENTRY + path.len()));
        let paths = paths.collect();
        let mut keys = Self { compared, paths, held: HashSet::new() };
        // Generic types hold their parameters, which are mentioned themselves where that matters; so are a tuple's parts.
        let is_holder = |name: &&str| !name.contains('<') && !name.starts_with('(');
        let all = types.keys().copied().filter(|name| !name.contains('<'));
        let mut waiting: Vec<&str> = all.filter(|name| is_holder(name) && keys.mention(name, work)).collect();
        while let Some(holder) = waiting.pop() {
            let layouts = types.get(holder).into_iter().flat_map(|layouts| layouts.iter());
            let fields = layouts.flat_map(|layout| {
                let contents = layout.variants.iter().filter_map(|variant| variant.content.as_ref());
                layout.fields.iter().chain(contents)
            });
            for field in fields {
                if keys.held.insert(&field.type_name) && !field.type_name.contains('<') {
                    waiting.push(&field.type_name);
                }
            }
        }
        keys
    }

    /// Whether a container may compare values of this type.
    pub(super) fn contain(&self, self_type: &str, work: &Work) -> bool {
        !self_type.is_empty() && (self.held.contains(self_type) || self.mention(self_type, work))
    }

    fn mention(&self, path: &str, work: &Work) -> bool {
        if path.chars().all(is_part) {
            return self.paths.contains(path);
        }
        self.compared.iter().any(|text| !work.spend(text.len()) || mentions(text, path))
    }
}

/// The part of a generic type's name that says what it compares, if it is one that compares anything.
fn compared(name: &str) -> Option<&str> {
    let (head, arguments) = name.split_once('<')?;
    // A table under a map holds pairs of key and value.
    let of_pairs = arguments.strip_prefix('(').filter(|_| head.starts_with("hashbrown::raw::"));
    let compared = match MAPS.iter().find(|(module, _)| head.starts_with(module)) {
        Some((_, names)) if names.contains(&head.rsplit("::").next().unwrap_or(head)) => {
            key(of_pairs.unwrap_or(arguments))
        }
        // Nodes, iterators and entries of these are not asked for by themselves.
        Some(_) => return None,
        None => arguments,
    };
    // References and tuples of containers compare nothing; the containers have types of their own.
    let is_path = !head.is_empty() && head.chars().all(is_part);
    (is_path && !HARMLESS.iter().any(|harmless| head.starts_with(harmless))).then_some(compared)
}

/// Every path in a text, and all that it begins with: `a::B::C`, `a::B`, `a`.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_part(c)).filter(|token| !token.is_empty()).flat_map(|token| {
        let inner = token.match_indices("::").map(|(at, _)| &token[..at]);
        inner.chain([token])
    })
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
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
pub(super) fn mentions(text: &str, path: &str) -> bool {
    !path.is_empty()
        && text.match_indices(path).any(|(at, _)| {
            !text[..at].ends_with(is_part) && !text[at + path.len()..].starts_with(|c| is_part(c) && c != ':')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::debug::{Field, TypeKind};
    use std::collections::BTreeMap;

    fn is_key_among(names: &[&str], of: &str) -> bool {
        let types: BTreeMap<Name, BTreeSet<TypeLayout>> =
            names.iter().map(|name| (Name::from(*name), BTreeSet::new())).collect();
        let work = Work::new(10_000);
        Keys::new(types.iter(), &work).contain(of, &work)
    }

    /// A struct of these fields, each `name: type`.
    fn holding(types: &[&str]) -> BTreeSet<TypeLayout> {
        let fields = types.iter().map(|of| Field { name: "f".into(), type_name: (*of).into(), offset: 0 });
        let (size, alignment) = (Some(4), Some(4));
        let (variants, discriminant) = (Vec::new(), None);
        let kind = TypeKind::Struct;
        BTreeSet::from([TypeLayout { kind, size, alignment, fields: fields.collect(), variants, discriminant }])
    }

    #[test]
    fn what_a_key_holds_is_compared_with_it() {
        let types: BTreeMap<Name, BTreeSet<TypeLayout>> = BTreeMap::from([
            ("set::Set<game::Outer>".into(), BTreeSet::new()),
            ("game::Outer".into(), holding(&["game::Inner", "(game::Pair, u8)", "core::option::Option<game::Far>"])),
            ("game::Inner".into(), holding(&["game::Deep"])),
            ("(game::Pair, u8)".into(), holding(&["game::Pair", "u8"])),
            ("core::option::Option<game::Far>".into(), holding(&["game::Far"])),
            ("game::Other".into(), holding(&["game::Beside"])),
        ]);
        let work = Work::new(10_000);
        let keys = Keys::new(types.iter(), &work);
        for (name, expected) in [
            ("game::Outer", true),
            ("game::Inner", true),
            ("game::Deep", true),
            ("game::Pair", true),
            ("game::Far", false),
            ("game::Beside", false),
            ("game", true),
            ("", false),
        ] {
            assert_eq!(keys.contain(name, &work), expected, "{name}");
        }
        assert!(work.difference().is_none());
    }

    #[test]
    fn long_paths_are_bounded() {
        let path = "a::".repeat(5000);
        let types: BTreeMap<Name, BTreeSet<TypeLayout>> =
            BTreeMap::from([(format!("s::S<{path}b>").into(), BTreeSet::new())]);
        let work = Work::new(1 << 20);
        Keys::new(types.iter(), &work);
        assert!(work.difference().is_some());
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
