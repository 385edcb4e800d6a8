//! Goal: new code replaces old code at a boundary, over state that stays. Method: real mods with edited constants.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use probe_api::probe_hooks::Caller;
use tickswap::{ChangeKind, Scope, SubmissionState};

use crate::server::{PATIENCE, Server, done, generation, name, probe, second, tick, total, version};

#[test]
fn a_patch_keeps_state_of_every_kind() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    tick(&mut world, |tick| tick.probe().bump(5));
    for number in 1..=20 {
        tick(&mut world, |tick| tick.probe().remember(number, "entry"));
    }
    let before = tick(&mut world, |tick| tick.probe().of("probe").recall());
    assert_eq!(before.locked, 210);
    assert_eq!(before.thread_local, 210);

    let prepared = server.patch(&mut world, &[("probe", probe(2))]);
    assert_eq!(prepared[0].generation, generation(2));
    assert_eq!(prepared[0].base, Some(generation(1)));
    assert!(prepared[0].changed_functions.iter().any(|function| function.contains("version")), "{prepared:?}");
    assert_eq!(version(&mut world, "probe"), 2);
    assert_eq!(total(&mut world, "probe"), 5, "the state stayed");
    tick(&mut world, |tick| tick.probe().bump(5));
    assert_eq!(total(&mut world, "probe"), 15, "the new code works on it");

    let after = tick(&mut world, |tick| tick.probe().of("probe").recall());
    // Every closure counts its own calls, so it adds one more than at the first recall.
    assert_eq!(after.closure_sum, before.closure_sum + 20);
    assert_eq!((after.map_sum, after.shape_sum), (before.map_sum, before.shape_sum));
    assert_eq!((after.locked, after.thread_local), (210, 210));
    assert_eq!(after.log, before.log);
}

#[test]
fn mods_of_one_submission_flip_at_the_same_boundary() {
    let server = Server::of_both();
    let mut world = server.world("eu-1");
    for wanted in 2..=4 {
        let submission = server.submit(&[("probe", probe(wanted)), ("second", second(wanted))]);
        let gives_up = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while !server.control.submission(submission).is_final() {
            assert!(Instant::now() < gives_up);
            // No time to idle: everything is staged at boundaries, one mod slower than the other.
            let versions = tick(&mut world, |tick| tick.probe().version());
            seen.push((*versions.of("probe").unwrap(), *versions.of("second").unwrap()));
        }
        assert!(seen.iter().all(|(probe, second)| probe == second), "{seen:?}");
        assert_eq!(version(&mut world, "probe"), wanted);
        let log = server.control.log();
        let record = log.last().unwrap();
        assert_eq!((record.submission, record.kind, record.mods.len()), (submission, ChangeKind::Patch, 2));
    }
}

#[test]
fn worlds_on_threads_flip_each_at_a_boundary_and_keep_their_own_state() {
    let server = Server::of_probe();
    let is_over = AtomicBool::new(false);
    let worlds: Vec<_> = (0..4).map(|number| server.world(&format!("world-{number}"))).collect();
    std::thread::scope(|scope| {
        let is_over = &is_over;
        let threads: Vec<_> = worlds
            .into_iter()
            .enumerate()
            .map(|(number, mut world)| {
                scope.spawn(move || {
                    let mut swaps = 0;
                    let mut expected = 0;
                    while !is_over.load(Ordering::Relaxed) {
                        let by = number as u32 + 1;
                        let done = world
                            .tick(|tick| {
                                tick.probe().bump(by)?;
                                tick.probe().of("probe").version()
                            })
                            .unwrap();
                        swaps += done.swapped.len();
                        // One version from the first hook of a tick to its last.
                        expected += u64::from(by * done.value);
                        world.idle_until(Instant::now() + Duration::from_millis(1));
                    }
                    assert_eq!(total(&mut world, "probe"), expected);
                    swaps
                })
            })
            .collect();
        for wanted in 2..=6 {
            done(server.control.wait(server.submit(&[("probe", probe(wanted))]), PATIENCE));
        }
        is_over.store(true, Ordering::Relaxed);
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 5);
        }
    });
}

#[test]
fn identical_bytes_are_not_loaded_again() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let submission = server.submit(&[("probe", probe(1))]);
    assert_eq!(server.finish(&mut world, submission), SubmissionState::Identical);
    assert_eq!(server.control.status().mods[0].generations.len(), 1);
}

#[test]
fn resident_generations_can_be_activated_and_left_per_world_and_for_all() {
    let server = Server::of_probe();
    let (mut one, mut two) = (server.world("one"), server.world("two"));
    for wanted in 2..=3 {
        let submission = server.submit(&[("probe", probe(wanted))]);
        done(server.finish_in(&mut [&mut one, &mut two], submission));
    }
    let in_one = || Scope::World("one".to_owned());
    let mut versions = |change| {
        done(server.finish_in(&mut [&mut one, &mut two], change));
        (version(&mut one, "probe"), version(&mut two, "probe"))
    };
    let probe = name("probe");
    assert_eq!(versions(server.control.activate(&probe, generation(1), in_one()).unwrap()), (1, 3));
    assert_eq!(versions(server.control.roll_back(&probe, in_one()).unwrap()), (3, 3));
    assert_eq!(versions(server.control.roll_back(&probe, Scope::All).unwrap()), (2, 2));
    assert_eq!(versions(server.control.activate(&probe, generation(3), Scope::All).unwrap()), (3, 3));
    assert_eq!(versions(server.control.roll_back(&probe, Scope::All).unwrap()), (2, 2));
    assert_eq!(versions(server.control.roll_back(&probe, Scope::All).unwrap()), (1, 1));
    let nothing = server.control.roll_back(&probe, Scope::All).unwrap_err();
    assert!(nothing.to_string().contains("no earlier generation"), "{nothing}");

    let mut late = server.world("late");
    assert_eq!(version(&mut late, "probe"), 1, "what all worlds run is what new ones start with");
}

#[test]
fn a_late_world_starts_cold_at_the_current_generation_and_takes_older_ones() {
    let server = Server::of_probe();
    for wanted in 2..=4 {
        server.load(&[("probe", probe(wanted))]);
    }
    let mut world = server.world("late");
    assert_eq!(version(&mut world, "probe"), 4);
    tick(&mut world, |tick| tick.probe().remember(3, "entry"));
    for older in [2, 1, 3, 4] {
        let change = server.control.activate(&name("probe"), generation(older), Scope::World("late".to_owned()));
        done(server.finish(&mut world, change.unwrap()));
        assert_eq!(version(&mut world, "probe"), older);
        let summary = tick(&mut world, |tick| tick.probe().of("probe").recall());
        assert_eq!((summary.locked, summary.shape_sum), (3, 27));
        assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").greet("Ann")), "Hello, Ann");
    }
}

#[test]
fn many_generations_stay_resident() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let mut expected = 0;
    for wanted in 2..=32 {
        let edits = [
            ("VERSION: u32 = 1;", format!("VERSION: u32 = {wanted};")),
            ("\"Hello\"", format!("\"Hello number {wanted}\"")),
            ("wide * by + calls", format!("wide * by + calls + {wanted} - {wanted}")),
        ];
        let edits: Vec<_> = edits.iter().map(|(old, new)| (*old, new.as_str())).collect();
        server.patch(&mut world, &[("probe", tickswap_tests::fixtures::edited("probe", &edits))]);
        tick(&mut world, |tick| tick.probe().bump(1));
        expected += u64::from(wanted);
        tick(&mut world, |tick| tick.probe().remember(wanted, "entry"));
        let greeting = tick(&mut world, |tick| tick.probe().of("probe").greet("Ann"));
        assert_eq!(greeting, format!("Hello number {wanted}, Ann"));
    }
    assert_eq!(total(&mut world, "probe"), expected);
    for older in [1, 7, 32, 16] {
        let change = server.control.activate(&name("probe"), generation(older), Scope::All).unwrap();
        done(server.finish(&mut world, change));
        assert_eq!(version(&mut world, "probe"), older);
        let summary = tick(&mut world, |tick| tick.probe().of("probe").recall());
        assert_eq!(summary.log.len(), 31);
        assert_eq!(summary.locked, (2..=32).sum::<u64>());
    }
    assert_eq!(server.control.status().worlds[0].mods[0].resident_generations, 32);
}

#[test]
fn a_submission_while_worlds_are_made_reaches_all_of_them() {
    let server = Server::of_probe();
    let submission = server.submit(&[("probe", probe(2))]);
    let mut worlds: Vec<_> = (0..12).map(|number| server.world(&format!("world-{number}"))).collect();
    let mut all: Vec<_> = worlds.iter_mut().collect();
    done(server.finish_in(&mut all, submission));
    for world in &mut worlds {
        assert_eq!(version(world, "probe"), 2);
    }
}

#[test]
fn a_new_mod_starts_beside_a_running_one_that_never_idles() {
    // Story: the new mod's `Default` ran inside a boundary and left the whole world without effects for that tick.
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let submission = server.submit(&[("second", second(1))]);
    while !server.control.submission(submission).is_final() {
        let done = world.tick(|tick| tick.probe().of("probe").tell(1)).unwrap();
        assert_eq!(done.faults, []);
        assert_eq!(done.effects.len(), 2);
    }
    assert_eq!(total(&mut world, "second"), 3, "its Default asked the server");
}

#[test]
fn a_dropped_world_lets_a_submission_end() {
    let server = Server::of_probe();
    let (mut one, two) = (server.world("one"), server.world("two"));
    let submission = server.submit(&[("probe", probe(2))]);
    let gives_up = Instant::now() + PATIENCE;
    while version(&mut one, "probe") == 1 {
        assert!(Instant::now() < gives_up);
        one.idle_until(Instant::now() + Duration::from_millis(1));
    }
    assert!(!server.control.wait(submission, Duration::from_millis(1)).is_final(), "the other world has not flipped");
    drop(two);
    let state = server.finish(&mut one, submission);
    assert!(matches!(state, SubmissionState::Done { worlds: 1, .. }), "{state}");
    assert_eq!(server.world("two").active_generation("probe"), Some(generation(2)), "its name is free again");
}
