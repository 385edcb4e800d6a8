//! Ordinary edits of an ordinary game: each passes by itself, and the report names what was touched and nothing else.
//!
//! A false alarm is a bug as well: whoever is refused for nothing stops reading refusals.

use tickswap_linker::compare::Difference;
use tickswap_tests::fixtures::{build, edited};
use tickswap_tests::live::Live;

fn start() -> Live {
    let mut live = Live::new();
    live.patch(&build("skirmish")).unwrap_or_else(|error| panic!("{error}"));
    populate(&mut live);
    live
}

fn populate(live: &mut Live) {
    for number in 0..24u32 {
        live.call::<_, u32>("spawn", (number % 2, number / 2));
    }
}

/// An edit, and parts of the names of all functions that may be reported for it.
type Edit = (&'static [(&'static str, &'static str)], &'static [&'static str]);

/// What developers change on any day.
const EDITS: &[Edit] = &[
    (&[("Class::Mage => 11,", "Class::Mage => 14,")], &["damage", "carry_out", "advance"]),
    (&[("const REACH: [i32; 3] = [1, 6, 4];", "const REACH: [i32; 3] = [1, 5, 4];")], &["reach", "plan", "advance"]),
    (&[("{} hits {} for {damage}", "unit {} deals {damage} to unit {}!")], &["text", "lines"]),
    (&[("{score:>6}", "{score:>8} points")], &["text", "lines"]),
    (
        &[
            (
                "    pub fn is_alive(",
                "    pub fn is_weak(&self) -> bool {\n        self.health < self.class.health() / 4\n    }\n\n    pub fn is_alive(",
            ),
            ("_ if unit.health < 10", "_ if unit.is_weak()"),
        ],
        &["is_weak", "plan", "advance", "health"],
    ),
    (&[("i64::from(unit.level) * 10", "i64::from(unit.level) * 12")], &["start", "closure"]),
    (
        &[(
            "hooks.entry(\"fallen\").or_default().push(Box::new(|unit| i64::from(unit.level) * 10));",
            "hooks.entry(\"fallen\").or_default().push(Box::new(|unit| unit.items.len() as i64));\n        hooks.entry(\"fallen\").or_default().push(Box::new(|unit| i64::from(unit.level) * 10));",
        )],
        &["start", "closure"],
    ),
    (
        &[("planned.sort_by_key(ai::urgency);", "planned.sort_by_key(|order| std::cmp::Reverse(ai::urgency(order)));")],
        &[
            "advance",
            "sort",
            "urgency",
            "merge",
            "drift",
            "quick",
            "insert",
            "smallsort",
            "pivot",
            "bidirectional",
            "partition",
            "median",
            "recurse",
            "heapsort",
        ],
    ),
    (&[("sides.sort_by(|a, b| b.1.cmp(a.1)", "sides.sort_by(|a, b| a.1.cmp(b.1)")], &["text", "sort", "lines"]),
    (
        &[(
            "(position.distance(wanted), position.y, position.x)",
            "(position.distance(wanted), position.x, position.y)",
        )],
        &["free_near", "spawn", "fold", "min_by"],
    ),
    (
        &[(
            "        \"last standing\".to_owned()\n",
            "        let mut title = String::from(\"the last one\");\n        title.extend([' ', 's', 't', 'a', 'n', 'd', 's']);\n        title\n",
        )],
        &["title", "extend", "String", "push", "RawVec", "grow", "reserve", "utf8"],
    ),
    (
        &[(
            "let fallen: Vec<UnitId> =",
            "let mut counted: std::collections::HashMap<Class, u32> = HashMap::new();\n        self.units.values().for_each(|unit| *counted.entry(unit.class).or_default() += 1);\n        let fallen: Vec<UnitId> =",
        )],
        &[
            "bury",
            "advance",
            "HashMap",
            "hashbrown",
            "Hash",
            "RawTable",
            "hash_one",
            "entry",
            "reserve",
            "closure",
            "make_hash",
            "insert",
        ],
    ),
    (
        &[(
            "            Order::Nothing => {}\n",
            "            Order::Nothing => self.journal.note(Event::Hit { by: UnitId(0), target: UnitId(0), damage: 0 }),\n",
        )],
        &["carry_out", "advance", "note"],
    ),
    (
        &[(
            "self.tick += 1;",
            "self.tick += 1;\n        assert!(self.tick < 1_000_000, \"the game at tick {} is too long\", self.tick);",
        )],
        &["advance"],
    ),
    (
        &[(
            "    self.cells.remove(&old);",
            "    let removed = self.cells.remove(&old);\n            debug_assert!(removed.is_some());",
        )],
        &[],
    ),
    (
        &[
            (
                "/// Effects by the tick",
                "fn decay(strength: i32) -> i32 {\n    strength.saturating_sub(1)\n}\n\n/// Effects by the tick",
            ),
            (
                "Self::Burn { strength } => unit.suffer(strength)",
                "Self::Burn { strength } => unit.suffer(decay(strength) + 1)",
            ),
        ],
        &["decay", "apply", "advance"],
    ),
    (
        &[(
            "let nearest =\n        best(",
            "let strongest = all.values().map(|other| other.level).max().unwrap_or(0);\n    let _ = std::hint::black_box(strongest);\n    let nearest =\n        best(",
        )],
        // One more user of `Values::next` and LLVM inlines it elsewhere in another way.
        &["plan", "best", "advance", "fold", "closure", "winner"],
    ),
    (
        &[(
            "text += &format!(\"{side}: {score:>6}\\n\")",
            "text += &match score { 0 => format!(\"{side}: none\\n\"), 1..=9 => format!(\"{side}: few\\n\"), _ => format!(\"{side}: {score:>6}\\n\") }",
        )],
        &["text", "lines", "closure", "fold", "for_each"],
    ),
    (
        &[(
            "        self.waiting.remove(&tick).unwrap_or_default()",
            "        let mut due = self.waiting.remove(&tick).unwrap_or_default();\n        due.dedup_by_key(|(unit, _)| *unit);\n        due",
        )],
        &["due", "advance", "dedup"],
    ),
    (&[("i64::from(damage);", "i64::from(damage).pow(2);")], &["carry_out", "advance", "pow"]),
];

#[test]
fn every_ordinary_edit_passes_and_only_what_was_touched_is_named() {
    let mut live = start();
    live.call::<_, u64>("advance", 3u32);
    let mut wrong = String::new();
    for (edits, allowed) in EDITS {
        let next = edited("skirmish", edits);
        for difference in live.compare(&next) {
            let (Difference::FunctionChanged { item, .. }
            | Difference::FunctionAdded { item, .. }
            | Difference::FunctionRemoved { item, .. }) = &difference
            else {
                continue;
            };
            if !allowed.iter().any(|part| item.contains(part)) {
                wrong += &format!("{edits:?}\n    names {difference:?}\n");
            }
        }
        if let Err(error) = live.patch(&next) {
            wrong += &format!("{edits:?}\n    refused: {error}\n");
        }
        live.call::<_, u64>("advance", 1u32);
        // Back again, so that the next is compared with the original.
        live.patch(&build("skirmish")).unwrap_or_else(|error| panic!("{edits:?}: {error}"));
        live.call::<_, u64>("advance", 1u32);
        live.call::<_, u64>("lines", ());
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn edits_pile_up_over_one_game() {
    let mut live = start();
    let mut pile: Vec<(&str, &str)> = Vec::new();
    for (edits, _) in EDITS {
        pile.extend(*edits);
        // Two edits may touch one text; the second then has nothing to replace.
        let Ok(next) = std::panic::catch_unwind(|| edited("skirmish", &pile)) else {
            pile.truncate(pile.len().saturating_sub(edits.len()));
            continue;
        };
        live.patch(&next).unwrap_or_else(|error| panic!("{edits:?}: {error}"));
        live.call::<_, u64>("advance", 2u32);
        live.call::<_, u64>("lines", ());
    }
    assert!(live.call::<_, u32>("alive", ()) > 0);
}

#[test]
fn a_patched_game_and_one_that_ran_the_new_code_from_the_start_agree() {
    for (edits, _) in EDITS.iter().take(6) {
        let next = edited("skirmish", edits);
        let mut patched = Live::new();
        patched.patch(&build("skirmish")).unwrap();
        patched.patch(&next).unwrap();
        let mut cold = Live::new();
        cold.patch(&next).unwrap();
        for live in [&mut patched, &mut cold] {
            populate(live);
            live.call::<_, u64>("advance", 40u32);
        }
        assert_eq!(patched.call::<_, u64>("digest", ()), cold.call::<_, u64>("digest", ()), "{edits:?}");
        assert_eq!(patched.call::<_, u64>("lines", ()), cold.call::<_, u64>("lines", ()), "{edits:?}");
    }
}
