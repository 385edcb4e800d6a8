//! Goal: identities drop what changes between builds and nothing else, and no input breaks the parser.
//! Method: names that rustc 1.95 wrote, names generated from the grammar in pairs (as a compiler would write it, and
//! only what the identity keeps), and mutations of real ones. rustc-demangle is the oracle for what is well-formed.
#![allow(clippy::unwrap_used)]

mod grammar;
mod limits;

use std::collections::HashMap;

use proptest::prelude::*;

use grammar::path;

use super::{NameResolver, NumberedItem, NumbersAsTheyAre, SymbolName, V0Name, parse};

fn v0(symbol: &str) -> V0Name {
    match parse(symbol) {
        SymbolName::V0(name) => name,
        SymbolName::Plain(text) => panic!("{text} did not parse"),
    }
}

fn identity(symbol: &str) -> String {
    v0(symbol).render(&mut NumbersAsTheyAre)
}

#[test]
fn identities_of_real_symbols() {
    let cases = [
        ("_RNvCsizr30qZybFo_3sig2F2", "sig.F2"),
        ("_RNvCsizr30qZybFo_3sig2F2.llvm.1234567", "sig.F2"),
        ("_RNCNvCsizr30qZybFo_3sig2go0B3_", "sig.go::{closure#0}"),
        ("_RNCNvCsizr30qZybFo_3sig2gos_0B3_", "sig.go::{closure#1}"),
        ("_RNvXCsizr30qZybFo_3sigNtB2_3FooNtB2_1T1m", "<sig::Foo as sig::T>.m"),
        ("_RNvXs3_Cs1234_3sigNtB5_3FooNtB5_1T1m", "<sig::Foo as sig::T>.m"),
        ("_RNvYNtCsizr30qZybFo_3sig3FooNtB4_1T1dB4_", "<sig::Foo as sig::T>.d"),
        (
            "_RINvNtCsgXGp5Oqx2Ny_4core3ptr13drop_in_placeINtNtCs5cOc02OMXlo_5alloc7raw_vec6RawVechEECsizr30qZybFo_3sig",
            "core::ptr.drop_in_place<alloc::raw_vec::RawVec<u8>>",
        ),
        (
            "_RINvNtCsgXGp5Oqx2Ny_4core3ptr5writeTFG0_QL1_yTmmERL0_eEmINtNtCs5cOc02OMXlo_5alloc5boxed3BoxDNtCsizr30qZybFo_3sig1TNtNtB4_6marker4SendEL_EEEB1u_",
            "core::ptr.write<((for<2> fn(&'2 mut u64, (u32, u32), &'1 str) -> u32), \
             alloc::boxed::Box<(dyn sig::T + core::marker::Send; '0)>)>",
        ),
        ("_RNvNvNtCs1_1a1f1gs0_1S", "a::f.g.S#2"),
        ("_RINvC1a1fKj3_Kan5_Kc61_Kb1_KRe616263_E", "a.f<{3_usize}, {-5_i8}, {97_char}, {1_bool}, {&{str\"616263\"}}>"),
        ("_RNvC1au8gdel_5qa", "a.gödel"),
        ("_RNSNvYC1aC1b1c6vtable", "<crate a as b>.c::{shim:vtable#0}"),
    ];
    for (symbol, expected) in cases {
        assert_eq!(identity(symbol), expected, "{symbol}");
    }
}

#[test]
fn other_names_are_plain() {
    let plain = |symbol: &str| match parse(symbol) {
        SymbolName::Plain(text) => text,
        SymbolName::V0(name) => panic!("{symbol} parsed as {name:?}"),
    };
    assert_eq!(plain("memcpy"), "memcpy");
    assert_eq!(plain("anon.0123.llvm.77"), "anon.0123");
    assert_eq!(plain(".L__unnamed_1"), ".L__unnamed_1");
    assert_eq!(
        plain("_ZN4core3fmt5write17h0123456789abcdefE.llvm.9D1C9369@@16"),
        "_ZN4core3fmt5write17h0123456789abcdefE"
    );
    for malformed in
        ["_R", "_RNv", "_RNvC1", "_RNvC1a1fX", "_RB_", "_RNvB_1a", "_RIB_E", "_RNvC9999999999999999999999a1b"]
    {
        assert_eq!(plain(malformed), malformed);
    }
}

#[test]
fn a_suffix_of_llvm_is_kept_apart() {
    let name = v0("_RNvCs1_1a5STATE.0.llvm.12");
    assert_eq!((name.render(&mut NumbersAsTheyAre), name.suffix()), ("a.STATE".to_owned(), Some(".0")));
    assert_eq!(v0("_RNvCs1_1a5STATE.llvm.12.1").suffix(), Some(".1"));
}

#[test]
fn names_that_expand_exponentially_are_plain() {
    // Each tuple holds the one before twice.
    let mut symbol = "_RIC1aTuuE".to_owned();
    let mut last = 4;
    for _ in 0..60 {
        let reference = base_62(last);
        last = symbol.len() - 2;
        symbol.push_str(&format!("TB{reference}B{reference}E"));
    }
    symbol.push('E');
    assert!(matches!(parse(&symbol), SymbolName::Plain(_)));
    let deep = format!("_RIC1a{}uE", "R".repeat(100_000));
    assert!(matches!(parse(&deep), SymbolName::Plain(_)));
    let deep_within_limit = format!("_RIC1a{}uE", "R".repeat(400));
    assert!(matches!(parse(&deep_within_limit), SymbolName::V0(_)));
}

fn base_62(value: usize) -> String {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let Some(mut value) = value.checked_sub(1) else {
        return "_".to_owned();
    };
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[value % 62]));
        value /= 62;
        if value == 0 {
            break;
        }
    }
    digits.iter().rev().collect::<String>() + "_"
}

#[test]
fn a_resolver_sees_every_item_and_names_it() {
    struct Recorder(Vec<(String, String)>);
    impl NameResolver for Recorder {
        fn keep_crate_hash(&mut self, name: &str, hash: &str) -> bool {
            name == "b" && hash == "77"
        }
        fn item(&mut self, parent: &str, item: &NumberedItem<'_>) -> String {
            self.0.push((parent.to_owned(), item.text_as_is()));
            if item.is_closure() { item.text("fresh") } else { item.text_as_is() }
        }
    }
    let mut recorder = Recorder(Vec::new());
    let name = v0("_RINvCs5_1a3runNCNvCs77_1b1fs_0NtCs78_1b1TE");
    assert_eq!(name.render(&mut recorder), "a.run<b[77].f::{closure#fresh}, b::T>");
    let seen: Vec<_> = recorder.0.iter().map(|(parent, text)| (parent.as_str(), text.as_str())).collect();
    assert_eq!(seen, [("a", ".run"), ("b[77]", ".f"), ("b[77].f", "::{closure#1}"), ("b", "::T")]);
    let crates: Vec<_> = name.crates().into_iter().map(|(name, hash)| (name.into_owned(), hash)).collect();
    assert_eq!(crates, [("a".to_owned(), "5"), ("b".to_owned(), "77"), ("b".to_owned(), "78")]);
    let items: Vec<_> = name.items().map(|(_, item)| item.text_as_is()).collect();
    assert_eq!(items, [".run", ".f", "::{closure#1}", "::T"]);
}

#[test]
fn parts_of_a_name_can_be_asked_for() {
    let name = v0("_RNCNvXs3_NtCs9_1a1mINtB7_3FoohENtB7_1T4calls_0B9_");
    let root = name.root();
    assert!(root.is_closure());
    assert_eq!(format!("{:?}", root.self_type().unwrap()), "a::m::Foo<u8>");
    assert_eq!(format!("{:?}", root.self_type().unwrap().nominal_path().unwrap()), "a::m::Foo");
    assert_eq!(root.home_crate().unwrap().1, "9");
    assert_eq!(root.parent().unwrap().item().unwrap().name, "call");
}

#[test]
fn identities_are_equal_exactly_when_what_they_keep_is() {
    let mut runner = proptest::test_runner::TestRunner::default();
    let strategy = path();
    let mut by_identity: HashMap<String, String> = HashMap::new();
    let mut by_kept: HashMap<String, String> = HashMap::new();
    for _ in 0..100_000 {
        let (symbol, kept) = strategy.new_tree(&mut runner).unwrap().current();
        let symbol = format!("_R{symbol}");
        let text = identity(&symbol);
        assert!(rustc_demangle::try_demangle(&symbol).is_ok(), "{symbol}");
        assert_eq!(by_identity.entry(text.clone()).or_insert_with(|| kept.clone()), &kept, "both are {text}");
        assert_eq!(by_kept.entry(kept.clone()).or_insert_with(|| text.clone()), &text, "both keep {kept}");
    }
    // The names are small enough to come close to each other.
    assert!(by_identity.len() > 2_000, "{}", by_identity.len());
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*") {
        let _ = parse(&text);
        let _ = parse(&format!("_R{text}"));
    }

    #[test]
    fn mutated_names_are_read_without_panic(
        (symbol, _) in path(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"BCNIMXYTERQLGKDFWs_09az".to_vec())), 0..6),
    ) {
        let mut bytes = format!("_R{symbol}").into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let SymbolName::V0(name) = parse(&String::from_utf8(bytes).unwrap()) {
            prop_assert!(name.render(&mut NumbersAsTheyAre).len() <= crate::limits::NAME_EXPANDED_BYTES);
            for (node, _) in name.items() {
                let _ = (node.self_type(), node.home_crate(), node.arguments(), node.parent());
            }
        }
    }
}
