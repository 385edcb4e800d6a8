//! Hot-reload runtime for game servers: worlds, ticks, and swaps of mod code over memory that never moves.
//!
//! A server describes its game in a contract crate, builds a [`Runtime`] for it, makes a [`World`] per room, and ticks
//! it. New code for a mod is submitted through [`Control`] from any thread; it is linked into the memory of the
//! running mod, staged in idle time, and becomes active at a boundary between two ticks.
//!
//! What this crate is not: it opens no sockets and builds no sources. It watches finished mods only, in [`ModsWatcher`].
//!
//! ```no_run
//! # fn contract() -> tickswap::Contract { tickswap::Contract::new("game") }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::{Duration, Instant};
//! use tickswap::{ModName, Runtime};
//!
//! let runtime = Runtime::builder().contract(contract()).build()?;
//! let mut world = runtime.create_world("eu-1", vec![])?;
//! let bytes = std::fs::read("arena.wasm")?;
//! runtime.control().submit(vec![(ModName::try_from("arena")?, bytes)])?;
//! loop {
//!     let next = Instant::now() + Duration::from_millis(16);
//!     let done = world.tick(|tick| {
//!         // Generated clients of the contract crate call hooks on `tick` here.
//!         Ok(tick.number())
//!     })?;
//!     for effect in done.effects {
//!         // arena_host::apply(&effect, &mut server)
//!         # let _ = effect;
//!     }
//!     world.idle_until(next);
//! }
//! # }
//! ```
//!
//! `ARCHITECTURE.md` beside this crate's manifest says how it is built and why.

mod clock;
mod control;
mod engine;
mod ids;
pub mod limits;
mod runtime;
mod swap;
mod world;

pub use control::{
    Control, ControlError, Event, Events, ModsWatcher, Status, SubmissionStatus, WatchError, WatchOptions, WatchReport,
    console,
};
pub use engine::{CodeFacts, EngineError, TrapFrame, UndoMechanism};
pub use ids::SubmissionId;
pub use limits::Limits;
pub use runtime::{BuildError, Runtime, RuntimeBuilder};
pub use swap::{
    GenerationStatus, ModReport, ModStatus, PreparedMod, Refusal, RefusalStage, Scope, SubmissionState, SwapError,
    WorldModStatus, WorldStatus,
};
pub use tickswap_abi::{CallError, Contract, EffectRef, HookCaller, HostCallError, HostFunctions, ModName, PlayerId};
pub use tickswap_linker::GenerationId;
/// What a verdict tells: reports, findings, stable codes.
pub use tickswap_linker::verify::{Class, Code, Finding, Mark, Report, Span, Style};
pub use world::{
    ChangeKind, EffectIter, Effects, Fault, FaultOutcome, ModSwap, PlayerTick, QueryRef, RecordedQueries, SwapRecord,
    Tick, TickDone, TickError, Transactions, World, WorldError,
};
