//! Everything that can go wrong while a mod is built, each with what to do about it.

use std::io;
use std::path::PathBuf;

/// Why a mod was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A program of the toolchain could not be started.
    #[error(
        "cannot run `{program}`: {source}; install Rust with rustup (https://rustup.rs) and see that `{program}` is on PATH"
    )]
    ToolMissing {
        /// `cargo` or `rustc`.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The compiler answered a plain question with an error.
    #[error("`{command}` failed: {stderr}")]
    ToolFailed {
        /// The command as typed.
        command: String,
        /// Its standard error.
        stderr: String,
    },
    /// The folder is not a crate.
    #[error("there is no Cargo.toml in {}; a mod is a crate: `cargo tickswap new NAME` makes one", .folder.display())]
    NoManifest {
        /// The folder that was to be built.
        folder: PathBuf,
    },
    /// `cargo metadata` refused the manifest, or dependencies could not be had.
    #[error("cargo cannot read the crate in {}:\n{stderr}", .folder.display())]
    Manifest {
        /// The folder that was to be built.
        folder: PathBuf,
        /// What cargo said.
        stderr: String,
    },
    /// The folder holds a workspace without a package of its own.
    #[error("{} is a workspace, not a mod; build one of its mods: {}", .folder.display(), listed(.mods))]
    Workspace {
        /// The folder that was to be built.
        folder: PathBuf,
        /// The mods among its members.
        mods: Vec<String>,
    },
    /// The crate would not become a WebAssembly module.
    #[error("`{package}` is no mod: its library has the crate types [{}], a mod needs `cdylib`; write `[lib]` and `crate-type = [\"cdylib\"]` into {}", .found.join(", "), .manifest.display())]
    NotCdylib {
        /// The package's name.
        package: String,
        /// The crate types its library has; empty without a library.
        found: Vec<String>,
        /// The manifest to edit.
        manifest: PathBuf,
    },
    /// The package's name cannot be a mod's name.
    #[error("`{name}` cannot be a mod's name: expected 1 to {max} characters out of a-z, 0-9, `_` and `-`; rename the package", max = crate::recipe::MOD_NAME_BYTES_MAX)]
    NameInvalid {
        /// The name found.
        name: String,
    },
    /// The target is missing and rustup is not there to add it.
    #[error("the toolchain at {} has no target {target} and `rustup` cannot be run to add it: {source}; install the target with your package manager, or Rust with rustup (https://rustup.rs)", .sysroot.display())]
    TargetMissing {
        /// The missing target.
        target: &'static str,
        /// Where the compiler lives.
        sysroot: PathBuf,
        /// Why rustup did not start.
        source: io::Error,
    },
    /// rustup ran and the target is still missing.
    #[error("the toolchain at {} has no target {target} and `rustup target add {target}` did not change that:\n{output}", .sysroot.display())]
    TargetNotAdded {
        /// The missing target.
        target: &'static str,
        /// Where the compiler lives.
        sysroot: PathBuf,
        /// What rustup said.
        output: String,
    },
    /// LLVM does not obey the switches, so modules of this toolchain cannot be patched safely.
    #[error(
        "this toolchain ({toolchain}) cannot build mods: {found}; `-C llvm-args=-opt-disable=globalopt,mergefunc` must keep LLVM from merging functions and shrinking statics. Use a toolchain that Tickswap's README names"
    )]
    SwitchesIneffective {
        /// `rustc` version line.
        toolchain: String,
        /// What was seen instead.
        found: String,
    },
    /// The compiler wrapper did not compile.
    #[error("the compiler wrapper of tickswap-build does not compile with this toolchain:\n{stderr}")]
    Wrapper {
        /// What rustc said.
        stderr: String,
    },
    /// The mod's code, or a dependency's, has errors.
    #[error("`{mod_name}` does not compile:\n{}", .errors.join("\n"))]
    Compile {
        /// The mod.
        mod_name: String,
        /// The compiler's errors as rendered by rustc.
        errors: Vec<String>,
    },
    /// cargo failed without an error from the compiler.
    #[error("cargo could not build `{mod_name}`:\n{stderr}")]
    Cargo {
        /// The mod.
        mod_name: String,
        /// What cargo said.
        stderr: String,
    },
    /// cargo said something that this crate does not understand.
    #[error("expected {expected} from cargo, found: {found}")]
    Unexpected {
        /// What was expected.
        expected: &'static str,
        /// What came.
        found: String,
    },
    /// A file or folder could not be read or written.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// A verb: "create", "read".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl BuildError {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

fn listed(mods: &[String]) -> String {
    if mods.is_empty() { "it has none (a mod has crate-type cdylib)".to_owned() } else { mods.join(", ") }
}
