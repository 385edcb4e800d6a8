//! cargo-fuzz: comparing bytes of any kind with a sound module.
#![no_main]

#[allow(dead_code, reason = "one of the two is the other target's")]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    targets::compare(bytes);
});
