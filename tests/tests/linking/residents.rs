//! What earlier generations left behind binds later ones: layouts of types, shapes of vtables, statics. Every generation
//! that ever lived counts, not the running one alone.

use tickswap_linker::GenerationId;
use tickswap_tests::fixtures::{build, edited};
use tickswap_tests::live::Live;

fn start() -> Live {
    let mut live = Live::new();
    live.patch(&build("marvels")).unwrap_or_else(|error| panic!("{error}"));
    (1..=3u64).for_each(|number| live.call("fill", number));
    live
}

/// The edits are refused even with approval, for a reason that names all of `expected`; what ran goes on.
fn refused(live: &mut Live, edits: &[(&str, &str)], expected: &[&str]) {
    let cast: u64 = live.call("cast", 3u64);
    let error = match live.patch_approved(&edited("marvels", edits)) {
        Err(error) => error.to_string(),
        Ok(generation) => panic!("{edits:?} became {generation}"),
    };
    for part in expected {
        assert!(error.contains(part), "{edits:?}: `{part}` is missing in: {error}");
    }
    assert_eq!(live.call::<_, u64>("cast", 3u64), cast, "what ran goes on");
}

#[test]
fn a_changed_layout_is_refused_with_type_and_both_layouts() {
    let mut live = start();
    let session = "    number: u64,\n    endings: Vec<Ending>,\n";
    for (edits, expected) in [
        (
            &[
                (session, "    number: u64,\n    endings: Vec<Ending>,\n    added: u32,\n"),
                ("Ending(number)] }", "Ending(number)], added: 1 }"),
                ("session.number +", "u64::from(session.added) + session.number +"),
            ][..],
            &["marvels::Session", "+ added: u32", "size 24"][..],
        ),
        (
            &[
                ("    number: u64,\n    endings", "    number: i64,\n    endings"),
                ("Session { number,", "Session { number: number as i64,"),
                ("session.number +", "session.number as u64 +"),
            ],
            &["marvels::Session", "number: u64", "number: i64"],
        ),
        (
            &[(
                "struct Command {\n    name: &'static str,\n    run: fn(u64) -> u64,",
                "#[repr(C)]\nstruct Command {\n    run: fn(u64) -> u64,\n    name: &'static str,",
            )],
            &["marvels::Command", "run:", "name:"],
        ),
        (
            &[
                ("    Calm,\n", "    Calm,\n    Happy,\n"),
                ("world.moods.extend([Mood::Calm,", "world.moods.extend([Mood::Happy, Mood::Calm,"),
                ("Mood::Calm => 1000,", "Mood::Calm => 1000,\n            Mood::Happy => 1,"),
            ],
            &["marvels::Mood", "Happy"],
        ),
        (
            &[
                ("Angry { since: u32 }", "Angry { since: u64 }"),
                ("number as u32 }", "number }"),
                ("u64::from(*since)", "*since"),
            ],
            &["marvels::Mood", "since: u64"],
        ),
        (
            &[
                ("pub struct Ice(u64);", "pub struct Ice(u64, u64);"),
                ("Ice(number)", "Ice(number, 1)"),
                ("power * self.0", "power * self.0 * self.1"),
            ],
            &["marvels::Ice"],
        ),
    ] {
        refused(&mut live, edits, expected);
    }
}

#[test]
fn a_drop_that_comes_or_goes_is_refused() {
    let mut live = start();
    refused(
        &mut live,
        &[(
            "impl Spell for Fire {",
            "impl Drop for Fire {\n    fn drop(&mut self) {\n        ENDED.fetch_add(7, Relaxed);\n    }\n}\n\nimpl Spell for Fire {",
        )],
        &["vtable", "marvels::Fire"],
    );
}

#[test]
fn a_trait_whose_methods_change_is_refused() {
    let mut live = start();
    let both = "    fn cast(&self, power: u64) -> u64;\n    fn name(&self) -> String;\n";
    refused(
        &mut live,
        &[(both, "    fn name(&self) -> String;\n    fn cast(&self, power: u64) -> u64;\n")],
        &["vtable", "Spell"],
    );
    refused(&mut live, &[("fn cast(", "fn invoke("), ("spell.cast(", "spell.invoke(")], &["vtable", "Spell"]);
    refused(
        &mut live,
        &[
            ("    fn name(&self) -> String;\n", ""),
            ("    fn name(&self) -> String {\n        \"fire\".into()\n    }\n", ""),
            ("    fn name(&self) -> String {\n        format!(\"ice {}\", self.0)\n    }\n", ""),
            ("    fn name(&self) -> String {\n        \"charm\".into()\n    }\n", ""),
            (" + 1000 * spell.name().len() as u64", ""),
        ],
        &["vtable", "Spell"],
    );
    refused(
        &mut live,
        &[
            ("fn cast(&self, power: u64) -> u64", "fn cast(&self, power: i64) -> u64"),
            ("power + 3", "power as u64 + 3"),
            ("power * self.0", "power as u64 * self.0"),
            ("(self.act)(power)", "(self.act)(power as u64)"),
            ("spell.cast(power)", "spell.cast(power as i64)"),
        ],
        &["vtable", "Spell"],
    );
}

#[test]
fn a_trait_that_changes_while_its_objects_are_no_longer_made_is_refused() {
    let mut live = start();
    // The new version constructs no spell at all, so that no vtable of it shows how the trait changed; it still calls
    // those that live.
    let silent = (
        "        world.spells.push(Box::new(Fire));\n        world.spells.push(Box::new(Ice(number)));\n        world.spells.push(Box::new(Charm { act: move |power| power ^ number, bonus: 1 }));\n",
        "",
    );
    let both = "    fn cast(&self, power: u64) -> u64;\n    fn name(&self) -> String;\n";
    let swapped = (both, "    fn name(&self) -> String;\n    fn cast(&self, power: u64) -> u64;\n");
    refused(&mut live, &[silent, swapped], &["Spell"]);
}

#[test]
fn statics_that_go_or_change_are_refused_and_a_new_initial_value_is_told() {
    let mut live = start();
    refused(
        &mut live,
        &[
            (
                "static ENDED: AtomicU64 = AtomicU64::new(0);",
                "static ENDED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);",
            ),
            ("ENDED.fetch_add(self.0, Relaxed);", "ENDED.fetch_add(self.0 as u32, Relaxed);"),
            ("    ENDED.load(Relaxed)\n", "    u64::from(ENDED.load(Relaxed))\n"),
            ("use std::sync::atomic::{AtomicU64, Ordering::Relaxed};", "use std::sync::atomic::Ordering::Relaxed;"),
        ],
        &["ENDED", "AtomicU64", "AtomicU32"],
    );
    refused(
        &mut live,
        &[
            ("static ENDED: AtomicU64 = AtomicU64::new(0);\n", ""),
            ("ENDED.fetch_add(self.0, Relaxed);", "std::hint::black_box(self.0);"),
            ("    ENDED.load(Relaxed)\n", "    0\n"),
            ("use std::sync::atomic::{AtomicU64, Ordering::Relaxed};\n", ""),
        ],
        &["ENDED", "gone"],
    );
    live.call::<_, u64>("end_session", ());
    let ended: u64 = live.call("ended", ());
    let other = edited("marvels", &[("AtomicU64 = AtomicU64::new(0)", "AtomicU64 = AtomicU64::new(500)")]);
    let told = live.patch(&other).unwrap_err().to_string();
    assert!(told.contains("ENDED") && told.contains("initial value"), "{told}");
    live.patch_approved(&other).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(live.call::<_, u64>("ended", ()), ended, "the live value stays");
}

#[test]
fn a_type_added_rolled_back_and_added_again_with_another_layout_is_refused() {
    let mut live = start();
    let first = GenerationId::new(1);
    let with = |fields: &str, value: &str| {
        edited(
            "marvels",
            &[
                (
                    "struct Own {",
                    &format!(
                        "pub struct Shield {{\n    {fields}\n}}\n\nimpl Display for Shield {{\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n        write!(f, \"shield {{}}\", self.strength)\n    }}\n}}\n\nstruct Own {{"
                    ),
                ),
                (
                    "        world.texts.push(Box::new(number));\n",
                    &format!("        world.texts.push(Box::new(Shield {{ {value} }}));\n"),
                ),
            ],
        )
    };
    let second = live.patch(&with("strength: u64,", "strength: number")).unwrap_or_else(|error| panic!("{error}"));
    live.call::<_, ()>("fill", 4u64);
    let texts: u64 = live.call("texts", ());
    live.activate(first);
    // Shields of the second generation live on. The first one runs, and has never heard of them.
    assert_eq!(live.call::<_, u64>("texts", ()), texts, "borrowed bodies");
    let again = with("owner: u32, strength: u32,", "owner: 1, strength: number as u32");
    let refused = live.patch_approved(&again).unwrap_err().to_string();
    assert!(refused.contains("marvels::Shield") && refused.contains("owner: u32"), "{refused}");
    // With the old layout and another body it is welcome, and reaches what lives.
    let third = edited(
        "marvels",
        &[
            (
                "struct Own {",
                "pub struct Shield {\n    strength: u64,\n}\n\nimpl Display for Shield {\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {\n        write!(f, \"a shield {}\", self.strength)\n    }\n}\n\nstruct Own {",
            ),
            (
                "        world.texts.push(Box::new(number));\n",
                "        world.texts.push(Box::new(Shield { strength: number }));\n",
            ),
        ],
    );
    live.patch(&third).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(live.call::<_, u64>("texts", ()), texts + 2, "one shield lives, two letters more");
    live.activate(second);
    assert_eq!(live.call::<_, u64>("texts", ()), texts);
}

#[test]
fn a_static_of_a_rolled_back_generation_keeps_its_address_and_type() {
    let mut live = start();
    let first = GenerationId::new(1);
    let with = |ty: &str| {
        edited(
            "marvels",
            &[(
                "    ENDED.load(Relaxed)\n",
                &format!(
                    "    static ASKED: std::sync::atomic::{ty} = std::sync::atomic::{ty}::new(0);\n    #[allow(clippy::useless_conversion)]\n    let asked = u64::from(ASKED.fetch_add(1, Relaxed));\n    ENDED.load(Relaxed) + 1_000_000 * asked\n"
                ),
            )],
        )
    };
    live.patch_approved(&with("AtomicU64")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!([0, 1, 2].map(|_| live.call::<_, u64>("ended", ()) / 1_000_000), [0, 1, 2]);
    live.activate(first);
    let refused = live.patch_approved(&with("AtomicU32")).unwrap_err().to_string();
    assert!(refused.contains("ASKED") && refused.contains("AtomicU64"), "{refused}");
    let again = live.patch_approved(&with("AtomicU64")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(live.call_in::<_, u64>(again, "ended", ()) / 1_000_000, 3, "it counts on where it was");
}

#[test]
fn objects_of_a_generic_type_over_a_closure_keep_their_code_when_its_layout_changes() {
    let mut live = start();
    let cast: u64 = live.call("cast", 3u64);
    // The closure inside did not change; the type around it did, and no author can write its name.
    let larger = [
        ("    act: F,\n    bonus: u64,\n", "    act: F,\n    bonus: u64,\n    more: u64,\n"),
        ("(self.act)(power) + self.bonus", "(self.act)(power) + self.bonus + self.more"),
        ("bonus: 1 }", "bonus: 1, more: 1_000_000 }"),
    ];
    live.patch(&edited("marvels", &larger)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(live.call::<_, u64>("cast", 3u64), cast, "live charms are read as they were written");
    live.call::<_, ()>("fill", 9u64);
    let after: u64 = live.call("cast", 3u64);
    assert_eq!(after / 1_000_000, 1, "a new one has the new layout");
    // Later bodies reach the new ones.
    live.patch(&edited("marvels", &[larger.as_slice(), &[("power + 3", "power + 4")]].concat()))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(live.call::<_, u64>("cast", 3u64), after + 4, "four fires");
}
