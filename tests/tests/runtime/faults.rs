//! Goal: a trap hurts nobody: not the mod's state, not other mods, not other worlds. Method: `probe` traps in chosen ways, in a
//! generation that has nothing to go back to. What goes back by itself is in `transactions.rs`.

use probe_api::probe_hooks::Caller;
use tickswap::{CallError, Fault, FaultOutcome, Scope, Transactions, World};

use crate::server::{Server, done, effects, generation, name, probe, tick, total, version};

/// Lets the probe trap until it is paused and answers the first fault, after a look at everything that must not be hurt.
fn fault(way: u8) -> Fault {
    let server = Server::of_both();
    let (mut world, mut other) = (server.world("eu-1"), server.world("eu-2"));
    tick(&mut world, |tick| tick.probe().bump(1));
    let memory_bytes = world.memory_bytes();
    let first = fail(&mut world, way, FaultOutcome::LeftOut);
    assert_eq!((first.mod_name.as_str(), first.generation), ("probe", generation(1)));
    assert_eq!((first.world.as_str(), first.tick, first.hook.as_str()), ("eu-1", 2, "ProbeHooks::fail"));
    assert_eq!(world.memory_bytes(), memory_bytes, "the memory is as large as before");

    // The mod is called in the next tick as if nothing had happened, locks that it held included.
    assert_eq!(total(&mut world, "probe"), 1, "what it had done is undone");
    tick(&mut world, |tick| tick.probe().remember(1, "after the fault"));
    assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").recall()).log.len(), 1);

    fail(&mut world, way, FaultOutcome::LeftOut);
    fail(&mut world, way, FaultOutcome::LeftOut);
    fail(&mut world, way, FaultOutcome::Paused);
    assert_paused(&mut world, "as before that tick");
    assert!(effects(&mut world, |tick| tick.probe().tell(1)).iter().all(|line| !line.contains("probe")));
    assert_eq!(version(&mut other, "probe"), 1, "another world goes on");
    tick(&mut other, |tick| tick.probe().bump(2));
    assert_eq!(total(&mut other, "probe"), 2);

    repair(&server, &mut world, &mut other);
    assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").recall()).log.len(), 2);
    first
}

/// One tick in which the second mod does something before the probe traps.
fn fail(world: &mut World, way: u8, outcome: FaultOutcome) -> Fault {
    let done = world.tick(|tick| {
        tick.probe().of("second").tell(1)?;
        tick.probe().of("probe").fail(way)
    });
    let done = done.unwrap();
    assert_eq!(done.effects.len(), 1, "way {way}: the other mod's effect goes out once, the faulted call's does not");
    assert_eq!((done.faults.len(), done.faults[0].outcome.clone()), (1, outcome), "way {way}");
    done.faults[0].clone()
}

fn assert_paused(world: &mut World, why: &str) {
    let reason = world.pause_reason("probe").unwrap_or_default();
    assert!(reason.contains(why) && reason.contains("ProbeHooks::fail"), "{reason}");
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
    tick(world, |tick| tick.probe().remember(2, "after the pause"));
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
    for part in ["mod probe g1", "eu-1", "tick 2", "ProbeHooks::fail", "ran again without the mod"] {
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
    assert!(fault.message.contains("limit memory_bytes_per_mod"), "{}", fault.message);
}

#[test]
fn an_index_out_of_bounds_says_both_numbers() {
    let fault = fault(5);
    assert!(fault.message.contains("the len is 0 but the index is 5"), "{}", fault.message);
}

#[test]
fn a_panic_while_a_lock_is_held_leaves_it_free() {
    fault(6);
}

#[test]
fn where_nothing_is_undone_a_fault_pauses_and_the_state_is_suspect() {
    let server = Server::with(|builder| builder.transactions_of(name("probe"), Transactions::Off));
    server.load(&[("probe", probe(1))]);
    let mut world = server.world("eu-1");
    let faults = world.tick(|tick| tick.probe().fail(6)).unwrap().faults;
    assert_eq!(faults[0].outcome, FaultOutcome::Suspect);
    assert!(faults[0].to_string().contains("its state is suspect"), "{}", faults[0]);
    assert!(world.pause_reason("probe").is_some_and(|reason| reason.contains("suspect")));
    server.patch(&mut world, &[("probe", probe(2))]);
    // The lock was held when the mod panicked.
    let asked = tick(&mut world, |tick| Ok(tick.probe().of("probe").recall()));
    let Err(CallError::Faulted { mod_name, message }) = asked else { panic!("{asked:?}") };
    assert_eq!(mod_name.as_str(), "probe");
    assert!(!message.is_empty());
}

#[test]
fn faults_are_kept_in_the_worlds_status() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    (0..3).for_each(|_| drop(world.tick(|tick| tick.probe().fail(0)).unwrap()));
    tick(&mut world, |_| Ok(()));
    let status = server.control.status();
    let shown = &status.worlds[0];
    assert_eq!(shown.faults.len(), 1, "repeats are folded");
    assert_eq!((shown.faults[0].count, shown.faults[0].tick, shown.faults[0].last_tick), (3, 1, 3));
    assert_eq!(server.control.faults(), shown.faults);
    assert!(shown.mods[0].paused.as_deref().unwrap().contains("gives up"));
    assert_eq!(shown.mods[0].faults, 3);
}
