//! cargo-fuzz: reading bytes of any kind.
#![no_main]

#[allow(dead_code, reason = "one of the two is the other target's")]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::read(bytes));
