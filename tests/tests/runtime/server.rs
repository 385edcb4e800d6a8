//! A server for tests: a runtime of the probe's contract, worlds of it, and submissions carried through to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use probe_api::probe_hooks::Caller;
use probe_api::{PlayerId, ProbeHost, probe_host};
use tickswap::{
    CallError, Control, GenerationId, ModName, PreparedMod, Runtime, RuntimeBuilder, SubmissionId, SubmissionState,
    Tick, World,
};
use tickswap_tests::fixtures::{build, edited};

/// Long enough that only something that hangs takes it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) struct Server {
    pub(crate) runtime: Runtime,
    pub(crate) control: Control,
    /// What the server answers to `online`.
    pub(crate) online: Arc<AtomicU32>,
}

/// What worlds ask, and where their effects go.
#[derive(Default)]
pub(crate) struct Host {
    online: Arc<AtomicU32>,
    pub(crate) heard: Vec<String>,
}

impl ProbeHost for Host {
    fn online(&self) -> u32 {
        self.online.load(Ordering::Relaxed)
    }

    fn name_of(&self, player: PlayerId) -> String {
        format!("player {}", player.0)
    }

    fn award(&mut self, player: PlayerId, points: u32) {
        self.heard.push(format!("{points} for {}", player.0));
    }

    fn rename(&mut self, host: String, answer: u32) {
        self.heard.push(format!("{host} {answer}"));
    }

    fn say(&mut self, text: String) {
        self.heard.push(text);
    }
}

impl Server {
    /// A server without mods.
    pub(crate) fn empty() -> Self {
        Self::with(|builder| builder)
    }

    pub(crate) fn with(change: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        let builder = Runtime::builder().contract(probe_api::contract()).mod_order([name("probe"), name("second")]);
        let runtime = change(builder).build().unwrap();
        Self { control: runtime.control(), runtime, online: Arc::new(AtomicU32::new(3)) }
    }

    /// A server with the probe loaded.
    pub(crate) fn of_probe() -> Self {
        let server = Self::empty();
        server.load(&[("probe", probe(1))]);
        server
    }

    /// A server with both mods loaded.
    pub(crate) fn of_both() -> Self {
        let server = Self::empty();
        server.load(&[("probe", probe(1)), ("second", build("second"))]);
        server
    }

    /// Loads mods while there is no world.
    pub(crate) fn load(&self, mods: &[(&str, Vec<u8>)]) -> Vec<PreparedMod> {
        done(self.control.wait(self.submit(mods), PATIENCE))
    }

    pub(crate) fn submit(&self, mods: &[(&str, Vec<u8>)]) -> SubmissionId {
        let mods = mods.iter().map(|(mod_name, bytes)| (name(mod_name), bytes.clone()));
        self.control.submit(mods.collect()).unwrap()
    }

    pub(crate) fn world(&self, world: &str) -> World {
        let host = Host { online: self.online.clone(), heard: Vec::new() };
        self.runtime.create_world(world, vec![probe_host::answering(host)]).unwrap()
    }

    /// Ticks a world until a submission has ended.
    pub(crate) fn finish(&self, world: &mut World, submission: SubmissionId) -> SubmissionState {
        self.finish_in(&mut [world], submission)
    }

    pub(crate) fn finish_in(&self, worlds: &mut [&mut World], submission: SubmissionId) -> SubmissionState {
        let gives_up = Instant::now() + PATIENCE;
        loop {
            let state = self.control.submission(submission);
            if state.is_final() {
                return state;
            }
            assert!(Instant::now() < gives_up, "{submission} never ends: {state}");
            for world in worlds.iter_mut() {
                world.idle_until(Instant::now() + Duration::from_millis(1));
                world.tick(|_| Ok(())).unwrap();
            }
        }
    }

    /// Patches the mods of two worlds.
    pub(crate) fn patch_both(&self, one: &mut World, other: &mut World, mods: &[(&str, Vec<u8>)]) {
        let submission = self.submit(mods);
        done(self.finish_in(&mut [one, other], submission));
    }

    /// Patches the mods of a world and answers what was prepared.
    pub(crate) fn patch(&self, world: &mut World, mods: &[(&str, Vec<u8>)]) -> Vec<PreparedMod> {
        done(self.finish(world, self.submit(mods)))
    }
}

/// The probe's module with another version of its code.
pub(crate) fn probe(version: u32) -> Vec<u8> {
    edited("probe", &[("VERSION: u32 = 1;", &format!("VERSION: u32 = {version};"))])
}

/// The second mod's module with another version of its code.
pub(crate) fn second(version: u32) -> Vec<u8> {
    edited("second", &[("VERSION: u32 = 1;", &format!("VERSION: u32 = {version};"))])
}

pub(crate) fn name(text: &str) -> ModName {
    ModName::try_from(text).unwrap()
}

pub(crate) fn generation(number: u32) -> GenerationId {
    GenerationId::new(number)
}

pub(crate) fn done(state: SubmissionState) -> Vec<PreparedMod> {
    match state {
        SubmissionState::Done { mods, .. } => mods,
        other => panic!("expected that it is done, found: {other}"),
    }
}

pub(crate) fn refusals(state: SubmissionState) -> String {
    match state {
        SubmissionState::Refused { reasons } => reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => panic!("expected that it is refused, found: {other}"),
    }
}

/// One tick whose closure must not fail.
pub(crate) fn tick<T>(world: &mut World, closure: impl FnMut(&mut Tick<'_>) -> Result<T, CallError>) -> T {
    world.tick(closure).unwrap().value
}

pub(crate) fn version(world: &mut World, mod_name: &str) -> u32 {
    tick(world, |tick| tick.probe().of(mod_name).version())
}

pub(crate) fn total(world: &mut World, mod_name: &str) -> u64 {
    tick(world, |tick| tick.probe().of(mod_name).total())
}

/// The lines that a tick's effects say.
pub(crate) fn effects<T>(world: &mut World, closure: impl FnMut(&mut Tick<'_>) -> Result<T, CallError>) -> Vec<String> {
    let mut host = Host::default();
    for effect in world.tick(closure).unwrap().effects {
        host.heard.push(format!("from {}", effect.from));
        probe_host::apply(&effect, &mut host).unwrap();
    }
    host.heard
}
