//! All bots of a soak, on a thread and a runtime of their own: the server's sessions never wait behind them.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};

use super::{
    bot::{self, BotConfig, BotGauge, Order},
    check::BotReport,
};

/// A crowd that is connected, or about to be.
pub(super) struct Bots {
    orders: watch::Sender<Order>,
    gauges: Vec<Arc<BotGauge>>,
    thread: Option<JoinHandle<Vec<BotReport>>>,
}

/// The crowd at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Crowd {
    pub(super) welcomed: usize,
    pub(super) ended: usize,
    pub(super) sent: u64,
    pub(super) acknowledged: u64,
}

impl Bots {
    /// Starts to connect them, spread over the worlds.
    pub(super) fn start(server: SocketAddr, count: usize, worlds: &[String], input_rate: u32) -> std::io::Result<Self> {
        let orders = watch::Sender::new(Order::Wait);
        let gauges: Vec<Arc<BotGauge>> = (0..count).map(|_| Arc::default()).collect();
        let input_period = Duration::from_secs(1) / input_rate.max(1);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut bots = JoinSet::new();
        for (number, gauge) in gauges.iter().enumerate() {
            let config = BotConfig {
                number,
                server,
                world: worlds.get(number % worlds.len().max(1)).cloned().unwrap_or_default(),
                input_period,
                input_offset: input_period.mul_f64(number as f64 / count as f64),
            };
            bots.spawn_on(bot::play(config, orders.subscribe(), Arc::clone(gauge)), runtime.handle());
        }
        let thread = std::thread::Builder::new().name("bots".to_owned());
        let thread = thread.spawn(move || runtime.block_on(bots.join_all()))?;
        Ok(Self { orders, gauges, thread: Some(thread) })
    }

    /// Tells all bots what to do.
    pub(super) fn order(&self, order: Order) {
        self.orders.send_replace(order);
    }

    /// What can be seen of them now.
    pub(super) fn crowd(&self) -> Crowd {
        self.gauges.iter().fold(Crowd::default(), |crowd, gauge| Crowd {
            welcomed: crowd.welcomed + usize::from(gauge.player.load(Ordering::Relaxed) > 0),
            ended: crowd.ended + gauge.ended.load(Ordering::Relaxed) as usize,
            sent: crowd.sent + gauge.sent.load(Ordering::Relaxed),
            acknowledged: crowd.acknowledged + gauge.acknowledged.load(Ordering::Relaxed),
        })
    }

    /// Sends them home and hears their reports.
    pub(super) fn leave(mut self) -> Vec<BotReport> {
        self.order(Order::Leave);
        let reports = self.thread.take().and_then(|thread| thread.join().ok());
        let mut reports = reports.unwrap_or_default();
        reports.sort_by_key(|report| report.bot);
        reports
    }
}
