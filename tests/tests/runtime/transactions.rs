//! Goal: a bad hotfix costs nothing: the tick it breaks runs again on the code before, over state as it was. Method: real mods,
//! patched with code that faults in many ways and places.

use probe_api::PlayerId;
use probe_api::probe_hooks::Caller;
use tickswap::{ChangeKind, FaultOutcome, Limits, SwapRecord, Transactions, UndoMechanism, World};
use tickswap_tests::fixtures::edited;

use crate::server::{Server, generation, name, probe, second, tick, total, version};

/// The probe with other code for `bump`.
fn with_bump(version: u32, code: &str) -> Vec<u8> {
    edited(
        "probe",
        &[
            ("VERSION: u32 = 1;", &format!("VERSION: u32 = {version};")),
            ("self.total += u64::from(amount * VERSION);", code),
        ],
    )
}

/// A tick as a game has it: inputs of players, an update, an answer. Answers the total, and what was recorded.
fn play(world: &mut World) -> (u64, Vec<SwapRecord>, Vec<FaultOutcome>, usize) {
    let done = world.tick(|tick| {
        for player in 1..4 {
            tick.for_player(PlayerId(player)).probe().bump(10)?;
        }
        tick.probe().tell(1)?;
        tick.probe().of("probe").total()
    });
    let done = done.unwrap();
    let effects = done.effects.len();
    (done.value, done.swapped, done.faults.into_iter().map(|fault| fault.outcome).collect(), effects)
}

#[test]
fn bad_code_is_gone_within_the_tick_that_it_breaks() {
    let bodies = [
        // In the first hook of a tick.
        "panic!(\"at once\")",
        // In a later one, after it has changed state that it then cannot change back.
        "self.total += 7; if self.total % 3 == 2 { panic!(\"later\") }",
        // With memory grown, a lock held, a map half changed.
        "self.reserved.push(vec![9; 30 << 20]); let _held = LOCKED.lock(); self.map.clear(); panic!(\"held\")",
        // With the stack used up.
        "self.total += deeper(self.total, 1)",
        // Without end.
        "while std::hint::black_box(true) { self.total += 1; }",
        // With an effect and a log line on their way.
        "probe_host::say(\"half\".to_owned()); self.log.clear(); core::arch::wasm32::unreachable()",
    ];
    for undo in [UndoMechanism::Automatic, UndoMechanism::WriteProtection, UndoMechanism::Copy] {
        let server = Server::with(|builder| builder.undo(undo));
        server.load(&[("probe", probe(1)), ("second", second(1))]);
        let mut world = server.world("eu-1");
        tick(&mut world, |tick| tick.probe().remember(4, "kept"));
        assert_eq!(play(&mut world).0, 30);
        for (body, number) in bodies.iter().zip(2..) {
            let before = (total(&mut world, "probe"), tick(&mut world, |tick| tick.probe().of("probe").recall()));
            server.control.submit(vec![(name("probe"), with_bump(number, body))]).unwrap();
            let (value, records, faults, effects) = loop {
                world.idle_until(std::time::Instant::now() + std::time::Duration::from_millis(2));
                let played = play(&mut world);
                if !played.1.is_empty() {
                    break played;
                }
                server_goes_on(&mut world, &played.2);
            };
            let kinds: Vec<ChangeKind> = records.iter().map(|record| record.kind).collect();
            assert_eq!(kinds, [ChangeKind::Patch, ChangeKind::AutomaticRollBack], "{body}");
            assert_eq!((faults, effects), (vec![FaultOutcome::WentBack], 3), "{body}");
            let ticks = (value - before.0) / 30;
            assert_eq!(value, before.0 + ticks * 30, "{body}: every input once");
            let fault = records[1].fault.as_deref().unwrap();
            assert_eq!((fault.generation, fault.outcome.clone()), (generation(number), FaultOutcome::WentBack));
            assert_eq!(version(&mut world, "probe"), 1, "{body}");
            let after = tick(&mut world, |tick| tick.probe().of("probe").recall());
            assert_eq!((after.log, after.map_sum, after.locked), (before.1.log, before.1.map_sum, before.1.locked));
        }
    }
}

fn server_goes_on(world: &mut World, faults: &[FaultOutcome]) {
    assert_eq!(faults, [], "nothing faults before the new code is active");
    assert_eq!(world.pause_reason("probe"), None);
}

#[test]
fn one_bad_mod_of_two_takes_both_back_in_every_world_by_itself() {
    let server = Server::of_both();
    let (mut one, mut other) = (server.world("eu-1"), server.world("eu-2"));
    let bad = with_bump(2, "if amount == 13 { panic!(\"unlucky\") } self.total += 1");
    server.patch_both(&mut one, &mut other, &[("probe", bad), ("second", second(2))]);
    assert_eq!((version(&mut one, "probe"), version(&mut one, "second")), (2, 2));
    tick(&mut one, |tick| tick.probe().bump(13));
    assert_eq!((version(&mut one, "probe"), version(&mut one, "second")), (1, 1));
    assert_eq!((total(&mut one, "probe"), total(&mut one, "second")), (13, 16), "on the old code");
    assert_eq!((version(&mut other, "probe"), version(&mut other, "second")), (2, 2), "the other world met no fault");
}

#[test]
fn thousands_of_swaps_of_good_and_bad_code_lose_no_input() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let bad = with_bump(2, "self.log.push(\"x\".repeat(100_000)); panic!(\"bad\")");
    let submission = server.submit(&[("probe", bad)]);
    while !server.control.submission(submission).is_final() {
        world.idle_until(std::time::Instant::now() + std::time::Duration::from_millis(2));
        tick(&mut world, |_| Ok(()));
    }
    let bytes = world.memory_bytes();
    let mut expected = total(&mut world, "probe");
    for round in 0..1000 {
        server.control.activate(&name("probe"), generation(2), tickswap::Scope::All).unwrap();
        world.idle(std::time::Instant::now() + std::time::Duration::from_secs(5));
        expected += 3;
        let done = world.tick(|tick| {
            tick.probe().bump(1)?;
            tick.probe().bump(2)?;
            tick.probe().of("probe").total()
        });
        let done = done.unwrap();
        assert_eq!((done.value, done.swapped.len()), (expected, 2), "round {round}");
    }
    assert_eq!(world.memory_bytes(), bytes);
}

#[test]
fn in_mode_probation_a_bad_patch_goes_back_as_well() {
    let server = Server::with(|builder| builder.transactions(Transactions::Probation));
    server.load(&[("probe", probe(1))]);
    let mut world = server.world("eu-1");
    tick(&mut world, |tick| tick.probe().bump(5));
    server.patch(&mut world, &[("probe", with_bump(2, "self.total = 0; panic!(\"bad\")"))]);
    let done = world.tick(|tick| tick.probe().bump(5)).unwrap();
    assert_eq!(done.faults[0].outcome, FaultOutcome::WentBack);
    assert_eq!((total(&mut world, "probe"), version(&mut world, "probe")), (10, 1));
}

#[test]
fn an_endless_loop_costs_one_budget_of_processor_time_and_names_the_limit() {
    for mode in [Transactions::Always, Transactions::Off] {
        let mut limits = Limits::default();
        limits.cpu_ms_per_tick = 20;
        let server = Server::with(|builder| builder.limits(limits).transactions(mode));
        server.load(&[(
            "probe",
            with_bump(1, "while amount == 13 { self.total = std::hint::black_box(self.total) + 1; }"),
        )]);
        let mut world = server.world("eu-1");
        tick(&mut world, |tick| tick.probe().bump(1));
        let done = world.tick(|tick| tick.probe().bump(13)).unwrap();
        let (fault, expected) = (&done.faults[0], mode == Transactions::Always);
        assert_eq!(fault.outcome == FaultOutcome::LeftOut, expected, "{fault}");
        assert!(fault.message.contains("limit cpu_ms_per_tick"), "{fault}");
        assert!(fault.message.contains("at most 20 ms"), "{fault}");
        assert!(fault.backtrace.iter().any(|frame| frame.function.contains("bump")), "{fault}");
        assert_eq!(world.pause_reason("probe").is_none(), expected);
        if expected {
            assert_eq!(total(&mut world, "probe"), 0);
        }
    }
}
