//! What the benches share: a server of the probe's contract, its modules, medians. Each bench uses a part of it.

#![allow(dead_code)]

use std::time::{Duration, Instant};

use probe_api::{PlayerId, ProbeHost, probe_host};
use tickswap::{ModName, PreparedMod, Runtime, RuntimeBuilder, SubmissionState, World};
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

/// A runtime of the probe's contract without mods.
pub(crate) fn runtime() -> Runtime {
    runtime_with(|builder| builder)
}

/// The same with other settings.
pub(crate) fn runtime_with(change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Runtime {
    change(Runtime::builder().contract(probe_api::contract())).build().unwrap()
}

/// A world of a runtime.
pub(crate) fn world(runtime: &Runtime, name: &str) -> World {
    runtime.create_world(name, vec![probe_host::answering(Host)]).unwrap()
}

/// The probe's module with another version; with `is_large` two thousand functions come along.
pub(crate) fn probe(version: u32, is_large: bool) -> Vec<u8> {
    let fixture = Fixture::new("probe").edit("VERSION: u32 = 1;", &format!("VERSION: u32 = {version};"));
    if is_large { fixture.feature("large").build() } else { fixture.build() }
}

/// The probe's name.
pub(crate) fn name() -> ModName {
    ModName::try_from("probe").unwrap()
}

/// Loads a module and ticks the worlds until it is active in all of them.
pub(crate) fn load(runtime: &Runtime, worlds: &mut [&mut World], module: Vec<u8>) -> Vec<PreparedMod> {
    let submission = runtime.control().submit(vec![(name(), module)]).unwrap();
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
        std::thread::yield_now();
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

/// Nanoseconds per call of a step, the median of several rounds, for the ratios that a bench prints.
pub(crate) fn nanos_per_call(mut step: impl FnMut()) -> f64 {
    const CALLS: u32 = 20_000;
    let rounds = (0..15).map(|_| {
        let began = Instant::now();
        (0..CALLS).for_each(|_| step());
        began.elapsed().as_nanos() as u64
    });
    median(rounds.collect()) as f64 / f64::from(CALLS)
}
