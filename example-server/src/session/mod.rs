//! One WebSocket: hello, then reading inputs and writing frames side by side until one of them ends.
//!
//! Whatever a client does concerns its own connection only.

mod end;
mod reader;
mod writer;

use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncReadExt, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, protocol::WebSocketConfig},
};

use self::{
    end::End,
    writer::{Feeds, Recipient},
};
use crate::{
    flood::FloodGate,
    hall::{Arrival, Entrance, Hall},
    limits::{CLOSE_WAIT_MAX, HELLO_WAIT_MAX, MESSAGE_BYTES_MAX, SOCKET_BUFFER_BYTES},
    protocol::{ClientMessage, Place, ServerMessage, clean_name},
    seat,
};

/// A WebSocket that came out of an HTTP connection.
pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What a client opens with.
enum Opening {
    Hello { name: String, world: Option<String> },
    Watch { world: Option<String> },
}

/// Serves one client until its connection ends.
pub(crate) async fn serve(mut socket: Socket, hall: &Hall) {
    let end = converse(&mut socket, hall).await;
    tracing::debug!(?end, "a session ended");
    close(socket, end).await;
}

async fn converse(socket: &mut Socket, hall: &Hall) -> End {
    let mut stopping = hall.stopping.clone();
    let (mut sink, mut stream) = socket.split();
    let first = tokio::select! {
        first = timeout(HELLO_WAIT_MAX, opening(&mut stream)) => first,
        _ = stopping.wait_for(|stopping| *stopping) => return End::Stopping,
    };
    let mut opened = match first {
        Ok(Ok(opened)) => opened,
        Ok(Err(end)) => return end,
        Err(_) => return End::Breach(format!("expected a hello within {} s", HELLO_WAIT_MAX.as_secs())),
    };
    loop {
        let world = match &opened {
            Opening::Hello { world, .. } | Opening::Watch { world } => world.as_deref(),
        };
        let Some(entrance) = hall.entrance(world) else {
            let known: Vec<&str> = hall.worlds.iter().map(|world| &*world.name).collect();
            return End::Breach(format!("there is no such world; there are {}", known.join(", ")));
        };
        // Subscribed before the arrival, so that what the world says about it is not missed.
        let mut feeds = Feeds::of(entrance, hall);
        let place = Place::new(hall.run, &entrance.name, hall.tick_rate);
        let name = match opened {
            Opening::Hello { name, .. } => name,
            Opening::Watch { .. } => {
                let _onlooker = hall.onlookers.enter();
                let watching = Message::text(ServerMessage::Watching { place }.to_json());
                if let Err(end) = writer::send(&mut sink, watching).await {
                    return end;
                }
                opened = tokio::select! {
                    next = opening(&mut stream) => match next {
                        Ok(next) => next,
                        Err(end) => return end,
                    },
                    end = writer::write(&mut sink, Recipient::default(), &mut feeds) => return end,
                    _ = stopping.wait_for(|stopping| *stopping) => return End::Stopping,
                };
                if matches!(opened, Opening::Watch { .. }) {
                    return End::Breach("expected a hello after looking on".to_owned());
                }
                continue;
            }
        };
        let player = hall.next_player();
        let (inputs, seat) = seat::seat(player);
        let welcome = ServerMessage::Welcome { player, name: name.as_str().into(), place }.to_json();
        if let Err(end) = arrive(entrance, Arrival { name: name.clone(), seat }).await {
            return end;
        }
        if let Err(end) = writer::send(&mut sink, Message::text(welcome)).await {
            return end;
        }
        return tokio::select! {
            end = reader::read(&mut stream, inputs) => end,
            end = writer::write(&mut sink, Recipient::from(player), &mut feeds) => end,
            _ = stopping.wait_for(|stopping| *stopping) => End::Stopping,
        };
    }
}

/// Waits for the first message, which must be a hello, or a wish to look on.
async fn opening(stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin)) -> Result<Opening, End> {
    // Who only looks on has all the time there is, but not to send pings with.
    let mut gate = FloodGate::new(Instant::now());
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(End::of(error)),
            None => return Err(End::Gone),
        };
        if !gate.admits(Instant::now()) {
            return Err(End::flood());
        }
        return match message {
            Message::Text(text) => match ClientMessage::from_json(&text) {
                Ok(ClientMessage::Hello { name, world }) => Ok(Opening::Hello { name: clean_name(&name), world }),
                Ok(ClientMessage::Watch { world }) => Ok(Opening::Watch { world }),
                Ok(ClientMessage::Input { .. }) => Err(End::Breach("expected a hello before inputs".to_owned())),
                Err(reason) => Err(End::Breach(reason)),
            },
            Message::Binary(_) => Err(End::Binary),
            Message::Close(_) => Err(End::Left),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        };
    }
}

/// Enters the world, waiting while too many others do.
async fn arrive(entrance: &Entrance, mut arrival: Arrival) -> Result<(), End> {
    loop {
        match entrance.arrivals.try_send(arrival) {
            Ok(()) => return Ok(()),
            Err(crossbeam_channel::TrySendError::Disconnected(_)) => return Err(End::WorldEnded),
            Err(crossbeam_channel::TrySendError::Full(back)) => arrival = back,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Says why, and gives the client a moment to answer.
async fn close(mut socket: Socket, end: End) {
    let Some(frame) = end.close_frame() else {
        return;
    };
    let goodbye = async {
        if socket.close(Some(frame)).await.is_err() {
            return;
        }
        while let Some(Ok(_)) = socket.next().await {}
        // Bytes that the library refuses to read must still be taken: a socket that is closed over them is reset, and the
        // reason might never arrive.
        if end == End::TooLarge {
            let mut bytes = [0; MESSAGE_BYTES_MAX];
            while socket.get_mut().read(&mut bytes).await.is_ok_and(|count| count > 0) {}
        }
    };
    let _ = timeout(CLOSE_WAIT_MAX, goodbye).await;
}

/// How the WebSocket library is to bound what it reads and collects.
pub(crate) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .read_buffer_size(SOCKET_BUFFER_BYTES)
        .write_buffer_size(SOCKET_BUFFER_BYTES)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures_util::stream;

    use super::*;
    use crate::limits::MESSAGES_PER_SECOND_MAX;

    /// What a client opens with that says this.
    fn opened(messages: Vec<Message>) -> Result<Opening, End> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(opening(&mut stream::iter(messages.into_iter().map(Ok))))
    }

    #[test]
    fn a_client_opens_with_a_hello_or_looks_on() {
        let hello =
            opened(vec![Message::Ping(Vec::new().into()), Message::text(r#"{"type":"hello","name":" A\u0007 "}"#)]);
        assert!(matches!(hello, Ok(Opening::Hello { name, world: None }) if name == "A"));
        let watch = opened(vec![Message::text(r#"{"type":"watch","world":"arena-2"}"#)]);
        assert!(matches!(watch, Ok(Opening::Watch { world: Some(world) }) if world == "arena-2"));
        assert!(matches!(opened(Vec::new()), Err(End::Gone)));
    }

    /// They need no hello in time, so nothing else would end them.
    #[test]
    fn who_only_looks_on_may_not_flood_the_server_with_pings() {
        let pings = vec![Message::Ping(Vec::new().into()); 10 * MESSAGES_PER_SECOND_MAX as usize];
        assert_eq!(opened(pings).err(), Some(End::flood()));
    }
}
