//! Wiring: runtime, worlds with their threads, sessions. Used by `serve`, by the soak and by tests alike.

use std::{
    collections::HashSet,
    io,
    net::{SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
};

use arena_api::arena_host;
use crossbeam_channel::{Receiver, bounded};
use tickswap::{Control, Limits, Runtime, WorldError};
use tickswap_abi::{ModName, ModNameError};
use tokio::{
    net::TcpListener,
    sync::{broadcast, mpsc, oneshot, watch},
};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::{
    bulletin::Bulletin,
    door,
    hall::{EncodedFrame, Entrance, Hall, Onlookers},
    limits::{
        ARRIVALS_QUEUED_MAX, NOTICES_QUEUED_MAX, OUTPUTS_QUEUED_MAX, STATUSES_PER_SECOND, STOP_WAIT_MAX,
        SUBMISSION_WAIT_MAX, TICK_RATE_MAX, WORLDS_MAX,
    },
    mods::{self, ModFile, ModsError},
    room::{self, ARENA_MOD, ArenaQueries, Publisher, Room, RoomCommands, RoomParts, RoomReport, TickGauge},
    roster::Roster,
};

/// How a server runs.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Worlds, each with a thread of its own.
    pub worlds: usize,
    /// Ticks per second of each world.
    pub tick_rate: u32,
    /// Frames per second that players are sent, at most the tick rate.
    pub frame_rate: u32,
    /// Ticks of each world to remember for a measurement; 0 for none.
    pub samples_max: usize,
    /// Folder of what the server keeps for its next start: compiled code.
    pub data_dir: Option<PathBuf>,
    /// What mods may use, and how much the runtime keeps.
    pub limits: Limits,
    /// Where swaps are told. May be in use before the server starts.
    pub bulletin: Bulletin,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            worlds: 1,
            tick_rate: 60,
            frame_rate: 30,
            samples_max: 0,
            data_dir: None,
            limits: Limits::default(),
            bulletin: Bulletin::default(),
        }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A number that makes no sense.
    #[error("{what} is {found}, expected 1 to {limit}")]
    OutOfRange {
        /// What.
        what: &'static str,
        /// What was given.
        found: u64,
        /// The most that is possible.
        limit: u64,
    },
    /// The runtime cannot be built.
    #[error(transparent)]
    Runtime(#[from] tickswap::BuildError),
    /// The mods do not load.
    #[error(transparent)]
    Mods(#[from] ModsError),
    /// None of the mods is the arena.
    #[error("expected a mod named {ARENA_MOD}, which answers for the arena's state, among {found:?}")]
    NoArena {
        /// The mods there are.
        found: Vec<ModName>,
    },
    /// The name of a mod of this server is none.
    #[error(transparent)]
    Name(#[from] ModNameError),
    /// A world does not start.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The listener cannot be used.
    #[error("cannot listen: {0}")]
    Listener(#[source] io::Error),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

/// A running server. [`Server::stop`] ends it; dropping it ends it too, without a report.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    runtime: Runtime,
    rooms: Vec<RoomHandle>,
    stop_rooms: Arc<AtomicBool>,
    phase: Arc<AtomicU8>,
    stopping: watch::Sender<bool>,
    bulletin: Bulletin,
    onlookers: Arc<Onlookers>,
    roster: Roster,
    sessions: Option<tokio::runtime::Runtime>,
    /// Closes when the door and all sessions have ended.
    door: Option<Receiver<()>>,
}

/// A world of a running server.
#[derive(Debug)]
pub struct RoomHandle {
    /// Its name.
    pub name: String,
    /// What can be asked of it.
    pub commands: RoomCommands,
    thread: Option<JoinHandle<RoomReport>>,
}

impl Server {
    /// Loads the mods, starts the worlds and serves clients.
    pub fn start(listener: StdListener, config: &ServerConfig, mods: Vec<ModFile>) -> Result<Self, ServerError> {
        check("the tick rate", u64::from(config.tick_rate), u64::from(TICK_RATE_MAX))?;
        check("the frame rate", u64::from(config.frame_rate), u64::from(TICK_RATE_MAX))?;
        check("the number of worlds", config.worlds as u64, WORLDS_MAX as u64)?;
        let runtime = load(mods, config)?;
        let sessions = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sessions")
            .enable_all()
            .build()
            .map_err(ServerError::Thread)?;
        let mut server = Self {
            address: listener.local_addr().map_err(ServerError::Listener)?,
            runtime,
            rooms: Vec::new(),
            stop_rooms: Arc::default(),
            phase: Arc::default(),
            stopping: watch::Sender::new(false),
            bulletin: config.bulletin.clone(),
            onlookers: Arc::default(),
            roster: Roster::default(),
            sessions: None,
            door: None,
        };
        let entrances: Result<Vec<Entrance>, ServerError> =
            (1..=config.worlds).map(|number| server.open_room(number, config, &sessions)).collect();
        let hall = Hall::new(
            entrances?,
            config.tick_rate,
            config.bulletin.clone(),
            server.roster.clone(),
            server.stopping.subscribe(),
        );
        server.onlookers = Arc::clone(&hall.onlookers);
        let listener = {
            let _context = sessions.enter();
            TcpListener::from_std(listener).map_err(ServerError::Listener)?
        };
        let (open, closed) = bounded(0);
        sessions.spawn(async move {
            door::serve(listener, Arc::new(hall)).await;
            drop(open);
        });
        server.door = Some(closed);
        server.sessions = Some(sessions);
        Ok(server)
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle for submitting mods and looking at what runs.
    pub fn control(&self) -> Control {
        self.runtime.control()
    }

    /// What happens to the code, for whoever builds, submits or shows.
    pub fn bulletin(&self) -> Bulletin {
        self.bulletin.clone()
    }

    /// How many connections only look on, and how many have since the start.
    pub fn onlookers(&self) -> (usize, usize) {
        self.onlookers.count()
    }

    /// The worlds.
    pub fn rooms(&self) -> &[RoomHandle] {
        &self.rooms
    }

    /// Names the phase of a measurement that ticks belong to from now on.
    pub fn set_phase(&self, phase: u8) {
        self.phase.store(phase, Ordering::Relaxed);
    }

    /// Who is connected.
    pub fn roster(&self) -> Roster {
        self.roster.clone()
    }

    /// Waits for a signal that ends processes, or until `asked` names another cause. Answers the cause.
    pub fn wait_for_stop(&self, asked: oneshot::Receiver<&'static str>) -> io::Result<&'static str> {
        let Some(sessions) = &self.sessions else {
            return Ok("stopped");
        };
        sessions.block_on(async {
            let terminated = terminated()?;
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| "interrupted"),
                () = terminated => Ok("terminated"),
                Ok(cause) = asked => Ok(cause),
            }
        })
    }

    /// Says goodbye to all clients, then ends the worlds.
    pub fn stop(mut self) -> Vec<RoomReport> {
        self.end()
    }

    fn end(&mut self) -> Vec<RoomReport> {
        self.stopping.send_replace(true);
        if let Some(door) = self.door.take() {
            // The door waits for sessions, a bounded time. An error says that it is closed, which is what is waited for.
            let _ = door.recv_timeout(2 * STOP_WAIT_MAX);
        }
        self.stop_rooms.store(true, Ordering::Relaxed);
        let threads = self.rooms.iter_mut().filter_map(|room| room.thread.take());
        let reports = threads.filter_map(|thread| match thread.join() {
            Ok(report) => Some(report),
            Err(_) => {
                tracing::error!("a world's thread panicked");
                None
            }
        });
        let reports = reports.collect();
        if let Some(sessions) = self.sessions.take() {
            // Nothing is left that would be worth waiting for, and a server may be dropped where waiting is not allowed.
            sessions.shutdown_background();
        }
        reports
    }

    /// Starts a world and its thread.
    fn open_room(
        &mut self,
        number: usize,
        config: &ServerConfig,
        sessions: &tokio::runtime::Runtime,
    ) -> Result<Entrance, ServerError> {
        let name = format!("arena-{number}");
        let online = Arc::new(AtomicUsize::new(0));
        let queries = ArenaQueries::new(Arc::clone(&online), number as u64);
        let world = self.runtime.create_world(&*name, vec![arena_host::answering(queries)])?;
        let (arriving, arrivals) = bounded(ARRIVALS_QUEUED_MAX);
        let (output, outputs) = mpsc::channel(OUTPUTS_QUEUED_MAX);
        let (commanding, commands) = room::commands();
        let (framing, frames) = watch::channel(Arc::new(EncodedFrame::default()));
        let (notices, _) = broadcast::channel(NOTICES_QUEUED_MAX);
        let (telling, statuses) = watch::channel(Utf8Bytes::default());
        let gauge = Arc::new(TickGauge::new(config.tick_rate));
        let publisher = Publisher {
            outputs,
            frames: framing,
            statuses: telling,
            notices: notices.clone(),
            gauge: Arc::clone(&gauge),
            online: Arc::clone(&online),
            bulletin: config.bulletin.clone(),
            control: self.runtime.control(),
        };
        sessions.spawn(publisher.run());
        let parts = RoomParts {
            world,
            tick_rate: config.tick_rate,
            ticks_per_frame: u64::from(config.tick_rate.div_ceil(config.frame_rate)),
            ticks_per_status: u64::from(config.tick_rate.div_ceil(STATUSES_PER_SECOND)),
            arrivals,
            commands,
            output,
            online: Arc::clone(&online),
            gauge,
            stop: Arc::clone(&self.stop_rooms),
            phase: Arc::clone(&self.phase),
            samples_max: config.samples_max,
        };
        let thread = std::thread::Builder::new().name(name.clone());
        let thread = thread.spawn(move || Room::new(parts).run()).map_err(ServerError::Thread)?;
        self.rooms.push(RoomHandle { name: name.clone(), commands: commanding, thread: Some(thread) });
        Ok(Entrance { name: name.into(), arrivals: arriving, frames, statuses, notices, online })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// A runtime in which the mods are ready for worlds to come.
fn load(mods: Vec<ModFile>, config: &ServerConfig) -> Result<Runtime, ServerError> {
    let names: HashSet<&str> = mods.iter().map(|(name, _)| name.as_str()).collect();
    if !names.contains(ARENA_MOD) {
        let found = mods.into_iter().map(|(name, _)| name).collect();
        return Err(ServerError::NoArena { found });
    }
    let mut runtime = Runtime::builder()
        .contract(arena_api::contract())
        .limits(config.limits.clone())
        // Other mods see a tick after the arena has.
        .mod_order([ModName::try_from(ARENA_MOD)?]);
    if let Some(folder) = &config.data_dir {
        runtime = runtime.code_cache(folder.join("code"), tickswap::limits::CODE_CACHE_BYTES_MAX);
    }
    let runtime = runtime.build()?;
    mods::submit(&runtime.control(), mods, SUBMISSION_WAIT_MAX)?;
    Ok(runtime)
}

/// Ends when the process is asked to end by the system, where systems do so.
#[cfg(unix)]
fn terminated() -> io::Result<impl Future<Output = ()>> {
    let mut signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        if signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    })
}

#[cfg(not(unix))]
fn terminated() -> io::Result<impl Future<Output = ()>> {
    Ok(std::future::pending())
}

fn check(what: &'static str, found: u64, limit: u64) -> Result<(), ServerError> {
    match (1..=limit).contains(&found) {
        true => Ok(()),
        false => Err(ServerError::OutOfRange { what, found, limit }),
    }
}
