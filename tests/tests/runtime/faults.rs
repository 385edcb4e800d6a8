//! Goal: a trap hurts nobody but the mod that trapped, in the one world where it did. Method: `probe` traps in chosen ways.

use probe_api::probe_hooks::Caller;
use tickswap::{CallError, Fault, Scope, World};

use crate::server::{Server, done, effects, generation, name, probe, tick, total, version};

/// Lets the probe trap and answers the fault, after a look at everything that must not be hurt.
fn fault(way: u8) -> Fault {
    let server = Server::of_both();
    let (mut world, mut other) = (server.world("eu-1"), server.world("eu-2"));
    tick(&mut world, |tick| tick.probe().bump(1));
    let done = world.tick(|tick| {
        tick.probe().of("second").tell(1)?;
        tick.probe().of("probe").fail(way)
    });
    let done = done.unwrap();
    assert_eq!(done.faults.len(), 1, "way {way}");
    assert_eq!(done.effects.len(), 1, "the other mod's effect goes out, the faulted call's does not");
    let fault = done.faults[0].clone();
    assert_eq!((fault.mod_name.as_str(), fault.generation), ("probe", generation(1)));
    assert_eq!((fault.world.as_str(), fault.tick, fault.hook.as_str()), ("eu-1", 2, "ProbeHooks::fail"));

    assert_paused(&mut world);
    assert!(effects(&mut world, |tick| tick.probe().tell(1)).iter().all(|line| !line.contains("probe")));
    assert_eq!(total(&mut world, "second"), 4);
    assert_eq!(version(&mut other, "probe"), 1, "another world goes on");
    tick(&mut other, |tick| tick.probe().bump(2));
    assert_eq!(total(&mut other, "probe"), 2);

    repair(&server, &mut world, &mut other);
    fault
}

fn assert_paused(world: &mut World) {
    let reason = world.pause_reason("probe").unwrap_or_default();
    assert!(reason.contains("suspect") && reason.contains("ProbeHooks::fail"), "{reason}");
    let asked = tick(world, |tick| Ok(tick.probe().of("probe").total()));
    assert!(matches!(asked, Err(CallError::Paused { .. })), "{asked:?}");
    let answers = tick(world, |tick| tick.probe().version());
    assert!(answers.of("probe").is_none() && answers.of("second").is_some());
}

/// The same generation does not end a pause, another one does.
fn repair(server: &Server, world: &mut World, other: &mut World) {
    let scope = Scope::World("eu-1".to_owned());
    let same = server.control.activate(&name("probe"), generation(1), scope).unwrap();
    done(server.finish(world, same));
    assert!(world.pause_reason("probe").is_some());
    let submission = server.submit(&[("probe", probe(2))]);
    done(server.finish_in(&mut [world, other], submission));
    assert_eq!(world.pause_reason("probe"), None);
    assert_eq!(version(world, "probe"), 2);
    // The stack pointer is where it was, whatever the fault left behind.
    tick(world, |tick| tick.probe().remember(1, "after the fault"));
    assert_eq!(tick(world, |tick| tick.probe().of("probe").recall()).log.len(), 1);
    assert_eq!(tick(world, |tick| tick.probe().of("probe").greet("Ann")), "Hello, Ann");
}

fn names(fault: &Fault) -> String {
    fault.backtrace.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_panic_says_its_words_and_where_and_who_called() {
    let fault = fault(0);
    assert!(fault.message.contains("the probe gives up over 1001"), "{}", fault.message);
    assert!(fault.message.contains("lib.rs:"), "{}", fault.message);
    assert!(names(&fault).contains("fail"), "{}", names(&fault));
    let text = fault.to_string();
    for part in ["mod probe g1", "eu-1", "tick 2", "ProbeHooks::fail", "activate another generation"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn an_unreachable_says_where_by_name() {
    let fault = fault(1);
    assert!(fault.message.contains("unreachable"), "{}", fault.message);
    assert!(names(&fault).contains("fail"), "{}", names(&fault));
}

#[test]
fn a_stack_overflow_is_a_fault_like_others() {
    let fault = fault(2);
    assert!(names(&fault).contains("deeper"), "{}", names(&fault));
    assert!(fault.backtrace.len() <= tickswap::limits::BACKTRACE_FRAMES_MAX);
}

#[test]
fn a_read_beyond_memory_is_a_fault_like_others() {
    let fault = fault(3);
    assert!(fault.message.contains("out of bounds"), "{}", fault.message);
    assert!(names(&fault).contains("beyond_memory"), "{}", names(&fault));
}

#[test]
fn an_allocation_beyond_the_limit_is_a_fault_like_others() {
    let fault = fault(4);
    assert!(!fault.message.is_empty());
}

#[test]
fn an_index_out_of_bounds_says_both_numbers() {
    let fault = fault(5);
    assert!(fault.message.contains("the len is 0 but the index is 5"), "{}", fault.message);
}

#[test]
fn a_fault_of_a_hook_with_an_answer_reaches_whoever_asked() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    tick(&mut world, |tick| tick.probe().of("probe").fail(6));
    server.patch(&mut world, &[("probe", probe(2))]);
    // The lock was held when the mod panicked, and nothing is undone yet: the state is suspect, as the pause said.
    let asked = tick(&mut world, |tick| Ok(tick.probe().of("probe").recall()));
    let Err(CallError::Faulted { mod_name, message }) = asked else { panic!("{asked:?}") };
    assert_eq!(mod_name.as_str(), "probe");
    assert!(!message.is_empty());
}

#[test]
fn a_fault_of_a_players_generation_pauses_until_another_is_active() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    server.patch(&mut world, &[("probe", probe(2))]);
    let player = probe_api::PlayerId(5);
    world.assign_player(player, &name("probe"), Some(generation(1))).unwrap();
    let faults = world.tick(|tick| tick.for_player(player).probe().fail(0)).unwrap().faults;
    assert_eq!((faults[0].generation, faults[0].player), (generation(1), Some(player)));
    assert!(world.pause_reason("probe").is_some());
}

#[test]
fn faults_are_kept_in_the_worlds_status() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    tick(&mut world, |tick| tick.probe().fail(0));
    tick(&mut world, |_| Ok(()));
    let status = server.control.status();
    let shown = &status.worlds[0];
    assert_eq!(shown.faults.len(), 1);
    assert!(shown.mods[0].paused.as_deref().unwrap().contains("gives up"));
    assert_eq!(shown.mods[0].faults, 1);
}
