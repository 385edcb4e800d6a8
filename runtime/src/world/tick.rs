//! Calling hooks within a tick: order of mods, generations per player, faults.

use std::{sync::Arc, time::Instant};

use tickswap_abi::{
    Arguments, CallError, HookCaller, HookRef, ModName, ParameterPassing, PlayerId, RawAnswer, RawArguments,
    ResultPassing, Target,
};

use super::{Fault, ModSlot, Mods, Outside, transaction::Broken};
use crate::{
    clock,
    engine::{CallFailure, GuestTrap, HookSignature, RawResult},
    limits::CALL_BYTES_MAX,
};

/// A tick that is happening. Generated clients call hooks on it: `tick.arena().update(dt)?`.
///
/// Hooks without a value go to every mod that has them, in the server's order; mods that are paused or left out of this tick
/// are passed over, and the call is still `Ok`. A hook with a value asked of all leaves them out; asked of one such
/// mod it answers [`CallError::Paused`] or [`CallError::Faulted`].
///
/// When a mod faults, the call and every later one of this run answer [`CallError::Faulted`]: the run is over, everything it did
/// is undone, and the closure runs again. Only where that is impossible (see `Transactions::Off`) the tick goes on, and the
/// mod that faulted is paused.
pub struct Tick<'w> {
    world: &'w Arc<str>,
    mods: &'w mut Mods,
    faults: &'w mut Vec<Fault>,
    number: u64,
    /// When the boundary was entered, if anything was activated and no hook has run since.
    entered: Option<Instant>,
    pause_ns: u64,
    /// The fault that ended this run.
    broken: Option<Broken>,
}

impl<'w> Tick<'w> {
    pub(super) fn new(
        world: &'w Arc<str>,
        mods: &'w mut Mods,
        faults: &'w mut Vec<Fault>,
        entered: Option<Instant>,
    ) -> Self {
        let number = mods.outside.as_ref().map_or(0, |outside| outside.tick);
        Self { world, mods, faults, number, entered, pause_ns: 0, broken: None }
    }

    /// The same tick for one player: hooks go to the generation that the player is assigned to.
    pub fn for_player(&mut self, player: PlayerId) -> PlayerTick<'_, 'w> {
        PlayerTick { tick: self, player }
    }

    /// The tick's number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The world's name.
    pub fn world(&self) -> &str {
        self.world
    }

    /// Nanoseconds from entering the boundary to the first hook, or to now if there was none.
    pub(super) fn pause_ns(&mut self) -> u64 {
        self.end_pause();
        self.pause_ns
    }

    /// The fault that ended this run, if one did.
    pub(super) fn broken(self) -> Option<Broken> {
        self.broken
    }

    #[cold]
    fn end_pause(&mut self) {
        if let Some(entered) = self.entered.take() {
            self.pause_ns = clock::nanos_since(entered);
        }
    }

    fn dispatch(
        &mut self,
        player: Option<PlayerId>,
        target: Target<'_>,
        hook: HookRef,
        arguments: Arguments<'_>,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        if self.entered.is_some() {
            self.end_pause();
        }
        if let Some(broken) = &self.broken {
            return Err(faulted(&broken.fault));
        }
        let Mods { slots, outside, signatures, encoded, cannot_undo, .. } = &mut *self.mods;
        let Some(position) = signatures.hook_position(hook) else {
            return Err(CallError::UnknownInterface { interface: hook.interface.name });
        };
        let (hook, signature) = (position, &signatures.hooks()[position]);
        let arguments = raw_arguments(signature, arguments, encoded)?;
        let slots = match target {
            Target::All => slots.as_mut_slice(),
            Target::Mod(name) => named(slots, name, player)?,
        };
        let is_named = target != Target::All;
        for slot in slots {
            let Some(position) = slot.position_for(player) else {
                continue;
            };
            // What a call needs beside the slot, where it does not simply answer.
            macro_rules! call {
                () => {
                    Call {
                        position,
                        hook,
                        player,
                        signature,
                        is_named,
                        outside: &mut *outside,
                        faults: &mut *self.faults,
                        cannot_undo: &mut *cannot_undo,
                        broken: &mut self.broken,
                        world: self.world,
                        tick: self.number,
                    }
                };
            }
            if !slot.is_ready && !call!().make_ready(slot)? {
                continue;
            }
            if let Some(outside) = outside {
                outside.begin_call(slot.number(), *cannot_undo);
            }
            match slot.guest.call(position, hook, signature.descriptor.result, arguments, outside) {
                Ok(RawResult::Nothing) => answers(&slot.name, RawAnswer::Nothing)?,
                Ok(RawResult::Scalar(bits)) => answers(&slot.name, RawAnswer::Scalar(bits))?,
                Ok(RawResult::Encoded { start, length }) => {
                    answers(&slot.name, RawAnswer::Encoded(slot.guest.bytes(start, length)))?;
                }
                Err(failure) => call!().failed(slot, failure)?,
            }
        }
        Ok(())
    }
}

/// The mod of a name, if a generation of it serves the player.
#[inline]
fn named<'s>(slots: &'s mut [ModSlot], name: &str, player: Option<PlayerId>) -> Result<&'s mut [ModSlot], CallError> {
    match slots.iter().position(|slot| slot.name == name) {
        Some(index) if slots[index].position_for(player).is_some() => Ok(&mut slots[index..=index]),
        _ => Err(CallError::UnknownMod { mod_name: name.to_owned() }),
    }
}

impl HookCaller for Tick<'_> {
    #[inline]
    fn call_hook(
        &mut self,
        target: Target<'_>,
        hook: HookRef,
        arguments: Arguments<'_>,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        self.dispatch(None, target, hook, arguments, answers)
    }
}

impl std::fmt::Debug for Tick<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tick").field("world", &self.world).field("number", &self.number).finish_non_exhaustive()
    }
}

/// A tick seen for one player: hooks go to the generation that the player is assigned to.
#[derive(Debug)]
pub struct PlayerTick<'t, 'w> {
    tick: &'t mut Tick<'w>,
    player: PlayerId,
}

impl HookCaller for PlayerTick<'_, '_> {
    #[inline]
    fn call_hook(
        &mut self,
        target: Target<'_>,
        hook: HookRef,
        arguments: Arguments<'_>,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        let player = Some(self.player);
        self.tick.dispatch(player, target, hook, arguments, answers)
    }
}

/// A call of one mod that does not simply answer.
struct Call<'c> {
    /// Of the generation.
    position: usize,
    hook: usize,
    player: Option<PlayerId>,
    signature: &'c HookSignature,
    /// Whether this mod was asked by its name.
    is_named: bool,
    outside: &'c mut Option<Box<Outside>>,
    faults: &'c mut Vec<Fault>,
    cannot_undo: &'c mut bool,
    broken: &'c mut Option<Broken>,
    world: &'c Arc<str>,
    tick: u64,
}

impl Call<'_> {
    /// The mod's first call in the tick, and every call of one that is not called. Whether it is called now.
    #[cold]
    fn make_ready(self, slot: &mut ModSlot) -> Result<bool, CallError> {
        if !slot.guest.has_hook(self.position, self.hook) {
            return self.without_hook(slot).map(|()| false);
        }
        if slot.is_paused() || slot.left_out.is_some() {
            let outcome = self.not_called(slot);
            return self.passed_over(outcome).map(|()| false);
        }
        if !slot.is_touched {
            *self.cannot_undo |= !slot.touch();
        }
        slot.is_ready = true;
        Ok(true)
    }

    #[cold]
    fn failed(mut self, slot: &mut ModSlot, failure: CallFailure) -> Result<(), CallError> {
        let mod_name = slot.name.clone();
        let outcome = match failure {
            CallFailure::NoHook => self.without_hook(slot),
            CallFailure::Trap(trap) => {
                if let Some(outside) = self.outside.as_mut() {
                    outside.take_back_call();
                }
                self.fault(slot, trap)
            }
            CallFailure::BadAnswer(reason) => Err(CallError::BadAnswer {
                mod_name,
                interface: self.signature.interface.name,
                hook: self.signature.descriptor.name,
                reason,
            }),
            CallFailure::AnswerTooLarge { bytes } => Err(CallError::TooLarge {
                mod_name,
                what: format!("the answer of {}", self.hook_name()),
                bytes,
                limit: CALL_BYTES_MAX,
            }),
        };
        self.passed_over(outcome)
    }

    /// Of all mods, those that cannot answer are left out; the tick goes on with the others.
    fn passed_over(&self, outcome: Result<(), CallError>) -> Result<(), CallError> {
        match outcome {
            Err(CallError::Paused { .. } | CallError::Faulted { .. }) if !self.is_named && self.broken.is_none() => {
                Ok(())
            }
            other => other,
        }
    }

    /// A named mod must implement the hook's trait, though it may lack an optional hook.
    fn without_hook(&self, slot: &ModSlot) -> Result<(), CallError> {
        let interface = self.signature.interface;
        // The trait's hooks stand in one run of positions; where this one stands in it says where it begins.
        let own = interface.hooks.iter().position(|hook| hook.name == self.signature.descriptor.name);
        let first = self.hook - own.unwrap_or_default();
        let mut all = first..first + interface.hooks.len();
        if !self.is_named || all.any(|hook| slot.guest.has_hook(self.position, hook)) {
            return Ok(());
        }
        Err(CallError::HookMissing {
            mod_name: slot.name.clone(),
            interface: interface.name,
            hook: self.signature.descriptor.name,
        })
    }

    fn answers_something(&self) -> bool {
        self.signature.descriptor.result != ResultPassing::Nothing
    }

    fn hook_name(&self) -> String {
        format!("{}::{}", self.signature.interface.name, self.signature.descriptor.name)
    }

    fn not_called(&self, slot: &ModSlot) -> Result<(), CallError> {
        if !self.answers_something() {
            return Ok(());
        }
        let mod_name = slot.name.clone();
        Err(match slot.pause_reason() {
            Some(reason) => CallError::Paused { mod_name, reason: reason.to_owned() },
            None => CallError::Faulted { mod_name, message: slot.left_out.as_deref().unwrap_or_default().to_owned() },
        })
    }

    fn fault(&mut self, slot: &mut ModSlot, trap: GuestTrap) -> Result<(), CallError> {
        let position = self.position;
        let Some(generation) = slot.guest.generation(position) else {
            return Ok(());
        };
        let mut fault = Fault::new(slot.name.clone(), generation, self.world, self.tick, trap);
        (fault.hook, fault.player) = (self.hook_name(), self.player);
        let error = faulted(&fault);
        if !*self.cannot_undo {
            *self.broken = Some(Broken { number: slot.number(), position, fault });
            return Err(error);
        }
        slot.faults += 1;
        slot.pause(&fault, "its state is suspect");
        self.faults.push(fault);
        if self.answers_something() { Err(error) } else { Ok(()) }
    }
}

fn faulted(fault: &Fault) -> CallError {
    CallError::Faulted { mod_name: fault.mod_name.clone(), message: fault.message.clone() }
}

/// The arguments as they will cross, checked against the contract's way of passing them. Encoded once for all mods.
#[inline]
fn raw_arguments<'a>(
    signature: &HookSignature,
    arguments: Arguments<'a>,
    encoded: &'a mut Vec<u8>,
) -> Result<RawArguments<'a>, CallError> {
    let other_form = |expected, found: String| {
        let reason = tickswap_abi::CodecError::Passing { expected, found };
        Err(CallError::Codec(reason))
    };
    match (signature.descriptor.parameters, arguments) {
        (ParameterPassing::Scalars(types), Arguments::Scalars(bits)) if types.len() == bits.len() => {
            Ok(RawArguments::Scalars(bits))
        }
        (ParameterPassing::Encoded, Arguments::Encode(encode)) => {
            encoded.clear();
            encode(encoded)?;
            if encoded.len() > CALL_BYTES_MAX {
                let limit = CALL_BYTES_MAX;
                return Err(CallError::Codec(tickswap_abi::CodecError::TooLarge { limit }));
            }
            Ok(RawArguments::Encoded(encoded))
        }
        (ParameterPassing::Scalars(types), Arguments::Scalars(bits)) => {
            other_form("one scalar per parameter", format!("{} scalars for {} parameters", bits.len(), types.len()))
        }
        (ParameterPassing::Scalars(_), Arguments::Encode(_)) => {
            other_form("scalar arguments", "encoded arguments".to_owned())
        }
        (ParameterPassing::Encoded, Arguments::Scalars(bits)) => {
            other_form("encoded arguments", format!("{} scalars", bits.len()))
        }
    }
}
