//! Clients that do not keep to the protocol: each is told why its connection ends, and nobody else notices.

use example_server::{limits::MESSAGE_BYTES_MAX, protocol::ClientMessage};
use tokio_tungstenite::tungstenite::Message;

use crate::{client::Client, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bad_clients_are_told_why_and_disturb_nobody() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    let address = server.address();
    let (mut good, _) = Client::enter(address, "good", None).await;
    good.send_inputs(10).await;

    for (name, said, code, reason) in [
        ("no JSON", Message::text("hello"), 1008, "expected a hello or an input"),
        ("no known type", Message::text(r#"{"type":"cheat"}"#), 1008, "expected a hello or an input"),
        ("an input first", Message::text(input(1)), 1008, "expected a hello before inputs"),
        ("binary", Message::binary(vec![0; 16]), 1003, "expected text messages"),
        ("oversized", Message::text("x".repeat(MESSAGE_BYTES_MAX + 1)), 1009, "a message has at most 4096 bytes"),
        (
            "another world",
            Message::text(r#"{"type":"hello","name":"x","world":"moon"}"#),
            1008,
            "there is no such world",
        ),
    ] {
        let mut bad = Client::connect(address).await;
        bad.say(said).await;
        assert_closed(bad, name, code, reason).await;
    }
    for (name, said, code, reason) in [
        ("a second hello", Message::text(r#"{"type":"hello","name":"x"}"#), 1008, "a second hello"),
        ("a wish to look on", Message::text(r#"{"type":"watch"}"#), 1008, "expected an input from a player"),
        ("an input left out", Message::text(input(2)), 1008, "input 2 where input 1 was expected"),
        ("no JSON", Message::text("\u{0}"), 1008, "expected a hello or an input"),
        ("oversized", Message::text("x".repeat(100 * MESSAGE_BYTES_MAX)), 1009, "a message has at most 4096 bytes"),
    ] {
        let (mut bad, _) = Client::enter(address, name, None).await;
        bad.say(said).await;
        assert_closed(bad, name, code, reason).await;
    }

    good.send_inputs(10).await;
    good.wait_for_acknowledgement().await;
    let totals = tokio::task::block_in_place(|| server.rooms()[0].commands.totals()).unwrap();
    assert_eq!((totals.applied, totals.duplicated, totals.missing, totals.unknown_player), (20, 0, 0, 0));
}

fn input(sequence: u64) -> String {
    ClientMessage::Input { sequence, dx: 0.0, dy: 0.0, fire: false }.to_json()
}

async fn assert_closed(client: Client, name: &str, code: u16, reason: &str) {
    let frame = client.closed().await;
    assert_eq!(u16::from(frame.code), code, "{name}: {}", frame.reason);
    assert!(frame.reason.starts_with(reason), "{name}: {}", frame.reason);
}
