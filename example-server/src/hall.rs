//! Where sessions and worlds meet: the list of worlds, and the channels between a world's thread and its sessions.
//!
//! Neither side waits for the other: players arrive through a bounded channel, frames are the latest value only, notices
//! go through a ring whose slow readers lose their connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use arena_api::PlayerId;
use crossbeam_channel::Sender;
use tokio::sync::{broadcast, watch};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::{bulletin::Bulletin, seat::Seat};

/// All that sessions share.
#[derive(Debug)]
pub(crate) struct Hall {
    pub(crate) worlds: Vec<Entrance>,
    pub(crate) tick_rate: u32,
    /// Another number for each run of the server.
    pub(crate) run: u64,
    pub(crate) bulletin: Bulletin,
    pub(crate) onlookers: Arc<Onlookers>,
    /// True once the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
    last_player: AtomicU64,
}

/// Connections that only look on.
#[derive(Debug, Default)]
pub(crate) struct Onlookers {
    now: AtomicUsize,
    ever: AtomicUsize,
}

/// One of them; dropped when it ends or becomes a player.
#[derive(Debug)]
pub(crate) struct Onlooker(Arc<Onlookers>);

/// A world, seen from its sessions.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) name: Arc<str>,
    pub(crate) arrivals: Sender<Arrival>,
    pub(crate) frames: watch::Receiver<Arc<EncodedFrame>>,
    pub(crate) statuses: watch::Receiver<Utf8Bytes>,
    pub(crate) notices: broadcast::Sender<Notice>,
    /// Players who are in the world, as its rules are told.
    pub(crate) online: Arc<AtomicUsize>,
}

/// A player who enters a world.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) name: String,
    pub(crate) seat: Seat,
}

/// A frame as it goes out to every session, encoded once.
#[derive(Debug, Default)]
pub(crate) struct EncodedFrame {
    pub(crate) text: Utf8Bytes,
    /// The last applied input of each player, by id.
    pub(crate) acknowledged: Vec<(PlayerId, u64)>,
}

/// Something that must not be skipped.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    /// A message for every session.
    Everyone(Utf8Bytes),
    /// Points for one player.
    Award { player: PlayerId, points: u32 },
}

impl Hall {
    pub(crate) fn new(
        worlds: Vec<Entrance>,
        tick_rate: u32,
        bulletin: Bulletin,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let run = u64::try_from(now.as_millis()).unwrap_or_default();
        Self { worlds, tick_rate, run, bulletin, onlookers: Arc::default(), stopping, last_player: AtomicU64::new(0) }
    }

    /// A number that no player of this process had before.
    pub(crate) fn next_player(&self) -> PlayerId {
        PlayerId(self.last_player.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The world of that name, or the one with the fewest players.
    pub(crate) fn entrance(&self, wanted: Option<&str>) -> Option<&Entrance> {
        match wanted {
            Some(name) => self.worlds.iter().find(|world| &*world.name == name),
            None => self.worlds.iter().min_by_key(|world| world.online.load(Ordering::Relaxed)),
        }
    }
}

impl Onlookers {
    pub(crate) fn enter(self: &Arc<Self>) -> Onlooker {
        self.now.fetch_add(1, Ordering::Relaxed);
        self.ever.fetch_add(1, Ordering::Relaxed);
        Onlooker(Arc::clone(self))
    }

    /// How many there are, and how many there have been.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.now.load(Ordering::Relaxed), self.ever.load(Ordering::Relaxed))
    }
}

impl Drop for Onlooker {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

impl EncodedFrame {
    /// The last applied input of a player.
    pub(crate) fn acknowledged(&self, player: PlayerId) -> Option<u64> {
        let found = self.acknowledged.binary_search_by_key(&player, |entry| entry.0);
        found.ok().map(|index| self.acknowledged[index].1)
    }
}
