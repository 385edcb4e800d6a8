//! The one recipe by which every mod is compiled: target, profile and flags.
//!
//! What lives here: the values. What does not: how they reach cargo (`compile.rs`) or rustc (`../wrapper/main.rs`).
//! Two builds of a mod can be linked into one memory only if both followed the same recipe, so nothing of it is an option.

/// The target of every mod.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The stack of a mod in bytes; it lies below the image area.
pub const STACK_BYTES: u32 = 1024 * 1024;

/// The longest name a mod may have. `tickswap-abi` holds the same limit for `ModName`.
pub const MOD_NAME_BYTES_MAX: usize = 64;

/// The cargo profile's name, and so the folder's in the target folder.
pub(crate) const PROFILE_NAME: &str = "tickswap";

/// One setting of the profile.
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: &'static str,
    /// What rustc gets for it if a manifest may override the setting per package: the wrapper then insists.
    pub(crate) codegen: Option<&'static str>,
}

/// The profile. Names and bodies of functions differ widely under other values, so it is fixed.
pub(crate) const PROFILE: &[Setting] = &[
    Setting { key: "inherits", value: "'release'", codegen: None },
    Setting { key: "opt-level", value: "3", codegen: Some("opt-level=3") },
    Setting { key: "codegen-units", value: "1", codegen: Some("codegen-units=1") },
    Setting { key: "debug-assertions", value: "false", codegen: Some("debug-assertions=off") },
    Setting { key: "overflow-checks", value: "false", codegen: Some("overflow-checks=off") },
    Setting { key: "panic", value: "'abort'", codegen: None },
    Setting { key: "lto", value: "'off'", codegen: None },
    Setting { key: "rpath", value: "false", codegen: None },
    Setting { key: "incremental", value: "false", codegen: None },
    // The wrapper gives full debug information to local crates and none to registry crates, and strips nothing.
    Setting { key: "debug", value: "'full'", codegen: None },
    Setting { key: "strip", value: "'none'", codegen: None },
];

/// Flags of every guest crate.
///
/// `simd128`: as with a native library, the compiler may use the processor's vector instructions. Code over vectors runs in half
/// the time with it (`tests/benches/compute.rs`). Results are the same on every machine, which `relaxed-simd` would not promise.
pub(crate) const EVERY_CRATE: &[&str] =
    &["-Csymbol-mangling-version=v0", "-Cllvm-args=-opt-disable=globalopt,mergefunc", "-Ctarget-feature=+simd128"];

/// Flags of the mod itself, which is what gets linked.
pub(crate) fn mod_crate(mod_name: &str) -> Vec<String> {
    let mut flags: Vec<String> =
        ["--emit-relocs", "--import-memory", "--import-table", "--growable-table", "--no-merge-data-segments"]
            .iter()
            .map(|argument| format!("-Clink-arg={argument}"))
            .collect();
    flags.push(format!("-Clink-arg=-zstack-size={STACK_BYTES}"));
    // The module's name is that of the output file otherwise, which has cargo's hash in it.
    flags.push(format!("-Clink-arg=--soname={mod_name}"));
    flags
}
