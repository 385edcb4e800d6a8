//! Goal: the facts are complete and true for what rustc writes. Method: `awkward.rs`, compiled at several profiles, is
//! read and held against the module's symbols and against what its source says.
#![allow(clippy::unwrap_used)]

mod amplified;
pub(crate) mod craft;
mod fixture;
mod hostile;
mod layouts;
mod signatures;

use fixture::compile;

use crate::image::debug::{DebugLevel, Location, is_numbered};
use crate::image::name::{SymbolName, parse};

/// The profiles that everything is checked at: the one of mods, others that move things, and DWARF 5.
const PROFILES: &[&[&str]] = &[
    &["-C", "opt-level=3", "-C", "codegen-units=1"],
    &["-C", "opt-level=s", "-C", "codegen-units=16"],
    &["-C", "opt-level=3", "-C", "lto=fat", "-C", "embed-bitcode=yes"],
    &["-C", "opt-level=3", "-C", "dwarf-version=5"],
    &["-C", "opt-level=0"],
];

#[test]
fn every_static_is_tied_to_its_symbol() {
    for profile in PROFILES {
        let fixture = compile(profile);
        let facts = fixture.facts();
        let mut found = 0;
        for variable in &facts.variables {
            let symbol = fixture.data.get(&*variable.linkage_name);
            match variable.location {
                Location::Plain(address) => {
                    let (at, size) = symbol.unwrap_or_else(|| panic!("{variable:?} has no symbol"));
                    assert_eq!((address, variable.type_size), (*at, Some(u64::from(*size))), "{variable:?}");
                    let position = variable.position.as_ref().unwrap();
                    assert!(
                        position.file.ends_with("awkward.guest") || position.file.contains("/library/"),
                        "{position:?}"
                    );
                    found += 1;
                }
                Location::Absent => assert_eq!(symbol, None, "{variable:?}"),
                Location::Complicated => panic!("{variable:?}"),
            }
            assert!(!is_numbered(&variable.qualified_name), "{variable:?}");
        }
        // 16 at the top, and those in functions, closures and thread locals.
        assert!(found >= 20, "{found} at {profile:?}");
        for (name, qualified) in [
            ("COUNTER", "awkward::COUNTER"),
            ("CALLS", "<awkward::Point as awkward::Base>::base::CALLS"),
            ("LOCAL", "<awkward::Pair<_, _> as awkward::Base>::base::LOCAL"),
            ("IN_CLOSURE", "<awkward::Point as core::default::Default>::default::{closure#0}::IN_CLOSURE"),
            ("EXPORTED", "awkward::EXPORTED"),
        ] {
            let names: Vec<_> = facts
                .variables
                .iter()
                .map(|variable| &*variable.qualified_name)
                .filter(|known| known.rsplit("::").next() == Some(name))
                .collect();
            assert_eq!(names, [qualified], "{profile:?}");
        }
        let counts: Vec<_> =
            facts.variables.iter().filter(|one| &*one.qualified_name == "awkward::twice::COUNT").collect();
        assert_eq!(counts.len(), 2, "one for each use of the macro");
        assert_ne!(counts[0].linkage_name, counts[1].linkage_name);
    }
}

#[test]
fn a_static_that_has_a_symbol_has_a_variable() {
    for profile in PROFILES {
        let fixture = compile(profile);
        let facts = fixture.facts();
        for symbol in fixture.data.keys() {
            let SymbolName::V0(name) = parse(symbol) else {
                continue;
            };
            let home = name.root().home_crate();
            if home.is_some_and(|(name, hash)| facts.level_of(&name, hash) == Some(DebugLevel::Full)) {
                let known = facts.variables.iter().any(|variable| *variable.linkage_name == **symbol);
                assert!(known, "{symbol} at {profile:?}");
            }
        }
    }
}

#[test]
fn every_live_vtable_has_a_symbol() {
    for profile in PROFILES {
        let fixture = compile(profile);
        let facts = fixture.facts();
        let mut live = 0;
        for vtable in &facts.vtables {
            assert!(vtable.concrete_type.is_some() && vtable.concrete_size.is_some(), "{vtable:?}");
            if let Location::Plain(address) = vtable.location {
                let size = u32::try_from(vtable.size.unwrap()).unwrap();
                assert!(fixture.data.values().any(|data| *data == (address, size)), "{vtable:?}");
                live += 1;
            }
            assert_eq!(vtable.entries.first().map(|(name, _)| &**name), Some("drop_in_place"), "{vtable:?}");
        }
        assert!(live >= 3, "{live} at {profile:?}");
        let derived = facts
            .vtables
            .iter()
            .find(|vtable| &*vtable.name == "<awkward::Point as awkward::Derived>::{vtable}")
            .unwrap();
        assert_eq!(derived.concrete_type.as_deref(), Some("awkward::Point"));
        assert_eq!(derived.trait_name.as_deref(), Some("awkward::Derived"));
        assert_eq!(derived.concrete_size, Some(16));
        let entries: Vec<_> = derived.entries.iter().map(|(name, at)| (&**name, *at)).collect();
        assert_eq!(
            entries,
            [("drop_in_place", 0), ("size", 4), ("align", 8), ("__method3", 12), ("__method4", 16), ("__method5", 20)],
        );
    }
}

#[test]
fn crates_tell_how_much_debug_information_they_have() {
    let facts = compile(PROFILES[0]).facts();
    let level = |name: &str| facts.crates.iter().find(|(known, _)| &*known.name == name).map(|(_, level)| *level);
    assert_eq!(level("awkward"), Some(DebugLevel::Full));
    assert_eq!(level("std"), Some(DebugLevel::Lines));
    assert_eq!(facts.producers.len(), 1);
    assert!(facts.producers.iter().all(|producer| producer.contains("rustc version")));
}

#[test]
fn an_inserted_impl_block_shifts_no_name() {
    let before = compile(PROFILES[0]).facts();
    let mut arguments = PROFILES[0].to_vec();
    arguments.extend(["--cfg", "inserted"]);
    let after = compile(&arguments).facts();
    let names = |facts: &crate::image::debug::DebugFacts| {
        facts.variables.iter().map(|variable| variable.qualified_name.to_string()).collect::<Vec<_>>()
    };
    let mut expected = names(&before);
    expected.push("<awkward::Point as core::clone::Clone>::clone::CLONES".to_owned());
    expected.sort();
    let mut found = names(&after);
    found.sort();
    assert_eq!(found, expected);
    let own = |name: &str| name.starts_with("awkward::") || name.starts_with("<awkward::");
    for (name, layouts) in before.types.iter().filter(|(name, _)| own(name)) {
        assert_eq!(after.types.get(name), Some(layouts), "{name}");
    }
}

#[test]
fn names_parse_exactly_if_they_demangle() {
    let mut seen = 0;
    for profile in PROFILES {
        for symbol in compile(profile).symbols() {
            let parsed = matches!(parse(symbol), SymbolName::V0(_));
            assert_eq!(parsed, rustc_demangle::try_demangle(symbol).is_ok(), "{symbol}");
            seen += usize::from(parsed);
        }
    }
    assert!(seen > 10_000, "{seen}");
}
