//! A world's thread: ticks at a fixed rate, feeds arrivals and inputs to the rules, hands out what they answer.
//!
//! **Invariant:** nothing here waits for a session, a socket or a lock that is held across I/O. Inputs are taken from bounded
//! queues, frames and notices go into a bounded channel and are dropped when it is full.

mod command;
mod gauge;
mod host;
mod owed;
mod publish;
mod sample;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
    time::Instant,
};

use arena_api::{Frame, Input, PlayerId, arena_hooks::Caller as _, arena_host};
use crossbeam_channel::Receiver;
use tickswap::{ModName, World};
use tickswap_abi::CallError;
use tokio::sync::mpsc;

pub(crate) use self::{
    command::{Command, commands},
    gauge::TickGauge,
    host::ArenaQueries,
    publish::{Output, OutputNotice, Publisher, RoomStatus},
};
pub use self::{
    command::{RoomCommands, RoomError},
    sample::{Flip, RoomReport, TickSample},
};
use self::{host::ArenaEffects, owed::Owed, sample::Samples};
use crate::{
    hall::Arrival,
    limits::{ARRIVALS_PER_TICK_MAX, INPUTS_PER_TICK_MAX},
    pacer::Pacer,
    seat::Seat,
};

/// The mod that answers for the arena: frames and totals come from it.
pub const ARENA_MOD: &str = "arena";

/// What a room is made with.
pub(crate) struct RoomParts {
    pub(crate) world: World,
    pub(crate) tick_rate: u32,
    /// Ticks from one frame to the next.
    pub(crate) ticks_per_frame: u64,
    /// Ticks from one status to the next.
    pub(crate) ticks_per_status: u64,
    pub(crate) arrivals: Receiver<Arrival>,
    pub(crate) commands: Receiver<Command>,
    pub(crate) output: mpsc::Sender<Output>,
    pub(crate) online: Arc<AtomicUsize>,
    pub(crate) gauge: Arc<TickGauge>,
    pub(crate) stop: Arc<AtomicBool>,
    /// Written into each sample: which phase of a measurement it belongs to.
    pub(crate) phase: Arc<AtomicU8>,
    /// Ticks to remember; 0 for none.
    pub(crate) samples_max: usize,
}

/// See the module.
pub(crate) struct Room {
    parts: RoomParts,
    pacer: Pacer,
    seats: Vec<Seat>,
    /// What happened since the last tick, in order. Reused.
    batch: Vec<Event>,
    /// Whether the batch is that of a tick that did not happen.
    is_retrying: bool,
    owed: Owed<Event>,
    effects: ArenaEffects,
    samples: Samples,
}

#[derive(Clone, Debug)]
enum Event {
    Joined(PlayerId, String),
    Input(PlayerId, Input),
    Left(PlayerId),
    PutOut(PlayerId, PlayerId),
}

impl Room {
    pub(crate) fn new(parts: RoomParts) -> Self {
        Self {
            pacer: Pacer::new(parts.tick_rate, Instant::now()),
            seats: Vec::new(),
            batch: Vec::new(),
            is_retrying: false,
            owed: Owed::default(),
            effects: ArenaEffects::default(),
            samples: Samples::new(parts.samples_max),
            parts,
        }
    }

    /// Ticks until the server stops.
    pub(crate) fn run(mut self) -> RoomReport {
        while !self.parts.stop.load(Ordering::Relaxed) {
            let Self { parts, pacer, .. } = &mut self;
            parts.world.idle_until(pacer.due());
            while let Ok(command) = parts.commands.try_recv() {
                command.carry_out(&mut parts.world);
            }
            self.tick();
        }
        self.samples.report(self.parts.world.name().to_owned())
    }

    fn tick(&mut self) {
        let began = Instant::now();
        let start = self.pacer.begin(began);
        self.collect();
        let Self { parts, batch, is_retrying, owed, effects, samples, pacer, .. } = self;
        // Before the tick: whoever waits for its flip may begin the next phase as soon as it is known.
        let phase = parts.phase.load(Ordering::Relaxed);
        let dt = pacer.period().as_secs_f32();
        let wants_status = (parts.world.tick_number() + 1).is_multiple_of(parts.ticks_per_status.max(1));
        let wants_frame = (parts.world.tick_number() + 1).is_multiple_of(parts.ticks_per_frame.max(1));
        let done = parts.world.tick(|tick| {
            for (mod_name, events) in owed.iter() {
                events.iter().try_for_each(|event| tell(tick, mod_name, event))?;
            }
            for event in batch.iter() {
                match event {
                    Event::Joined(player, name) => tick.for_player(*player).arena().joined(*player, name)?,
                    Event::Input(player, input) => tick.for_player(*player).arena().input(*player, *input)?,
                    Event::Left(player) => tick.for_player(*player).arena().left(*player)?,
                    Event::PutOut(winner, loser) => tick.arena().put_out(*winner, *loser)?,
                }
            }
            tick.arena().update(dt)?;
            let frame = wants_frame.then(|| frame(tick)).transpose()?;
            let standings = wants_status.then(|| tick.arena().standings()).transpose()?;
            Ok((frame.flatten(), standings))
        });
        let ((frame, standings), flips, faults) = match done {
            Ok(done) => {
                for effect in done.effects {
                    if let Err(error) = arena_host::apply(&effect, effects) {
                        tracing::error!(%error, mod_name = %effect.from, "an effect was not carried out");
                    }
                }
                (done.value, done.swapped, Some(done.faults))
            }
            Err(error) => {
                tracing::error!(%error, "a tick failed");
                Default::default()
            }
        };
        *is_retrying = match &faults {
            Some(faults) => {
                owed.kept(batch, faults, |name| parts.world.pause_reason(name).is_some());
                false
            }
            None => owed.undone(batch),
        };
        let duration = began.elapsed();
        samples.add(start, duration, phase, &flips);
        parts.gauge.ticked(start, duration);
        let status = standings.map(|standings| RoomStatus::of(&parts.world, standings));
        let number = parts.world.tick_number();
        let output = Output { tick: number, frame, status, notices: effects.take_notices(), swapped: flips };
        publish::hand_out(&parts.output, output);
    }

    /// Takes what has arrived since the last tick into the batch, with an upper bound for each player.
    fn collect(&mut self) {
        let Self { parts, seats, batch, is_retrying, effects, .. } = self;
        // Nothing newer comes before what failed.
        if *is_retrying {
            return;
        }
        batch.clear();
        // Hooks of a paused mod do nothing: inputs wait until it goes on, so that none is lost.
        if parts.world.pause_reason(ARENA_MOD).is_some() {
            return;
        }
        batch.extend(effects.drain_put_outs().map(|(winner, loser)| Event::PutOut(winner, loser)));
        for arrival in parts.arrivals.try_iter().take(ARRIVALS_PER_TICK_MAX) {
            batch.push(Event::Joined(arrival.seat.player, arrival.name));
            seats.push(arrival.seat);
        }
        seats.retain(|seat| {
            let player = seat.player;
            let is_here = seat.take(INPUTS_PER_TICK_MAX, |input| batch.push(Event::Input(player, input)));
            if !is_here {
                batch.push(Event::Left(player));
            }
            is_here
        });
        parts.online.store(seats.len(), Ordering::Relaxed);
    }
}

/// Tells one mod alone.
fn tell(tick: &mut tickswap::Tick<'_>, mod_name: &ModName, event: &Event) -> Result<(), CallError> {
    let name = mod_name.as_str();
    match event {
        Event::Joined(player, text) => tick.for_player(*player).arena().of(name).joined(*player, text),
        Event::Input(player, input) => tick.for_player(*player).arena().of(name).input(*player, *input).map(drop),
        Event::Left(player) => tick.for_player(*player).arena().of(name).left(*player),
        Event::PutOut(winner, loser) => tick.arena().of(name).put_out(*winner, *loser).map(drop),
    }
}

/// The frame of the rules; none while their mod is paused or has none.
fn frame(tick: &mut tickswap::Tick<'_>) -> Result<Option<Frame>, CallError> {
    match tick.arena().of(ARENA_MOD).frame() {
        Ok(frame) => Ok(frame),
        Err(CallError::Paused { .. } | CallError::Faulted { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
