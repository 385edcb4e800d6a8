//! One test per rule of live linking, on the `zoo`, which holds every awkward kind of state.

use tickswap_tests::fixtures::{build, edited};
use tickswap_tests::live::Live;

fn joined(live: &mut Live, players: std::ops::Range<u64>) {
    for player in players {
        live.call::<_, ()>("join", player);
    }
}

fn start() -> Live {
    let mut live = Live::new();
    live.patch(&build("zoo")).unwrap_or_else(|error| panic!("{error}"));
    joined(&mut live, 0..20);
    live
}

fn patch(live: &mut Live, edits: &[(&str, &str)]) {
    live.patch(&edited("zoo", edits)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn rule_1_mutable_data_keeps_its_address_and_value() {
    let mut live = start();
    assert_eq!(live.call::<_, u32>("counter", ()), 27);
    assert_eq!(live.call::<_, u64>("cached", ()), 190_000_520);
    live.call::<_, u32>("small", 1u32);
    patch(&mut live, &[("player-{number} joined", "PLAYER-{number} has arrived in the arena, welcome!")]);
    assert_eq!(live.call::<_, u32>("counter", ()), 27, "an atomic static");
    assert_eq!(live.call::<_, u64>("cached", ()), 190_000_520, "thread locals, lazy ones too");
    assert_eq!(live.call::<_, u32>("score", 5u64), 1, "a hash map behind a mutex");
    assert_eq!(live.call::<_, u32>("small", 0u32), 9, "a static of a small domain");
    let before = live.call::<_, u64>("names_length", ());
    joined(&mut live, 20..21);
    assert_eq!(
        live.call::<_, u64>("names_length", ()),
        before + "PLAYER-20 has arrived in the arena, welcome!".len() as u64
    );
}

#[test]
fn rule_2_read_only_data_stays_for_old_state_and_unchanged_data_keeps_its_address() {
    let mut live = start();
    assert_eq!(live.call::<_, u64>("labels_length", ()), 20 * 11);
    patch(&mut live, &[("first label", "a second, longer label")]);
    assert_eq!(live.call::<_, u64>("labels_length", ()), 20 * 11, "old &'static str still read as they were");
    joined(&mut live, 20..21);
    assert_eq!(live.call::<_, u64>("labels_length", ()), 20 * 11 + 22);
    let report = live.report(tickswap_linker::GenerationId::new(2)).clone();
    assert!(report.read_only_bound > 10 * report.read_only_fresh, "almost all read-only data is shared: {report:?}");
    assert!(report.fresh_bytes < 1000, "an ordinary edit uses a few hundred bytes: {report:?}");
}

#[test]
fn rule_3_new_statics_get_space_and_initial_value() {
    let mut live = start();
    let second = edited(
        "zoo",
        &[(
            "COUNTER.load(Ordering::Relaxed)",
            "{ static EXTRA: AtomicU32 = AtomicU32::new(1000); COUNTER.load(Ordering::Relaxed) + EXTRA.fetch_add(1, Ordering::Relaxed) }",
        )],
    );
    let refused = live.patch(&second).unwrap_err().to_string();
    assert!(refused.contains("EXTRA") && refused.contains("is new"), "{refused}");
    live.patch_approved(&second).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(live.call::<_, u32>("counter", ()), 1027);
    assert_eq!(live.call::<_, u32>("counter", ()), 1028);
}

#[test]
fn rule_4_slots_are_names_so_old_vtables_and_pointers_call_new_bodies() {
    let mut live = start();
    assert_eq!(live.call::<_, u64>("animals", 1u64), 10 * 11 + 10 * 105 + 20 * 4_000_000);
    let first = tickswap_linker::GenerationId::new(1);
    patch(
        &mut live,
        &[
            ("u64::from(self.health) + time", "u64::from(self.health) + time * 1000"),
            ("*value += 1;", "*value += 2;"),
            ("x + number", "x * 100 + number"),
            ("        4\n", "        6\n"),
        ],
    );
    assert_eq!(live.call::<_, u64>("animals", 1u64), 10 * 1010 + 10 * 105 + 20 * 6_000_000, "trait objects");
    assert_eq!(live.call::<_, u64>("pointers", 0u64), (1..=20).map(|n| 2 * n).sum::<u64>(), "function pointers");
    assert_eq!(live.call::<_, u64>("callbacks", 1u64), 20 * 100 + 190, "boxed closures");
    assert_eq!(
        live.call_in::<_, u64>(first, "animals", 1u64),
        10 * 11 + 10 * 105 + 20 * 4_000_000,
        "the old code still is"
    );
    assert_eq!(live.call_in::<_, u64>(first, "callbacks", 1u64), 20 + 190);
    live.activate(first);
    assert_eq!(live.call::<_, u64>("pointers", 0u64), (1..=20).sum::<u64>(), "going back is the same");
}

#[test]
fn rule_4_one_name_and_two_signatures_are_two_slots() {
    let mut live = start();
    // `on_hit(&mut u64)` becomes `on_hit(&mut [u64; 1])`: one symbol, one WebAssembly type, another signature. Live
    // pointers keep the old body, because the new one would read its argument differently.
    let second = edited(
        "zoo",
        &[
            (
                "fn on_hit(value: &mut u64) -> u64 {\n    *value += 1;\n    *value",
                "fn on_hit(value: &mut [u64; 1]) -> u64 {\n    value[0] += 1000;\n    value[0]",
            ),
            (
                "zoo.pointers.push(on_hit);",
                "zoo.pointers.push(|value| { let mut copy = [*value]; std::hint::black_box(on_hit as fn(&mut [u64; 1]) -> u64)(&mut copy) });",
            ),
        ],
    );
    let told = live.patch(&second).unwrap_err().to_string();
    assert!(told.contains("R7") && told.contains("zoo::on_hit"), "somebody should know: {told}");
    live.patch_approved(&second).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(live.call::<_, u64>("pointers", 0u64), (1..=20).sum::<u64>(), "live pointers keep the old body");
    joined(&mut live, 20..21);
    assert_eq!(live.call::<_, u64>("pointers", 0u64), (1..=20).sum::<u64>() + 1020);
}

#[test]
fn rule_5_borrowed_bodies_share_one_stack() {
    let mut live = start();
    // The second version drops Dragon::act's only construction, so its slot is borrowed from the first generation: that
    // body runs in the middle of a call of the second, on one stack.
    patch(
        &mut live,
        &[(
            "zoo.callbacks.push(Box::new(move |x| x + number));",
            "let text = greet(number); zoo.callbacks.push(Box::new(move |x| x + number + text.len() as u64)); zoo.callbacks.push(Box::new(move |x| x + number));",
        )],
    );
    joined(&mut live, 20..22);
    let expected: u64 =
        (0..20).sum::<u64>() + (20..22).map(|n| n + n + "player-20 joined".len() as u64).sum::<u64>() + 24;
    assert_eq!(live.call::<_, u64>("callbacks", 1u64), expected);
}

#[test]
fn rule_6_a_world_that_starts_cold_and_one_that_was_patched_agree() {
    let second = edited("zoo", &[("u64::from(self.health) + time", "u64::from(self.health) + time * 7")]);
    let mut patched = Live::new();
    patched.patch(&build("zoo")).unwrap();
    patched.patch(&second).unwrap();
    let mut cold = Live::new();
    cold.patch(&second).unwrap();
    for live in [&mut patched, &mut cold] {
        joined(live, 0..6);
    }
    for name in ["animals", "callbacks", "pointers", "twins"] {
        assert_eq!(patched.call::<_, u64>(name, 3u64), cold.call::<_, u64>(name, 3u64), "{name}");
    }
    assert_eq!(patched.call::<_, u64>("cached", ()), cold.call::<_, u64>("cached", ()));
}

#[test]
fn rule_7_an_inserted_closure_leaves_live_closures_their_bodies() {
    let mut live = start();
    // A closure of the same signature and environment is inserted before the old one, whose number shifts.
    patch(
        &mut live,
        &[(
            "zoo.callbacks.push(Box::new(move |x| x + number));",
            "zoo.callbacks.push(Box::new(move |x| x * 1000 + number)); zoo.callbacks.push(Box::new(move |x| x + number));",
        )],
    );
    assert_eq!(live.call::<_, u64>("callbacks", 1u64), 20 + 190, "live closures keep their old bodies");
    joined(&mut live, 20..21);
    assert_eq!(live.call::<_, u64>("callbacks", 1u64), 20 + 190 + 1020 + 21);
}

#[test]
fn rule_8_a_trait_that_gains_a_method_is_not_patched() {
    let mut live = start();
    let second = edited(
        "zoo",
        &[
            (
                "    fn legs(&self) -> u64 {\n",
                "    fn weight(&self) -> u64 {\n        11\n    }\n    fn legs(&self) -> u64 {\n",
            ),
            ("1_000_000 * animal.legs()", "1_000_000 * animal.legs() + animal.weight()"),
        ],
    );
    let refused = live.patch_approved(&second).unwrap_err().to_string();
    assert!(refused.contains("vtable") && refused.contains("Animal"), "{refused}");
    assert_eq!(live.call::<_, u64>("animals", 1u64), 10 * 11 + 10 * 105 + 20 * 4_000_000, "what ran goes on");
}

#[test]
fn equal_functions_stay_two_functions() {
    let mut live = start();
    patch(
        &mut live,
        &[(
            "fn first_twin(value: u64) -> u64 {\n    value * 31 + 7",
            "fn first_twin(value: u64) -> u64 {\n    value * 31 + 8",
        )],
    );
    // Live pointers to both: only the first may have changed.
    assert_eq!(live.call::<_, u64>("twins", 1u64), 20 * 39 + 20 * 38 * 1000);
}

#[test]
fn many_generations_patch_over_a_large_heap() {
    let mut live = start();
    live.call::<_, ()>("grow", 64u32);
    let expected = live.call::<_, u64>("blob_sum", ());
    for round in 0..12u64 {
        let added = format!("u64::from(self.health) + time * {}", round + 2);
        let text = format!("player-{{number}} joined in round {round}");
        let closure = format!("zoo.callbacks.push(Box::new(move |x| x + number + {round}));");
        patch(
            &mut live,
            &[
                ("u64::from(self.health) + time", &added),
                ("player-{number} joined", &text),
                ("zoo.callbacks.push(Box::new(move |x| x + number));", &closure),
            ],
        );
        joined(&mut live, 100 + round..101 + round);
        let goblins = 11 + round / 2;
        let total = live.call::<_, u64>("animals", 1u64) % 1_000_000;
        assert_eq!(total, goblins * (10 + round + 2) + (21 + round - goblins) * 105, "round {round}");
        for generation in 1..=round as u32 + 2 {
            live.call_in::<_, u64>(
                tickswap_linker::GenerationId::new(generation),
                "churn",
                round + u64::from(generation),
            );
        }
        assert_eq!(live.call::<_, u64>("blob_sum", ()), expected);
    }
}
