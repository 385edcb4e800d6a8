//! Goal: code changes at boundaries and nowhere else, and state stays. Method: hand-made generations over one counter.

use super::*;

#[test]
fn a_world_starts_cold_with_its_whole_image_and_one_start() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    assert_eq!(total(&mut world, 0), STARTED);
    assert_eq!(total(&mut world, 5), STARTED + 5);
    assert_eq!(server.ledger.log()[0].kind, ChangeKind::Start);
}

#[test]
fn a_patch_keeps_the_state_and_going_back_brings_the_old_bodies() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    assert_eq!(total(&mut world, 5), STARTED + 5);
    let submission = server.submit(&[("arena", Sample::new(2, &[1, 2], 10))]);
    assert_eq!(total(&mut world, 5), STARTED + 55);
    assert!(matches!(server.state(submission), SubmissionState::Done { worlds: 1, .. }));
    let back = server.fleet.roll_back(&named("arena"), &Scope::All).unwrap();
    assert_eq!(total(&mut world, 5), STARTED + 60);
    assert!(server.state(back).is_success());
    let record = server.ledger.log().last().cloned().unwrap();
    assert_eq!((record.kind, record.tick), (ChangeKind::RollBack, 3));
    assert_eq!(record.mods[0].from, Some(GenerationId::new(2)));
    let nothing = server.fleet.roll_back(&named("arena"), &Scope::All);
    assert_eq!(nothing.unwrap_err(), Unsent::NothingBefore);
}

#[test]
fn a_slot_that_a_generation_lacks_is_borrowed_from_the_nearest() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    step(&mut world, 0);
    // Generation 3 has no body for slot 1: it runs that of generation 2, its base.
    server.submit(&[("arena", Sample::new(3, &[2], 100))]);
    assert_eq!(total(&mut world, 1), STARTED + 10);
}

#[test]
fn an_older_generation_borrows_slots_that_came_later() {
    let server = Server::new();
    // Generation 1 calls through slot 1 without a body for it.
    server.submit(&[("arena", Sample::new(1, &[], 1))]);
    let mut world = server.world("w");
    server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    step(&mut world, 0);
    server.activate("arena", 1, &Scope::All);
    assert_eq!(total(&mut world, 1), STARTED + 10);
}

#[test]
fn a_late_world_starts_at_the_current_generation_and_stages_older_ones_on_demand() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    let mut world = server.world("late");
    assert_eq!(total(&mut world, 1), STARTED + 10);
    server.activate("arena", 1, &Scope::World("late".into()));
    assert_eq!(total(&mut world, 1), STARTED + 11);
    let (mods, worlds) = server.fleet.status();
    assert_eq!(mods[0].current, GenerationId::new(2), "other worlds keep their course");
    assert_eq!(worlds[0].mods[0].active, Some(GenerationId::new(1)));
    assert_eq!(worlds[0].mods[0].resident_generations, 2);
}

#[test]
fn a_server_that_never_idles_still_progresses_and_its_pause_contains_no_staging() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    let submission = server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    let mut swapped = Vec::new();
    for _ in 0..3 {
        swapped.extend(world.tick(|tick| add(tick, 1)).unwrap().swapped);
    }
    assert!(server.state(submission).is_success());
    assert_eq!(swapped.len(), 1);
    assert_eq!(swapped[0].tick, 2, "staged at the first boundary, flipped at the second");
    assert!(swapped[0].stage_ns > 0 && swapped[0].pause_ns > 0);
}

#[test]
fn a_world_that_idles_leaves_staging_to_its_idle_time() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    step(&mut world, 0);
    world.idle(Instant::now() + Duration::from_secs(5));
    // Arrives between idle time and boundary: not staged here, so the tick is not the longer for it.
    server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    world.tick(|tick| add(tick, 0)).unwrap();
    let staged = server.fleet.status().1[0].mods[0].resident_generations;
    assert_eq!(staged, 1);
    assert_eq!(total(&mut world, 1), STARTED + 10);
}

#[test]
fn idle_until_wakes_for_a_change_and_sleeps_until_its_time() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    let until = Instant::now() + Duration::from_millis(300);
    std::thread::scope(|scope| {
        scope.spawn(|| server.submit(&[("arena", Sample::new(2, &[1], 10))]));
        world.idle_until(until);
    });
    assert!(Instant::now() >= until);
    let done = world.tick(|tick| add(tick, 1)).unwrap();
    assert_eq!(done.swapped.len(), 1, "staged while idle, so the next boundary flips");
}

#[test]
fn mods_of_one_submission_flip_together_and_stand_in_the_servers_order() {
    let server = Server::new();
    let mut world = server.world("w");
    let submission = server.submit(&[
        ("alpha", Sample::new(1, &[1], 1)),
        ("zeta", Sample::new(1, &[1], 2)),
        ("beta", Sample::new(1, &[1], 3)),
    ]);
    let names: Vec<_> = step(&mut world, 0).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["zeta", "alpha", "beta"]);
    assert!(server.state(submission).is_success());
    server.submit(&[("alpha", Sample::new(2, &[1], 10)), ("zeta", Sample::new(2, &[1], 20))]);
    world.idle(Instant::now() + Duration::from_secs(5));
    let done = world.tick(|tick| ask(tick, Target::Mod("alpha"), TOTAL)).unwrap();
    assert_eq!(done.value, [("alpha".to_owned(), STARTED)]);
    assert_eq!(done.swapped.len(), 1);
    assert_eq!(done.swapped[0].mods.len(), 2);
    let unknown = world.tick(|tick| ask(tick, Target::Mod("nobody"), TOTAL));
    assert!(matches!(unknown, Err(TickError::Closure { error: CallError::UnknownMod { .. }, .. })));
}

#[test]
fn a_mod_whose_start_fails_is_not_there_and_the_submission_says_so() {
    let server = Server::new();
    let mut world = server.world("w");
    let mut sample = Sample::new(1, &[1], 1);
    sample.start_traps = true;
    let submission = server.submit(&[("good", Sample::new(1, &[1], 1)), ("bad", sample)]);
    assert!(step(&mut world, 0).is_empty(), "none of a submission, if not all");
    let state = server.state(submission);
    let SubmissionState::Failed { reasons } = &state else {
        panic!("{state}");
    };
    assert!(reasons[0].contains("bad") && reasons[0].contains("start failed"), "{state}");
    let late = server.world_of("late", TestHost(Some(9)));
    assert!(matches!(late, Err(WorldError::Stage { .. })));
    assert_eq!(server.fleet.status().1.len(), 1, "a world that cannot start leaves no trace");
    // A fixed generation starts cold where the mod never ran.
    server.submit(&[("bad", Sample::new(2, &[1], 1))]);
    assert_eq!(step(&mut world, 0), [("bad".to_owned(), STARTED)]);
}

#[test]
fn a_dropped_world_lets_submissions_end() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let (mut ticked, idle) = (server.world("ticked"), server.world("idle"));
    let submission = server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    step(&mut ticked, 0);
    let state = server.state(submission);
    let half = matches!(state, SubmissionState::Staging { worlds_done: 1, worlds_total: 2, .. });
    assert!(half, "{state}");
    drop(idle);
    let state = server.ledger.wait(submission, Duration::from_secs(5));
    assert!(matches!(state, SubmissionState::Done { worlds: 1, .. }), "{state}");
}

#[test]
fn a_world_that_is_never_ticked_is_named_when_its_channel_is_full() {
    let limits = Limits { world_commands: 1, ..Limits::default() };
    let server = Server::with(limits);
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let _world = server.world("stuck");
    let once = || server.fleet.activate(&named("arena"), GenerationId::new(1), &Scope::All);
    once().unwrap();
    assert_eq!(once().unwrap_err(), Unsent::Busy("stuck".to_owned()));
}

#[test]
fn worlds_made_while_a_submission_finishes_never_miss_it() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    for generation in 2..12 {
        let mut worlds = std::thread::scope(|scope| {
            let make = |n: u32| server.world(&format!("w{generation}-{n}"));
            let making = scope.spawn(move || (0..8).map(make).collect::<Vec<_>>());
            server.submit(&[("arena", Sample::new(generation, &[1], generation as i32))]);
            making.join().unwrap()
        });
        for world in &mut worlds {
            assert_eq!(total(world, 1), STARTED + u64::from(generation));
        }
    }
}

#[test]
fn many_generations_stay_callable_over_one_memory() {
    let server = Server::new();
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    let mut expected = STARTED;
    for generation in 2..=40 {
        server.submit(&[("arena", Sample::new(generation, &[1, generation], generation as i32))]);
        expected += u64::from(generation);
        assert_eq!(total(&mut world, 1), expected);
    }
    for generation in [3, 17, 40, 1] {
        server.activate("arena", generation, &Scope::All);
        expected += u64::from(generation);
        assert_eq!(total(&mut world, 1), expected);
    }
}

#[test]
fn resident_generations_have_a_limit_that_names_itself() {
    let limits = Limits { resident_generations: 2, ..Limits::default() };
    let server = Server::with(limits);
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    server.submit(&[("arena", Sample::new(2, &[1], 10))]);
    step(&mut world, 0);
    let third = server.submit(&[("arena", Sample::new(3, &[1], 100))]);
    assert_eq!(total(&mut world, 1), STARTED + 10, "what ran goes on");
    let state = server.state(third).to_string();
    assert!(state.contains("resident_generations"), "{state}");
}

#[test]
fn values_that_tools_read_survive_json() {
    let server = Server::with(Limits { faults_in_a_row: 1, ..Limits::default() });
    server.submit(&[("arena", Sample::new(1, &[1], 1))]);
    let mut world = server.world("w");
    step(&mut world, FATAL);
    let (mods, worlds) = server.fleet.status();
    let status = crate::Status { mods, worlds, submissions: vec![] };
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<crate::Status>(&text).unwrap(), status);
    assert_eq!(status.worlds[0].faults.len(), 1);
    assert!(status.worlds[0].mods[0].paused.is_some());
}
