//! What a client is promised: a welcome, frames, and an acknowledgement of every input, exactly once.

use arena_api::ARENA_WIDTH;
use example_server::{
    bind,
    protocol::{Place, ServerMessage},
};

use crate::{client::Client, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn players_see_each_other_and_every_input_is_applied_once() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    let (mut ada, welcome) = Client::enter(server.address(), " Ada\u{202e}\n", None).await;
    let ServerMessage::Welcome { player, name, place: Place { world, tick_rate, width, .. } } = welcome else {
        panic!("expected a welcome");
    };
    assert_eq!((&*name, &*world, tick_rate, width), ("Ada", "arena-1", 60, ARENA_WIDTH));
    let (mut bob, _) = Client::enter(server.address(), "Bob", Some("arena-1")).await;
    // Many more than a seat holds: the server reads more slowly, and loses none.
    ada.send_inputs(500).await;
    bob.send_inputs(3).await;
    ada.wait_for_acknowledgement().await;
    bob.wait_for_acknowledgement().await;
    let both = |message: &ServerMessage<'_>| match message {
        ServerMessage::Frame { players, .. } => players.len() == 2,
        _ => false,
    };
    let ServerMessage::Frame { players, .. } = bob.hear_until(both).await else {
        panic!("expected a frame");
    };
    assert_eq!((players[0].id, &*players[0].name, &*players[1].name), (player, "Ada", "Bob"));
    let totals = tokio::task::block_in_place(|| server.rooms()[0].commands.totals()).unwrap();
    assert_eq!((totals.applied, totals.duplicated, totals.missing, totals.unknown_player), (503, 0, 0, 0));
    drop(ada);
    bob.hear_until(|message| matches!(message, ServerMessage::Frame { players, .. } if players.len() == 1)).await;
    tokio::task::block_in_place(|| server.stop());
    assert_eq!(u16::from(bob.closed().await.code), 1001);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = bind("127.0.0.1", 0).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = bind("127.0.0.1", port).unwrap_err();
    let expected = format!("127.0.0.1:{port} is in use by another program; stop it or choose another port with --port");
    assert_eq!(error.to_string(), expected);
}
