//! What generated clients share: one function per way of calling a hook.

use super::{
    answers::{Answers, RawAnswer},
    caller::{Arguments, CallError, HookCaller, HookRef, Target},
    mod_name::ModName,
};
use crate::codec::CodecError;

/// Calls a hook without a result.
pub fn tell<C: HookCaller + ?Sized>(
    caller: &mut C,
    target: Target<'_>,
    hook: HookRef,
    arguments: Arguments<'_>,
) -> Result<(), CallError> {
    caller.call_hook(target, hook, arguments, &mut |_, _| Ok(()))
}

/// Calls a hook with a result on every mod that has it.
pub fn ask_all<C: HookCaller + ?Sized, T>(
    caller: &mut C,
    hook: HookRef,
    arguments: Arguments<'_>,
    read: impl Fn(RawAnswer<'_>) -> Result<T, CodecError>,
) -> Result<Answers<T>, CallError> {
    let mut answers = Answers::new();
    caller.call_hook(Target::All, hook, arguments, &mut |mod_name, raw| {
        let answer = read(raw).map_err(|reason| bad_answer(mod_name, hook, reason))?;
        answers.push(mod_name.clone(), answer);
        Ok(())
    })?;
    Ok(answers)
}

/// Calls an optional hook with a result on one mod; `None` if the mod lacks it.
pub fn ask_one_if_offered<C: HookCaller + ?Sized, T>(
    caller: &mut C,
    mod_name: &str,
    hook: HookRef,
    arguments: Arguments<'_>,
    read: impl Fn(RawAnswer<'_>) -> Result<T, CodecError>,
) -> Result<Option<T>, CallError> {
    let mut answer = None;
    caller.call_hook(Target::Mod(mod_name), hook, arguments, &mut |mod_name, raw| {
        answer = Some(read(raw).map_err(|reason| bad_answer(mod_name, hook, reason))?);
        Ok(())
    })?;
    Ok(answer)
}

/// Calls a hook with a result on one mod.
pub fn ask_one<C: HookCaller + ?Sized, T>(
    caller: &mut C,
    mod_name: &str,
    hook: HookRef,
    arguments: Arguments<'_>,
    read: impl Fn(RawAnswer<'_>) -> Result<T, CodecError>,
) -> Result<T, CallError> {
    match ask_one_if_offered(caller, mod_name, hook, arguments, read) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(missing(mod_name, hook)),
        Err(error) => Err(error),
    }
}

#[cold]
fn missing(mod_name: &str, hook: HookRef) -> CallError {
    match ModName::try_from(mod_name) {
        Ok(mod_name) => CallError::HookMissing { mod_name, interface: hook.interface.name, hook: hook_name(hook) },
        Err(error) => CallError::UnknownMod { mod_name: error.found },
    }
}

#[cold]
fn bad_answer(mod_name: &ModName, hook: HookRef, reason: CodecError) -> CallError {
    CallError::BadAnswer { mod_name: mod_name.clone(), interface: hook.interface.name, hook: hook_name(hook), reason }
}

fn hook_name(hook: HookRef) -> &'static str {
    hook.descriptor().map_or("?", |descriptor| descriptor.name)
}
