//! What a client is sent: the latest frame and status, acknowledgements, notices, the bulletin. Slow clients are sent fewer frames; those who do not
//! read at all are disconnected.

use std::sync::Arc;

use arena_api::PlayerId;
use futures_util::{Sink, SinkExt};
use tokio::{
    sync::{broadcast, watch},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::end::End;
use crate::{
    bulletin::{Heard, Subscription},
    hall::{EncodedFrame, Entrance, Hall, Notice},
    limits::WRITE_WAIT_MAX,
    protocol::ServerMessage,
};

/// Who is written to.
#[derive(Debug, Default)]
pub(super) struct Recipient {
    /// None for somebody who only looks on.
    player: Option<PlayerId>,
    acknowledged: u64,
    points_total: u64,
}

/// What a client is told from.
#[derive(Debug)]
pub(super) struct Feeds {
    frames: watch::Receiver<Arc<EncodedFrame>>,
    statuses: watch::Receiver<Utf8Bytes>,
    notices: broadcast::Receiver<Notice>,
    bulletin: Subscription,
}

impl From<PlayerId> for Recipient {
    fn from(player: PlayerId) -> Self {
        Self { player: Some(player), ..Self::default() }
    }
}

impl Feeds {
    pub(super) fn of(entrance: &Entrance, hall: &Hall) -> Self {
        let mut statuses = entrance.statuses.clone();
        statuses.mark_changed();
        Self {
            frames: entrance.frames.clone(),
            statuses,
            notices: entrance.notices.subscribe(),
            bulletin: hall.bulletin.subscribe(),
        }
    }
}

/// Writes until the connection ends.
pub(super) async fn write(
    sink: &mut (impl Sink<Message, Error = Error> + Unpin),
    mut recipient: Recipient,
    feeds: &mut Feeds,
) -> End {
    let Feeds { frames, statuses, notices, bulletin } = feeds;
    loop {
        let done = tokio::select! {
            notice = notices.recv() => match notice {
                Ok(notice) => match recipient.told(notice) {
                    Some(message) => send(sink, message).await,
                    None => Ok(()),
                },
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
            changed = statuses.changed() => {
                if changed.is_err() {
                    return End::WorldEnded;
                }
                let status = statuses.borrow_and_update().clone();
                match status.is_empty() {
                    true => Ok(()),
                    false => send(sink, Message::Text(status)).await,
                }
            }
            changed = frames.changed() => {
                if changed.is_err() {
                    return End::WorldEnded;
                }
                let frame = Arc::clone(&frames.borrow_and_update());
                send_frame(sink, &frame, recipient.acknowledgement(&frame)).await
            }
        };
        if let Err(end) = done {
            return end;
        }
    }
}

impl Recipient {
    /// What a notice means to them.
    fn told(&mut self, notice: Notice) -> Option<Message> {
        match notice {
            Notice::Everyone(text) => Some(Message::Text(text)),
            Notice::Award { player, points } if Some(player) == self.player => {
                self.points_total += u64::from(points);
                let award = ServerMessage::Award { points, total: self.points_total };
                Some(Message::text(award.to_json()))
            }
            Notice::Award { .. } => None,
        }
    }

    /// The inputs that a frame says were applied, if those are more than before.
    fn acknowledgement(&mut self, frame: &EncodedFrame) -> Option<Message> {
        let sequence = frame.acknowledged(self.player?).filter(|&sequence| sequence > self.acknowledged)?;
        self.acknowledged = sequence;
        Some(Message::text(ServerMessage::Ack { sequence }.to_json()))
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
