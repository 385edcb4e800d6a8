//! A server that does what a seed says, beside the model.

use std::time::{Duration, Instant};

use probe_api::probe_hooks::Caller;
use probe_api::{PlayerId, ProbeHost, probe_host};
use tickswap::{CallError, FaultOutcome, GenerationId, Limits, ModName, Runtime, Scope, Transactions, World};

use crate::generations::{GENERATIONS, HAZARD, MODS, module};
use crate::model::{Expected, FAULTS_IN_A_ROW, Input, PROBATION_TICKS, WorldModel};

/// A bug that is planted to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    None,
    /// The second mod's ticks cannot be undone.
    NotUndone,
    /// The closure takes inputs away.
    InputsTakenAway,
}

/// What a simulation met.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) went_back: u64,
    pub(crate) left_out: u64,
    pub(crate) paused: u64,
    pub(crate) players_went_back: u64,
}

struct Host;

impl ProbeHost for Host {
    fn online(&self) -> u32 {
        3
    }

    fn name_of(&self, _player: PlayerId) -> String {
        String::new()
    }

    fn rename(&mut self, _host: String, _answer: u32) {}

    fn award(&mut self, _player: PlayerId, _points: u32) {}

    fn say(&mut self, _text: String) {}
}

/// A small generator (splitmix): the same seed gives the same simulation.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn name(position: usize) -> ModName {
    ModName::try_from(MODS[position]).unwrap()
}

fn runtime(bug: Bug) -> Runtime {
    let mut limits = Limits::default();
    (limits.probation_ticks, limits.faults_in_a_row) = (PROBATION_TICKS, FAULTS_IN_A_ROW);
    let mut builder = Runtime::builder().contract(probe_api::contract()).mod_order([name(0), name(1)]).limits(limits);
    if bug == Bug::NotUndone {
        builder = builder.transactions_of(name(1), Transactions::Off);
    }
    let runtime = builder.build().unwrap();
    for (position, flaws) in GENERATIONS.iter().enumerate() {
        for (flaw, generation) in flaws.iter().zip(1..) {
            let candidate = vec![(name(position), module(position, generation, *flaw))];
            let submission = runtime.control().submit(candidate).unwrap();
            let state = runtime.control().wait(submission, Duration::from_secs(300));
            assert!(state.is_success(), "{} {generation}: {state}", MODS[position]);
        }
    }
    runtime
}

/// Runs a simulation. An error is a finding.
pub(crate) fn simulate(seed: u64, ticks: u64, bug: Bug) -> Result<Seen, String> {
    let runtime = runtime(bug);
    let mut random = Random(seed);
    let mut made = 0;
    let mut new_world = || {
        made += 1;
        let world = runtime.create_world(format!("world {made}"), vec![probe_host::answering(Host)]).unwrap();
        (world, WorldModel::new())
    };
    let mut worlds = [new_world(), new_world(), new_world()];
    let mut seen = Seen::default();
    for tick in 0..ticks {
        let chosen = random.below(3) as usize;
        if random.below(400) == 0 {
            worlds[chosen] = new_world();
        }
        let (world, model) = &mut worlds[chosen];
        change(&runtime, world, model, &mut random);
        let inputs: Vec<Input> = (0..random.below(6)).map(|_| input(&mut random)).collect();
        let fails = random.below(20) == 0;
        let before = model.shown();
        let expected = model.tick(&inputs, fails);
        let found = play(world, &inputs, fails, bug);
        let compare = || {
            if found != expected {
                return Err(format!("expected {expected:?}\nfound {found:?}"));
            }
            for (m, mod_name) in model.mods.iter().zip(MODS) {
                let active = world.active_generation(mod_name);
                let is_paused = world.pause_reason(mod_name).is_some();
                if (active, is_paused) != (Some(GenerationId::new(m.active)), m.paused.is_some()) {
                    return Err(format!("{mod_name}: active {active:?}, paused {is_paused}"));
                }
            }
            Ok(())
        };
        compare().map_err(|finding| {
            let name = world.name();
            let after = model.shown();
            format!("seed {seed}, tick {tick}, {name}, {inputs:?}, fails {fails}\n{finding}\nbefore:\n{before}\nafter:\n{after}")
        })?;
        for outcome in &expected.outcomes {
            match outcome {
                FaultOutcome::WentBack => seen.went_back += 1,
                FaultOutcome::LeftOut => seen.left_out += 1,
                FaultOutcome::Paused => seen.paused += 1,
                _ => seen.players_went_back += 1,
            }
        }
    }
    Ok(seen)
}

fn input(random: &mut Random) -> Input {
    let amount = if random.below(30) == 0 { HAZARD } else { random.below(1000) as u32 };
    Input { player: random.below(5), amount }
}

/// Swaps and assignments between two ticks.
fn change(runtime: &Runtime, world: &mut World, model: &mut WorldModel, random: &mut Random) {
    for (position, generations) in GENERATIONS.iter().enumerate() {
        let mut any = || random.below(generations.len() as u64) as u32 + 1;
        let (generation, other) = (any(), any());
        let m = &mut model.mods[position];
        // A paused mod is repaired sooner, or nothing would happen for long.
        if random.below(if m.paused.is_some() { 4 } else { 12 }) == 0 {
            let scope = Scope::World(world.name().to_owned());
            runtime.control().activate(&name(position), GenerationId::new(generation), scope).unwrap();
            world.idle(Instant::now() + Duration::from_secs(300));
            m.activate(generation);
        }
        if random.below(25) == 0 {
            let player = random.below(5);
            let assigned = (random.below(3) > 0).then_some(other);
            world.assign_player(PlayerId(player), &name(position), assigned.map(GenerationId::new)).unwrap();
            match assigned {
                Some(generation) => drop(m.players.insert(player, generation)),
                None => drop(m.players.remove(&player)),
            }
        }
    }
}

fn play(world: &mut World, inputs: &[Input], fails: bool, bug: Bug) -> Expected {
    let mut left = inputs.to_vec();
    let done = world.tick(|tick| {
        let taken: Vec<Input> = if bug == Bug::InputsTakenAway { std::mem::take(&mut left) } else { left.clone() };
        for input in taken {
            tick.for_player(PlayerId(input.player)).probe().bump(input.amount)?;
        }
        tick.probe().tell(1)?;
        let totals = tick.probe().total()?;
        let totals = MODS.map(|name| totals.of(name).copied());
        if fails { Err(CallError::TickOver) } else { Ok(totals) }
    });
    match done {
        Ok(done) => {
            let effects = done.value.iter().zip([2, 1]).filter(|(total, _)| total.is_some()).map(|(_, count)| count);
            assert_eq!(done.effects.len(), effects.sum::<usize>(), "effects of mods that ran, once");
            let outcomes: Vec<FaultOutcome> = done.faults.into_iter().map(|fault| fault.outcome).collect();
            Expected { totals: Some(done.value), outcomes }
        }
        Err(error) => {
            let tickswap::TickError::Closure { faults, .. } = error else { panic!("{error}") };
            Expected { totals: None, outcomes: faults.into_iter().map(|fault| fault.outcome).collect() }
        }
    }
}
