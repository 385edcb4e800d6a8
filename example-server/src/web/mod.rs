//! One TCP connection as HTTP: files of the page, and the WebSocket that players use. What is said over it is the business of sessions.
//!
//! **Invariant:** a connection that asks for files, or says nothing, ends after a bounded time; what it may send is bounded too.

mod page;

use std::{convert::Infallible, sync::Arc};

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_tungstenite::HyperWebsocket;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    hall::Hall,
    limits::{HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX, HTTP_WAIT_MAX},
    protocol::PLAY,
    session,
};

/// Only what this server serves is loaded, run or connected to, and no other page may frame it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The WebSocket that a connection becomes.
type Upgrade = Arc<Mutex<Option<HyperWebsocket>>>;

/// Serves one connection until it ends.
pub(crate) async fn serve(stream: TcpStream, hall: &Hall) {
    // Frames are small and many: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let upgrade = Upgrade::default();
    let answering = service_fn(|request| {
        let answer = answer(request, &upgrade);
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HTTP_WAIT_MAX)
        .max_buf_size(HTTP_HEAD_BYTES_MAX)
        .max_headers(HTTP_HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), answering)
        .with_upgrades();
    let mut stopping = hall.stopping.clone();
    tokio::select! {
        done = timeout(HTTP_WAIT_MAX, connection) => match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return tracing::debug!(%error, "an HTTP connection broke"),
            Err(_) => return tracing::debug!("an HTTP connection took its time"),
        },
        _ = stopping.wait_for(|stopping| *stopping) => return,
    }
    let Some(websocket) = upgrade.lock().take() else {
        return;
    };
    match websocket.await {
        Ok(socket) => session::serve(socket, hall).await,
        Err(error) => tracing::debug!(%error, "no WebSocket handshake"),
    }
}

fn answer(request: Request<Incoming>, upgrade: &Upgrade) -> Response<Full<Bytes>> {
    let is_known = request.uri().path() == PLAY || page::file(request.uri().path()).is_some();
    if !is_known {
        return in_words(StatusCode::NOT_FOUND, "There is nothing at this address. The arena is at /\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = in_words(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
        answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    match page::file(request.uri().path()) {
        Some(file) => with_headers(StatusCode::OK, file.content_type, Bytes::from_static(file.content)),
        None => play(request, upgrade),
    }
}

/// Answers the handshake of a WebSocket.
fn play(request: Request<Incoming>, upgrade: &Upgrade) -> Response<Full<Bytes>> {
    if !hyper_tungstenite::is_upgrade_request(&request) {
        let mut answer =
            in_words(StatusCode::UPGRADE_REQUIRED, "Players connect here by WebSocket. The page is at /\n");
        answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return answer;
    }
    match hyper_tungstenite::upgrade(request, Some(session::config())) {
        Ok((answer, websocket)) => {
            *upgrade.lock() = Some(websocket);
            answer
        }
        Err(error) => in_words(StatusCode::BAD_REQUEST, &format!("This is no WebSocket handshake: {error}\n")),
    }
}

fn in_words(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    with_headers(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(words.as_bytes()))
}

fn with_headers(status: StatusCode, content_type: &'static str, content: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(content));
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The page belongs to the server that runs: an old one must not meet a new protocol.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
