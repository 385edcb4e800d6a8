//! Clients that do not keep to the protocol: each is told why its connection ends, and nobody else notices.

use std::net::SocketAddr;

use example_server::{limits::MESSAGE_BYTES_MAX, protocol::ClientMessage};
use tokio::net::TcpStream;
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
        ("an input left out", Message::text(input(2)), 1008, "input 2 where input 1 was expected"),
        ("no JSON", Message::text("\u{0}"), 1008, "expected a hello or an input"),
        ("oversized", Message::text("x".repeat(100 * MESSAGE_BYTES_MAX)), 1009, "a message has at most 4096 bytes"),
    ] {
        let (mut bad, _) = Client::enter(address, name, None).await;
        bad.say(said).await;
        assert_closed(bad, name, code, reason).await;
    }
    no_websocket(address).await;

    good.send_inputs(10).await;
    good.wait_for_acknowledgement().await;
    let totals = tokio::task::block_in_place(|| server.rooms()[0].commands.totals()).unwrap();
    assert_eq!((totals.applied, totals.duplicated, totals.missing, totals.unknown_player), (20, 0, 0, 0));
}

/// Bytes that are no handshake, and a connection that says nothing at all.
async fn no_websocket(address: SocketAddr) {
    let silent = TcpStream::connect(address).await.unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    stream.writable().await.unwrap();
    stream.try_write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = [0; 64];
    // Whatever the answer is, the connection ends.
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut answer) {
            Ok(0) => break,
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
            _ => {}
        }
    }
    drop(silent);
}

fn input(sequence: u64) -> String {
    ClientMessage::Input { sequence, dx: 0.0, dy: 0.0, fire: false }.to_json()
}

async fn assert_closed(client: Client, name: &str, code: u16, reason: &str) {
    let frame = client.closed().await;
    assert_eq!(u16::from(frame.code), code, "{name}: {}", frame.reason);
    assert!(frame.reason.starts_with(reason), "{name}: {}", frame.reason);
}
