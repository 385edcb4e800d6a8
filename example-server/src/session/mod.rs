//! One connection: handshake, hello, then reading inputs and writing frames side by side until one of them ends.
//!
//! Whatever a client does concerns its own connection only.

mod end;
mod reader;
mod writer;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, accept_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use self::end::End;
use crate::{
    hall::{Arrival, Entrance, Hall},
    limits::{CLOSE_WAIT_MAX, HELLO_WAIT_MAX, MESSAGE_BYTES_MAX, SOCKET_BUFFER_BYTES},
    protocol::{ClientMessage, ServerMessage, clean_name},
    seat,
};

/// Serves one client until its connection ends.
pub(crate) async fn serve(stream: TcpStream, hall: Arc<Hall>) {
    // Frames are small and many: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let handshake = accept_async_with_config(stream, Some(config()));
    let mut socket = match timeout(HELLO_WAIT_MAX, handshake).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return tracing::debug!(%error, "no WebSocket handshake"),
        Err(_) => return tracing::debug!("no WebSocket handshake in time"),
    };
    let end = converse(&mut socket, &hall).await;
    tracing::debug!(?end, "a session ended");
    close(socket, end).await;
}

async fn converse(socket: &mut WebSocketStream<TcpStream>, hall: &Hall) -> End {
    let mut stopping = hall.stopping.clone();
    let hello = tokio::select! {
        hello = timeout(HELLO_WAIT_MAX, hello(socket)) => hello,
        _ = stopping.wait_for(|stopping| *stopping) => return End::Stopping,
    };
    let (name, world) = match hello {
        Ok(Ok(hello)) => hello,
        Ok(Err(end)) => return end,
        Err(_) => return End::Breach(format!("expected a hello within {} s", HELLO_WAIT_MAX.as_secs())),
    };
    let Some(entrance) = hall.entrance(world.as_deref()) else {
        let known: Vec<&str> = hall.worlds.iter().map(|world| &*world.name).collect();
        return End::Breach(format!("there is no such world; there are {}", known.join(", ")));
    };
    // Subscribed before the arrival, so that what the world says about it is not missed.
    let notices = entrance.notices.subscribe();
    let frames = entrance.frames.clone();
    let player = hall.next_player();
    let (inputs, seat) = seat::seat(player);
    let welcome = ServerMessage::welcome(player, &name, &entrance.name, hall.tick_rate).to_json();
    let arrival = Arrival { name: name.clone(), seat };
    if let Err(end) = arrive(entrance, arrival).await {
        return end;
    }
    let (mut sink, mut stream) = socket.split();
    if let Err(end) = writer::send(&mut sink, Message::text(welcome)).await {
        return end;
    }
    tokio::select! {
        end = reader::read(&mut stream, inputs) => end,
        end = writer::write(&mut sink, player, frames, notices, hall.bulletin.subscribe()) => end,
        _ = stopping.wait_for(|stopping| *stopping) => End::Stopping,
    }
}

/// Waits for the first message, which must be a hello. Answers the cleaned name and the wanted world.
async fn hello(socket: &mut WebSocketStream<TcpStream>) -> Result<(String, Option<String>), End> {
    loop {
        let message = match socket.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(End::of(error)),
            None => return Err(End::Gone),
        };
        return match message {
            Message::Text(text) => match ClientMessage::from_json(&text) {
                Ok(ClientMessage::Hello { name, world }) => Ok((clean_name(&name), world)),
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
async fn close(mut socket: WebSocketStream<TcpStream>, end: End) {
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
            drain(socket.get_mut()).await;
        }
    };
    let _ = timeout(CLOSE_WAIT_MAX, goodbye).await;
}

async fn drain(stream: &mut TcpStream) {
    let mut bytes = [0; MESSAGE_BYTES_MAX];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .read_buffer_size(SOCKET_BUFFER_BYTES)
        .write_buffer_size(SOCKET_BUFFER_BYTES)
}
