//! Accepts connections and gives each a session of its own.

use std::{
    io,
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

use crate::{
    hall::Hall,
    limits::{SESSIONS_MAX, STOP_WAIT_MAX},
    web,
};

/// The address cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{}", trouble(.address, .source))]
pub struct AddressError {
    /// Host and port.
    pub address: String,
    /// What the system says.
    pub source: io::Error,
}

/// Takes the address. A port that is in use is an error that says so.
pub fn bind(host: &str, port: u16) -> Result<StdListener, AddressError> {
    let listener = StdListener::bind((host, port));
    let listener = listener.and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|source| AddressError { address: format!("{host}:{port}"), source })
}

fn trouble(address: &str, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{address} is in use by another program; stop it or choose another port with --port")
        }
        _ => format!("cannot listen on {address}: {source}"),
    }
}

/// Serves clients until the server stops, then waits a bounded time for sessions to end.
pub(crate) async fn serve(listener: TcpListener, hall: Arc<Hall>) {
    let room = Arc::new(Semaphore::new(SESSIONS_MAX));
    let mut stopping = hall.stopping.clone();
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        while sessions.try_join_next().is_some() {}
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, say: it passes, and trying at once would only burn time.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            refuse(&stream, from);
            continue;
        };
        let hall = Arc::clone(&hall);
        sessions.spawn(async move {
            web::serve(stream, &hall).await;
            drop(permit);
        });
    }
    drop(listener);
    let ended = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WAIT_MAX, ended).await.is_err() {
        tracing::warn!(sessions = sessions.len(), "sessions did not end in time");
    }
}

fn refuse(stream: &TcpStream, from: SocketAddr) {
    tracing::warn!(%from, "refused a connection: there are {SESSIONS_MAX}, which is the limit SESSIONS_MAX");
    let answer = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    // The socket's buffer is empty, so this fits; if not, the client sees the connection close.
    let _ = stream.try_write(answer);
}
