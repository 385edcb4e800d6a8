//! What a client is sent: the latest frame, acknowledgements, notices, the bulletin. Slow clients are sent fewer frames; those who do not
//! read at all are disconnected.

use std::sync::Arc;

use arena_api::PlayerId;
use futures_util::{Sink, SinkExt};
use tokio::{
    sync::{broadcast, watch},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::end::End;
use crate::{
    bulletin::{Heard, Subscription},
    hall::{EncodedFrame, Notice},
    limits::WRITE_WAIT_MAX,
    protocol::ServerMessage,
};

/// Writes until the connection ends.
pub(super) async fn write(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    player: PlayerId,
    mut frames: watch::Receiver<Arc<EncodedFrame>>,
    mut notices: broadcast::Receiver<Notice>,
    mut bulletin: Subscription,
) -> End {
    let (mut acknowledged, mut points_total) = (0, 0);
    loop {
        let done = tokio::select! {
            notice = notices.recv() => match notice {
                Ok(Notice::Everyone(text)) => send(sink, Message::Text(text)).await,
                Ok(Notice::Award { player: awarded, points }) if awarded == player => {
                    points_total += u64::from(points);
                    let award = ServerMessage::Award { points, total: points_total };
                    send(sink, Message::text(award.to_json())).await
                }
                Ok(Notice::Award { .. }) => Ok(()),
                Err(broadcast::error::RecvError::Lagged(_)) => return End::TooSlow,
                Err(broadcast::error::RecvError::Closed) => return End::WorldEnded,
            },
            heard = bulletin.next() => match heard {
                Some(Heard::Entry(posted)) => {
                    send(sink, Message::text(ServerMessage::bulletin(&posted).to_json())).await
                }
                // Numbers tell the client that it has missed some.
                Some(Heard::Lost(_)) => Ok(()),
                None => return End::Stopping,
            },
            changed = frames.changed() => {
                if changed.is_err() {
                    return End::WorldEnded;
                }
                let frame = Arc::clone(&frames.borrow_and_update());
                let applied = frame.acknowledged(player).filter(|&sequence| sequence > acknowledged);
                let ack = applied.map(|sequence| Message::text(ServerMessage::Ack { sequence }.to_json()));
                acknowledged = applied.unwrap_or(acknowledged);
                send_frame(sink, &frame, ack).await
            }
        };
        if let Err(end) = done {
            return end;
        }
    }
}

/// Sends one message, and gives up on a client that does not take it.
pub(super) async fn send(sink: &mut (impl Sink<Message, Error = Error> + Unpin), message: Message) -> Result<(), End> {
    in_time(sink.send(message)).await
}

/// Sends a frame and what goes with it in one piece.
async fn send_frame(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    frame: &EncodedFrame,
    ack: Option<Message>,
) -> Result<(), End> {
    in_time(async {
        if let Some(ack) = ack {
            sink.feed(ack).await?;
        }
        sink.send(Message::Text(frame.text.clone())).await
    })
    .await
}

async fn in_time(sending: impl Future<Output = Result<(), Error>>) -> Result<(), End> {
    match timeout(WRITE_WAIT_MAX, sending).await {
        Ok(result) => result.map_err(End::of),
        Err(_) => Err(End::TooSlow),
    }
}
