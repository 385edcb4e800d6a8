//! From what ticks hand out to what sessions send: encoded once per world, away from the world's thread.

use std::sync::Arc;

use arena_api::{Frame, PlayerId};
use tickswap::{Control, SubmissionState, SwapRecord};
use tokio::sync::{broadcast, mpsc, watch};

use crate::{
    bulletin::{Bulletin, Entry},
    hall::{EncodedFrame, Notice},
    protocol::ServerMessage,
};

/// What one tick hands out.
#[derive(Debug)]
pub(crate) struct Output {
    pub(super) tick: u64,
    pub(super) frame: Option<Frame>,
    pub(super) notices: Vec<OutputNotice>,
    pub(super) swapped: Vec<SwapRecord>,
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
pub(super) fn hand_out(to: &mpsc::Sender<Output>, output: Output) {
    let lost = output.notices.len() + output.swapped.len();
    if output.frame.is_none() && lost == 0 {
        return;
    }
    let tick = output.tick;
    if to.try_send(output).is_err() && lost > 0 {
        tracing::warn!(tick, lost, "nobody takes what ticks hand out");
    }
}

/// Encodes and passes on until the world ends.
pub(crate) async fn publish(
    mut outputs: mpsc::Receiver<Output>,
    frames: watch::Sender<Arc<EncodedFrame>>,
    notices: broadcast::Sender<Notice>,
    bulletin: Bulletin,
    control: Control,
) {
    while let Some(Output { tick, frame, notices: spoken, swapped }) = outputs.recv().await {
        swapped.iter().flat_map(|record| live(record, &bulletin, &control)).for_each(|entry| bulletin.post(entry));
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

/// One entry for each mod of a swap.
fn live(record: &SwapRecord, bulletin: &Bulletin, control: &Control) -> Vec<Entry> {
    let prepared = match control.submission(record.submission) {
        SubmissionState::Staging { mods, .. } | SubmissionState::Done { mods, .. } => mods,
        _ => Vec::new(),
    };
    let since_save_ms = bulletin.since_save_ms(record.submission);
    let entry = |swap: &tickswap::ModSwap| {
        let changed = prepared.iter().find(|prepared| prepared.mod_name == swap.mod_name);
        let changed_functions = changed.map(|prepared| prepared.changed_functions.clone()).unwrap_or_default();
        Entry::Live {
            mod_name: swap.mod_name.clone(),
            previous: swap.from,
            generation: swap.to,
            changed_total: changed_functions.len(),
            changed_functions,
            pause_ns: record.pause_ns,
            world: record.world.clone(),
            since_save_ms,
        }
    };
    record.mods.iter().map(entry).collect()
}

fn encode(tick: u64, frame: &Frame) -> EncodedFrame {
    let mut acknowledged: Vec<(PlayerId, u64)> =
        frame.players.iter().map(|view| (view.player, view.acknowledged)).collect();
    // The rules sort by id already, but they can be swapped for others that do not.
    acknowledged.sort_unstable();
    EncodedFrame { text: ServerMessage::frame(tick, frame).to_json().into(), acknowledged }
}
