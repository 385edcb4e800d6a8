//! The functions that every server offers to every mod, whatever its contract.

use super::buffer::address_of;

mod raw {
    #[link(wasm_import_module = "tickswap")]
    unsafe extern "C" {
        pub(super) fn log(level: u32, address: u32, length: u32);
        pub(super) fn panic(address: u32, length: u32);
        pub(super) fn take_answer(address: u32);
    }
}

/// Hands a line to the server's log. Levels: 1 error, 2 warn, 3 info, 4 debug, 5 trace.
pub fn log(level: u32, text: &str) {
    // SAFETY: the server reads `text` before it returns and keeps nothing of it.
    unsafe { raw::log(level, address_of(text.as_bytes()), text.len() as u32) }
}

/// Reports a panic, with file and line in the text. The mod traps right after.
pub fn panic(text: &str) {
    // SAFETY: as in `log`.
    unsafe { raw::panic(address_of(text.as_bytes()), text.len() as u32) }
}

/// Has the answer of the query that just ran copied to `address`, where the caller made room for it.
pub(super) fn take_answer(address: u32) {
    // SAFETY: the server writes as many bytes as the query said, and `super::take_answer` reserved that
    // many in the buffer, to which no reference lives meanwhile.
    unsafe { raw::take_answer(address) }
}
