//! All bots of one kind, on a thread and a runtime of their own: the server's sessions never wait behind them.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};

use super::bot::{self, BotConfig, BotGauge, BotReport, Order};
use crate::limits::BOTS_MAX;

/// Bots that are connected, or about to be. Dropping them sends them home.
#[derive(Debug)]
pub struct Bots {
    orders: watch::Sender<Order>,
    gauges: Vec<Arc<BotGauge>>,
    thread: Option<JoinHandle<Vec<BotReport>>>,
}

/// Why there are no bots.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BotsError {
    /// More than can be asked for.
    #[error("{found} bots, expected at most {BOTS_MAX} (limit BOTS_MAX)")]
    TooMany {
        /// How many were asked for.
        found: usize,
    },
    /// The system gives no thread.
    #[error("cannot start the bots: {0}")]
    Thread(#[source] std::io::Error),
}

/// What bots are made for.
#[derive(Clone, Debug)]
pub(crate) struct Crew {
    pub(crate) server: SocketAddr,
    pub(crate) count: usize,
    /// Worlds to be spread over; the server chooses if there are none.
    pub(crate) worlds: Vec<String>,
    /// Inputs per second of each.
    pub(crate) input_rate: u32,
    /// Whether they hunt and come back when their connection ends, or run in circles and report that it did.
    pub(crate) hunts: bool,
}

/// The bots at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Crowd {
    pub(crate) welcomed: usize,
    pub(crate) ended: usize,
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
}

/// First names; the number behind them tells bots apart.
const NAMES: [&str; 12] = [
    "Abel", "Boole", "Curry", "Dijkstra", "Erlang", "Frege", "Gauss", "Hoare", "Iverson", "Knuth", "Liskov", "Noether",
];

impl Bots {
    /// Bots that hunt, in a server on this machine or elsewhere. They come back when a connection ends.
    pub fn hunt(server: SocketAddr, count: usize, input_rate: u32) -> Result<Self, BotsError> {
        let bots = Self::start(&Crew { server, count, worlds: Vec::new(), input_rate, hunts: true })?;
        bots.order(Order::Play);
        Ok(bots)
    }

    /// Starts to connect them.
    pub(crate) fn start(crew: &Crew) -> Result<Self, BotsError> {
        let count = crew.count;
        if count > BOTS_MAX {
            return Err(BotsError::TooMany { found: count });
        }
        let orders = watch::Sender::new(Order::Wait);
        let gauges: Vec<Arc<BotGauge>> = (0..count).map(|_| Arc::default()).collect();
        let input_period = Duration::from_secs(1) / crew.input_rate.max(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(BotsError::Thread)?;
        let mut bots = JoinSet::new();
        for (number, gauge) in gauges.iter().enumerate() {
            let config = BotConfig {
                number,
                name: format!("{} {}", NAMES[number % NAMES.len()], number + 1),
                server: crew.server,
                world: crew.worlds.get(number % crew.worlds.len().max(1)).cloned(),
                hunts: crew.hunts,
                comes_back: crew.hunts,
                input_period,
                input_offset: input_period.mul_f64(number as f64 / count as f64),
            };
            bots.spawn_on(bot::play(config, orders.subscribe(), Arc::clone(gauge)), runtime.handle());
        }
        let thread = std::thread::Builder::new().name("bots".to_owned());
        let thread = thread.spawn(move || runtime.block_on(bots.join_all())).map_err(BotsError::Thread)?;
        Ok(Self { orders, gauges, thread: Some(thread) })
    }

    /// Tells all bots what to do.
    pub(crate) fn order(&self, order: Order) {
        self.orders.send_replace(order);
    }

    /// What can be seen of them now.
    pub(crate) fn crowd(&self) -> Crowd {
        self.gauges.iter().fold(Crowd::default(), |crowd, gauge| Crowd {
            welcomed: crowd.welcomed + usize::from(gauge.player.load(Ordering::Relaxed) > 0),
            ended: crowd.ended + gauge.ended.load(Ordering::Relaxed) as usize,
            sent: crowd.sent + gauge.sent.load(Ordering::Relaxed),
            acknowledged: crowd.acknowledged + gauge.acknowledged.load(Ordering::Relaxed),
        })
    }

    /// Sends them home and hears their reports.
    pub(crate) fn leave(mut self) -> Vec<BotReport> {
        self.order(Order::Leave);
        let reports = self.thread.take().and_then(|thread| thread.join().ok());
        let mut reports = reports.unwrap_or_default();
        reports.sort_by_key(|report| report.bot);
        reports
    }
}

impl Drop for Bots {
    fn drop(&mut self) {
        self.order(Order::Leave);
        if let Some(thread) = self.thread.take() {
            // Their reports are of no use to anybody any more.
            drop(thread.join());
        }
    }
}
