//! A mod that trapped.

use std::{collections::VecDeque, fmt};

use serde::{Deserialize, Serialize};
use tickswap_abi::{ModName, PlayerId};
use tickswap_linker::GenerationId;

use crate::{
    engine::{GuestTrap, TrapFrame},
    limits::FAULTS_REMEMBERED_MAX,
};

/// A trap or panic inside a mod, and what became of the tick in which it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fault {
    /// The mod.
    pub mod_name: ModName,
    /// The generation that was called.
    pub generation: GenerationId,
    /// The world.
    pub world: String,
    /// The tick, of a fault that happened repeatedly the first.
    pub tick: u64,
    /// How often it happened in this world: 1 where a tick hands it out; where faults are remembered, repeats are counted.
    pub count: u64,
    /// The last tick in which it happened.
    pub last_tick: u64,
    /// The hook, such as `ArenaHooks::input`.
    pub hook: String,
    /// The player the hook was called for, if it was for one.
    pub player: Option<PlayerId>,
    /// The panic's words with file and line, or the machine's.
    pub message: String,
    /// WebAssembly frames, innermost first.
    pub backtrace: Vec<TrapFrame>,
    /// What the world did about it.
    pub outcome: FaultOutcome,
}

/// What a world does about a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultOutcome {
    /// The tick was undone, the generation's submission went back, and the tick ran again on the code before.
    WentBack,
    /// The tick was undone, the players that this generation served went back to the active one, and the tick ran again.
    PlayersWentBack,
    /// The tick was undone and ran again with the mod left out.
    LeftOut,
    /// As `LeftOut`, and since it happened too often in a row, the mod is paused until another generation is activated.
    Paused,
    /// The server panicked below the mod's call. The tick was undone and did not happen.
    Cut,
    /// Nothing could be undone: the mod is paused until another generation is activated, and its state is suspect.
    Suspect,
}

impl fmt::Display for FaultOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WentBack => {
                "The tick was undone and ran again on the generation before: what was activated with this one went back, too."
            }
            Self::PlayersWentBack => {
                "The tick was undone and ran again: the players of this generation are served by the active one."
            }
            Self::LeftOut => "The tick was undone and ran again without the mod; the next tick calls it again.",
            Self::Paused => {
                "The tick was undone and ran again without the mod. It is paused in this world; activate another generation of it."
            }
            Self::Cut => "The tick was undone and did not happen.",
            Self::Suspect => {
                "The mod is paused in this world and its state is suspect, because nothing could be undone; \
                 activate another generation of it."
            }
        })
    }
}

/// The last faults of one world, repeats folded, the newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct FaultLog(VecDeque<Fault>);

impl FaultLog {
    /// Takes a fault in and answers it with its count.
    pub(crate) fn take(&mut self, fault: Fault) -> Option<&Fault> {
        let known = self.0.iter().position(|known| known.is_repeated_by(&fault));
        let folded = match known.and_then(|index| self.0.remove(index)) {
            Some(known) => Fault { tick: known.tick, count: known.count + fault.count, ..fault },
            None => fault,
        };
        if self.0.len() >= FAULTS_REMEMBERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back(folded);
        self.0.back()
    }

    /// Takes a fault in and tells the log of the process: the first in full, its repeats when they have doubled.
    pub(super) fn report(&mut self, fault: &Fault) {
        match self.take(fault.clone()) {
            Some(first) if first.count == 1 => tracing::error!(target: "tickswap", "{first}"),
            Some(Fault { count, mod_name, generation, world, hook, last_tick, .. }) if count.is_power_of_two() => {
                tracing::error!(
                    target: "tickswap",
                    "mod {mod_name} {generation} faulted in world {world:?} in {hook} as before, {count} times by tick {last_tick}"
                );
            }
            _ => {}
        }
    }

    /// All that are remembered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl Fault {
    /// What happened in a call of `hook`.
    pub(super) fn new(mod_name: ModName, generation: GenerationId, world: &str, tick: u64, trap: GuestTrap) -> Self {
        Self {
            mod_name,
            generation,
            world: world.to_owned(),
            tick,
            count: 1,
            last_tick: tick,
            hook: String::new(),
            player: None,
            message: trap.message,
            backtrace: trap.frames,
            outcome: FaultOutcome::Suspect,
        }
    }

    /// Messages differ by numbers in them; the place is what tells faults apart.
    fn is_repeated_by(&self, other: &Self) -> bool {
        (&self.mod_name, self.generation, &self.hook) == (&other.mod_name, other.generation, &other.hook)
            && if self.backtrace.is_empty() { self.message == other.message } else { self.backtrace == other.backtrace }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mod_name, generation, world, tick, hook, message, .. } = self;
        write!(formatter, "mod {mod_name} {generation} faulted in world {world:?}, tick {tick}, {hook}")?;
        if let Some(player) = self.player {
            write!(formatter, " for {player}")?;
        }
        write!(formatter, ": {message}\n{}", self.outcome)?;
        if self.count > 1 {
            write!(formatter, "\nIt happened {} times, last in tick {}.", self.count, self.last_tick)?;
        }
        for frame in &self.backtrace {
            write!(formatter, "\n  in {frame}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(tick: u64, message: &str, function: Option<&str>) -> Fault {
        let frame = |name: &str| TrapFrame { function: name.to_owned(), file: None, line: None };
        let trap = GuestTrap { message: message.to_owned(), frames: function.map(frame).into_iter().collect() };
        let mod_name = ModName::try_from("arena");
        Fault::new(mod_name.unwrap_or_else(|_| unreachable!()), GenerationId::new(1), "w", tick, trap)
    }

    #[test]
    fn repeats_are_folded_by_place_and_counted() {
        let mut log = FaultLog::default();
        log.take(fault(1, "over 5", Some("bump")));
        log.take(fault(2, "over 5", Some("other")));
        log.take(fault(3, "over 6", Some("bump")));
        let found: Vec<_> = log.iter().map(|f| (f.count, f.tick, f.last_tick, f.message.as_str())).collect();
        assert_eq!(found, [(1, 2, 2, "over 5"), (2, 1, 3, "over 6")]);
        assert!(log.iter().last().is_some_and(|fault| fault.to_string().contains("2 times, last in tick 3")));
    }

    #[test]
    fn without_a_place_the_words_tell_them_apart_and_the_oldest_go() {
        let mut log = FaultLog::default();
        for number in 0..FAULTS_REMEMBERED_MAX as u64 + 5 {
            log.take(fault(number, &format!("fault {number}"), None));
        }
        assert_eq!(log.iter().count(), FAULTS_REMEMBERED_MAX);
        assert_eq!(log.iter().next().map(|fault| fault.tick), Some(5));
    }
}
