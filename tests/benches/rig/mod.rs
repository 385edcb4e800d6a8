//! What the benches share: a server of the probe's contract, its modules, measuring, tables. Each bench uses a part of it.

#![allow(dead_code)]

pub(crate) mod native;
pub(crate) mod table;

use std::path::Path;
use std::time::{Duration, Instant};

use probe_api::{PlayerId, ProbeHost, probe_host};
use tickswap::{Limits, ModName, PreparedMod, Runtime, RuntimeBuilder, SubmissionState, World};
use tickswap_tests::fixtures::Fixture;

/// Answers what the probe asks.
pub(crate) struct Host;

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

/// How much code comes with the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// The probe alone.
    Small,
    /// With a physics engine, a large third-party crate.
    Large,
}

impl Size {
    /// For tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "small mod",
            Self::Large => "mod with a physics engine",
        }
    }
}

/// Settings of a runtime of the probe's contract. Ticks may take as long as they like: benches measure inside of them.
pub(crate) fn builder() -> RuntimeBuilder {
    let mut limits = Limits::default();
    limits.cpu_ms_per_tick = 0;
    Runtime::builder().contract(probe_api::contract()).limits(limits)
}

/// A runtime of the probe's contract without mods.
pub(crate) fn runtime() -> Runtime {
    runtime_with(|builder| builder)
}

/// The same with other settings.
pub(crate) fn runtime_with(change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Runtime {
    change(builder()).build().unwrap()
}

/// A world of a runtime.
pub(crate) fn world(runtime: &Runtime, name: &str) -> World {
    runtime.create_world(name, vec![probe_host::answering(Host)]).unwrap()
}

/// The probe's module; versions differ in one function.
pub(crate) fn probe(version: u32, size: Size) -> Vec<u8> {
    match version {
        1 => edited(None, size),
        _ => edited(Some(&format!("{ADD}.wrapping_add({version})")), size),
    }
}

/// The probe's module with a function of a signature that it does not have otherwise.
pub(crate) fn probe_with_signature(size: Size) -> Vec<u8> {
    let call = "{ let f: fn(u64, u8, f32, f64) -> f64 = |a, b, c, d| a as f64 + f64::from(b) * f64::from(c) + d;
        std::hint::black_box(f)(a, b as u8, 0.5, 2.0) as u64 }";
    edited(Some(call), size)
}

/// The body of the probe's hook `add`.
const ADD: &str = "a.wrapping_add(u64::from(b))";

fn edited(add: Option<&str>, size: Size) -> Vec<u8> {
    let fixture = add.iter().fold(Fixture::new("probe"), |fixture, body| fixture.edit(ADD, body));
    match size {
        Size::Small => fixture.build(),
        Size::Large => fixture.feature("workload").build(),
    }
}

/// Bytes of a module's code, without data, names and debug information.
pub(crate) fn code_bytes(module: &[u8]) -> usize {
    let payloads = wasmparser::Parser::new(0).parse_all(module).flatten();
    payloads
        .filter_map(|payload| match payload {
            wasmparser::Payload::CodeSectionStart { size, .. } => Some(size as usize),
            _ => None,
        })
        .sum()
}

/// The probe's name.
pub(crate) fn name() -> ModName {
    ModName::try_from("probe").unwrap()
}

/// Loads a module and ticks the worlds until it is active in all of them.
pub(crate) fn load(runtime: &Runtime, worlds: &mut [&mut World], module: Vec<u8>) -> Vec<PreparedMod> {
    load_as(runtime, worlds, name(), module)
}

/// Like [`load`], for a mod of another name.
pub(crate) fn load_as(
    runtime: &Runtime,
    worlds: &mut [&mut World],
    name: ModName,
    module: Vec<u8>,
) -> Vec<PreparedMod> {
    let submission = runtime.control().submit(vec![(name, module)]).unwrap();
    loop {
        match runtime.control().submission(submission) {
            SubmissionState::Done { mods, .. } => return mods,
            state if state.is_final() => panic!("{state}"),
            _ => {}
        }
        for world in worlds.iter_mut() {
            world.idle_until(Instant::now() + Duration::from_millis(1));
            world.tick(|_| Ok(())).unwrap();
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// The middle of some measurements.
pub(crate) fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The value below which nearly all measurements lie.
pub(crate) fn percentile(mut values: Vec<u64>, percent: usize) -> u64 {
    values.sort_unstable();
    values.get((values.len() * percent / 100).min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Something to measure: called with how often it shall do its work.
pub(crate) type Step<'a> = (&'static str, Box<dyn FnMut(u32) + 'a>);

/// Nanoseconds per call of each step, medians. The steps take turns in short rounds, so that what else a machine does
/// meets all of them alike.
pub(crate) fn side_by_side(steps: &mut [Step<'_>], calls: u32) -> Vec<(&'static str, f64)> {
    const ROUNDS: usize = 31;
    let mut rounds = vec![Vec::with_capacity(ROUNDS); steps.len()];
    for _ in 0..ROUNDS {
        for ((_, step), rounds) in steps.iter_mut().zip(&mut rounds) {
            let began = Instant::now();
            step(calls);
            rounds.push(began.elapsed().as_nanos() as u64);
        }
    }
    let nanos = rounds.into_iter().map(|rounds| median(rounds) as f64 / f64::from(calls));
    steps.iter().map(|(name, _)| *name).zip(nanos).collect()
}

/// Bytes of memory that the process holds, where the system tells.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or_default() << 10
}
