//! What can be asked of a world's thread while it runs: to reserve state, and to tell what became of all inputs.

use arena_api::{InputTotals, ReservedState, arena_hooks::Caller as _};
use crossbeam_channel::{Receiver, Sender, bounded};
use tickswap::{TickError, World, limits::IMAGE_AREA_BYTES};
use tickswap_abi::CallError;

use super::ARENA_MOD;
use crate::limits::{COMMAND_WAIT_MAX, COMMANDS_QUEUED_MAX};

/// Carried out between two ticks of the room, as a tick of its own that no player takes part in.
#[derive(Debug)]
pub(crate) enum Command {
    Reserve { mebibytes: u32, answer: Sender<Result<(), RoomError>> },
    Reserved { answer: Sender<Result<ReservedState, RoomError>> },
    Totals { answer: Sender<Result<InputTotals, RoomError>> },
    HeapBytes { answer: Sender<Result<u64, RoomError>> },
}

/// Why a world's thread did not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoomError {
    /// It has ended, or is busy.
    #[error("the world's thread has not answered within {} s", COMMAND_WAIT_MAX.as_secs())]
    NoAnswer,
    /// The rules do not offer what was asked.
    #[error("the mod {ARENA_MOD} does not have the optional hook {hook}")]
    NotOffered {
        /// The hook.
        hook: &'static str,
    },
    /// The tick failed.
    #[error("the rules did not answer: {0}")]
    Tick(String),
}

/// Asks a world's thread.
#[derive(Clone, Debug)]
pub struct RoomCommands(Sender<Command>);

/// The two ends of a room's commands.
pub(crate) fn commands() -> (RoomCommands, Receiver<Command>) {
    let (sender, receiver) = bounded(COMMANDS_QUEUED_MAX);
    (RoomCommands(sender), receiver)
}

impl RoomCommands {
    /// Has the rules fill that much memory with live state.
    pub fn reserve(&self, mebibytes: u32) -> Result<(), RoomError> {
        self.ask(|answer| Command::Reserve { mebibytes, answer })
    }

    /// Has the rules read all reserved state again.
    pub fn reserved(&self) -> Result<ReservedState, RoomError> {
        self.ask(|answer| Command::Reserved { answer })
    }

    /// What became of all inputs.
    pub fn totals(&self) -> Result<InputTotals, RoomError> {
        self.ask(|answer| Command::Totals { answer })
    }

    /// Bytes of heap of the arena's rules: linear memory without the area of code's data.
    pub fn heap_bytes(&self) -> Result<u64, RoomError> {
        self.ask(|answer| Command::HeapBytes { answer })
    }

    fn ask<T>(&self, command: impl FnOnce(Sender<Result<T, RoomError>>) -> Command) -> Result<T, RoomError> {
        let (answer, answered) = bounded(1);
        let sent = self.0.send_timeout(command(answer), COMMAND_WAIT_MAX);
        sent.map_err(|_| RoomError::NoAnswer)?;
        answered.recv_timeout(COMMAND_WAIT_MAX).unwrap_or(Err(RoomError::NoAnswer))
    }
}

impl Command {
    /// Whoever asked may have given up: that an answer is not taken is no error.
    pub(super) fn carry_out(self, world: &mut World) {
        match self {
            Self::Reserve { mebibytes, answer } => {
                let has_hook = ask(world, |arena| arena.reserved_state());
                let _ = answer.send(has_hook.and_then(|state| {
                    state.ok_or(RoomError::NotOffered { hook: "reserve_state" })?;
                    ask(world, |arena| arena.reserve_state(mebibytes))
                }));
            }
            Self::Reserved { answer } => {
                let state = ask(world, |arena| arena.reserved_state());
                let offered = RoomError::NotOffered { hook: "reserved_state" };
                let _ = answer.send(state.and_then(|state| state.ok_or(offered)));
            }
            Self::Totals { answer } => {
                let offered = RoomError::NotOffered { hook: "inputs" };
                let totals = ask(world, |arena| arena.inputs());
                let _ = answer.send(totals.and_then(|totals| totals.ok_or(offered)));
            }
            Self::HeapBytes { answer } => {
                let _ = answer.send(Ok(heap_bytes(world)));
            }
        }
    }
}

/// A soak's world has one mod; others would count with the areas of their code's data.
fn heap_bytes(world: &World) -> u64 {
    world.memory_bytes().saturating_sub(u64::from(IMAGE_AREA_BYTES))
}

type ArenaMod<'c, 'w> = arena_api::arena_hooks::OneMod<'c, 'static, tickswap::Tick<'w>>;

fn ask<T>(
    world: &mut World,
    mut question: impl FnMut(&mut ArenaMod<'_, '_>) -> Result<T, CallError>,
) -> Result<T, RoomError> {
    let done = world.tick(|tick| question(&mut tick.arena().of(ARENA_MOD)));
    match done {
        Ok(done) => Ok(done.value),
        Err(TickError::Closure { error, .. }) => Err(RoomError::Tick(error.to_string())),
        Err(error) => Err(RoomError::Tick(error.to_string())),
    }
}
