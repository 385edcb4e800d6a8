//! The traps that only show later: state that depends on type identities, on addresses of read-only items, on the
//! allocator, the stack, the compiler's switches. Each with a mod built for it.

use proptest::prelude::*;
use std::sync::LazyLock;
use tickswap_linker::compare::Difference;
use tickswap_linker::verify::{self, Class};
use tickswap_linker::{GenerationId, Residents, compare, image};
use tickswap_tests::fixtures::{Fixture, build, edited};
use tickswap_tests::live::{Live, NotPatched};

fn start() -> Live {
    let mut live = Live::new();
    live.patch(&build("marvels")).unwrap_or_else(|error| panic!("{error}"));
    (1..=4u64).for_each(|number| live.call("fill", number));
    live
}

fn patch(live: &mut Live, edits: &[(&str, &str)]) -> GenerationId {
    live.patch(&edited("marvels", edits)).unwrap_or_else(|error| panic!("{edits:?}: {error}"))
}

/// What all of the mod's state amounts to, destructors and calls not counted.
fn everything(live: &mut Live) -> Vec<u64> {
    let plain = ["found", "interned", "words", "texts", "moods", "ended"].map(|name| live.call::<_, u64>(name, ()));
    let mut all = plain.to_vec();
    all.extend(["cast", "commands"].map(|name| live.call::<_, u64>(name, 3u64)));
    all
}

const BODIES: [(&str, &str); 5] = [
    ("power + 3", "power + 2 + 1"),
    ("format!(\"ice {}\", self.0)", "{ let n = self.0; format!(\"ice {n}\") }"),
    ("number * 10 })", "number * 5 * 2 })"),
    ("value * value", "value.pow(2)"),
    ("limits = [3, 5, 8, 13]", "limits = [3, 5, 8, 14]"),
];

#[test]
fn state_of_every_kind_survives_a_row_of_patches() {
    let mut live = start();
    let before = everything(&mut live);
    assert_eq!(before[0], 1_000_000 + 40_000 + 4);
    for edit in BODIES {
        patch(&mut live, &[edit]);
        assert_eq!(everything(&mut live), before, "{edit:?}");
    }
}

#[test]
fn type_identities_survive_a_version_bump_of_the_mod_and_of_a_path_dependency() {
    let mut live = start();
    let before = everything(&mut live);
    for versions in [
        &[("version = \"0.2.0\"", "version = \"0.9.1\"")][..],
        &[("version = \"0.3.0\"", "version = \"2.0.0-beta.1\"")],
        &[("version = \"0.2.0\"", "version = \"1.0.0\""), ("version = \"0.3.0\"", "version = \"0.3.1\"")],
    ] {
        let bumped = edited("marvels", versions);
        assert_eq!(live.compare(&bumped), [], "{versions:?}");
        live.patch(&bumped).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(everything(&mut live), before, "{versions:?}");
        let mut with_edit = versions.to_vec();
        with_edit.push(("text {number}", "TEXT {number}"));
        patch(&mut live, &with_edit);
        assert_eq!(everything(&mut live), before, "{versions:?}");
        live.patch(&build("marvels")).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn an_unchanged_rebuild_is_identical_and_a_comment_changes_no_function() {
    let mut live = start();
    let same = build("marvels");
    let verdict = |residents: &Residents, bytes: &[u8]| {
        let image = image::read(bytes).unwrap_or_else(|error| panic!("{error}"));
        verify::judge(compare::compare(residents, Some(GenerationId::new(1)), image)).class()
    };
    let mut residents = Residents::new();
    let image = image::read(&same).unwrap();
    let permit = verify::judge(compare::compare(&residents, None, image)).permit().unwrap();
    tickswap_linker::link::place(&mut residents, permit).unwrap();
    assert_eq!(verdict(&residents, &same), Class::Identical);
    let commented = edited("marvels", &[("use marvel_keys::", "// A comment.\n// Another.\nuse marvel_keys::")]);
    assert_eq!(verdict(&residents, &commented), Class::Exempt);
    let moved = live.compare(&commented);
    assert!(moved.iter().all(|difference| matches!(difference, Difference::PositionsMoved { .. })), "{moved:#?}");
    assert!(!moved.is_empty(), "a panic's line moved");
    live.patch(&commented).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn thread_locals_stay_when_closures_come_and_go_in_their_file() {
    let mut live = start();
    let before: u64 = live.call("locals", ());
    assert_eq!(before, 100_000_000 + 1_004_000 + 3 + 4);
    let ended: u64 = live.call("ended", ());
    for (round, insertion) in [
        "let helper = |x: u64| x + 1; LAST.with(|last| last.set(helper(last.get()) - 1 + 1));",
        "let _first = || 1; let second = |x: u64| LAST.with(|last| last.set(x)); second(LAST.with(Cell::get) + 1);",
        "LAST.with(|last| { let bump = || last.set(last.get() + 1); bump() });",
    ]
    .into_iter()
    .enumerate()
    {
        patch(&mut live, &[("LAST.with(|last| last.set(last.get() + 1));", insertion)]);
        assert_eq!(live.call::<_, u64>("locals", ()), before + round as u64);
        live.call::<_, u64>("texts", ());
        assert_eq!(live.call::<_, u64>("ended", ()), ended, "nothing was dropped");
    }
}

#[test]
fn read_only_items_that_serve_as_identities_keep_their_address_while_unchanged() {
    let mut live = start();
    let before: u64 = live.call("interned", ());
    assert_eq!(before, 4 + 5 * 100 + 4 * 10_000 + 40 * 1_000_000);
    patch(&mut live, &[("power + 3", "power + 4"), ("text {number}", "another text of {number}")]);
    assert_eq!(live.call::<_, u64>("interned", ()), before);
    // A changed item is another: live references keep reading the old text, and the report says so.
    let changed = edited("marvels", &[("text: \"north\"", "text: \"northern\"")]);
    let found = live.compare(&changed);
    assert!(
        found.iter().any(|d| matches!(d, Difference::ReadOnlyDataChanged { item } if item.contains("NORTH"))),
        "{found:#?}"
    );
    live.patch(&changed).unwrap_or_else(|error| panic!("{error}"));
    let after: u64 = live.call("interned", ());
    assert_eq!(after / 1_000_000, 40, "live references read what they did");
    assert_eq!(after / 100 % 100, 5, "the unchanged key is still found");
}

#[test]
fn tables_of_function_pointers_call_new_bodies_from_old_state() {
    let mut live = start();
    assert_eq!(live.call::<_, u64>("commands", 5u64), 4 * (10 + 25 + 12) * 1000 + 35);
    patch(&mut live, &[("    value * value\n", "    value * value * 100\n")]);
    assert_eq!(live.call::<_, u64>("commands", 5u64), 4 * (10 + 2500 + 12) * 1000 + 2510);
    // Swapped in the table: live references to the old table keep its order, new lookups have the new one.
    patch(
        &mut live,
        &[("const TABLE: &[fn(u64) -> u64] = &[double, square]", "const TABLE: &[fn(u64) -> u64] = &[square, square]")],
    );
    assert_eq!(live.call::<_, u64>("commands", 5u64), 4 * (10 + 25 + 12) * 1000 + 50);
}

#[test]
fn another_global_allocator_is_refused() {
    let mut live = start();
    let other = edited(
        "marvels",
        &[(
            "struct Own {",
            "struct Bump;\n// SAFETY: for the linker's eyes only.\nunsafe impl std::alloc::GlobalAlloc for Bump {\n    unsafe fn alloc(&self, layout: std::alloc::Layout) -> *mut u8 { unsafe { std::alloc::System.alloc(layout) } }\n    unsafe fn dealloc(&self, _: *mut u8, _: std::alloc::Layout) {}\n}\n#[global_allocator]\nstatic BUMP: Bump = Bump;\nstruct Own {",
        )],
    );
    let refused = live.patch_approved(&other).unwrap_err().to_string();
    assert!(refused.contains("allocator"), "{refused}");
    everything(&mut live);
}

#[test]
fn a_larger_stack_is_refused_and_a_smaller_one_is_not() {
    let mut live = start();
    let stack = |bytes: u32| {
        Fixture::new("marvels")
            .without_flag("-zstack-size")
            .rustc_arg(&format!("-Clink-arg=-zstack-size={bytes}"))
            .build()
    };
    let refused = live.patch_approved(&stack(2 << 20)).unwrap_err().to_string();
    assert!(refused.contains("2097152") && refused.contains("stack"), "{refused}");
    let before = everything(&mut live);
    live.patch(&stack(512 << 10)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(everything(&mut live), before);
    // Shared is the stack of the first generation, not that of the one running now.
    live.patch(&build("marvels")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(everything(&mut live), before);
}

#[test]
fn a_mod_built_without_the_two_switches_is_refused_with_what_to_do() {
    for name in ["marvels", "numbered", "zoo"] {
        let module = Fixture::new(name).without_flag("opt-disable").build();
        let refused = Live::new().patch_approved(&module).unwrap_err().to_string();
        assert!(refused.contains("merged") && refused.contains("cargo tickswap build"), "{refused}");
    }
}

#[test]
fn modules_off_the_recipe_are_refused_with_the_flag_that_is_missing() {
    for (flag, expected) in [
        ("--import-memory", "memory"),
        ("--import-table", "table"),
        ("--emit-relocs", "emit-relocs"),
        ("--no-merge-data-segments", ""),
        ("--growable-table", ""),
    ] {
        let module = Fixture::new("marvels").without_flag(flag).build();
        match Live::new().patch(&module) {
            Err(error @ NotPatched::Read(_)) => {
                let text = error.to_string();
                assert!(text.contains(expected) && text.contains("cargo tickswap build"), "{flag}: {text}");
            }
            // Of these two the linker does not depend.
            Ok(_) if expected.is_empty() => {}
            Ok(_) => panic!("without {flag} it was linked"),
            Err(other) => panic!("{flag}: {other}"),
        }
    }
}

#[test]
fn constructors_are_refused() {
    let module = edited(
        "marvels",
        &[(
            "struct Own {",
            "extern \"C\" fn early() { ENDED.fetch_add(1, Relaxed); }\n#[used]\n#[unsafe(link_section = \".init_array\")]\nstatic EARLY: extern \"C\" fn() = early;\nstruct Own {",
        )],
    );
    let refused = Live::new().patch_approved(&module).unwrap_err();
    assert!(matches!(refused, NotPatched::Read(_)) && refused.to_string().contains("start-up code"), "{refused}");
}

static SMALL: LazyLock<Vec<u8>> = LazyLock::new(|| build("counter"));

/// Reads and, where that works, compares and judges: whatever the bytes, an answer and no panic.
fn must_answer(bytes: &[u8]) {
    static RESIDENTS: LazyLock<Residents> = LazyLock::new(|| {
        let mut residents = Residents::new();
        let image = image::read(&SMALL).unwrap();
        let verdict = verify::judge(compare::compare(&residents, None, image));
        let seen = verdict.report().clone();
        let permit = verdict.approve(&seen);
        if let Ok(permit) = permit {
            tickswap_linker::link::place(&mut residents, permit).unwrap();
        }
        residents
    });
    if let Ok(image) = image::read(bytes) {
        let verdict = verify::judge(compare::compare(&RESIDENTS, Some(GenerationId::new(1)), image));
        let _ = verdict.permit().map_err(|refusal| refusal.to_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_truncated_file_is_an_error(at in any::<prop::sample::Index>()) {
        let cut = &SMALL[..at.index(SMALL.len())];
        prop_assert!(image::read(cut).is_err());
    }

    #[test]
    fn flipped_bytes_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = SMALL.clone();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        must_answer(&bytes);
    }

    /// Most bytes are debug information, so that the sections before it need a draw of their own.
    #[test]
    fn flipped_bytes_of_the_first_sections_never_panic(flips in prop::collection::vec((0usize..4000, any::<u8>()), 1..3)) {
        let mut bytes = SMALL.clone();
        for (at, value) in flips {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        must_answer(&bytes);
    }
}
