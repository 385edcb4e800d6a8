//! What happens in a soak, in order: start, gather, warm up, baseline, swaps, drain, check.

use std::{
    io, thread,
    time::{Duration, Instant},
};

use arena_api::InputTotals;
use tickswap::{
    ChangeKind, Control, Fault, FaultOutcome, GenerationId, Limits, PreparedMod, Scope, SubmissionId, SubmissionState,
};
use tickswap_abi::{ModName, ModNameError};

use super::{
    Candidates, Failure, Report, SoakConfig, SoakOutcome, candidates, check, large,
    report::{Distribution, resident_bytes},
    statistics::{self, Lateness},
};
use crate::{
    bots::{Bots, BotsError, Crew, Order},
    browser::{self, Browsers},
    door::{self, AddressError},
    mods::Listener,
    room::{ARENA_MOD, RoomError, RoomReport, TickSample},
    server::{Server, ServerConfig, ServerError},
};

/// Time for tasks, queues and caches to settle before anything is counted.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long bots may take to connect, and the last inputs to be applied. A soak that meets it has failed.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a swap may take from submission to the last world.
pub(super) const SWAP_WAIT_MAX: Duration = Duration::from_secs(120);
/// Processor time for filling a mebibyte of reserved state in a tick, or reading it: many times what it takes.
const STATE_MS_PER_MIB: u64 = 20;
/// How often to look whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const PHASE_BASELINE: u8 = 1;
const PHASE_COMPILING: u8 = 2;
const PHASE_SWAPS: u8 = 3;
const PHASE_DRAIN: u8 = 4;

/// Why a soak could not be run. What went wrong while it ran is a [`Failure`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SoakError {
    /// No port of the loopback address can be had.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The server does not start.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A world does not answer.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// There are no bots.
    #[error(transparent)]
    Bots(#[from] BotsError),
    /// There is no browser.
    #[error("no Chromium was found in PATH: install it, or name it in CHROMIUM")]
    NoBrowser,
    /// A browser does not start.
    #[error("cannot start a browser: {0}")]
    Browser(#[source] io::Error),
    /// Not enough candidates were built.
    #[error("{wanted} swaps need as many candidates, there are {found}")]
    TooFewCandidates {
        /// Swaps asked for.
        wanted: usize,
        /// Candidates given.
        found: usize,
    },
    /// The arena's name is no mod's name.
    #[error(transparent)]
    Name(#[from] ModNameError),
}

/// Everything a soak has seen when its last phase ends.
#[derive(Default)]
struct Seen {
    prepared: Vec<PreparedMod>,
    /// Of the large mod.
    large: Vec<PreparedMod>,
    swaps: u64,
    /// What was swapped in to be taken back.
    faulty: Vec<GenerationId>,
    faults: u64,
    rollbacks: u64,
    failures: Vec<Failure>,
    totals: Vec<InputTotals>,
    state_bytes: u64,
    resident_bytes: u64,
}

/// The runtime's own, but for what the soak itself asks of it.
fn limits(config: &SoakConfig, candidates: &Candidates) -> Limits {
    let mut limits = Limits::default();
    // Reserved state is filled in one tick, and all of it read again in another.
    limits.cpu_ms_per_tick += u64::from(config.state_mib) * STATE_MS_PER_MIB;
    if candidates.large.is_some() {
        // The large mod is to be compiled from cold every time.
        limits.compile_cache_bytes = 0;
    }
    limits
}

pub(super) fn run(config: &SoakConfig, candidates: &Candidates, listener: &Listener) -> Result<SoakOutcome, SoakError> {
    if candidates.versions.len() < config.swaps {
        let found = candidates.versions.len();
        return Err(SoakError::TooFewCandidates { wanted: config.swaps, found });
    }
    let arena = ModName::try_from(ARENA_MOD)?;
    let seconds = u64::from(config.seconds);
    let server_config = ServerConfig {
        worlds: config.worlds,
        tick_rate: config.tick_rate,
        frame_rate: config.frame_rate,
        // Twice the planned time, so that a swap phase that takes longer is remembered as well.
        samples_max: (config.tick_rate as usize) * (2 * (config.seconds + 2 * config.baseline_seconds) as usize + 60),
        limits: limits(config, candidates),
        ..ServerConfig::default()
    };
    let listening = door::bind("127.0.0.1", config.port)?;
    let server = Server::start(listening, &server_config, vec![(arena.clone(), candidates.base.clone())])?;
    let mut seen = Seen::default();
    for room in server.rooms().iter().filter(|_| config.state_mib > 0) {
        listener(&format!("{}: reserving {} MiB", room.name, config.state_mib));
        room.commands.reserve(config.state_mib)?;
    }
    let worlds: Vec<String> = server.rooms().iter().map(|room| room.name.clone()).collect();
    let crew =
        Crew { server: server.address(), count: config.players, worlds, input_rate: config.input_rate, hunts: false };
    let bots = Bots::start(&crew)?;
    let page = format!("http://{}/?watch", server.address());
    let browsers = match config.browsers {
        0 => Browsers::default(),
        count => {
            let program = browser::find().ok_or(SoakError::NoBrowser)?;
            Browsers::open(&program, &page, count).map_err(SoakError::Browser)?
        }
    };
    listener(&format!("to look on: {page}"));
    gather(&bots, &server, config, &mut seen);
    bots.order(Order::Play);
    thread::sleep(WARM_UP);
    let baseline = u64::from(config.baseline_seconds);
    listener(&format!("baseline: {baseline} s with {} players", config.players));
    server.set_phase(PHASE_BASELINE);
    thread::sleep(Duration::from_secs(baseline));
    if let Some(large) = &candidates.large {
        listener(&format!("compiling a large mod for {baseline} s"));
        server.set_phase(PHASE_COMPILING);
        let (prepared, failures) = large::compile(&server.control(), large, Duration::from_secs(baseline))?;
        seen.large = prepared;
        seen.failures.extend(failures);
    }
    listener(&format!("swaps: {} in {seconds} s", config.schedule().1));
    server.set_phase(PHASE_SWAPS);
    swap(&server.control(), &arena, config, candidates, &mut seen);
    server.set_phase(PHASE_DRAIN);
    listener("draining");
    bots.order(Order::Wait);
    drain(&bots, &mut seen);
    look(&server, config, &mut seen)?;
    let (onlookers, onlookers_ever) = server.onlookers();
    // Others may look on as well, and leave; the soak's own browsers stay, and connect once.
    if onlookers < config.browsers || (config.browsers > 0 && onlookers_ever != onlookers) {
        let words = format!("{onlookers} look on at the end, {onlookers_ever} connections did in all");
        seen.failures.push(Failure::new(words));
    }
    drop(browsers);
    let reports = bots.leave();
    seen.failures.extend(check::inputs(&reports, &seen.totals));
    let rooms = server.stop();
    let sent = reports.iter().map(|bot| bot.sent).sum();
    let disconnects = reports.iter().filter(|bot| bot.disconnected.is_some()).count();
    let report = Report {
        players: config.players,
        worlds: config.worlds,
        inputs_sent: sent,
        disconnects: disconnects as u64,
        ..measured(&rooms, &seen)
    };
    if report.flips == 0 && config.swaps > 0 {
        seen.failures.push(Failure::new("no world ever flipped"));
    }
    Ok(SoakOutcome { report, failures: seen.failures })
}

/// Waits until all bots are in their worlds and all browsers look on.
fn gather(bots: &Bots, server: &Server, config: &SoakConfig, seen: &mut Seen) {
    let players = config.players;
    let began = Instant::now();
    loop {
        let crowd = bots.crowd();
        let onlookers = server.onlookers().0;
        if crowd.welcomed + crowd.ended >= players && onlookers >= config.browsers {
            return;
        }
        if began.elapsed() > PATIENCE {
            let (bots, seconds) = (crowd.welcomed, PATIENCE.as_secs());
            let browsers = config.browsers;
            let words = format!(
                "{bots} of {players} bots are in, {onlookers} of {browsers} browsers look on after {seconds} s"
            );
            return seen.failures.push(Failure::new(words));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Swaps at equal intervals: submits one candidate after the other, each as a file's bytes through the control handle, and then
/// makes one after the other active again. Those that are faulty come in their turn.
fn swap(control: &Control, arena: &ModName, config: &SoakConfig, candidates: &Candidates, seen: &mut Seen) {
    let began = Instant::now();
    let length = Duration::from_secs(u64::from(config.seconds));
    let (every, count) = config.schedule();
    let mut good: Vec<GenerationId> = Vec::new();
    for index in 0..count {
        sleep_until(began + Duration::from_secs_f64((index as f64 + 0.5) * every));
        let candidate = candidates.versions.get(index).filter(|_| index < config.swaps);
        let is_faulty = candidate.map_or_else(
            || candidates::is_faulty(index + 1, config.faulty_every) && !seen.faulty.is_empty(),
            |candidate| candidate.is_faulty,
        );
        let resident = if is_faulty { &seen.faulty } else { &good };
        let asked = match (candidate, resident.get(index % resident.len().max(1))) {
            (Some(candidate), _) => control.submit(vec![(arena.clone(), candidate.bytes.clone())]),
            (None, Some(generation)) => control.activate(arena, *generation, Scope::All),
            // All candidates have failed, which has been told.
            (None, None) => break,
        };
        let ended = asked.map(|id| (id, control.wait(id, SWAP_WAIT_MAX)));
        let failure = match ended {
            Ok((id, SubmissionState::Done { worlds, mods })) if worlds == config.worlds => {
                seen.swaps += 1;
                let known = if is_faulty { &mut seen.faulty } else { &mut good };
                known.extend(mods.iter().map(|prepared| prepared.generation));
                seen.prepared.extend(mods);
                if is_faulty { taken_back(control, id, config.worlds).err() } else { None }
            }
            Ok((_, state)) => Some(state.to_string()),
            Err(error) => Some(error.to_string()),
        };
        seen.failures.extend(failure.map(|words| Failure::new(format!("swap {}: {words}", index + 1))));
    }
    sleep_until(began + length);
}

/// Waits until every world has taken a submission back by itself.
fn taken_back(control: &Control, submission: SubmissionId, worlds: usize) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let log = control.log();
        let returns = log.iter().filter(|record| record.kind == ChangeKind::AutomaticRollBack);
        let found = returns.filter(|record| record.submission == submission).count();
        if found == worlds {
            return Ok(());
        }
        if began.elapsed() > SWAP_WAIT_MAX {
            let seconds = SWAP_WAIT_MAX.as_secs();
            return Err(format!("{found} of {worlds} worlds took faulty code back within {seconds} s"));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// Waits until the server has acknowledged every input.
fn drain(bots: &Bots, seen: &mut Seen) {
    let began = Instant::now();
    loop {
        let before = bots.crowd();
        thread::sleep(LOOK_EVERY * 5);
        let crowd = bots.crowd();
        // Bots that are gone are failures already, and nobody acknowledges their inputs.
        if crowd == before && (crowd.sent == crowd.acknowledged || crowd.ended > 0) {
            return;
        }
        if began.elapsed() > PATIENCE {
            let words = format!(
                "{} of {} inputs are acknowledged after {} s",
                crowd.acknowledged,
                crowd.sent,
                PATIENCE.as_secs()
            );
            return seen.failures.push(Failure::new(words));
        }
    }
}

/// Asks every world, while all players are still there.
fn look(server: &Server, config: &SoakConfig, seen: &mut Seen) -> Result<(), SoakError> {
    for room in server.rooms() {
        seen.totals.push(room.commands.totals()?);
        seen.state_bytes += room.commands.heap_bytes()?;
        if config.state_mib > 0 {
            let state = room.commands.reserved()?;
            if state.mebibytes != config.state_mib || state.expected != state.found {
                seen.failures.push(Failure::new(format!("{}: the reserved state is damaged: {state:?}", room.name)));
            }
        }
    }
    let log = server.control().log();
    seen.rollbacks = log.iter().filter(|record| record.kind == ChangeKind::AutomaticRollBack).count() as u64;
    for world in server.control().status().worlds {
        seen.faults += world.mods.iter().map(|shown| shown.faults).sum::<u64>();
        let is_meant = |fault: &Fault| {
            fault.outcome == FaultOutcome::WentBack
                && fault.mod_name.as_str() == ARENA_MOD
                && seen.faulty.contains(&fault.generation)
        };
        let unmeant = world.faults.iter().filter(|fault| !is_meant(fault));
        seen.failures.extend(unmeant.map(|fault| Failure::new(fault.to_string())));
    }
    // Worlds show their last faults only, but count all.
    if seen.faults != seen.rollbacks {
        let words = format!("{} faults, but {} times a world took code back", seen.faults, seen.rollbacks);
        seen.failures.push(Failure::new(words));
    }
    seen.resident_bytes = resident_bytes();
    Ok(())
}

/// Everything that follows from what rooms and swaps left behind.
fn measured(rooms: &[RoomReport], seen: &Seen) -> Report {
    let (mut near_swaps, mut baseline_near) = (Lateness::default(), Lateness::default());
    let phase = |room: &RoomReport, phase: u8| -> Vec<TickSample> {
        room.samples.iter().filter(|sample| sample.phase == phase).copied().collect()
    };
    let mut counted: Vec<TickSample> = Vec::new();
    let (mut quiet, mut compiling) = (Vec::new(), Vec::new());
    for room in rooms {
        let (baseline, swaps) = (phase(room, PHASE_BASELINE), phase(room, PHASE_SWAPS));
        quiet.extend_from_slice(&baseline);
        compiling.extend(phase(room, PHASE_COMPILING));
        let (near, mirrored) = statistics::compare(&baseline, &swaps);
        tell_late(&room.world, "baseline", &baseline);
        tell_late(&room.world, "swaps", &swaps);
        near_swaps = near_swaps.and(near);
        baseline_near = baseline_near.and(mirrored);
        counted.extend(baseline);
        counted.extend(swaps);
    }
    let all = Lateness::of(&counted);
    let at_flip = counted.iter().filter(|sample| sample.flip.is_some());
    let flips: Vec<_> = counted.iter().filter_map(|sample| sample.flip).collect();
    Report {
        ticks: all.ticks,
        ticks_late: all.late,
        ticks_near_swaps: near_swaps.ticks,
        ticks_late_near_swaps: near_swaps.late,
        ticks_baseline: baseline_near.ticks,
        ticks_late_baseline: baseline_near.late,
        ticks_skipped: rooms.iter().map(|room| room.skipped).sum(),
        swaps: seen.swaps,
        flips: flips.len() as u64,
        generations_linked: seen.prepared.len() as u64,
        faults: seen.faults,
        rollbacks: seen.rollbacks,
        inputs_applied: seen.totals.iter().map(|totals| totals.applied).sum(),
        pause_us: Distribution::of(flips.iter().map(|flip| flip.pause_ns), 1e3),
        stage_us: Distribution::of(flips.iter().map(|flip| flip.stage_ns), 1e3),
        tick_us: Distribution::of(counted.iter().map(|sample| sample.duration_ns), 1e3),
        tick_at_flip_us: Distribution::of(at_flip.map(|sample| sample.duration_ns), 1e3),
        prepare_ms: Distribution::of(seen.prepared.iter().map(prepare_ns), 1e6),
        large_compiles: (!seen.large.is_empty()).then(|| large::measured(&seen.large, &quiet, &compiling)),
        compile_ms: Distribution::of(seen.prepared.iter().map(|prepared| prepared.compile_ns), 1e6),
        state_bytes: seen.state_bytes,
        resident_bytes: seen.resident_bytes,
        ..Report::default()
    }
}

/// Each late tick for whoever wants to know why: `RUST_LOG=example_server=debug`.
fn tell_late(world: &str, phase: &str, samples: &[TickSample]) {
    let flips = statistics::flips(samples);
    for (index, sample) in samples.iter().enumerate().filter(|(_, sample)| sample.is_late) {
        let last_flip = flips.iter().rev().find(|&&flip| flip <= index).map(|flip| index - flip);
        let next_flip = flips.iter().find(|&&flip| flip >= index).map(|flip| flip - index);
        let tick_before_us = index.checked_sub(1).map(|before| samples[before].duration_ns / 1000);
        let delay_us = sample.delay_ns / 1000;
        tracing::debug!(world, phase, index, delay_us, tick_before_us, last_flip, next_flip, "a late tick");
    }
}

fn prepare_ns(prepared: &PreparedMod) -> u64 {
    prepared.read_ns + prepared.compare_ns + prepared.link_ns + prepared.compile_ns
}

fn sleep_until(time: Instant) {
    thread::sleep(time.saturating_duration_since(Instant::now()));
}
