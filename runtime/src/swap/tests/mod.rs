//! Worlds, ticks and swaps with hand-made generations: everything above the engine but the linker.
#![allow(clippy::unwrap_used)]

mod flips;
mod ticks;
mod transactions;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tickswap_abi::{Arguments, CallError, HookCaller, HookRef, PlayerId, RawAnswer, Target};
use tickswap_linker::GenerationId;

use super::{change::Generation, *};
use crate::{
    ModName,
    engine::{
        Engine, EngineOptions,
        tests::{ADD, CLEAR, ECHO, FATAL, STACK, STACK_SIZE, STARTED, Sample, TOTAL, TestHost, contract},
    },
    ids::SubmissionId,
    limits::Limits,
    world::{ChangeKind, FaultOutcome, Outside, TickError, Transactions, World, WorldError, WorldSettings},
};

struct Server {
    engine: Arc<Engine<Outside>>,
    fleet: Arc<Fleet>,
    ledger: Arc<Ledger>,
    limits: Limits,
    settings: WorldSettings,
}

impl Server {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let ledger = Arc::new(Ledger::new(&limits));
        Self {
            engine: Arc::new(Engine::new(contract(), &limits, EngineOptions::default()).unwrap()),
            fleet: Arc::new(Fleet::new(ledger.clone(), &limits)),
            ledger,
            settings: WorldSettings {
                order: Arc::new([named("zeta"), named("alpha")]),
                probation_ticks: limits.probation_ticks,
                faults_in_a_row: limits.faults_in_a_row,
                ..WorldSettings::default()
            },
            limits,
        }
    }

    /// One whose mods are in a mode.
    fn in_mode(mode: Transactions) -> Self {
        let mut server = Self::new();
        server.settings.transactions = mode;
        server
    }

    fn world_of(&self, name: &str, host: TestHost) -> Result<World, WorldError> {
        let settings = self.settings.clone();
        let host: Vec<Box<dyn tickswap_abi::HostFunctions>> = vec![Box::new(host)];
        let (engine, fleet, ledger) = (&self.engine, &self.fleet, &self.ledger);
        start_world(name.into(), host, settings, engine, fleet, ledger, &self.limits)
    }

    fn world(&self, name: &str) -> World {
        self.world_of(name, TestHost(Some(9))).unwrap()
    }

    /// Announces generations as the preparing thread does.
    fn submit(&self, samples: &[(&str, Sample)]) -> SubmissionId {
        let submission = self.ledger.open();
        let generations: Vec<_> =
            samples.iter().map(|(name, sample)| self.generation(submission, name, sample)).collect();
        self.fleet.announce(submission, &generations).unwrap();
        submission
    }

    fn generation(
        &self,
        submission: SubmissionId,
        name: &str,
        sample: &Sample,
    ) -> (Arc<Generation>, Vec<Option<GenerationId>>) {
        let bases = (0..sample.generation).map(|n| (n > 0).then(|| GenerationId::new(n)));
        let facts = PreparedMod {
            mod_name: named(name),
            generation: GenerationId::new(sample.generation),
            base: self.fleet.current(&named(name)),
            report: tickswap_linker::verify::Report::new(vec![]),
            approved_by: None,
            changed_functions: vec![],
            file_bytes: 0,
            fresh_bytes: 0,
            image_end: 0,
            read_ns: 0,
            compare_ns: 0,
            link_ns: 0,
            compile_ns: 0,
            code: Default::default(),
        };
        let generation = Generation { submission, compiled: sample.compile(&self.engine).unwrap(), facts };
        (Arc::new(generation), bases.collect())
    }

    fn state(&self, submission: SubmissionId) -> SubmissionState {
        self.ledger.submission(submission)
    }

    fn activate(&self, name: &str, generation: u32, scope: &Scope) -> SubmissionId {
        self.fleet.activate(&named(name), GenerationId::new(generation), scope).unwrap()
    }
}

fn named(name: &str) -> ModName {
    ModName::try_from(name).unwrap()
}

fn add(tick: &mut impl HookCaller, value: u64) -> Result<(), CallError> {
    tick.call_hook(Target::All, ADD, Arguments::Scalars(&[value]), &mut |_, _| Ok(()))
}

fn ask(tick: &mut impl HookCaller, target: Target<'_>, hook: HookRef) -> Result<Vec<(String, u64)>, CallError> {
    let mut found = Vec::new();
    tick.call_hook(target, hook, Arguments::Scalars(&[]), &mut |name, answer| {
        if let RawAnswer::Scalar(bits) = answer {
            found.push((name.to_string(), bits));
        }
        Ok(())
    })?;
    Ok(found)
}

/// Idles, then ticks once: adds `value` and answers the totals.
fn step(world: &mut World, value: u64) -> Vec<(String, u64)> {
    world.idle(Instant::now() + Duration::from_secs(5));
    let done = world.tick(|tick| {
        add(tick, value)?;
        ask(tick, Target::All, TOTAL)
    });
    done.unwrap().value
}

fn total(world: &mut World, value: u64) -> u64 {
    step(world, value)[0].1
}
