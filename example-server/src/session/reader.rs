//! What a client says after its hello: inputs, in sequence, and not too many.

use std::time::Instant;

use futures_util::{Stream, StreamExt};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::end::End;
use crate::{
    flood::FloodGate,
    protocol::{self, ClientMessage},
    seat::SeatInputs,
};

/// Reads until the connection ends. While the player's seat is full, nothing is read from the socket.
pub(super) async fn read(stream: &mut (impl Stream<Item = Result<Message, Error>> + Unpin), inputs: SeatInputs) -> End {
    let mut gate = FloodGate::new(Instant::now());
    let mut next = 1;
    loop {
        let message = match stream.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return End::of(error),
            None => return End::Gone,
        };
        if !gate.admits(Instant::now()) {
            return End::flood();
        }
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return End::Binary,
            Message::Close(_) => return End::Left,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        };
        let (sequence, input) = match ClientMessage::from_json(&text) {
            Ok(ClientMessage::Input { sequence, dx, dy, fire }) => (sequence, protocol::input(sequence, dx, dy, fire)),
            Ok(ClientMessage::Hello { .. }) => return End::Breach("a second hello".to_owned()),
            Ok(ClientMessage::Watch { .. }) => return End::Breach("expected an input from a player".to_owned()),
            Err(reason) => return End::Breach(reason),
        };
        if sequence != next {
            return End::Breach(format!("input {sequence} where input {next} was expected"));
        }
        if inputs.put(input).await.is_err() {
            return End::WorldEnded;
        }
        next += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arena_api::PlayerId;
    use futures_util::stream;

    use super::*;
    use crate::seat;

    /// What a client that says these texts is told, and the inputs that reach its world.
    fn told(texts: &[&str]) -> (End, Vec<u64>) {
        let messages: Vec<_> = texts.iter().map(|text| Ok(Message::text(*text))).collect();
        let (inputs, seat) = seat::seat(PlayerId(1));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let end = runtime.block_on(read(&mut stream::iter(messages), inputs));
        let mut taken = Vec::new();
        seat.take(64, |input| taken.push(input.sequence));
        (end, taken)
    }

    fn input(sequence: u64) -> String {
        ClientMessage::Input { sequence, dx: 0.0, dy: 1.0, fire: false }.to_json()
    }

    #[test]
    fn inputs_in_sequence_reach_the_world() {
        assert_eq!(told(&[&input(1), &input(2), &input(3)]), (End::Gone, vec![1, 2, 3]));
    }

    #[test]
    fn a_breach_ends_the_session_and_takes_nothing_back() {
        for (bad, reason) in [
            (input(1), "input 1 where input 2 was expected"),
            (input(3), "input 3 where input 2 was expected"),
            (r#"{"type":"hello","name":"again"}"#.to_owned(), "a second hello"),
        ] {
            let end = End::Breach(reason.to_owned());
            assert_eq!(told(&[&input(1), &bad, &input(2)]), (end, vec![1]));
        }
        let (end, taken) = told(&[&input(1), "nonsense", &input(2)]);
        assert!(matches!(end, End::Breach(reason) if reason.starts_with("expected a hello or an input")));
        assert_eq!(taken, [1]);
    }
}
