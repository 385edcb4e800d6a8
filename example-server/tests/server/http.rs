//! The page over HTTP: what is served and how, and what bad requests are answered. None of them disturbs a player.

use std::net::SocketAddr;

use example_server::limits::{HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{PATIENCE, client::Client, server};

/// Sends bytes and reads all that comes back until the server closes the connection.
async fn answer(server: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    // The server may answer and close before everything is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: arena\r\nConnection: close\r\n\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_page_is_served_under_a_strict_policy() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    for (path, content_type, part) in [
        ("/", "text/html; charset=utf-8", "<canvas"),
        ("/?anything", "text/html; charset=utf-8", "<canvas"),
        ("/arena.css", "text/css; charset=utf-8", "body"),
        ("/main.js", "text/javascript; charset=utf-8", "import"),
        ("/icon.svg", "image/svg+xml", "<svg"),
    ] {
        let answer = answer(server.address(), &get(path)).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{path}: {head}");
        assert!(head.contains(&format!("content-type: {content_type}\r\n")), "{path}: {head}");
        assert!(head.contains("content-security-policy: default-src 'none'; script-src 'self'"), "{path}: {head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}: {head}");
        assert!(body.contains(part), "{path}");
    }
    let head_only = answer(server.address(), b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(head_only.starts_with("HTTP/1.1 200 OK") && head_only.ends_with("\r\n\r\n"), "{head_only}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn bad_requests_are_answered_and_disturb_nobody() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    let address = server.address();
    let (mut player, _) = Client::enter(address, "player", None).await;
    let long = "x".repeat(2 * HTTP_HEAD_BYTES_MAX);
    let many: String = (0..2 * HTTP_HEADERS_MAX).map(|number| format!("X-{number}: y\r\n")).collect();
    for (what, request, status) in [
        ("no such file", get("/etc/passwd"), "HTTP/1.1 404"),
        ("a way out", get("/../Cargo.toml"), "HTTP/1.1 404"),
        (
            "a wrong method",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec(),
            "HTTP/1.1 405",
        ),
        ("no handshake", get("/play"), "HTTP/1.1 426"),
        (
            "half a handshake",
            b"GET /play HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_vec(),
            "HTTP/1.1 400",
        ),
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01 what is this\r\n\r\n".to_vec(), "HTTP/1.1 400"),
        ("a long header", format!("GET / HTTP/1.1\r\nX: {long}\r\n\r\n").into_bytes(), "HTTP/1.1 431"),
        ("a long address", get(&format!("/{long}")), "HTTP/1.1 4"),
        ("many headers", format!("GET / HTTP/1.1\r\n{many}\r\n").into_bytes(), "HTTP/1.1 431"),
    ] {
        let answer = answer(address, &request).await;
        assert!(answer.starts_with(status), "{what}: {answer}");
        player.send_inputs(1).await;
        player.wait_for_acknowledgement().await;
    }
    let missing = answer(address, &get("/nowhere")).await;
    assert!(missing.ends_with("There is nothing at this address. The arena is at /\n"), "{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn connections_that_dawdle_end_while_players_play_on() {
    let server = tokio::task::spawn_blocking(|| server(1)).await.unwrap();
    let (mut player, _) = Client::enter(server.address(), "player", None).await;
    let mut silent = TcpStream::connect(server.address()).await.unwrap();
    let mut slow = TcpStream::connect(server.address()).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    // Served, and kept open by a client that never asks again.
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    idle.write_all(b"GET /icon.svg HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    for stream in [&mut silent, &mut slow, &mut idle] {
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection ends");
    }
    player.send_inputs(5).await;
    player.wait_for_acknowledgement().await;
}
