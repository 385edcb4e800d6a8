//! Rule 7: things that have numbers instead of names. What a macro makes several times, closures, coroutines: inserted,
//! removed, swapped and changed under live state that uses them.

use tickswap_linker::GenerationId;
use tickswap_tests::fixtures::{build, edited};
use tickswap_tests::live::Live;

fn start() -> Live {
    let mut live = Live::new();
    live.patch(&build("numbered")).unwrap_or_else(|error| panic!("{error}"));
    (1..=5u64).for_each(|number| live.call("fill", number));
    live
}

fn patch(live: &mut Live, edits: &[(&str, &str)]) -> GenerationId {
    live.patch(&edited("numbered", edits)).unwrap_or_else(|error| panic!("{edits:?}: {error}"))
}

/// Edits one after the other, each over the state of all before.
const UNRELATED: [(&str, &str); 3] = [
    ("x + value.into()", "x + value.into() + 1"),
    ("move |x| x + amount", "move |x| x + amount + 1"),
    ("top * 100 + items[0].1", "top * 1000 + items[0].1"),
];

#[test]
fn macro_statics_stay_bound_while_the_body_around_them_is_unchanged() {
    let mut live = start();
    let all = ["count", "count_inlined", "count_exported"];
    assert_eq!(all.map(|name| live.call::<_, u64>(name, ())), [10_001, 20_002, 30_003]);
    for (round, edit) in UNRELATED.into_iter().enumerate() {
        patch(&mut live, &[edit]);
        let n = round as u64 + 2;
        assert_eq!(all.map(|name| live.call::<_, u64>(name, ())), [10_001 * n, 20_002 * n, 30_003 * n]);
    }
}

#[test]
fn a_macro_static_inserted_before_others_is_refused_by_name() {
    let mut live = start();
    live.call::<_, u64>("count", ());
    for (old, new) in [
        ("    let low = tally!(1);\n", "    let _ = tally!(100);\n    let low = tally!(1);\n"),
        ("    let low = tally!(2);\n", "    let _ = tally!(100);\n    let low = tally!(2);\n"),
        ("tally!(3) + 1000", "tally!(100) + tally!(3) + 1000"),
        // Swapped and removed ones are no better.
        (
            "    let low = tally!(1);\n    let high = tally!(10);",
            "    let high = tally!(10);\n    let low = tally!(1);",
        ),
        ("    let low = tally!(1);\n", "    let low = 0;\n"),
    ] {
        let refused = live.patch(&edited("numbered", &[(old, new)])).expect_err(new).to_string();
        assert!(refused.contains("TALLY"), "{new}: {refused}");
    }
    assert_eq!(live.call::<_, u64>("count", ()), 20_002, "what ran goes on");
}

#[test]
fn two_closures_of_equal_environment_that_swap_places_keep_their_old_bodies() {
    let mut live = start();
    let expected = (1..=5).map(|n| 10 + n).sum::<u64>() + (1..=5).map(|n| 10 * n).sum::<u64>() * 1000;
    assert_eq!(live.call::<_, u64>("pairs", 10u64), expected);
    let swapped = [(
        "    let first: Action = Box::new(move |x| x + amount);\n    let second: Action = Box::new(move |x| x * amount);\n",
        "    let second: Action = Box::new(move |x| x * amount);\n    let first: Action = Box::new(move |x| x + amount);\n",
    )];
    patch(&mut live, &swapped);
    assert_eq!(live.call::<_, u64>("pairs", 10u64), expected);
    // And back: the bodies of the first generation are known, whichever slots they have by now.
    patch(&mut live, &[("top * 100 +", "top * 101 +")]);
    assert_eq!(live.call::<_, u64>("pairs", 10u64), expected);
    live.call::<_, ()>("fill", 6u64);
    assert_eq!(live.call::<_, u64>("pairs", 10u64), expected + 16 + 60_000);
}

#[test]
fn a_changed_closure_body_reaches_live_closures_of_every_kind() {
    let mut live = start();
    let edits = [
        ("move |x| x * amount", "move |x| x * amount + 1"),
        ("z + amount;", "z + amount * 2;"),
        ("x + value.into()", "x + value.into() * 3"),
        ("text.len() as u64 + bonus", "text.len() as u64 + bonus * 10"),
        ("map(move |x| x + number)", "map(move |x| x + number * 100)"),
    ];
    assert_eq!(live.call::<_, u64>("captured", 1u64), 5 + 25 + 15);
    assert_eq!(live.call::<_, u64>("streams", ()), 15);
    patch(&mut live, &edits);
    let pairs = (1..=5).map(|n| 10 + n).sum::<u64>() + (1..=5).map(|n| 10 * n + 1).sum::<u64>() * 1000;
    assert_eq!(live.call::<_, u64>("pairs", 10u64), pairs);
    assert_eq!(live.call::<_, u64>("nested", 10u64), 2 * (50 + 30));
    assert_eq!(live.call::<_, u64>("generic", 10u64), 2 * (50 + 45));
    assert_eq!(live.call::<_, u64>("captured", 1u64), 10 + 25 + 150, "what a closure captured and gathered is there");
    assert_eq!(live.call::<_, u64>("streams", ()), 5 + 1500);
    assert_eq!(live.call::<_, u64>("kept", ()), 10);
}

#[test]
fn a_closure_keeps_its_body_if_one_that_it_holds_by_value_captures_something_else() {
    let mut live = start();
    assert_eq!(live.call::<_, u64>("held", 10u64), 2 * (50 + 15));
    // The holder's source, size and fields stay; the bytes inside mean something else to the inner closure's new body.
    patch(
        &mut live,
        &[(
            "let kept = amount;\n    move |x| x + kept",
            "let kept = (amount as u32, 7u32);\n    move |x| x + u64::from(kept.0) + 1000 * u64::from(kept.1)",
        )],
    );
    assert_eq!(live.call::<_, u64>("held", 10u64), 2 * (50 + 15));
    live.call::<_, ()>("fill", 6u64);
    assert_eq!(live.call::<_, u64>("held", 10u64), 2 * (50 + 15) + 2 * 7016);
    // The same environment and another body: that reaches live holders.
    patch(
        &mut live,
        &[(
            "let kept = amount;\n    move |x| x + kept",
            "let kept = (amount as u32, 7u32);\n    move |x| x + u64::from(kept.0) + 2000 * u64::from(kept.1)",
        )],
    );
    assert_eq!(live.call::<_, u64>("held", 10u64), 2 * (50 + 15) + 2 * 14_016);
}

#[test]
fn inserted_and_removed_closures_leave_live_ones_their_bodies_many_times_over() {
    let mut live = start();
    let pairs = live.call::<_, u64>("pairs", 10u64);
    let nested = live.call::<_, u64>("nested", 10u64);
    let generic = live.call::<_, u64>("generic", 10u64);
    let insertions = [
        (
            "    let first: Action",
            "    let extra = |x: u64| x ^ amount;\n    KEPT.with(|kept| kept.borrow_mut().push(extra(1).to_string()));\n    let first: Action",
        ),
        (
            "        let twice = move",
            "        let before = move |q: u64| q % 7;\n        let x = x + before(0);\n        let twice = move",
        ),
        (
            "    Box::new(move |x| x + value.into())",
            "    let check: Action = Box::new(move |x| x * value.into());\n    std::mem::drop(check);\n    Box::new(move |x| x + value.into())",
        ),
        (
            "    items.sort_by_key(|item| Reverse(item.1));",
            "    items.sort_by_key(|item| item.1);\n    items.sort_by_key(|item| Reverse(item.1));",
        ),
    ];
    for round in 0..4 {
        for insertion in insertions {
            patch(&mut live, &[insertion]);
            assert_eq!(live.call::<_, u64>("pairs", 10u64), pairs, "round {round}: {insertion:?}");
            assert_eq!(live.call::<_, u64>("nested", 10u64), nested, "round {round}: {insertion:?}");
            assert_eq!(live.call::<_, u64>("generic", 10u64), generic, "round {round}: {insertion:?}");
            assert_eq!(live.call::<_, u64>("rank", 5u64), cold_rank(), "round {round}: {insertion:?}");
        }
        // Removing the last one inserted brings the first version back.
        live.patch(&build("numbered")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(live.call::<_, u64>("pairs", 10u64), pairs);
        assert_eq!(live.call::<_, u64>("nested", 10u64), nested);
    }
    let calls: u64 = live.call("calls", ());
    assert!(calls > 50, "a thread local counts on while closures come and go in its file: {calls}");
}

fn cold_rank() -> u64 {
    let mut cold = Live::new();
    cold.patch(&build("numbered")).unwrap_or_else(|error| panic!("{error}"));
    cold.call("rank", 5u64)
}

#[test]
fn a_suspended_coroutine_keeps_its_body_and_new_ones_have_the_new() {
    let mut live = start();
    live.call::<_, ()>("begin", (3u32, 0u32));
    assert_eq!(live.call::<_, u64>("poll_all", ()), 0);
    let changed = edited("numbered", &[("before + 7", "before + 7000")]);
    let refused = live.patch(&changed).unwrap_err().to_string();
    assert!(refused.contains("coroutine") && refused.contains("plain_walk"), "{refused}");
    live.patch_approved(&changed).unwrap_or_else(|error| panic!("{error}"));
    live.call::<_, ()>("begin", (3u32, 0u32));
    assert_eq!(live.call::<_, u64>("poll_all", ()), 7 + 9 + 11, "the suspended ones end with the old body");
    assert_eq!(live.call::<_, u64>("poll_all", ()), 7000 + 7002 + 7004);
    assert_eq!(live.call::<_, u64>("walks_left", ()), 0);
}

#[test]
fn a_coroutine_inside_a_suspended_one_keeps_its_body_too() {
    let mut live = start();
    live.call::<_, ()>("begin", (0u32, 2u32));
    assert_eq!(live.call::<_, u64>("poll_all", ()), 0);
    // The outer block's own source did not change; it holds the state of the inner function, which did.
    let mut expected = 0;
    for round in 1..4u64 {
        let text = format!(
            "let kept = [start; {}];\n    Pause::default().await;\n    let more = kept[0] + {round}0;\n",
            round + 1
        );
        let changed = edited("numbered", &[("    Pause::default().await;\n    let more = start + 1;\n", &text)]);
        live.patch_approved(&changed).unwrap_or_else(|error| panic!("{error}"));
        live.call::<_, ()>("begin", (0u32, 2u32));
        // Every walk is polled five times; each ends with the bodies it began with.
        expected += live.call::<_, u64>("poll_all", ());
    }
    for _ in 0..5 {
        expected += live.call::<_, u64>("poll_all", ());
    }
    assert_eq!(live.call::<_, u64>("walks_left", ()), 0);
    let of = |step: u64| (2 * step) * 100 + (2 * step + 1) * 100;
    assert_eq!(expected, of(1) + of(10) + of(20) + of(30));
}
