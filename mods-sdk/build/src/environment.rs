//! The environment in which cargo, rustc and rustup run: the caller's, without what would change how a mod is compiled.
//!
//! A server that was itself started by `cargo run` has inherited a few dozen of cargo's variables, and developers set others
//! for their own builds. Neither may reach a mod, or the same sources would give different modules.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where commands run and what is added to the cleaned environment.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    folder: PathBuf,
    added: Vec<(OsString, OsString)>,
}

impl Environment {
    /// Commands run in `folder`, so that rustup applies the toolchain file that stands there.
    pub(crate) fn new(folder: &Path, added: &[(OsString, OsString)]) -> Self {
        Self { folder: folder.to_owned(), added: added.to_vec() }
    }

    /// A command in the cleaned environment.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_removed(name)) {
            command.env_remove(name);
        }
        // Empty means none and beats a cargo configuration file that names one.
        command.env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "");
        // Drawn anew by each compilation otherwise, while the crate keeps its hash: live hash maps would lose their keys.
        command.env("CONST_RANDOM_SEED", "tickswap");
        command.current_dir(&self.folder).envs(self.added.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The folder where cargo keeps registries and git checkouts.
    pub(crate) fn cargo_home(&self) -> Option<PathBuf> {
        let set = self.added.iter().find(|(name, _)| name == "CARGO_HOME").map(|(_, value)| value.clone());
        set.or_else(|| std::env::var_os("CARGO_HOME"))
            .filter(|value| !value.is_empty())
            .map(|value| self.folder.join(value))
            .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
    }
}

/// What of cargo's variables stays: where it keeps things and how it reaches registries.
const KEPT_CARGO: &[&str] =
    &["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRY_", "CARGO_REGISTRIES_", "CARGO_SOURCE_"];

/// Jobserver handles of an outer build are not ours, compiler choices and flags are the recipe's.
const REMOVED: &[&str] = &[
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_BOOTSTRAP",
    "RUSTC_LINKER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUST_TARGET_PATH",
    "MAKEFLAGS",
    "MFLAGS",
    "OUT_DIR",
];

fn is_removed(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let foreign = |prefix: &str| name.starts_with(prefix) && !KEPT_CARGO.iter().any(|kept| name.starts_with(kept));
    REMOVED.contains(&name) || name == "CARGO" || foreign("CARGO_") || name.starts_with("__CARGO")
}

#[cfg(test)]
mod tests {
    use super::is_removed;

    #[test]
    fn what_would_change_a_module_is_removed_and_the_rest_stays() {
        let removed = [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            "CARGO_PROFILE_RELEASE_OPT_LEVEL",
            "CARGO_INCREMENTAL",
            "CARGO_MAKEFLAGS",
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "CARGO",
            "MAKEFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
            "__CARGO_DEFAULT_LIB_METADATA",
        ];
        for name in removed {
            assert!(is_removed(name.as_ref()), "{name} must be removed");
        }
        for name in
            ["PATH", "HOME", "CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_NET_OFFLINE", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"]
        {
            assert!(!is_removed(name.as_ref()), "{name} must stay");
        }
    }
}
