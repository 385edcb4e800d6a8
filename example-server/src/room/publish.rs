//! From what ticks hand out to what sessions send: encoded once per world, away from the world's thread.

use std::sync::Arc;

use arena_api::{Frame, PlayerId};
use tokio::sync::{broadcast, mpsc, watch};

use crate::{
    hall::{EncodedFrame, Notice},
    protocol::ServerMessage,
};

/// What one tick hands out.
#[derive(Debug)]
pub(crate) struct Output {
    tick: u64,
    frame: Option<Frame>,
    notices: Vec<OutputNotice>,
}

/// An effect for players.
#[derive(Debug)]
pub(crate) enum OutputNotice {
    /// For everyone in the world.
    Text(String),
    /// For one player.
    Award { player: PlayerId, points: u32 },
}

/// On the world's thread: never waits. When sessions are that far behind, dropping is all that is left.
pub(super) fn hand_out(output: &mpsc::Sender<Output>, tick: u64, frame: Option<Frame>, notices: Vec<OutputNotice>) {
    if frame.is_none() && notices.is_empty() {
        return;
    }
    let notices_lost = notices.len();
    if output.try_send(Output { tick, frame, notices }).is_err() && notices_lost > 0 {
        tracing::warn!(tick, notices_lost, "nobody takes what ticks hand out");
    }
}

/// Encodes and passes on until the world ends.
pub(crate) async fn publish(
    mut outputs: mpsc::Receiver<Output>,
    frames: watch::Sender<Arc<EncodedFrame>>,
    notices: broadcast::Sender<Notice>,
) {
    while let Some(Output { tick, frame, notices: spoken }) = outputs.recv().await {
        for notice in spoken {
            let notice = match notice {
                OutputNotice::Text(text) => {
                    let text = ServerMessage::Notice { text: text.into() }.to_json();
                    Notice::Everyone(text.into())
                }
                OutputNotice::Award { player, points } => Notice::Award { player, points },
            };
            // An error says that nobody is connected.
            let _ = notices.send(notice);
        }
        if let Some(frame) = frame {
            frames.send_replace(Arc::new(encode(tick, &frame)));
        }
    }
}

fn encode(tick: u64, frame: &Frame) -> EncodedFrame {
    let mut acknowledged: Vec<(PlayerId, u64)> =
        frame.players.iter().map(|view| (view.player, view.acknowledged)).collect();
    // The rules sort by id already, but they can be swapped for others that do not.
    acknowledged.sort_unstable();
    EncodedFrame { text: ServerMessage::frame(tick, frame).to_json().into(), acknowledged }
}
