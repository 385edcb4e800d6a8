//! Every limit of this crate, in one place. No behaviour.

/// Largest encoded argument list or answer of one call, in bytes. Both directions, both sides.
pub const CALL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Largest `tickswap.contract` section that is read, in bytes.
pub const SECTION_BYTES_MAX: usize = 1024 * 1024;

/// Longest name of a mod, in bytes.
pub const MOD_NAME_BYTES_MAX: usize = 64;

/// Longest piece of a mod's own text that an error repeats, in characters.
pub const QUOTED_CHARS_MAX: usize = 2048;

const _: () = assert!(CALL_BYTES_MAX <= u32::MAX as usize / 2, "lengths travel as 32-bit wasm values");
