//! Goal: every function whose address is taken has one complete signature, unnamed and unused parameters included.

use super::{PROFILES, compile};
use crate::image::debug::{DebugFacts, DebugLevel, FunctionKind, Signature};
use crate::image::name::{SymbolName, parse};

#[test]
fn address_taken_functions_have_one_signature() {
    for profile in PROFILES {
        let fixture = compile(profile);
        let facts = fixture.facts();
        let mut checked = 0;
        for symbol in &fixture.address_taken {
            let SymbolName::V0(name) = parse(symbol) else {
                continue;
            };
            let full = name.crates().iter().any(|(name, hash)| facts.level_of(name, hash) == Some(DebugLevel::Full));
            if !full {
                continue;
            }
            let function = facts.function(symbol).unwrap_or_else(|| panic!("{symbol} at {profile:?}"));
            assert_eq!(function.signatures.len(), 1, "{symbol}: {function:?} at {profile:?}");
            checked += 1;
        }
        assert!(checked >= 8, "{checked} at {profile:?}");
    }
}

fn signature<'f>(facts: &'f DebugFacts, name: &str) -> (Vec<&'f str>, Option<&'f str>) {
    let mut found = facts.functions.values().filter(|function| &*function.qualified_name == name);
    let function = found.next().unwrap_or_else(|| panic!("no function {name}"));
    assert!(found.next().is_none(), "several {name}");
    assert!(!function.ranges.is_empty(), "{function:?}");
    assert!(function.position.as_ref().is_some_and(|position| position.file.ends_with("awkward.guest")));
    let signature: &Signature = function.signatures.first().unwrap();
    (signature.parameters.iter().map(|name| &**name).collect(), signature.result.as_deref())
}

#[test]
fn signatures_are_those_of_the_source() {
    for profile in PROFILES {
        let facts = compile(profile).facts();
        let text = "&mut alloc::string::String";
        assert_eq!(signature(&facts, "awkward::first"), (vec![text, "u8"], Some("awkward::Shape")));
        assert_eq!(signature(&facts, "awkward::second"), (vec![text, "u8"], Some("awkward::Shape")));
        assert_eq!(signature(&facts, "awkward::scalars"), (vec!["f32", "f64", "u64", "i8"], None));
        assert_eq!(
            signature(&facts, "<awkward::Point as awkward::Derived>::derived"),
            (
                vec!["&mut awkward::Point", "&awkward::Point", "(u32, f64)"],
                Some("core::option::Option<alloc::string::String>"),
            ),
        );
        assert_eq!(signature(&facts, "awkward::run"), (vec!["u32"], Some("u32")));
        assert!(facts.functions.contains_key("run"), "by its own name, which is its symbol");
    }
}

#[test]
fn bodies_of_closures_and_coroutines_are_told_apart() {
    let facts = compile(PROFILES[0]).facts();
    let closure = facts
        .functions
        .values()
        .find(|function| {
            &*function.qualified_name == "<awkward::Point as core::default::Default>::default::{closure#0}"
        })
        .unwrap();
    let environment = "<awkward::Point as core::default::Default>::default::{closure_env#0}";
    assert_eq!(closure.kind, FunctionKind::Closure { environment: Some(environment.into()) });
    let coroutines: Vec<_> = facts
        .functions
        .values()
        .filter(|function| matches!(&function.kind, FunctionKind::Coroutine { environment: Some(_) }))
        .map(|function| &*function.qualified_name)
        .collect();
    assert!(coroutines.contains(&"awkward::waits::{async_fn#0}"), "{coroutines:?}");
    assert!(coroutines.iter().any(|name| name.starts_with("awkward::run::{async_block#")), "{coroutines:?}");
    let function = facts.functions.values().find(|function| &*function.qualified_name == "awkward::first").unwrap();
    assert_eq!(function.kind, FunctionKind::Function);
}
