//! Files that are no mods: a clear refusal, what ran goes on running, nobody is disconnected.

use tickswap::SubmissionState;

use crate::{PATIENCE, arena, client::Client, mods, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bad_files_are_refused_while_players_play_on() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    let (mut player, _) = Client::enter(server.address(), "player", None).await;
    let (name, good) = mods().into_iter().find(|(name, _)| *name == arena()).unwrap();
    let before = server.control().status().mods;

    let half = good[..good.len() / 2].to_vec();
    let component = b"\0asm\x0d\0\x01\0".to_vec();
    let empty_module = b"\0asm\x01\0\0\0".to_vec();
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("no wasm", b"this is no module".to_vec()),
        ("half a file", half),
        ("a component", component),
        ("a module without the flags", empty_module),
    ] {
        player.send_inputs(5).await;
        let control = server.control();
        let id = control.submit(vec![(name.clone(), bytes)]).unwrap();
        let state = tokio::task::block_in_place(|| control.wait(id, PATIENCE));
        let SubmissionState::Refused { reasons } = &state else {
            panic!("{what}: expected a refusal, found {state}");
        };
        assert_eq!(reasons.len(), 1, "{what}: {state}");
        assert!(reasons[0].reason.len() > 20, "{what}: {state}");
        player.wait_for_acknowledgement().await;
    }
    assert_eq!(server.control().status().mods, before);
    let identical = server.control().submit(vec![(name, good)]).unwrap();
    let state = tokio::task::block_in_place(|| server.control().wait(identical, PATIENCE));
    assert_eq!(state, SubmissionState::Identical);
}
