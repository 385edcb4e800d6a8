//! What is known of a call that did not end well.

use serde::{Deserialize, Serialize};
use tickswap_abi::CodecError;

use crate::limits::HOST_STACK_BYTES_MAX;

/// A trap inside a mod: the message and the WebAssembly frames, innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuestTrap {
    /// The panic's own words with file and line, or what the machine says.
    pub(crate) message: String,
    /// Innermost first, at most [`crate::limits::BACKTRACE_FRAMES_MAX`].
    pub(crate) frames: Vec<TrapFrame>,
}

/// One WebAssembly frame of a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrapFrame {
    /// The function's name, demangled.
    pub function: String,
    /// Source file, when the runtime keeps debug information (`backtrace_lines`).
    pub file: Option<String>,
    /// Line in that file, from 1.
    pub line: Option<u32>,
}

impl std::fmt::Display for TrapFrame {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.function)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(formatter, " at {file}:{line}"),
            (Some(file), None) => write!(formatter, " at {file}"),
            _ => Ok(()),
        }
    }
}

/// Why a call gave no answer.
#[derive(Debug)]
pub(crate) enum CallFailure {
    /// The mod trapped; its memory is suspect.
    Trap(GuestTrap),
    /// The mod answered with something that is no answer; its memory is as it wanted it.
    BadAnswer(CodecError),
    /// The answer is larger than a call may carry.
    AnswerTooLarge {
        /// Its size.
        bytes: usize,
    },
}

impl GuestTrap {
    /// Reads wasmtime's error; `panic` is the message that the mod left before it trapped, `refusal` the limit it met.
    pub(crate) fn new(error: &wasmtime::Error, panic: Option<String>, refusal: Option<String>) -> Self {
        let frames = error
            .downcast_ref::<wasmtime::WasmBacktrace>()
            .map(|backtrace| backtrace.frames().iter().flat_map(frames).collect())
            .unwrap_or_default();
        let mut message = panic.unwrap_or_else(|| error.root_cause().to_string());
        for limit in refusal.into_iter().chain(stack_used_up(error)) {
            message = format!("{message}; {limit}");
        }
        Self { message, frames }
    }

    /// A trap that no code of the mod raised.
    pub(crate) fn of_host(message: String) -> Self {
        Self { message, frames: Vec::new() }
    }
}

/// The limit that a call met which went too deep.
fn stack_used_up(error: &wasmtime::Error) -> Option<String> {
    let is_used_up = matches!(error.downcast_ref(), Some(wasmtime::Trap::StackOverflow));
    is_used_up.then(|| {
        format!(
            "its calls need more than {HOST_STACK_BYTES_MAX} bytes of the server's stack \
             (limit HOST_STACK_BYTES_MAX); call less deeply"
        )
    })
}

/// A frame, or with debug information every function inlined into it.
fn frames(frame: &wasmtime::FrameInfo) -> Vec<TrapFrame> {
    let own_name = || match frame.func_name() {
        Some(name) => demangled(name),
        None => format!("function {}", frame.func_index()),
    };
    if frame.symbols().is_empty() {
        return vec![TrapFrame { function: own_name(), file: None, line: None }];
    }
    let symbols = frame.symbols().iter();
    symbols
        .map(|symbol| TrapFrame {
            function: symbol.name().map_or_else(own_name, demangled),
            file: symbol.file().map(str::to_owned),
            line: symbol.line(),
        })
        .collect()
}

fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_is_used_up_names_its_limit_and_other_traps_do_not() {
        let message = |trap: wasmtime::Trap| GuestTrap::new(&trap.into(), None, None).message;
        let text = message(wasmtime::Trap::StackOverflow);
        assert!(
            text.contains("limit HOST_STACK_BYTES_MAX") && text.contains(&HOST_STACK_BYTES_MAX.to_string()),
            "{text}"
        );
        assert!(!message(wasmtime::Trap::IntegerOverflow).contains("limit"));
    }
}
