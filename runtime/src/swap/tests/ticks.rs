//! Goal: what a tick calls, hands out and leaves behind. Method: hand-made mods that trap, ask and answer.

use super::*;

#[test]
fn where_nothing_is_undone_a_trap_pauses_the_mod_alone_until_another_generation_is_active() {
    let server = Server::in_mode(Transactions::Off);
    server.submit(&[("alpha", Sample::new(1, &[1], 1)), ("beta", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    let done = world
        .tick(|tick| {
            let mut player = tick.for_player(PlayerId(7));
            let fatal = Arguments::Scalars(&[FATAL]);
            player.call_hook(Target::Mod("alpha"), ADD, fatal, &mut |_, _| Ok(()))?;
            add(tick, 1)
        })
        .unwrap();
    assert_eq!(done.effects.len(), 1, "the effect of the faulted call is dropped");
    assert_eq!(done.faults.len(), 1);
    let fault = &done.faults[0];
    assert_eq!((fault.message.as_str(), fault.player), ("went wrong", Some(PlayerId(7))));
    assert_eq!(fault.hook, "TestHooks::add");
    assert!(!fault.backtrace.is_empty());
    assert!(fault.to_string().contains("its state is suspect"), "{fault}");
    assert_eq!(step(&mut world, 1), [("beta".to_owned(), STARTED + 2)], "left out of all");
    let paused = world.tick(|tick| ask(tick, Target::Mod("alpha"), TOTAL));
    assert!(matches!(paused, Err(TickError::Closure { error: CallError::Paused { .. }, .. })));
    // The generation that faulted does not resume it, another one does.
    server.activate("alpha", 1, &Scope::All);
    assert_eq!(step(&mut world, 0).len(), 1);
    server.submit(&[("alpha", Sample::new(2, &[1], 1))]);
    assert_eq!(step(&mut world, 0).len(), 2);
    let stack = world.tick(|tick| ask(tick, Target::Mod("alpha"), STACK)).unwrap().value;
    assert_eq!(stack[0].1, u64::from(STACK_SIZE), "the stack pointer is back at its top");
}

#[test]
fn a_failing_closure_hands_out_nothing() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    let failed = world.tick(|tick| {
        add(tick, 1)?;
        Err::<(), _>(CallError::TickOver)
    });
    assert!(failed.is_err());
    let done = world.tick(|tick| add(tick, 1)).unwrap();
    assert_eq!(done.effects.len(), 1);
    let effect = done.effects.iter().next().unwrap();
    assert_eq!((effect.from.as_str(), effect.descriptor().unwrap().name), ("arena", "said"));
    let query = done.queries.iter().next().unwrap();
    assert_eq!(query.answer, RawAnswer::Scalar(9));
}

#[test]
fn effects_beyond_the_limit_fault_the_mod_and_name_the_limit() {
    let limits = Limits { effect_bytes_per_tick: 100, ..Limits::default() };
    let server = Server::with(limits);
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    let done = world.tick(|tick| (0..10).try_for_each(|_| add(tick, 1))).unwrap();
    assert!(done.faults[0].message.contains("effect_bytes_per_tick"), "{}", done.faults[0]);
    assert_eq!((&done.faults[0].outcome, done.effects.len()), (&FaultOutcome::LeftOut, 0));
}

#[test]
fn queries_beyond_the_limit_fault_the_mod_and_name_the_limit() {
    let limits = Limits { query_bytes_per_tick: 100, ..Limits::default() };
    let server = Server::with(limits);
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    let asked = world.tick(|tick| (0..10).try_for_each(|_| add(tick, 1))).unwrap();
    assert!(asked.faults[0].message.contains("query_bytes_per_tick"), "{}", asked.faults[0]);
    assert_eq!((&asked.faults[0].outcome, asked.queries.len()), (&FaultOutcome::LeftOut, 0));
}

#[test]
fn encoded_arguments_and_answers_cross_and_optional_hooks_are_passed_over() {
    let server = Server::new();
    let mut with_clear = Sample::new(1, &[1], 1);
    with_clear.has_clear = true;
    server.submit(&[("alpha", Sample::new(1, &[1], 1)), ("beta", with_clear)]);
    let mut world = server.world("w");
    let mut heard = Vec::new();
    let done = world.tick(|tick| {
        let encode = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(b"hello");
            Ok(())
        };
        tick.call_hook(Target::All, ECHO, Arguments::Encode(&encode), &mut |_, answer| {
            heard.push(answer == RawAnswer::Encoded(b"hello"));
            Ok(())
        })?;
        tick.call_hook(Target::Mod("alpha"), CLEAR, Arguments::Scalars(&[]), &mut |_, _| Ok(()))?;
        ask(tick, Target::All, CLEAR)?;
        ask(tick, Target::All, TOTAL)
    });
    assert_eq!(done.unwrap().value, [("alpha".to_owned(), STARTED), ("beta".to_owned(), 0)]);
    assert_eq!(heard, [true, true]);
}

#[test]
fn arguments_of_another_form_than_the_contracts_never_reach_the_mod() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    for (hook, arguments) in [(ADD, &[][..]), (ADD, &[1, 2]), (ECHO, &[1]), (TOTAL, &[1])] {
        let failed =
            world.tick(|tick| tick.call_hook(Target::All, hook, Arguments::Scalars(arguments), &mut |_, _| Ok(())));
        assert!(matches!(failed, Err(TickError::Closure { error: CallError::Codec(_), .. })));
    }
}

#[test]
fn players_keep_the_generation_they_are_assigned_to() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    let mut world = server.world("w");
    let arena = named("arena");
    world.assign_player(PlayerId(1), &arena, Some(GenerationId::new(1))).unwrap();
    let tick = |world: &mut World| {
        let done = world.tick(|tick| {
            add(&mut tick.for_player(PlayerId(1)), 1)?;
            add(&mut tick.for_player(PlayerId(2)), 1)?;
            ask(tick, Target::All, TOTAL)
        });
        done.unwrap().value[0].1
    };
    assert_eq!(tick(&mut world), STARTED + 11);
    world.assign_player(PlayerId(1), &arena, None).unwrap();
    assert_eq!(tick(&mut world), STARTED + 31);
    let missing = world.assign_player(PlayerId(1), &arena, Some(GenerationId::new(9)));
    assert!(matches!(missing, Err(WorldError::UnknownGeneration { .. })));
    assert!(world.assign_player(PlayerId(1), &named("x"), None).is_err());
}

#[test]
fn a_panic_of_the_server_inside_a_query_undoes_the_tick_or_pauses_the_mod_it_cut_off() {
    for (mode, outcome) in [(Transactions::Always, FaultOutcome::Cut), (Transactions::Off, FaultOutcome::Suspect)] {
        panic_inside_a_query(&Server::in_mode(mode), &outcome);
    }
}

fn panic_inside_a_query(server: &Server, outcome: &FaultOutcome) {
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world_of("w", TestHost(None)).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = world.tick(|tick| add(tick, 1));
    }));
    assert!(panicked.is_err());
    let done = world.tick(|tick| Ok((ask(tick, Target::All, TOTAL)?, ask(tick, Target::All, STACK)?))).unwrap();
    let arena = |value| vec![("arena".to_owned(), value)];
    let undone = (arena(STARTED), arena(u64::from(STACK_SIZE)));
    assert_eq!(done.value, if *outcome == FaultOutcome::Cut { undone } else { (vec![], vec![]) });
    assert!(done.faults[0].message.contains("panicked"), "{}", done.faults[0]);
    assert_eq!(done.faults[0].outcome, *outcome);
}

#[test]
fn a_world_needs_a_free_name_and_answers_for_every_trait() {
    let server = Server::new();
    let _world = server.world("w");
    assert!(matches!(server.world_of("w", TestHost(None)), Err(WorldError::NameTaken { .. })));
    assert!(matches!(server.world_of("", TestHost(None)), Err(WorldError::Name { .. })));
    let (engine, fleet, ledger) = (&server.engine, &server.fleet, &server.ledger);
    let settings = WorldSettings::default();
    let unanswered = start_world("x".into(), vec![], settings, engine, fleet, ledger, &server.limits);
    assert!(matches!(unanswered, Err(WorldError::Unanswered { interface: "TestHost" })));
}
