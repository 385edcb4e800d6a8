//! All mods with their generations, and all worlds. One lock around both, so that a world that is being made while a
//! submission finishes gets the new code either as its start or through its channel, never neither.
//!
//! The lock is held for pointer work only, and never taken by a tick.

use std::{collections::BTreeMap, sync::Arc};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tickswap_abi::ModName;
use tickswap_linker::{GenerationId, lineage};

use super::{
    Ledger, PreparedMod, WorldStatus,
    change::{Change, Generation, Step},
    gauge::Gauge,
};
use crate::{
    ids::{SubmissionId, WorldId},
    limits::{Limits, WORLD_NAME_BYTES_MAX, WORLDS_MAX},
    world::{ChangeKind, ModSwap, WorldError},
};

/// Earlier generations that going back can reach, per mod.
const HISTORY_MAX: usize = 256;

/// See the module.
#[derive(Debug)]
pub(crate) struct Fleet {
    state: Mutex<State>,
    ledger: Arc<Ledger>,
    world_commands: usize,
}

#[derive(Debug, Default)]
struct State {
    mods: BTreeMap<ModName, Mod>,
    worlds: Vec<WorldEntry>,
    last_world: u64,
}

#[derive(Debug)]
struct Mod {
    generations: BTreeMap<GenerationId, Arc<Generation>>,
    /// What each generation was linked upon, those that never reached a world included.
    bases: Vec<Option<GenerationId>>,
    /// What new worlds start with.
    course: Course,
    /// What sent the fleet there, unless a world took that back.
    sent_by: Option<SubmissionId>,
}

#[derive(Debug)]
struct WorldEntry {
    id: WorldId,
    name: Arc<str>,
    commands: Sender<Arc<Change>>,
    gauge: Arc<Gauge>,
    /// Where it was sent, mod by mod. What is active can lag behind by a boundary.
    courses: BTreeMap<ModName, Course>,
}

/// The active generation of a mod and those before it.
#[derive(Clone, Debug)]
struct Course {
    current: GenerationId,
    before: Vec<GenerationId>,
}

/// Which worlds a command is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All worlds, and those made later.
    All,
    /// The world of this name.
    World(String),
}

/// A mod of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModStatus {
    /// The mod.
    pub mod_name: ModName,
    /// The generation that new worlds start with, and that worlds without a command of their own run.
    pub current: GenerationId,
    /// All generations that can be activated, oldest first.
    pub generations: Vec<GenerationStatus>,
}

/// A generation of a mod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GenerationStatus {
    /// What brought it.
    pub submission: SubmissionId,
    /// What is told about it.
    pub prepared: PreparedMod,
}

/// Why a command does not go out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsent {
    #[error("the mod is unknown")]
    UnknownMod,
    #[error("the generation is unknown")]
    UnknownGeneration,
    #[error("the world is unknown")]
    UnknownWorld,
    /// The mod is not in that world yet.
    #[error("the mod is not in that world")]
    NotThere,
    #[error("nothing was active before")]
    NothingBefore,
    /// A world's channel is full; its name.
    #[error("the channel of world {0:?} is full")]
    Busy(String),
}

/// What a world that is being made starts with.
pub(crate) struct Registration {
    pub(crate) id: WorldId,
    pub(crate) commands: Receiver<Arc<Change>>,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) start: Vec<Step>,
}

impl Fleet {
    pub(crate) fn new(ledger: Arc<Ledger>, limits: &Limits) -> Self {
        Self { state: Mutex::default(), ledger, world_commands: limits.world_commands.max(1) }
    }

    /// What a candidate of the mod would replace.
    pub(crate) fn current(&self, mod_name: &ModName) -> Option<GenerationId> {
        let state = self.state.lock();
        state.mods.get(mod_name).map(|known| known.course.current)
    }

    /// Makes prepared generations current and sends them to all worlds. `bases` go with each.
    pub(crate) fn announce(
        &self,
        submission: SubmissionId,
        generations: &[(Arc<Generation>, Vec<Option<GenerationId>>)],
    ) -> Result<(), Unsent> {
        let mut state = self.state.lock();
        state.check_room(|_| true)?;
        let mut steps = Vec::with_capacity(generations.len());
        for (generation, bases) in generations {
            let id = generation.id();
            let name = generation.mod_name().clone();
            match state.mods.get_mut(&name) {
                Some(known) => {
                    known.course.go(id);
                    known.sent_by = Some(submission);
                    known.bases.clone_from(bases);
                    known.generations.insert(id, generation.clone());
                }
                None => {
                    let known = Mod {
                        generations: BTreeMap::from([(id, generation.clone())]),
                        bases: bases.clone(),
                        course: Course::new(id),
                        sent_by: Some(submission),
                    };
                    state.mods.insert(name, known);
                }
            }
            steps.push(step(generation, bases));
        }
        let facts = generations.iter().map(|(generation, _)| generation.facts.clone()).collect();
        let change = Change { submission, kind: ChangeKind::Patch, steps };
        state.send(&self.ledger, change, facts, |_| true, Course::go);
        Ok(())
    }

    /// Activates a generation that was announced before.
    pub(crate) fn activate(
        &self,
        mod_name: &ModName,
        generation: GenerationId,
        scope: &Scope,
    ) -> Result<SubmissionId, Unsent> {
        let mut state = self.state.lock();
        let step = state.known_step(mod_name, generation)?;
        state.check_scope(mod_name, scope)?;
        let submission = self.send_one(&mut state, ChangeKind::Activate, step, scope, Course::go);
        if let (Scope::All, Some(known)) = (scope, state.mods.get_mut(mod_name))
            && known.course.current != generation
        {
            known.course.go(generation);
            known.sent_by = Some(submission);
        }
        Ok(submission)
    }

    /// Activates what was active before, for the whole process or in one world.
    pub(crate) fn roll_back(&self, mod_name: &ModName, scope: &Scope) -> Result<SubmissionId, Unsent> {
        let mut state = self.state.lock();
        let known = state.mods.get(mod_name).ok_or(Unsent::UnknownMod)?;
        state.check_scope(mod_name, scope)?;
        let course = match scope {
            Scope::All => Some(&known.course),
            Scope::World(name) => state.world(name).and_then(|world| world.courses.get(mod_name)),
        };
        let before = course.and_then(|course| course.before.last().copied());
        let step = state.known_step(mod_name, before.ok_or(Unsent::NothingBefore)?)?;
        if let (Scope::All, Some(known)) = (scope, state.mods.get_mut(mod_name)) {
            known.course.go_back();
            // Going back by hand is no probation.
            known.sent_by = None;
        }
        Ok(self.send_one(&mut state, ChangeKind::RollBack, step, scope, Course::return_to))
    }

    /// A generation with its lenders, for staging on demand.
    pub(crate) fn step(&self, mod_name: &ModName, generation: GenerationId) -> Option<Step> {
        self.state.lock().known_step(mod_name, generation).ok()
    }

    /// Takes in a world that is being made. From now on it gets every change through its channel.
    pub(crate) fn register(&self, name: &Arc<str>) -> Result<Registration, WorldError> {
        if name.is_empty() || name.len() > WORLD_NAME_BYTES_MAX {
            return Err(WorldError::Name {
                found: name.chars().take(WORLD_NAME_BYTES_MAX).collect(),
                limit: WORLD_NAME_BYTES_MAX,
            });
        }
        let mut state = self.state.lock();
        if state.world(name).is_some() {
            return Err(WorldError::NameTaken { name: name.to_string() });
        }
        if state.worlds.len() >= WORLDS_MAX {
            return Err(WorldError::TooManyWorlds { limit: WORLDS_MAX });
        }
        state.last_world += 1;
        let id = WorldId(state.last_world);
        let (commands, receiver) = bounded(self.world_commands);
        let gauge = Arc::new(Gauge::default());
        let current = state.mods.values().filter_map(|known| {
            let generation = known.generations.get(&known.course.current)?;
            Some(step(generation, &known.bases))
        });
        let start: Vec<Step> = current.collect();
        let courses = state.mods.iter().map(|(name, known)| (name.clone(), known.course.clone()));
        let entry = WorldEntry { id, name: name.clone(), commands, gauge: gauge.clone(), courses: courses.collect() };
        state.worlds.push(entry);
        Ok(Registration { id, commands: receiver, gauge, start })
    }

    /// A world is no more.
    pub(crate) fn unregister(&self, id: WorldId) {
        self.state.lock().worlds.retain(|world| world.id != id);
    }

    /// A world took submissions back by itself. Takes note and empties `returns`, if the lock is free.
    ///
    /// New worlds have nothing to go back to, so the first world that takes back what the fleet was sent to decides what they
    /// start with: what was before. Worlds that run go on with what they have; each has its own probation.
    pub(crate) fn try_returned(&self, id: WorldId, returns: &mut Vec<(SubmissionId, ModSwap)>) {
        let Some(mut state) = self.state.try_lock() else {
            return;
        };
        let State { mods, worlds, .. } = &mut *state;
        let mut world = worlds.iter_mut().find(|world| world.id == id);
        for (submission, swap) in returns.drain(..) {
            if let Some(known) = mods.get_mut(&swap.mod_name).filter(|known| known.sent_by == Some(submission)) {
                known.course.go_back();
                known.sent_by = None;
                let (mod_name, current) = (&swap.mod_name, known.course.current);
                tracing::warn!(target: "tickswap", "{submission}: new worlds start with {current} of mod {mod_name} again");
            }
            let course = world.as_mut().and_then(|world| world.courses.get_mut(&swap.mod_name));
            // A world that was sent elsewhere meanwhile stays on that course.
            if let Some(course) = course.filter(|course| Some(course.current) == swap.from) {
                course.return_to(swap.to);
            }
        }
    }

    /// All mods and worlds.
    pub(crate) fn status(&self) -> (Vec<ModStatus>, Vec<WorldStatus>) {
        let state = self.state.lock();
        let mods = state.mods.iter().map(|(name, known)| ModStatus {
            mod_name: name.clone(),
            current: known.course.current,
            generations: known.generations.values().map(GenerationStatus::of).collect(),
        });
        let mods = mods.collect();
        let gauges: Vec<_> = state.worlds.iter().map(|world| (world.name.clone(), world.gauge.clone())).collect();
        drop(state);
        (mods, gauges.iter().map(|(name, gauge)| gauge.read(name)).collect())
    }

    fn send_one(
        &self,
        state: &mut State,
        kind: ChangeKind,
        step: Step,
        scope: &Scope,
        go: impl Fn(&mut Course, GenerationId),
    ) -> SubmissionId {
        let submission = self.ledger.open();
        let mod_name = step.generation.mod_name().clone();
        let change = Change { submission, kind, steps: vec![step] };
        let is_meant = |world: &WorldEntry| scope.is_for(&world.name) && world.courses.contains_key(&mod_name);
        state.send(&self.ledger, change, Vec::new(), is_meant, go);
        submission
    }
}

impl State {
    fn world(&self, name: &str) -> Option<&WorldEntry> {
        self.worlds.iter().find(|world| &*world.name == name)
    }

    fn known_step(&self, mod_name: &ModName, generation: GenerationId) -> Result<Step, Unsent> {
        let known = self.mods.get(mod_name).ok_or(Unsent::UnknownMod)?;
        let found = known.generations.get(&generation).ok_or(Unsent::UnknownGeneration)?;
        Ok(step(found, &known.bases))
    }

    fn check_scope(&self, mod_name: &ModName, scope: &Scope) -> Result<(), Unsent> {
        if let Scope::World(name) = scope {
            let world = self.world(name).ok_or(Unsent::UnknownWorld)?;
            if !world.courses.contains_key(mod_name) {
                return Err(Unsent::NotThere);
            }
        }
        self.check_room(|world| scope.is_for(&world.name))
    }

    /// Only holders of the lock send, so room that is seen under it stays.
    fn check_room(&self, is_meant: impl Fn(&WorldEntry) -> bool) -> Result<(), Unsent> {
        let mut meant = self.worlds.iter().filter(|world| is_meant(world));
        match meant.find(|world| world.commands.is_full()) {
            Some(full) => Err(Unsent::Busy(full.name.to_string())),
            None => Ok(()),
        }
    }

    /// Sends a change to worlds that have room for it.
    fn send(
        &mut self,
        ledger: &Ledger,
        change: Change,
        facts: Vec<PreparedMod>,
        is_meant: impl Fn(&WorldEntry) -> bool,
        go: impl Fn(&mut Course, GenerationId),
    ) {
        let meant = self.worlds.iter().filter(|world| is_meant(world)).map(|world| world.id);
        ledger.staging(change.submission, facts, meant.collect());
        let change = Arc::new(change);
        for world in self.worlds.iter_mut().filter(|world| is_meant(world)) {
            for step in &change.steps {
                let (name, id) = (step.generation.mod_name(), step.generation.id());
                match world.courses.get_mut(name) {
                    Some(course) => go(course, id),
                    None => {
                        world.courses.insert(name.clone(), Course::new(id));
                    }
                }
            }
            if world.commands.try_send(change.clone()).is_err() {
                // The world is being dropped; its end of the channel reports that.
                tracing::debug!(world = &*world.name, "a change did not reach a world that is going");
            }
        }
    }
}

impl Course {
    fn new(current: GenerationId) -> Self {
        Self { current, before: Vec::new() }
    }

    fn go(&mut self, to: GenerationId) {
        if to == self.current {
            return;
        }
        if self.before.len() >= HISTORY_MAX {
            self.before.remove(0);
        }
        self.before.push(self.current);
        self.current = to;
    }

    /// A world on a course of its own still goes where it is told to go.
    fn return_to(&mut self, to: GenerationId) {
        if self.before.last() == Some(&to) {
            self.go_back();
        } else {
            self.go(to);
        }
    }

    fn go_back(&mut self) {
        if let Some(before) = self.before.pop() {
            self.current = before;
        }
    }
}

impl Scope {
    fn is_for(&self, world: &str) -> bool {
        match self {
            Self::All => true,
            Self::World(name) => name == world,
        }
    }
}

impl GenerationStatus {
    fn of(generation: &Arc<Generation>) -> Self {
        Self { submission: generation.submission, prepared: generation.facts.clone() }
    }
}

fn step(generation: &Arc<Generation>, bases: &[Option<GenerationId>]) -> Step {
    Step { generation: generation.clone(), lenders: lineage::lenders(bases, generation.id()).into() }
}
