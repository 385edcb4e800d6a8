//! A world's end of the channel: staging in idle time, the flip at a boundary, reports afterwards.
//!
//! A change waits here until all its steps are staged. Then the next boundary makes it active by changing one index per
//! mod. Reports are made after the tick's closure ran, outside of the pause.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use crossbeam_channel::Receiver;
use smallvec::SmallVec;
use tickswap_abi::{HostFunctions, ModName};
use tickswap_linker::GenerationId;

use super::{
    Fleet, Ledger,
    change::{Change, Step},
    fleet::Registration,
    gauge::Gauge,
    ledger::{Outcome, WorldEvent},
};
use crate::{
    clock,
    engine::{Engine, EngineError, Guest},
    ids::{SubmissionId, WorldId},
    limits::Limits,
    world::{
        Activation, Boundary, ChangeKind, Fault, ModSwap, Mods, Outside, SwapRecord, TickReport, World, WorldError,
        WorldSettings,
    },
};

/// Makes a world and starts it cold at the current generations, on the calling thread.
pub(crate) fn start_world(
    name: Arc<str>,
    host: Vec<Box<dyn HostFunctions>>,
    settings: WorldSettings,
    engine: &Arc<Engine<Outside>>,
    fleet: &Arc<Fleet>,
    ledger: &Arc<Ledger>,
    limits: &Limits,
) -> Result<World, WorldError> {
    let signatures = engine.signatures().clone();
    let outside = Outside::new(name.clone(), signatures.clone(), host, limits)?;
    let mut mods = Mods::new(name.clone(), outside, signatures, settings.clone());
    let Registration { id, commands, gauge, start } = fleet.register(&name)?;
    // From here on dropping the link takes the world out again.
    let mut link = WorldLink {
        id,
        name: name.clone(),
        engine: engine.clone(),
        fleet: fleet.clone(),
        ledger: ledger.clone(),
        commands,
        gauge,
        probation_ticks: settings.probation_ticks,
        waiting: VecDeque::new(),
        flipped: Vec::new(),
        events: Vec::new(),
        faults: Vec::new(),
        returns: Vec::new(),
        has_idled: false,
        is_stale: true,
    };
    for step in start {
        link.start_mod(&mut mods, &step)?;
    }
    link.publish(&mods);
    Ok(World::new(name, mods, Box::new(link)))
}

struct WorldLink {
    id: WorldId,
    name: Arc<str>,
    engine: Arc<Engine<Outside>>,
    fleet: Arc<Fleet>,
    ledger: Arc<Ledger>,
    commands: Receiver<Arc<Change>>,
    gauge: Arc<Gauge>,
    probation_ticks: u32,
    /// Changes in the order in which they arrived. Those at the front are staged first.
    waiting: VecDeque<Waiting>,
    /// What the last boundary made active.
    flipped: Vec<Flipped>,
    /// What the ledger does not know yet.
    events: Vec<WorldEvent>,
    /// What the gauge does not show yet.
    faults: Vec<Fault>,
    /// What went back by itself and the fleet does not know yet.
    returns: Vec<(SubmissionId, ModSwap)>,
    /// Whether there was idle time since the last boundary; if so, staging is left to it.
    has_idled: bool,
    /// Whether the gauge shows less than there is.
    is_stale: bool,
}

struct Waiting {
    change: Arc<Change>,
    staged: SmallVec<[StagedStep; 2]>,
    stage_ns: u64,
}

/// Where a step's generation stands in this world, ready to be called.
#[derive(Clone, Copy)]
struct StagedStep {
    mod_number: usize,
    position: usize,
    is_new_mod: bool,
}

struct Flipped {
    waiting: Waiting,
    from: SmallVec<[Option<GenerationId>; 2]>,
}

impl Waiting {
    fn new(change: Arc<Change>) -> Self {
        Self { change, staged: SmallVec::new(), stage_ns: 0 }
    }

    fn is_ready(&self) -> bool {
        self.staged.len() == self.change.steps.len()
    }
}

impl Boundary for WorldLink {
    fn enter(&mut self, mods: &mut Mods, number: u64) -> Option<Instant> {
        self.gauge.ticked(number);
        let has_idled = std::mem::take(&mut self.has_idled);
        // Nearly always. Neither a look at the clock nor a fence of the channel is paid for then.
        if self.waiting.is_empty() && self.commands.is_empty() {
            return None;
        }
        let entered = clock::now();
        self.take_commands();
        let flipped = self.flip(mods);
        // A server that never idles still progresses: what could not be staged before is staged here and flips at the
        // next boundary, so that a pause never contains staging.
        if !flipped && !has_idled {
            self.stage_next_change(mods, number);
        }
        flipped.then_some(entered)
    }

    fn leave(&mut self, mods: &mut Mods, report: TickReport<'_>, swapped: &mut Vec<SwapRecord>) {
        if !self.flipped.is_empty() {
            self.record_flips(report, swapped);
        }
        self.is_stale |= mods.take_changed();
        if !report.faults.is_empty() {
            self.faults.extend_from_slice(report.faults);
            self.events.extend(report.faults.iter().map(|fault| WorldEvent::Faulted(Arc::new(fault.clone()))));
            self.is_stale = true;
        }
        // After the faults, which are the reason.
        if !report.went_back.is_empty() {
            self.record_returns(report, swapped);
        }
        self.publish(mods);
    }

    fn idle(&mut self, mods: &mut Mods, number: u64, until: Instant) {
        self.take_commands();
        // A world whose idle time is always over before it begins does not count as one that idles.
        self.has_idled |= clock::now() < until;
        while self.next_unready().is_some() && clock::now() < until {
            self.stage_next_step(mods, number);
        }
        if self.waiting.is_empty() {
            mods.settle();
        }
        self.gauge.grown(mods);
        self.publish(mods);
    }

    fn wait(&mut self, until: Instant) -> bool {
        match self.commands.recv_deadline(until) {
            Ok(change) => {
                self.waiting.push_back(Waiting::new(change));
                true
            }
            Err(_) => false,
        }
    }

    fn stage(&mut self, mods: &mut Mods, mod_name: &ModName, generation: GenerationId) -> Result<(), WorldError> {
        let Some(number) = mods.named(mod_name).map(|slot| slot.number()) else {
            // The world names its mods in the error.
            return Ok(());
        };
        let step = self.fleet.step(mod_name, generation);
        let step = step.ok_or_else(|| WorldError::UnknownGeneration { mod_name: mod_name.clone(), generation })?;
        let slot = mods.get_mut(number);
        let staged = slot.map(|slot| {
            slot.prepare_probation();
            slot.guest_mut().stage(&step.generation.compiled, &step.lenders)
        });
        self.is_stale = true;
        match staged {
            Some(Err(error)) => Err(stage_error(&step, error)),
            _ => Ok(()),
        }
    }
}

impl WorldLink {
    fn take_commands(&mut self) {
        while let Ok(change) = self.commands.try_recv() {
            self.waiting.push_back(Waiting::new(change));
        }
    }

    /// Makes everything active that is ready, in the order in which it was asked for.
    fn flip(&mut self, mods: &mut Mods) -> bool {
        let before = self.flipped.len();
        while self.waiting.front().is_some_and(Waiting::is_ready) {
            let Some(waiting) = self.waiting.pop_front() else {
                break;
            };
            let mut from = SmallVec::new();
            let change = &waiting.change;
            let activation =
                Activation { submission: change.submission, kind: change.kind, probation_ticks: self.probation_ticks };
            for step in &waiting.staged {
                let slot = mods.get_mut(step.mod_number);
                from.push(slot.and_then(|slot| slot.activate(step.position, activation)));
            }
            self.flipped.push(Flipped { waiting, from });
        }
        self.flipped.len() > before
    }

    /// Stages one change whole.
    fn stage_next_change(&mut self, mods: &mut Mods, number: u64) {
        let Some(submission) = self.next_unready().map(|waiting| waiting.change.submission) else {
            return;
        };
        while self.next_unready().is_some_and(|waiting| waiting.change.submission == submission) {
            self.stage_next_step(mods, number);
        }
    }

    fn next_unready(&self) -> Option<&Waiting> {
        self.waiting.iter().find(|waiting| !waiting.is_ready())
    }

    /// Stages one mod of the first change that is not ready. A change that fails is taken out whole.
    fn stage_next_step(&mut self, mods: &mut Mods, number: u64) {
        let Some(index) = self.waiting.iter().position(|waiting| !waiting.is_ready()) else {
            return;
        };
        let Self { waiting, engine, .. } = self;
        let next = &mut waiting[index];
        let Some(step) = next.change.steps.get(next.staged.len()) else {
            return;
        };
        let began = clock::now();
        let staged = stage_step(engine, mods, step, number);
        next.stage_ns += clock::nanos_since(began);
        self.is_stale = true;
        match staged {
            Ok(staged) => next.staged.push(staged),
            Err(error) => {
                let reason = stage_error(step, error).to_string();
                tracing::error!(target: "tickswap", world = &*self.name, "{reason}");
                if let Some(failed) = self.waiting.remove(index) {
                    self.give_up(mods, &failed, reason);
                }
            }
        }
    }

    fn give_up(&mut self, mods: &mut Mods, failed: &Waiting, reason: String) {
        for step in failed.staged.iter().filter(|step| step.is_new_mod) {
            mods.remove(step.mod_number);
        }
        self.events.push(WorldEvent::Change {
            submission: failed.change.submission,
            outcome: Outcome::Failed(format!("world {:?}: {reason}", &*self.name)),
        });
    }

    /// Starts a mod in a world that has not ticked yet; it is active at once.
    fn start_mod(&mut self, mods: &mut Mods, step: &Step) -> Result<(), WorldError> {
        let began = clock::now();
        let staged = stage_step(&self.engine, mods, step, 0).map_err(|error| stage_error(step, error))?;
        let generation = &step.generation;
        let activation = Activation { submission: generation.submission, kind: ChangeKind::Start, probation_ticks: 0 };
        if let Some(slot) = mods.get_mut(staged.mod_number) {
            slot.activate(staged.position, activation);
        }
        let record = SwapRecord {
            submission: generation.submission,
            kind: ChangeKind::Start,
            world: self.name.to_string(),
            tick: 1,
            mods: vec![ModSwap { mod_name: generation.mod_name().clone(), from: None, to: generation.id() }],
            pause_ns: 0,
            stage_ns: clock::nanos_since(began),
            fault: None,
        };
        self.events.push(WorldEvent::Change {
            submission: generation.submission,
            outcome: Outcome::Started(Arc::new(record)),
        });
        Ok(())
    }

    fn record_flips(&mut self, report: TickReport<'_>, swapped: &mut Vec<SwapRecord>) {
        self.is_stale = true;
        for Flipped { waiting, from } in self.flipped.drain(..) {
            let steps = waiting.change.steps.iter();
            let mods = steps.zip(&from).map(|(step, from)| ModSwap {
                mod_name: step.generation.mod_name().clone(),
                from: *from,
                to: step.generation.id(),
            });
            let is_start = from.iter().all(Option::is_none);
            let record = SwapRecord {
                submission: waiting.change.submission,
                kind: if is_start { ChangeKind::Start } else { waiting.change.kind },
                world: self.name.to_string(),
                tick: report.number,
                mods: mods.collect(),
                pause_ns: report.pause_ns,
                stage_ns: waiting.stage_ns,
                fault: None,
            };
            swapped.push(record.clone());
            self.events.push(event(waiting.change.submission, record));
        }
    }

    fn record_returns(&mut self, report: TickReport<'_>, swapped: &mut Vec<SwapRecord>) {
        self.is_stale = true;
        for back in report.went_back {
            let record = SwapRecord {
                submission: back.submission,
                kind: ChangeKind::AutomaticRollBack,
                world: self.name.to_string(),
                tick: report.number,
                mods: back.mods.clone(),
                pause_ns: 0,
                stage_ns: 0,
                fault: Some(Box::new(back.fault.clone())),
            };
            self.returns.extend(back.mods.iter().map(|swap| (back.submission, swap.clone())));
            swapped.push(record.clone());
            self.events.push(event(back.submission, record));
        }
    }

    /// Tells ledger, fleet and gauge what they do not know yet, unless somebody is reading them at this moment.
    fn publish(&mut self, mods: &Mods) {
        if self.is_stale && self.gauge.try_show(mods, &mut self.faults) {
            self.is_stale = false;
        }
        if !self.returns.is_empty() {
            self.fleet.try_returned(self.id, &mut self.returns);
        }
        if !self.events.is_empty() {
            self.ledger.try_report(self.id, &mut self.events);
        }
    }
}

impl Drop for WorldLink {
    fn drop(&mut self) {
        self.fleet.unregister(self.id);
        self.ledger.world_gone(self.id, &mut self.events);
    }
}

fn event(submission: SubmissionId, record: SwapRecord) -> WorldEvent {
    tracing::info!(
        target: "tickswap",
        world = record.world,
        tick = record.tick,
        pause_ns = record.pause_ns,
        stage_ns = record.stage_ns,
        "{submission}: {}", record.kind,
    );
    let is_return = record.kind == ChangeKind::AutomaticRollBack;
    let record = Arc::new(record);
    // Going back is no step of the submission: it was active, and is done.
    let outcome = if is_return { Outcome::Returned(record) } else { Outcome::Flipped(record) };
    WorldEvent::Change { submission, outcome }
}

/// Puts a generation into the world: beside what runs, or as the cold start of a mod that is new here.
fn stage_step(engine: &Engine<Outside>, mods: &mut Mods, step: &Step, tick: u64) -> Result<StagedStep, EngineError> {
    let (name, code) = (step.generation.mod_name(), &step.generation.compiled);
    let known = mods.named(name).map(|slot| slot.number());
    if let Some(slot) = known.and_then(|number| mods.get_mut(number)) {
        return Ok(StagedStep {
            mod_number: slot.number(),
            position: {
                slot.prepare_probation();
                slot.guest_mut().stage(code, &step.lenders)?
            },
            is_new_mod: false,
        });
    }
    let mut guest = Guest::new(engine, code)?;
    let position = guest.stage(code, &step.lenders)?;
    let mod_number = mods.add(name.clone(), guest);
    if let Err(trap) = mods.start(mod_number, position, tick) {
        mods.remove(mod_number);
        return Err(EngineError::Start(trap.message));
    }
    Ok(StagedStep { mod_number, position, is_new_mod: true })
}

fn stage_error(step: &Step, error: EngineError) -> WorldError {
    WorldError::Stage { mod_name: step.generation.mod_name().clone(), error }
}
