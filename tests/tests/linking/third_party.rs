//! Large third-party crates as mods: a physics engine and a scripting engine, patched over live worlds of theirs.
//!
//! Neither crate knows of Tickswap. What these tests hold is that their state survives with its values, that old objects
//! run new code, and that all generations go on working over the same state in turn.

use std::sync::LazyLock;

use tickswap_linker::GenerationId;
use tickswap_tests::fixtures::{build, edited};
use tickswap_tests::live::Live;

fn patch(live: &mut Live, name: &str, edits: &[(&str, &str)]) -> GenerationId {
    live.patch(&edited(name, edits)).unwrap_or_else(|error| panic!("{edits:?}: {error}"))
}

/// Code of this size takes the engine minutes in this profile; the tests share what they read.
static PHYSICS: LazyLock<Vec<u8>> = LazyLock::new(|| build("physics"));
static SCRIPTS: LazyLock<Vec<u8>> = LazyLock::new(|| build("scripts"));

const FALLING: &str = "Vector::new(0.0, -9.81, 0.0)";

#[test]
fn physics_reverses_gravity_in_flight_and_both_generations_step_one_world() {
    let mut live = Live::new();
    let first = live.patch(&PHYSICS).unwrap_or_else(|error| panic!("{error}"));
    for ball in 0..20 {
        live.call::<_, u32>("drop_ball", (ball as f32 * 3.0, 50.0 + ball as f32));
    }
    live.call::<_, u64>("step", 60u32);
    let before: Vec<(f32, f32)> =
        (0..20u32).map(|ball| (live.call("height", ball), live.call("speed", ball))).collect();
    assert!(before.iter().all(|(_, speed)| *speed < -9.0 && *speed > -10.5), "they fall: {before:?}");
    // Gravity is reversed while they fall: position and velocity are what they were, to the bit.
    let second = patch(&mut live, "physics", &[(FALLING, "Vector::new(0.0, 9.81, 0.0)")]);
    let after: Vec<(f32, f32)> = (0..20u32).map(|ball| (live.call("height", ball), live.call("speed", ball))).collect();
    assert_eq!(before, after);
    live.call::<_, u64>("step", 60u32);
    assert!((0..20u32).all(|ball| live.call::<_, f32>("speed", ball).abs() < 0.6), "gravity took the speed back");
    // In turn, a step each: gravity cancels out, speeds stay near nothing.
    for _ in 0..150 {
        live.call_in::<_, u64>(first, "step", 1u32);
        live.call_in::<_, u64>(second, "step", 1u32);
    }
    assert_eq!(live.call::<_, u64>("step", 0u32), 60 + 60 + 300);
    assert!((0..20u32).all(|ball| live.call::<_, f32>("speed", ball).abs() < 0.9));
    // Over the floor, with contacts, islands that sleep and balls added by every generation.
    let mut generations = vec![first, second];
    for round in 0..3 {
        let gravity = format!("Vector::new(0.0, -{}.5, 0.0)", 9 + round);
        generations.push(patch(&mut live, "physics", &[(FALLING, &gravity), ("restitution(0.7)", "restitution(0.6)")]));
        for generation in &generations {
            live.call_in::<_, u32>(*generation, "drop_ball", (-3.0 * round as f32 - 3.0, 30.0f32));
            live.call_in::<_, u64>(*generation, "step", 5u32);
        }
    }
    live.call::<_, ()>("push_all", -5.0f32);
    live.call::<_, u64>("step", 900u32);
    let balls = 20 + 3 + 4 + 5;
    assert_eq!(live.call::<_, u32>("drop_ball", (500.0f32, 5.0f32)), balls);
    for ball in 0..balls {
        let height: f32 = live.call("height", ball);
        assert!(height > 0.3 && height < 40.0, "ball {ball} rests on the floor or on others: {height}");
    }
}

#[test]
fn scripts_keep_engine_scope_and_compiled_code_over_patches() {
    let mut live = Live::new();
    let first = live.patch(&SCRIPTS).unwrap_or_else(|error| panic!("{error}"));
    let mut total = 0;
    let mut steps = 0i64;
    let mut run = |live: &mut Live, generation: GenerationId, bonus: i64| {
        steps += 1;
        total += (steps + bonus) * 2;
        assert_eq!(live.call_in::<_, i64>(generation, "run", steps), total, "step {steps} in {generation}");
    };
    for _ in 0..300 {
        run(&mut live, first, 1);
    }
    // The registered closure is a boxed trait object inside the engine; it calls the new body.
    let mut generations = vec![(first, 1)];
    for bonus in [5i64, 70] {
        let body = format!("x + {bonus}\n}}\n");
        let next = patch(
            &mut live,
            "scripts",
            &[("x + 1\n}\n", &body), ("self.health -= damage;", "self.health -= 2 * damage;")],
        );
        assert_eq!(live.call::<_, i64>("compile_again", ()), 40 + bonus + 1, "the engine still compiles");
        generations.push((next, bonus));
        for _ in 0..100 {
            for (generation, bonus) in &generations {
                run(&mut live, *generation, *bonus);
            }
        }
    }
    let runs: u64 = live.call("runs", ());
    assert_eq!(runs, 300 + 200 + 300);
    assert_eq!(live.call::<_, u64>("name_count", ()), runs);
    assert_eq!(live.call::<_, i64>("fighter_health", ()), 1_000_000 - (300 + 100 + 100) - 2 * (100 + 200));
}
