//! Goal: a tick happens entirely or not at all, over all mods of its world, and code that breaks one goes back by itself.
//! Method: hand-made generations of which some panic in the middle of `add`, after they queued an effect and moved their stack
//! pointer; totals, effects and records say what happened.

use super::*;

fn good(generation: u32, factor: i32) -> Sample {
    Sample::new(generation, &[1], factor)
}

fn bad(generation: u32) -> Sample {
    let mut sample = Sample::new(generation, &[1], 1000);
    sample.add_traps = true;
    sample
}

fn totals(alpha: u64, beta: u64) -> Vec<(String, u64)> {
    vec![("alpha".to_owned(), STARTED + alpha), ("beta".to_owned(), STARTED + beta)]
}

fn two(server: &Server) -> World {
    server.submit(&[("alpha", good(1, 1)), ("beta", good(1, 1))]);
    server.world("w")
}

fn stage(world: &mut World) {
    world.idle(Instant::now() + Duration::from_secs(5));
}

/// One tick that adds and asks; its totals, and what it did about faults.
fn outcomes(world: &mut World, value: u64) -> (Vec<(String, u64)>, Vec<FaultOutcome>) {
    let mut runs = 0;
    let done = world.tick(|tick| {
        runs += 1;
        add(tick, value)?;
        ask(tick, Target::All, TOTAL)
    });
    let done = done.unwrap();
    assert_eq!(runs, done.faults.len() + 1, "one run more than faults");
    assert_eq!(done.effects.len(), done.value.len(), "each mod's effect left once");
    assert_eq!(done.queries.len(), done.value.len(), "each mod's query is recorded once");
    (done.value, done.faults.into_iter().map(|fault| fault.outcome).collect())
}

#[test]
fn a_fault_on_probation_takes_the_whole_submission_back_and_loses_nothing() {
    let server = Server::new();
    let mut world = two(&server);
    assert_eq!(outcomes(&mut world, 5), (totals(5, 5), vec![]));
    // Alpha's new code is good, and has already run in this tick when beta's faults.
    let submission = server.submit(&[("alpha", good(2, 10)), ("beta", bad(2))]);
    stage(&mut world);
    let done = world.tick(|tick| {
        add(tick, 1)?;
        ask(tick, Target::All, TOTAL)
    });
    let done = done.unwrap();
    assert_eq!(done.value, totals(6, 6), "both on the old code, every input once");
    assert_eq!(done.effects.len(), 2);
    let kinds: Vec<ChangeKind> = done.swapped.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [ChangeKind::Patch, ChangeKind::AutomaticRollBack]);
    let record = &done.swapped[1];
    assert_eq!((record.submission, record.mods.len()), (submission, 2));
    let fault = record.fault.as_deref().unwrap();
    assert_eq!((fault.mod_name.as_str(), fault.outcome.clone()), ("beta", FaultOutcome::WentBack));
    assert_eq!(fault.message, "went wrong");
    assert_eq!(world.active_generation("alpha"), Some(GenerationId::new(1)));
    assert_eq!(world.active_generation("beta"), Some(GenerationId::new(1)));
    assert_eq!(outcomes(&mut world, 1), (totals(7, 7), vec![]), "and it stays so");
    // The submission was active: it is done, and the log tells the rest.
    assert!(server.state(submission).is_success());
    let logged = server.ledger.log().into_iter().filter(|record| record.submission == submission);
    assert_eq!(logged.map(|record| record.kind).collect::<Vec<_>>(), kinds);
}

#[test]
fn without_code_to_go_back_to_the_mod_is_left_out_then_paused_then_resumed() {
    let server = Server::new();
    server.submit(&[("alpha", good(1, 1)), ("beta", bad(1))]);
    let mut world = server.world("w");
    let alone = |value| vec![("alpha".to_owned(), STARTED + value)];
    assert_eq!(outcomes(&mut world, 1), (alone(1), vec![FaultOutcome::LeftOut]), "in the first tick of the world");
    assert_eq!(world.pause_reason("beta"), None);
    let failed = world.tick(|tick| {
        add(tick, 100)?;
        ask(tick, Target::Mod("beta"), TOTAL)
    });
    let Err(TickError::Closure { error: CallError::Faulted { mod_name, .. }, faults }) = failed else {
        panic!("asked by name it answers an error");
    };
    assert_eq!((mod_name.as_str(), faults.len()), ("beta", 1));
    assert_eq!(outcomes(&mut world, 1), (alone(2), vec![FaultOutcome::Paused]), "the tick between did not happen");
    let reason = world.pause_reason("beta").unwrap();
    assert!(reason.contains("went wrong") && reason.contains("as before that tick"), "{reason}");
    assert_eq!(outcomes(&mut world, 1), (alone(3), vec![]), "paused, it is not even called");
    server.submit(&[("beta", good(2, 1))]);
    stage(&mut world);
    assert_eq!(outcomes(&mut world, 1), (totals(4, 1), vec![]), "its state is as it was when it started");
}

#[test]
fn a_tick_that_goes_well_ends_a_row_of_faults() {
    let server = Server::new();
    let mut world = two(&server);
    for _ in 0..5 {
        let (_, outcomes) = outcomes_of_alpha(&mut world, FATAL);
        assert_eq!(outcomes, [FaultOutcome::LeftOut]);
        outcomes_of_alpha(&mut world, 1);
    }
    assert_eq!(world.pause_reason("alpha"), None);
}

fn outcomes_of_alpha(world: &mut World, value: u64) -> (usize, Vec<FaultOutcome>) {
    let done =
        world.tick(|tick| tick.call_hook(Target::Mod("alpha"), ADD, Arguments::Scalars(&[value]), &mut |_, _| Ok(())));
    let done = done.unwrap();
    (done.effects.len(), done.faults.into_iter().map(|fault| fault.outcome).collect())
}

#[test]
fn probation_ends_after_so_many_ticks_that_called_the_mod() {
    let server = Server::with(Limits { probation_ticks: 3, ..Limits::default() });
    let mut world = two(&server);
    server.submit(&[("alpha", good(2, 10))]);
    stage(&mut world);
    assert_eq!(outcomes(&mut world, 1).0, totals(10, 1));
    (0..10).for_each(|_| drop(world.tick(|_| Ok(())).unwrap()));
    assert_eq!(outcomes(&mut world, 1).0, totals(20, 2));
    let status = |server: &Server| server.fleet.status().1[0].mods[0].on_probation;
    assert!(status(&server), "ticks that do not call it prove nothing");
    assert_eq!(outcomes_of_alpha(&mut world, 1).1, []);
    assert!(!status(&server));
    assert_eq!(outcomes_of_alpha(&mut world, FATAL).1, [FaultOutcome::LeftOut], "proved code does not go back");
    assert_eq!(world.active_generation("alpha"), Some(GenerationId::new(2)));
}

#[test]
fn a_second_generation_that_faults_leaves_the_first_on_the_rest_of_its_probation() {
    let server = Server::new();
    let mut world = two(&server);
    server.submit(&[("alpha", good(2, 10))]);
    server.submit(&[("alpha", bad(3))]);
    stage(&mut world);
    assert_eq!(outcomes(&mut world, 1), (totals(10, 1), vec![FaultOutcome::WentBack]));
    assert_eq!(outcomes_of_alpha(&mut world, FATAL).1, [FaultOutcome::WentBack, FaultOutcome::LeftOut]);
    assert_eq!(world.active_generation("alpha"), Some(GenerationId::new(1)));
}

#[test]
fn a_mod_that_came_with_what_went_back_is_paused() {
    let server = Server::new();
    server.submit(&[("alpha", good(1, 1))]);
    let mut world = server.world("w");
    server.submit(&[("alpha", bad(2)), ("beta", good(1, 1))]);
    stage(&mut world);
    let (values, outcomes) = outcomes(&mut world, 1);
    assert_eq!((values.len(), outcomes), (1, vec![FaultOutcome::WentBack]));
    assert!(world.pause_reason("beta").unwrap().contains("went back"));
}

#[test]
fn the_fleet_learns_of_it_and_the_next_generation_is_compared_and_activated_as_ever() {
    let server = Server::new();
    let mut world = two(&server);
    server.submit(&[("alpha", bad(2))]);
    stage(&mut world);
    assert_eq!(outcomes(&mut world, 1).1, [FaultOutcome::WentBack]);
    let only = Scope::World("w".to_owned());
    let back = server.fleet.roll_back(&named("alpha"), &only);
    assert_eq!(back.err(), Some(crate::swap::Unsent::NothingBefore), "the world is where it began");
    server.submit(&[("alpha", good(3, 3))]);
    stage(&mut world);
    let done = world.tick(|tick| add(tick, 1)).unwrap();
    assert_eq!(done.swapped[0].mods[0].from, Some(GenerationId::new(1)));
    // Activating the bad one by hand puts it on probation again.
    server.activate("alpha", 2, &only);
    stage(&mut world);
    assert_eq!(outcomes(&mut world, 1).1, [FaultOutcome::WentBack]);
    assert_eq!(world.active_generation("alpha"), Some(GenerationId::new(3)));
}

#[test]
fn new_worlds_start_with_what_was_before_once_a_world_took_the_fleets_code_back() {
    let server = Server::new();
    let mut world = two(&server);
    let mut other = server.world("other");
    let current = |server: &Server| ["alpha", "beta"].map(|name| server.fleet.current(&named(name)).unwrap().number());
    server.submit(&[("alpha", good(2, 10)), ("beta", bad(2))]);
    stage(&mut world);
    stage(&mut other);
    other.tick(|_| Ok(())).unwrap();
    assert_eq!(current(&server), [2, 2]);
    assert_eq!(outcomes(&mut world, 1).1, [FaultOutcome::WentBack]);
    assert_eq!(current(&server), [1, 1], "both mods of the submission");
    assert_eq!(other.active_generation("beta"), Some(GenerationId::new(2)), "who met no fault goes on");
    assert_eq!(outcomes(&mut server.world("new"), 1), (totals(1, 1), vec![]));
    // The second world to take it back changes nothing more, and neither does what one world alone was sent.
    assert_eq!(outcomes(&mut other, 1).1, [FaultOutcome::WentBack]);
    assert_eq!(current(&server), [1, 1]);
    server.submit(&[("alpha", good(3, 1))]);
    stage(&mut world);
    server.activate("beta", 2, &Scope::World("w".to_owned()));
    stage(&mut world);
    assert_eq!(outcomes(&mut world, 1).1, [FaultOutcome::WentBack]);
    assert_eq!(current(&server), [3, 1]);
    // Activated for all by hand it is on probation again, for the fleet as well.
    server.activate("beta", 2, &Scope::All);
    stage(&mut world);
    assert_eq!(current(&server), [3, 2]);
    assert_eq!(outcomes(&mut world, 1).1, [FaultOutcome::WentBack]);
    assert_eq!(current(&server), [3, 1]);
}

#[test]
fn going_back_by_hand_is_no_probation() {
    let server = Server::new();
    let mut world = two(&server);
    server.submit(&[("alpha", good(2, 10))]);
    stage(&mut world);
    outcomes(&mut world, 1);
    server.fleet.roll_back(&named("alpha"), &Scope::All).unwrap();
    stage(&mut world);
    assert_eq!(outcomes_of_alpha(&mut world, FATAL).1, [FaultOutcome::LeftOut]);
}

#[test]
fn a_fault_of_a_players_generation_sends_its_players_to_the_active_one() {
    let server = Server::new();
    let mut world = two(&server);
    server.submit(&[("alpha", bad(2))]);
    server.submit(&[("alpha", good(3, 1))]);
    stage(&mut world);
    for player in [1, 2] {
        world.assign_player(PlayerId(player), &named("alpha"), Some(GenerationId::new(2))).unwrap();
    }
    let done = world.tick(|tick| {
        add(&mut tick.for_player(PlayerId(1)), 1)?;
        add(&mut tick.for_player(PlayerId(2)), 1)?;
        ask(tick, Target::All, TOTAL)
    });
    let done = done.unwrap();
    assert_eq!(done.value, totals(2, 2));
    assert_eq!((done.faults.len(), &done.faults[0].outcome), (1, &FaultOutcome::PlayersWentBack));
    assert_eq!(done.faults[0].player, Some(PlayerId(1)));
    assert_eq!(world.active_generation("alpha"), Some(GenerationId::new(3)));
}

#[test]
fn an_error_of_the_closure_undoes_what_all_mods_did() {
    let server = Server::new();
    let mut world = two(&server);
    for _ in 0..3 {
        let failed = world.tick(|tick| {
            add(tick, 7)?;
            Err::<(), _>(CallError::TickOver)
        });
        assert!(failed.is_err());
    }
    assert_eq!(outcomes(&mut world, 1).0, totals(1, 1));
}

#[test]
fn a_closure_that_swallows_errors_gets_no_further() {
    let server = Server::new();
    let mut world = two(&server);
    let mut errors = 0;
    let done = world.tick(|tick| {
        for value in [1, FATAL, 1, 1] {
            errors += u32::from(add(tick, value).is_err());
        }
        ask(tick, Target::All, TOTAL).or(Ok(vec![]))
    });
    let done = done.unwrap();
    // The first run breaks at alpha's fault, the second at beta's, the third runs without both.
    assert_eq!((errors, done.value.len(), done.effects.len(), done.faults.len()), (6, 0, 0, 2));
}

#[test]
fn a_panic_of_the_servers_own_closure_is_undone_before_the_next_tick() {
    let server = Server::new();
    let mut world = two(&server);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = world.tick(|tick| -> Result<(), CallError> {
            add(tick, 7)?;
            panic!("the server has a bug")
        });
    }));
    assert!(panicked.is_err());
    stage(&mut world);
    assert_eq!(outcomes(&mut world, 1), (totals(1, 1), vec![]));
}

#[test]
fn a_tick_with_a_mod_that_cannot_be_undone_goes_on_without_the_one_that_faulted() {
    let mut server = Server::new();
    server.settings.transactions_of = Arc::new([(named("beta"), Transactions::Off)].into());
    let mut world = two(&server);
    // Alpha comes first, so nothing that cannot be undone has happened when it faults.
    assert_eq!(outcomes_of_alpha(&mut world, FATAL).1, [FaultOutcome::LeftOut]);
    let done = world.tick(|tick| {
        add(tick, 1)?;
        add(tick, FATAL)?;
        ask(tick, Target::All, TOTAL)
    });
    let done = done.unwrap();
    assert_eq!((done.value.len(), done.effects.len()), (0, 2), "the effects of the calls before stay");
    assert_eq!(done.faults.len(), 2);
    assert!(done.faults.iter().all(|fault| fault.outcome == FaultOutcome::Suspect));
    assert!(world.pause_reason("alpha").unwrap().contains("suspect"));
}

#[test]
fn in_mode_probation_ticks_can_be_undone_while_there_is_something_to_prove() {
    let mut server = Server::with(Limits { probation_ticks: 2, ..Limits::default() });
    server.settings.transactions = Transactions::Probation;
    let mut world = two(&server);
    server.submit(&[("alpha", bad(2))]);
    stage(&mut world);
    let asked = world.tick(|tick| {
        tick.call_hook(Target::Mod("alpha"), ADD, Arguments::Scalars(&[1]), &mut |_, _| Ok(()))?;
        ask(tick, Target::Mod("alpha"), TOTAL)
    });
    assert_eq!(asked.unwrap().value[0].1, STARTED + 1);
    server.submit(&[("alpha", good(3, 1))]);
    stage(&mut world);
    assert_eq!(outcomes_of_alpha(&mut world, 1).1, []);
    assert_eq!(outcomes_of_alpha(&mut world, FATAL).1, [FaultOutcome::WentBack, FaultOutcome::LeftOut]);
    server.activate("alpha", 3, &Scope::All);
    stage(&mut world);
    (0..2).for_each(|_| drop(outcomes_of_alpha(&mut world, 1)));
    stage(&mut world);
    assert_eq!(outcomes_of_alpha(&mut world, FATAL).1, [FaultOutcome::Suspect], "proved, it does without");
}
