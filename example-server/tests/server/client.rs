//! A client that speaks the protocol, or anything else that a test wants to say.

use std::net::SocketAddr;

use example_server::protocol::{ClientMessage, PLAY, ServerMessage};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use crate::PATIENCE;

pub(crate) struct Client {
    socket: WebSocketStream<TcpStream>,
    sent: u64,
}

impl Client {
    /// A connection without a hello.
    pub(crate) async fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        let (socket, _) = client_async(format!("ws://{server}{PLAY}"), stream).await.unwrap();
        Self { socket, sent: 0 }
    }

    /// A player in the game, and what the welcome says.
    pub(crate) async fn enter(server: SocketAddr, name: &str, world: Option<&str>) -> (Self, ServerMessage<'static>) {
        let mut client = Self::connect(server).await;
        let hello = ClientMessage::Hello { name: name.to_owned(), world: world.map(str::to_owned) };
        client.say(Message::text(hello.to_json())).await;
        let welcome = client.hear_until(|message| matches!(message, ServerMessage::Welcome { .. })).await;
        (client, welcome)
    }

    pub(crate) async fn say(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn send_inputs(&mut self, count: u64) {
        for _ in 0..count {
            self.sent += 1;
            let input = ClientMessage::Input { sequence: self.sent, dx: 1.0, dy: 0.0, fire: false };
            self.say(Message::text(input.to_json())).await;
        }
    }

    /// Inputs that were sent.
    #[allow(dead_code, reason = "the development tests share this client and do not ask")]
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Waits until the rules have applied all inputs that were sent.
    pub(crate) async fn wait_for_acknowledgement(&mut self) {
        let sent = self.sent;
        self.hear_until(|message| *message == ServerMessage::Ack { sequence: sent }).await;
    }

    /// The next message that is wanted.
    pub(crate) async fn hear_until(&mut self, wanted: impl Fn(&ServerMessage<'_>) -> bool) -> ServerMessage<'static> {
        let hearing = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        let text: &'static str = text.as_str().to_owned().leak();
                        let message = serde_json::from_str(text).unwrap();
                        if wanted(&message) {
                            return message;
                        }
                    }
                    Some(Ok(Message::Ping(_))) => {}
                    other => panic!("the connection ended: {other:?}"),
                }
            }
        };
        timeout(PATIENCE, hearing).await.unwrap()
    }

    /// Why the server closed the connection.
    pub(crate) async fn closed(mut self) -> CloseFrame {
        let closing = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame,
                    Some(Ok(Message::Text(_))) => {}
                    other => panic!("expected to be told why, got {other:?}"),
                }
            }
        };
        timeout(PATIENCE, closing).await.unwrap()
    }
}
