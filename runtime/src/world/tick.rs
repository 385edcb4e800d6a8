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

    #[inline]
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
        self.end_pause();
        if let Some(broken) = &self.broken {
            return Err(faulted(&broken.fault));
        }
        let Mods { slots, outside, signatures, encoded, cannot_undo, .. } = &mut *self.mods;
        let position = signatures.hook_position(hook);
        let position = position.ok_or(CallError::UnknownInterface { interface: hook.interface.name })?;
        let signature = &signatures.hooks()[position];
        let arguments = raw_arguments(signature, arguments, encoded)?;
        let mut call = Call {
            player,
            hook: position,
            signature,
            arguments,
            outside,
            faults: self.faults,
            cannot_undo,
            broken: &mut self.broken,
            world: self.world,
            tick: self.number,
        };
        match target {
            Target::All => {
                for slot in slots {
                    match call.of(slot, answers) {
                        // Of all mods, those that cannot answer are left out; the tick goes on with the others.
                        Err(CallError::Paused { .. } | CallError::Faulted { .. }) if call.broken.is_none() => {}
                        other => other?,
                    }
                }
                Ok(())
            }
            Target::Mod(name) => {
                let found = slots.iter_mut().find(|slot| slot.name == name);
                let found = found.and_then(|slot| slot.position_for(player).map(|position| (slot, position)));
                let (slot, position) = found.ok_or_else(|| CallError::UnknownMod { mod_name: name.to_owned() })?;
                if slot.guest.has_hook(position, call.hook) {
                    call.at(slot, position, answers)
                } else {
                    call.check_implements(slot)
                }
            }
        }
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

/// One hook call with its arguments, to be made on one mod or on several.
struct Call<'c> {
    player: Option<PlayerId>,
    hook: usize,
    signature: &'c HookSignature,
    arguments: RawArguments<'c>,
    outside: &'c mut Option<Box<Outside>>,
    faults: &'c mut Vec<Fault>,
    cannot_undo: &'c mut bool,
    broken: &'c mut Option<Broken>,
    world: &'c Arc<str>,
    tick: u64,
}

impl Call<'_> {
    #[inline]
    fn of(
        &mut self,
        slot: &mut ModSlot,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        let Some(position) = slot.position_for(self.player) else {
            return Ok(());
        };
        if slot.guest.has_hook(position, self.hook) { self.at(slot, position, answers) } else { Ok(()) }
    }

    /// On a generation that has the hook.
    #[inline]
    fn at(
        &mut self,
        slot: &mut ModSlot,
        position: usize,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        if slot.is_paused() || slot.left_out.is_some() {
            return self.not_called(slot);
        }
        if !slot.is_touched {
            *self.cannot_undo |= !slot.touch();
        }
        let mark = self.outside.as_mut().map(|outside| {
            outside.caller = slot.number();
            outside.effects.mark()
        });
        let result = slot.guest.call(position, self.hook, self.arguments, self.outside);
        match result {
            Ok(RawResult::Nothing) => answers(&slot.name, RawAnswer::Nothing),
            Ok(RawResult::Scalar(bits)) => answers(&slot.name, RawAnswer::Scalar(bits)),
            Ok(RawResult::Encoded { start, length }) => {
                answers(&slot.name, RawAnswer::Encoded(slot.guest.bytes(start, length)))
            }
            Err(CallFailure::Trap(trap)) => {
                if let (Some(outside), Some(mark)) = (self.outside.as_mut(), mark) {
                    outside.effects.go_back(mark);
                }
                self.fault(slot, position, trap)
            }
            Err(CallFailure::BadAnswer(reason)) => Err(CallError::BadAnswer {
                mod_name: slot.name.clone(),
                interface: self.signature.interface.name,
                hook: self.signature.descriptor.name,
                reason,
            }),
            Err(CallFailure::AnswerTooLarge { bytes }) => Err(CallError::TooLarge {
                mod_name: slot.name.clone(),
                what: format!("the answer of {}", self.hook_name()),
                bytes,
                limit: CALL_BYTES_MAX,
            }),
        }
    }

    /// A named mod must implement the hook's trait, though it may lack an optional hook.
    #[cold]
    fn check_implements(&self, slot: &ModSlot) -> Result<(), CallError> {
        let position = slot.position_for(self.player).unwrap_or_default();
        if slot.guest.has_hook(position, self.hook) {
            return Ok(());
        }
        let interface = self.signature.interface;
        // The trait's hooks stand in one run of positions; where this one stands in it says where it begins.
        let own = interface.hooks.iter().position(|hook| hook.name == self.signature.descriptor.name);
        let first = self.hook - own.unwrap_or_default();
        let mut all = first..first + interface.hooks.len();
        if all.any(|hook| slot.guest.has_hook(position, hook)) {
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

    #[cold]
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

    #[cold]
    fn fault(&mut self, slot: &mut ModSlot, position: usize, trap: GuestTrap) -> Result<(), CallError> {
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
