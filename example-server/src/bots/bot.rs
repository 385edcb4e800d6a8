//! One bot: connects, says hello, sends numbered inputs, reads what it is sent. Of frames it reads the first bytes only, unless it hunts.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arena_api::PlayerId;
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Interval, MissedTickBehavior, interval_at},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, Utf8Bytes, protocol::WebSocketConfig},
};

use super::hunter::Hunter;
use crate::{
    limits::{BOT_PAUSE, SOCKET_BUFFER_BYTES},
    protocol::{self, ClientMessage, ServerMessage},
};

/// What all bots are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Connected, and quiet.
    Wait,
    /// Send inputs.
    Play,
    /// Say goodbye.
    Leave,
}

/// Who a bot is.
#[derive(Clone, Debug)]
pub(super) struct BotConfig {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) server: SocketAddr,
    /// The server chooses if there is none.
    pub(super) world: Option<String>,
    /// Whether it looks at frames and hunts; if not, it runs in circles, which costs next to nothing.
    pub(super) hunts: bool,
    /// Whether it comes back when its connection ends.
    pub(super) comes_back: bool,
    /// From one input to the next.
    pub(super) input_period: Duration,
    /// So that not all bots send at one moment.
    pub(super) input_offset: Duration,
}

/// What can be seen of a bot from outside while it plays.
#[derive(Debug, Default)]
pub(super) struct BotGauge {
    /// The player's number, 0 before the welcome.
    pub(super) player: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    /// 1 once its connection has ended.
    pub(super) ended: AtomicU64,
}

/// What one bot says in the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct BotReport {
    pub(crate) bot: usize,
    /// Nobody, if it never got in.
    pub(crate) player: Option<PlayerId>,
    /// Inputs that were handed to its socket: numbered from 1 to this.
    pub(crate) sent: u64,
    /// The last number that the server acknowledged.
    pub(crate) acknowledged: u64,
    pub(crate) frames: u64,
    /// Why its connection ended before it was told to leave, if it did.
    pub(crate) disconnected: Option<String>,
}

/// Plays until told to leave, or until the connection ends, unless it comes back then.
pub(super) async fn play(config: BotConfig, mut orders: watch::Receiver<Order>, gauge: Arc<BotGauge>) -> BotReport {
    loop {
        let report = BotReport { bot: config.number, ..BotReport::default() };
        let hunter = config.hunts.then(|| Hunter::new(config.number as u64));
        let mut bot = Bot { report, hunter, last_frame: None, gauge: Arc::clone(&gauge) };
        if let Err(reason) = bot.run(&config, orders.clone()).await {
            tracing::debug!(bot = config.number, reason, "a bot lost its connection");
            bot.report.disconnected = Some(reason);
            let is_leaving = orders.wait_for(|order| *order == Order::Leave);
            if config.comes_back && tokio::time::timeout(BOT_PAUSE, is_leaving).await.is_err() {
                continue;
            }
        }
        gauge.ended.store(1, Ordering::Relaxed);
        return bot.report;
    }
}

struct Bot {
    report: BotReport,
    hunter: Option<Hunter>,
    /// Looked at when the next input is due; earlier ones are of no use then.
    last_frame: Option<Utf8Bytes>,
    gauge: Arc<BotGauge>,
}

type Socket = WebSocketStream<TcpStream>;

impl Bot {
    async fn run(&mut self, config: &BotConfig, mut orders: watch::Receiver<Order>) -> Result<(), String> {
        let mut socket = connect(config).await?;
        let first = tokio::time::Instant::now() + config.input_offset;
        let mut inputs = interval_at(first, config.input_period);
        inputs.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let order = *orders.borrow_and_update();
            let done = match order {
                Order::Wait => self.until_changed(&mut socket, &mut orders, None).await,
                Order::Play => self.until_changed(&mut socket, &mut orders, Some(&mut inputs)).await,
                Order::Leave => {
                    let _ = socket.close(None).await;
                    return Ok(());
                }
            };
            done?;
        }
    }

    /// Reads, and sends inputs if there is an interval for them, until there is another order.
    async fn until_changed(
        &mut self,
        socket: &mut Socket,
        orders: &mut watch::Receiver<Order>,
        mut inputs: Option<&mut Interval>,
    ) -> Result<(), String> {
        loop {
            tokio::select! {
                changed = orders.changed() => return changed.map_err(|_| "nobody gives orders any more".to_owned()),
                message = socket.next() => self.hear(message)?,
                _ = next(&mut inputs), if self.report.player.is_some() => self.send_input(socket).await?,
            }
        }
    }

    async fn send_input(&mut self, socket: &mut Socket) -> Result<(), String> {
        let sequence = self.report.sent + 1;
        let (dx, dy, fire) = match (&mut self.hunter, self.report.player) {
            (Some(hunter), Some(player)) => hunter.controls(player, self.last_frame.take().as_deref()),
            _ => {
                let angle = sequence as f32 * 0.1 + self.report.bot as f32;
                (angle.cos(), angle.sin(), sequence.is_multiple_of(8))
            }
        };
        let input = ClientMessage::Input { sequence, dx, dy, fire };
        socket.send(Message::text(input.to_json())).await.map_err(|error| error.to_string())?;
        self.report.sent = sequence;
        self.gauge.sent.store(sequence, Ordering::Relaxed);
        Ok(())
    }

    fn hear(&mut self, message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) -> Result<(), String> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(Some(frame)))) => return Err(format!("closed: {} {}", frame.code, frame.reason)),
            Some(Ok(Message::Close(None))) | None => return Err("closed without a reason".to_owned()),
            Some(Ok(_)) => return Ok(()),
            Some(Err(error)) => return Err(error.to_string()),
        };
        if text.starts_with(r#"{"type":"frame""#) {
            self.report.frames += 1;
            if self.hunter.is_some() {
                self.last_frame = Some(text);
            }
            return Ok(());
        }
        match serde_json::from_str(&text) {
            Ok(ServerMessage::Welcome { player, .. }) => self.welcomed(player),
            Ok(ServerMessage::Ack { sequence }) => return self.acknowledged(sequence),
            Ok(_) => {}
            Err(error) => return Err(format!("the server sent {text:?}: {error}")),
        }
        Ok(())
    }

    fn welcomed(&mut self, player: PlayerId) {
        self.report.player = Some(player);
        self.gauge.player.store(player.0, Ordering::Relaxed);
    }

    fn acknowledged(&mut self, sequence: u64) -> Result<(), String> {
        let (last, sent) = (self.report.acknowledged, self.report.sent);
        if sequence <= last || sequence > sent {
            return Err(format!("the server acknowledged {sequence} after {last}, of {sent} inputs sent"));
        }
        self.report.acknowledged = sequence;
        self.gauge.acknowledged.store(sequence, Ordering::Relaxed);
        Ok(())
    }
}

async fn connect(config: &BotConfig) -> Result<Socket, String> {
    let connected = async {
        let stream = TcpStream::connect(config.server).await?;
        stream.set_nodelay(true)?;
        let address = format!("ws://{}{}", config.server, protocol::PLAY);
        let buffers =
            WebSocketConfig::default().read_buffer_size(SOCKET_BUFFER_BYTES).write_buffer_size(SOCKET_BUFFER_BYTES);
        let (mut socket, _) = client_async_with_config(address, stream, Some(buffers)).await?;
        let hello = ClientMessage::Hello { name: config.name.clone(), world: config.world.clone() };
        socket.send(Message::text(hello.to_json())).await?;
        Ok(socket)
    };
    let connected: Result<Socket, tokio_tungstenite::tungstenite::Error> = connected.await;
    connected.map_err(|error| format!("cannot connect: {error}"))
}

async fn next(inputs: &mut Option<&mut Interval>) {
    match inputs {
        Some(inputs) => {
            inputs.tick().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_must_grow_and_stay_below_what_was_sent() {
        let mut bot = Bot {
            report: BotReport { sent: 5, ..BotReport::default() },
            hunter: None,
            last_frame: None,
            gauge: Arc::default(),
        };
        assert_eq!(bot.acknowledged(3), Ok(()));
        assert_eq!(bot.acknowledged(5), Ok(()));
        assert!(bot.acknowledged(5).is_err());
        assert!(bot.acknowledged(6).is_err());
    }
}
