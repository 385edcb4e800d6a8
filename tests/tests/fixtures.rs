//! The fixtures compile, and an edit changes what it should and nothing else.
#![allow(clippy::unwrap_used)]

use tickswap_tests::fixtures::{self, Fixture};

#[test]
fn the_counter_compiles_into_a_relocatable_module() {
    let module = fixtures::build("counter");
    let holds = |text: &str| module.windows(text.len()).any(|window| window == text.as_bytes());
    for section in ["linking", "reloc.CODE", "reloc.DATA", ".debug_info", "reloc..debug_info"] {
        assert!(holds(section), "the module has no section {section}");
    }
    for name in ["start", "count", "score", "name", "calls", "version"] {
        assert!(holds(name), "the module exports no {name}");
    }
}

#[test]
fn edits_and_variants_do_not_mix() {
    let plain = fixtures::build("counter");
    let edited = fixtures::edited("counter", &[("count + 1", "count + 2")]);
    let loud = fixtures::build_variant("counter", "loud");
    let without = Fixture::new("counter").without_flag("--emit-relocs").build();
    let modules = [&plain, &edited, &loud, &without];
    for (index, one) in modules.iter().enumerate() {
        assert!(modules[index + 1..].iter().all(|other| one != other), "variant {index} equals another");
    }
    assert_eq!(fixtures::build("counter"), plain);
    // A comment shifts no code; the same edit gives the same bytes.
    assert_eq!(fixtures::edited("counter", &[("count + 1", "count + 2")]), edited);
    let bumped = fixtures::edited("counter", &[("version = \"0.1.0\"", "version = \"0.9.0\"")]);
    assert!(bumped == plain, "a version that the code does not ask for changes nothing");
}
