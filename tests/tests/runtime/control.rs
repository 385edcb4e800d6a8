//! Goal: what others ask of a running server is answered with values, errors included.

use std::time::Duration;

use tickswap::{ControlError, Event, Limits, Scope, Status, SubmissionId, SubmissionState, SwapRecord};

use crate::server::{PATIENCE, Server, done, generation, name, probe, tick, version};

#[test]
fn status_and_log_survive_json() {
    let server = Server::of_both();
    let mut world = server.world("eu-1");
    server.patch(&mut world, &[("probe", probe(2))]);
    let back = server.control.roll_back(&name("probe"), Scope::All).unwrap();
    done(server.finish(&mut world, back));
    use probe_api::probe_hooks::Caller;
    tick(&mut world, |tick| tick.probe().of("probe").fail(0));
    tick(&mut world, |_| Ok(()));

    let status = server.control.status();
    let text = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    assert_eq!(status.mods[0].generations.len(), 2);
    assert_eq!((status.worlds[0].name.as_str(), status.worlds[0].tick), ("eu-1", world.tick_number()));
    assert_eq!(status.worlds[0].mods[0].active, Some(generation(1)));
    assert!(status.worlds[0].memory_bytes > 0);
    assert_eq!(status.submissions.len(), 3);

    let log = server.control.log();
    let text = serde_json::to_string(&log).unwrap();
    assert_eq!(serde_json::from_str::<Vec<SwapRecord>>(&text).unwrap(), log);
    let kinds: Vec<_> = log.iter().map(|record| record.kind.to_string()).collect();
    assert_eq!(kinds, ["start", "start", "patch", "roll back"]);
    assert!(log[2].pause_ns > 0 && log[2].stage_ns > 0);
    assert!(log[3].tick > log[2].tick);
}

#[test]
fn what_does_not_exist_is_named() {
    let server = Server::of_probe();
    let _world = server.world("eu-1");
    let (probe, nobody) = (name("probe"), name("nobody"));
    let cases = [
        (server.control.activate(&nobody, generation(1), Scope::All), "no mod named nobody"),
        (server.control.activate(&probe, generation(9), Scope::All), "no generation g9"),
        (server.control.activate(&probe, generation(1), Scope::World("us-1".into())), "\"us-1\" does not exist"),
        (server.control.roll_back(&probe, Scope::World("us-1".into())), "\"us-1\" does not exist"),
        (server.control.roll_back(&nobody, Scope::All), "no mod named nobody"),
        (server.control.roll_back(&probe, Scope::All), "no earlier generation"),
    ];
    for (result, expected) in cases {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert_eq!(server.control.submission(SubmissionId(77)), SubmissionState::Unknown);
    assert_eq!(server.control.wait(SubmissionId(77), PATIENCE), SubmissionState::Unknown);
}

#[test]
fn a_submission_must_make_sense() {
    let server = Server::empty();
    assert_eq!(server.control.submit(Vec::new()).unwrap_err(), ControlError::Nothing);
    let twice = server.control.submit(vec![(name("a"), vec![]), (name("a"), vec![])]).unwrap_err();
    assert_eq!(twice, ControlError::Twice { mod_name: name("a") });
    let many = (0..100).map(|number| (name(&format!("mod-{number}")), vec![])).collect();
    assert!(matches!(server.control.submit(many).unwrap_err(), ControlError::TooManyMods { found: 100, .. }));
    assert!(server.control.status().submissions.is_empty(), "what was not taken leaves no trace");
}

#[test]
fn a_full_queue_is_an_answer() {
    let mut limits = Limits::default();
    limits.submissions_queued = 1;
    limits.world_commands = 1;
    let server = Server::with(|builder| builder.limits(limits));
    server.load(&[("probe", probe(1))]);
    let mut world = server.world("eu-1");
    // The world takes one change into its channel; the next one waits for room and holds up the preparing thread.
    let first = server.submit(&[("probe", probe(2))]);
    while !matches!(server.control.submission(first), SubmissionState::Staging { .. }) {
        std::thread::yield_now();
    }
    let held = server.submit(&[("probe", probe(3))]);
    while server.control.submission(held) == SubmissionState::Queued {
        std::thread::yield_now();
    }
    let queued = server.submit(&[("probe", probe(4))]);
    let refused = server.control.submit(vec![(name("probe"), probe(5))]).unwrap_err();
    assert_eq!(refused, ControlError::QueueFull { limit: 1 });
    assert!(refused.to_string().contains("submissions_queued"));
    let busy = server.control.activate(&name("probe"), generation(1), Scope::All).unwrap_err();
    assert!(busy.to_string().contains("world_commands") && busy.to_string().contains("eu-1"), "{busy}");
    for submission in [first, held, queued] {
        done(server.finish(&mut world, submission));
    }
    assert_eq!(version(&mut world, "probe"), 4, "what was taken goes live in order");
}

#[test]
fn waiting_ends_with_its_time() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let submission = server.submit(&[("probe", probe(2))]);
    let state = server.control.wait(submission, Duration::from_millis(1));
    assert!(!state.is_final(), "nobody ticks the world: {state}");
    assert!(!server.control.wait(submission, Duration::ZERO).is_final());
    done(server.finish(&mut world, submission));
    assert!(server.control.wait(submission, Duration::ZERO).is_final());
    assert!(server.control.wait(submission, Duration::MAX).is_success());
}

#[test]
fn worlds_need_names_of_their_own_and_answers_for_every_query() {
    let server = Server::of_probe();
    let _world = server.world("eu-1");
    let host = || vec![probe_api::probe_host::answering(crate::server::Host::default())];
    let taken = server.runtime.create_world("eu-1", host()).unwrap_err();
    assert!(taken.to_string().contains("\"eu-1\" exists"), "{taken}");
    assert!(server.runtime.create_world("", host()).is_err());
    let silent = server.runtime.create_world("eu-2", Vec::new()).unwrap_err();
    assert!(silent.to_string().contains("nothing answers ProbeHost"), "{silent}");
}

#[test]
fn events_tell_what_becomes_of_a_submission_and_of_faults() {
    use probe_api::probe_hooks::Caller;
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let events = server.control.events().unwrap();
    server.patch(&mut world, &[("probe", probe(2))]);
    let refused = server.submit(&[("probe", b"nothing".to_vec())]);
    server.control.wait(refused, PATIENCE);
    tick(&mut world, |tick| tick.probe().of("probe").fail(0));

    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        told.push(match event {
            Event::Submission(status) if status.state.is_final() => match status.state {
                SubmissionState::Done { mods, .. } => format!("{} done, {}", status.id, mods[0].generation),
                SubmissionState::Refused { reasons } => format!("{} refused, {}", status.id, reasons[0].mod_name),
                other => other.to_string(),
            },
            Event::Submission(_) => continue,
            Event::Swapped(record) => format!("{} in {}", record.kind, record.world),
            Event::Faulted(fault) => format!("{} faulted in {}", fault.mod_name, fault.world),
            other => panic!("unexpected {other:?}"),
        });
    }
    assert_eq!(
        told,
        [
            "patch in eu-1",
            "submission 2 done, g2",
            "submission 3 refused, probe",
            // The new generation goes back; the one before faults as well, and is left out.
            "probe faulted in eu-1",
            "probe faulted in eu-1",
            "automatic roll back in eu-1",
        ]
    );
    assert_eq!(events.wait(Duration::ZERO), None);
    drop((world, server));
    // Everything is gone, so an iterator ends; no other handle holds the ledger.
    assert_eq!(events.filter(|event| matches!(event, Event::Lost { .. })).count(), 0);
}
