//! Faulty rules under a connected player: every input is applied once, whatever the code does, and the connection stays.

use std::{sync::Arc, time::Duration};

use example_server::{
    Server, ServerConfig, bind,
    mods::{Listener, ModsFolder},
    soak::{self, Candidates, SoakConfig},
};
use tickswap::{ChangeKind, FaultOutcome};

use crate::{PATIENCE, arena, client::Client, mods};

/// The arena as it is, and a version that breaks soon after somebody plays.
fn candidates(count: usize) -> Candidates {
    let listener: Listener = Arc::new(|_| ());
    Candidates::build(&ModsFolder::of_the_example(), count, Some(1), &listener).unwrap()
}

/// A server whose arena is this file.
fn server_of(rules: Vec<u8>) -> Server {
    let others = mods().into_iter().filter(|(name, _)| *name != arena());
    let mods = std::iter::once((arena(), rules)).chain(others).collect();
    let config = ServerConfig { worlds: 1, ..ServerConfig::default() };
    Server::start(bind("127.0.0.1", 0).unwrap(), &config, mods).unwrap()
}

/// Sends one input after the other until something has happened.
async fn play_until(player: &mut Client, has_happened: impl Fn() -> bool) {
    let playing = async {
        while !has_happened() {
            player.send_inputs(1).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, playing).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_faulty_generation_is_taken_back_under_a_connected_player() {
    let (server, bad) = tokio::task::spawn_blocking(|| {
        let built = candidates(1);
        (server_of(built.base), built.versions[0].bytes.clone())
    })
    .await
    .unwrap();
    let (mut player, _) = Client::enter(server.address(), "player", None).await;
    player.send_inputs(5).await;
    player.wait_for_acknowledgement().await;
    let control = server.control();
    let submission = control.submit(vec![(arena(), bad)]).unwrap();
    let went_back = || {
        let mut log = control.log().into_iter();
        log.any(|record| (record.submission, record.kind) == (submission, ChangeKind::AutomaticRollBack))
    };
    play_until(&mut player, went_back).await;
    player.send_inputs(5).await;
    player.wait_for_acknowledgement().await;
    let world = control.status().worlds.remove(0);
    let outcomes: Vec<FaultOutcome> = world.faults.into_iter().map(|fault| fault.outcome).collect();
    assert_eq!(outcomes, [FaultOutcome::WentBack]);
    assert_exactly_once(&server, &player);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn inputs_of_ticks_that_left_the_rules_out_are_applied_when_they_are_mended() {
    let (server, good) = tokio::task::spawn_blocking(|| {
        let built = candidates(1);
        (server_of(built.versions[0].bytes.clone()), built.base)
    })
    .await
    .unwrap();
    // There is nothing to go back to: the rules are left out, and at last paused.
    let (mut player, _) = Client::enter(server.address(), "player", None).await;
    let control = server.control();
    let is_paused = || control.status().worlds[0].mods.iter().any(|shown| shown.paused.is_some());
    play_until(&mut player, is_paused).await;
    player.send_inputs(5).await;
    control.submit(vec![(arena(), good)]).unwrap();
    player.wait_for_acknowledgement().await;
    assert_exactly_once(&server, &player);
}

/// By the rules' own count.
fn assert_exactly_once(server: &Server, player: &Client) {
    let totals = tokio::task::block_in_place(|| server.rooms()[0].commands.totals()).unwrap();
    assert_eq!((totals.duplicated, totals.missing, totals.unknown_player), (0, 0, 0));
    assert_eq!(totals.applied, player.sent());
}

#[test]
fn a_short_soak_with_faulty_swaps_loses_nothing() {
    let listener: Listener = Arc::new(|_| ());
    let candidates = Candidates::build(&ModsFolder::of_the_example(), 2, Some(2), &listener).unwrap();
    let config = SoakConfig {
        players: 4,
        worlds: 2,
        seconds: 3,
        baseline_seconds: 3,
        swaps: 2,
        swap_every: Some(0.5),
        faulty_every: Some(2),
        ..SoakConfig::default()
    };
    let outcome = soak::run(&config, &candidates, &listener).unwrap();
    let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert_eq!(failures, Vec::<String>::new());
    let report = outcome.report;
    assert_eq!((report.swaps, report.generations_linked), (6, 2));
    assert_eq!((report.faults, report.rollbacks), (6, 6), "three faulty swaps in two worlds");
    assert_eq!((report.inputs_sent, report.disconnects), (report.inputs_applied, 0));
}
