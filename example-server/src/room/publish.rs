//! From what ticks hand out to what sessions send: encoded once per world, away from the world's thread.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arena_api::{Frame, PlayerId, Standing, Standings};
use tickswap::{Control, GenerationId, SubmissionState, SwapRecord, World};
use tickswap_abi::{Answers, ModName};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::gauge::{TickFigures, TickGauge};
use crate::{
    bulletin::{Bulletin, Entry},
    hall::{EncodedFrame, Notice},
    limits::{TABLE_LINES_MAX, TABLES_MAX},
    protocol::{ModState, ServerMessage, Status, TableLine, TableState},
};

/// What one tick hands out.
#[derive(Debug)]
pub(crate) struct Output {
    pub(super) tick: u64,
    pub(super) frame: Option<Frame>,
    pub(super) notices: Vec<OutputNotice>,
    pub(super) swapped: Vec<SwapRecord>,
    pub(super) status: Option<RoomStatus>,
}

/// A world as players are told of it.
#[derive(Debug)]
pub(crate) struct RoomStatus {
    mods: Vec<(ModName, Option<GenerationId>, Option<String>)>,
    standings: Answers<Standings>,
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
    if output.frame.is_none() && output.status.is_none() && lost == 0 {
        return;
    }
    let tick = output.tick;
    if to.try_send(output).is_err() && lost > 0 {
        tracing::warn!(tick, lost, "nobody takes what ticks hand out");
    }
}

/// Encodes what one world hands out and passes it on.
pub(crate) struct Publisher {
    pub(crate) outputs: mpsc::Receiver<Output>,
    pub(crate) frames: watch::Sender<Arc<EncodedFrame>>,
    pub(crate) statuses: watch::Sender<Utf8Bytes>,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) gauge: Arc<TickGauge>,
    pub(crate) online: Arc<AtomicUsize>,
    pub(crate) bulletin: Bulletin,
    pub(crate) control: Control,
}

impl Publisher {
    /// Until the world ends.
    pub(crate) async fn run(mut self) {
        while let Some(Output { tick, frame, status, notices, swapped }) = self.outputs.recv().await {
            let live = swapped.iter().flat_map(|record| live(record, &self.bulletin, &self.control));
            live.for_each(|entry| self.bulletin.post(entry));
            for notice in notices {
                let notice = match notice {
                    OutputNotice::Text(text) => {
                        let text = ServerMessage::Notice { text: text.into() }.to_json();
                        Notice::Everyone(text.into())
                    }
                    OutputNotice::Award { player, points } => Notice::Award { player, points },
                };
                // An error says that nobody is connected.
                let _ = self.notices.send(notice);
            }
            if let Some(status) = status {
                let online = self.online.load(Ordering::Relaxed);
                self.statuses.send_replace(encode_status(tick, &status, self.gauge.read(), online).into());
            }
            if let Some(frame) = frame {
                self.frames.send_replace(Arc::new(encode(tick, &frame)));
            }
        }
    }
}

impl RoomStatus {
    pub(super) fn of(world: &World, standings: Answers<Standings>) -> Self {
        let mods = world.mods().map(|(name, generation, paused)| (name.clone(), generation, paused.map(str::to_owned)));
        Self { mods: mods.collect(), standings }
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

fn encode_status(tick: u64, status: &RoomStatus, figures: TickFigures, players: usize) -> String {
    let mods = status.mods.iter().map(|(name, generation, paused)| ModState {
        name: name.as_str().into(),
        generation: *generation,
        paused: paused.as_deref().map(Cow::Borrowed),
    });
    let line = |line: &'_ Standing| TableLine {
        id: line.player,
        name: line.name.clone().into(),
        knockouts: line.knockouts,
        outs: line.outs,
        streak: line.streak,
    };
    let tables = status.standings.iter().take(TABLES_MAX).map(|(mod_name, table)| TableState {
        mod_name: mod_name.as_str().into(),
        title: table.title.as_str().into(),
        lines: table.lines.iter().take(TABLE_LINES_MAX).map(line).collect(),
    });
    let status = Status {
        tick,
        tick_us: figures.p50_us,
        tick_us_p99: figures.p99_us,
        late: figures.late,
        skipped: figures.skipped,
        players,
        mods: mods.collect(),
        tables: tables.collect(),
    };
    ServerMessage::Status(status).to_json()
}
