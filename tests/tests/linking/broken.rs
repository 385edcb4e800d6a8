//! Edits that once were matched with the wrong thing of the running version: each reads or calls what it must, or is refused.

use tickswap_tests::fixtures::{build, edited};
use tickswap_tests::live::{Live, NotPatched};

fn start() -> Live {
    let mut live = Live::new();
    live.patch(&build("broken")).unwrap_or_else(|error| panic!("{error}"));
    live
}

fn patch(live: &mut Live, edits: &[(&str, &str)]) -> Result<(), NotPatched> {
    live.patch_approved(&edited("broken", edits)).map(drop)
}

fn must_patch(live: &mut Live, edits: &[(&str, &str)]) {
    patch(live, edits).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_wrapper_of_a_closure_that_gains_a_field_leaves_live_ones_their_bodies() {
    let mut live = start();
    live.call::<_, ()>("schedule", 5u64);
    assert_eq!(live.call::<_, u64>("run_tasks", 1u64), 5006);
    must_patch(
        &mut live,
        &[
            ("    due: u64,\n    act: F,", "    repeats: u64,\n    due: u64,\n    act: F,"),
            ("self.due * 1000", "self.due * 1000 + self.repeats"),
            ("Timer { due, act }", "Timer { repeats: 70_000, due, act }"),
        ],
    );
    assert_eq!(live.call::<_, u64>("run_tasks", 1u64), 5006, "the live one has no such field");
    live.call::<_, ()>("schedule", 5u64);
    assert_eq!(live.call::<_, u64>("run_tasks", 1u64), 5006 + 75_006);
}

#[test]
fn a_closure_that_holds_a_changed_closure_keeps_its_body() {
    let mut live = start();
    live.call::<_, ()>("add_callback", (3u32, 4u32));
    assert_eq!(live.call::<_, u32>("run_callbacks", 0u32), 3005);
    // What the inner closure captures changes places, because it is mentioned in another order.
    must_patch(
        &mut live,
        &[(
            "    move |x| scramble(left) * 1000 + right + x",
            "    move |x| {\n        let last = right + x;\n        scramble(left) * 1000 + last\n    }",
        )],
    );
    assert_eq!(live.call::<_, u32>("run_callbacks", 0u32), 3005, "the live one keeps its body");
    live.call::<_, ()>("add_callback", (3u32, 4u32));
    assert_eq!(live.call::<_, u32>("run_callbacks", 0u32), 2 * 3005);
}

#[test]
fn a_coroutine_that_waits_for_a_changed_one_keeps_its_body() {
    let mut live = start();
    live.call::<_, ()>("start_walk", (3u64, 4u64));
    assert_eq!(live.call::<_, u64>("poll_walks", ()), 0);
    assert_eq!(live.call::<_, u64>("poll_walks", ()), 0);
    must_patch(
        &mut live,
        &[(
            "    let before = scramble(first as u32);\n    Gate(false).await;\n    u64::from(before) * 100 + second",
            "    let before = scramble(first as u32) + 9;\n    Gate(false).await;\n    u64::from(before - 9) * 100 + second",
        )],
    );
    assert_eq!(live.call::<_, u64>("poll_walks", ()), 305, "the suspended one goes on as it began");
}

#[test]
fn closures_called_once_that_change_places_keep_their_bodies() {
    let mut live = start();
    live.call::<_, ()>("add_once", 7u32);
    must_patch(
        &mut live,
        &[(
            "once.push(Box::new(move |x| x * 10 + value));\n    once.push(Box::new(move |x| x * 200 + value));",
            "once.push(Box::new(move |x| x * 200 + value));\n    once.push(Box::new(move |x| x * 10 + value));",
        )],
    );
    assert_eq!(live.call::<_, u32>("run_once", (0u32, 1u32)), 207);
    assert_eq!(live.call::<_, u32>("run_once", (0u32, 1u32)), 17);
}

#[test]
fn statics_of_repeated_macros_that_change_places_are_not_mixed_up() {
    let mut live = start();
    live.call::<_, u32>("count_deaths", 3u32);
    live.call::<_, u32>("count_wins", 50u32);
    let swapped =
        [("counter!(count_deaths);\ncounter!(count_wins);", "counter!(count_wins);\ncounter!(count_deaths);")];
    if patch(&mut live, &swapped).is_ok() {
        assert_eq!(live.call::<_, u32>("count_deaths", 0u32), 3);
        assert_eq!(live.call::<_, u32>("count_wins", 0u32), 50);
    }
}

#[test]
fn statics_of_repeated_macros_are_found_again_where_nothing_around_them_changed() {
    let mut live = start();
    live.call::<_, u32>("count_deaths", 3u32);
    live.call::<_, u32>("count_wins", 50u32);
    live.call::<_, u32>("tally", (0u32, 8u32));
    must_patch(&mut live, &[("self.due * 1000", "self.due * 2000")]);
    assert_eq!(live.call::<_, u32>("count_deaths", 0u32), 3);
    assert_eq!(live.call::<_, u32>("count_wins", 0u32), 50);
    assert_eq!(live.call::<_, u32>("tally", (0u32, 0u32)), 8);
}

#[test]
fn thread_locals_of_one_name_that_change_places_are_not_mixed_up() {
    let mut live = start();
    live.call::<_, u32>("tally", (0u32, 3u32));
    live.call::<_, u32>("tally", (1u32, 50u32));
    if patch(&mut live, &[("kind == 0", "kind != 0"), ("+ more);", "+ more * 4);"), ("+ more * 2);", "+ more);")])
        .is_ok()
    {
        assert_eq!(live.call::<_, u32>("tally", (0u32, 0u32)), 3);
        assert_eq!(live.call::<_, u32>("tally", (1u32, 0u32)), 100);
    }
}

#[test]
fn a_function_whose_unnamed_parameter_has_another_type_gets_another_slot() {
    let mut live = start();
    live.call::<_, ()>("add_handler", ());
    assert_eq!(live.call::<_, u32>("hit", (3u32, 4u32)), 34);
    must_patch(
        &mut live,
        &[
            (
                "#[inline(never)]\nfn on_hit(&Hit { damage, bonus }: &Hit)",
                "pub struct Blow {\n    bonus: u32,\n    damage: u32,\n    _spare: u64,\n}\n\n#[inline(never)]\nfn on_hit(&Blow { damage, bonus, .. }: &Blow)",
            ),
            (
                "HANDLERS.lock().unwrap().push(on_hit);",
                "HANDLERS.lock().unwrap().push(|hit| std::hint::black_box(on_hit as fn(&Blow) -> u32)(&Blow { damage: hit.damage, bonus: hit.bonus, _spare: 0 }));",
            ),
        ],
    );
    assert_eq!(live.call::<_, u32>("hit", (3u32, 4u32)), 34, "a live pointer keeps the old body");
}

#[test]
fn types_of_one_name_in_one_function_that_change_places_are_not_mixed_up() {
    let mut live = start();
    live.call::<_, u32>("place", (0u32, 3u32, 4u32));
    live.call::<_, u32>("place", (1u32, 5u32, 6u32));
    let swapped = [
        (
            "            row: u32,\n            column: u32,\n        }",
            "            column: u32,\n            row: u32,\n            _spare: [u8; 0],\n        }//",
        ),
        (
            "static LEFT: Mutex<Spot> = Mutex::new(Spot { row: 0, column: 0 });",
            "static LEFT: Mutex<Spot> = Mutex::new(Spot { row: 0, column: 0, _spare: [] });",
        ),
        ("Spot { row: first, column: second };", "Spot { row: first, column: second, _spare: Default::default() };"),
        (
            "            column: u32,\n            row: u32,\n            _spare: [u8; 0],\n        }\n",
            "            row: u32,\n            column: u32,\n        }\n",
        ),
        (
            "static RIGHT: Mutex<Spot> = Mutex::new(Spot { row: 0, column: 0, _spare: [] });",
            "static RIGHT: Mutex<Spot> = Mutex::new(Spot { row: 0, column: 0 });",
        ),
        ("Spot { row: first, column: second, _spare: [] };", "Spot { row: first, column: second };"),
    ];
    if patch(&mut live, &swapped).is_ok() {
        assert_eq!(live.call::<_, u32>("place", (0u32, 0u32, 0u32)), 304);
        assert_eq!(live.call::<_, u32>("place", (1u32, 0u32, 0u32)), 506);
    }
}
