//! Goal: a limit that is hit names itself and what to do, and costs nobody else anything. Method: mods without end, a compiler
//! that is given no time, and many worlds. Limits of files are in `bad_input.rs`, processor time of a tick also in `transactions.rs`.

use probe_api::probe_hooks::Caller;
use tickswap::{FaultOutcome, Limits, RefusalStage, SubmissionState, limits::CALL_BYTES_MAX};
use tickswap_tests::fixtures::edited;

use crate::server::{PATIENCE, Server, done, name, probe, refusals, second, tick, total, version};

/// Worlds of a large server.
const MANY_WORLDS: usize = 1_000;

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

#[test]
fn a_default_without_end_meets_its_limit_and_the_world_gets_the_next_good_code() {
    let endless = edited(
        "second",
        &[
            ("Self { total:", "while std::hint::black_box(true) {} Self { total:"),
            ("VERSION: u32 = 1;", "VERSION: u32 = 9;"),
        ],
    );
    let server = Server::with(|builder| builder.limits(limits(|limits| limits.start_cpu_ms = 20)));
    server.load(&[("probe", probe(1))]);
    let mut world = server.world("eu-1");
    let submission = server.submit(&[("second", endless)]);
    let SubmissionState::Failed { reasons } = server.finish(&mut world, submission) else {
        panic!("a mod that never starts came into the world");
    };
    for part in ["eu-1", "limit start_cpu_ms", "at most 20 ms", "raise the limit"] {
        assert!(reasons[0].contains(part), "{part}: {reasons:?}");
    }
    tick(&mut world, |tick| tick.probe().bump(5));
    assert_eq!(total(&mut world, "probe"), 5, "the other mod goes on");
    // A new world cannot be made until there is code that starts.
    let mended = server.submit(&[("second", second(2))]);
    done(server.finish(&mut world, mended));
    assert_eq!(version(&mut world, "second"), 2);
    assert_eq!(version(&mut server.world("eu-2"), "second"), 2);
}

#[test]
fn an_endless_loop_costs_one_run_and_the_world_goes_on() {
    let endless = edited(
        "probe",
        &[(
            "self.total += u64::from(amount * VERSION);",
            "while amount == 13 { self.total = std::hint::black_box(self.total); }",
        )],
    );
    let server = Server::with(|builder| builder.limits(limits(|limits| limits.cpu_ms_per_tick = 20)));
    server.load(&[("probe", probe(1)), ("second", second(1))]);
    let mut world = server.world("eu-1");
    let before = total(&mut world, "second");
    server.patch(&mut world, &[("probe", endless)]);
    let mut runs = 0;
    let done = world.tick(|tick| {
        runs += 1;
        tick.probe().bump(13)
    });
    let faults = done.unwrap().faults;
    assert_eq!((runs, faults.len(), faults[0].outcome.clone()), (2, 1, FaultOutcome::WentBack));
    assert_eq!((total(&mut world, "probe"), total(&mut world, "second")), (13, before + 13), "every input once");
    runs = 0;
    world
        .tick(|tick| {
            runs += 1;
            tick.probe().bump(13)
        })
        .unwrap();
    assert_eq!((runs, total(&mut world, "probe")), (1, 26), "it is paid for once");
}

#[test]
fn compiling_that_takes_too_long_is_refused_by_name_and_comes_to_its_end() {
    let server = Server::with(|builder| builder.limits(limits(|limits| limits.compile_ms = 1)).prepare_threads(1));
    let submission = server.submit(&[("probe", probe(1))]);
    let state = server.control.wait(submission, PATIENCE);
    let SubmissionState::Refused { reasons } = &state else { panic!("{state}") };
    assert_eq!(reasons[0].stage, RefusalStage::Compile);
    let text = refusals(state);
    for part in ["limit compile_ms", "1 ms", "cannot be interrupted", "in the background", "raise the limit"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(server.control.status().mods, [], "nothing of it is there");
}

#[test]
fn while_too_much_is_compiled_that_nobody_waits_for_everything_new_is_refused() {
    // Nothing that was compiled before makes it fast.
    let limits =
        limits(|limits| (limits.compile_ms, limits.compiles_abandoned, limits.compile_cache_bytes) = (1, 1, 0));
    let server = Server::with(|builder| builder.limits(limits).prepare_threads(1));
    let module = probe(1);
    // Again until a compilation that was given up is met while it still runs, whatever else the machine does.
    let (text, mod_name) = (1..)
        .find_map(|number| {
            let mod_name = name(&format!("probe-{number}"));
            let submission = server.control.submit(vec![(mod_name.clone(), module.clone())]).unwrap();
            let state = server.control.wait(submission, PATIENCE);
            let SubmissionState::Refused { .. } = &state else { return None };
            Some((refusals(state), mod_name)).filter(|(text, _)| !text.contains("limit compile_ms"))
        })
        .unwrap();
    for part in ["limit compiles_abandoned", "1 compilations", "at most 1 may", "wait until they end"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(server.control.status().mods.iter().all(|known| known.mod_name != mod_name), "nothing of it is there");
}

#[test]
fn arguments_and_answers_beyond_what_a_call_carries_name_the_limit() {
    let long = edited("probe", &[("VERSION: u32 = 1;", "VERSION: u32 = 2;")]);
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let most = CALL_BYTES_MAX.to_string();
    let given = tick(&mut world, |tick| Ok(tick.probe().of("probe").echo(vec![7; CALL_BYTES_MAX])));
    let refused = given.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains(&most), "with its length it is too long: {refused}");
    server.patch(&mut world, &[("probe", long)]);
    assert_eq!(version(&mut world, "probe"), 2, "the world goes on");
}

#[test]
fn without_a_limit_compiling_takes_what_it_takes() {
    let server = Server::with(|builder| builder.limits(limits(|limits| limits.compile_ms = 0)));
    server.load(&[("probe", probe(1))]);
    assert_eq!(version(&mut server.world("eu-1"), "probe"), 1);
}

/// What the kernel allows a process by default: mappings (`vm.max_map_count`) and open files.
#[cfg(target_os = "linux")]
#[test]
fn a_thousand_worlds_with_transactions_stay_within_the_systems_default_limits() {
    const MAPPINGS: usize = 65_530;
    const OPEN_FILES: usize = 1_024;
    let server = Server::empty();
    server.load(&[("probe", probe(1))]);
    let mut worlds: Vec<_> = (0..MANY_WORLDS).map(|number| server.world(&format!("world {number}"))).collect();
    for round in 1..=3 {
        for world in &mut worlds {
            tick(world, |tick| {
                tick.probe().bump(1)?;
                tick.probe().of("probe").remember(round, "something on the heap")
            });
        }
    }
    let mappings = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    // Other tests of this process have theirs meanwhile; the whole must fit.
    assert!(mappings > MANY_WORLDS && mappings < MAPPINGS, "{mappings} mappings");
    let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(files < OPEN_FILES, "{files} open files");
    for world in &mut worlds {
        let undone = world.tick(|tick| {
            tick.probe().bump(100)?;
            Err::<(), _>(tickswap::CallError::TickOver)
        });
        assert!(undone.is_err());
        assert_eq!(total(world, "probe"), 3);
    }
    let one = Server::with(|builder| builder.mod_order([name("probe")]));
    one.load(&[("probe", probe(1))]);
    assert_eq!(version(&mut one.world("after"), "probe"), 1, "and there is room for more");
}
