//! The toolchain that compiles mods: which one it is, whether it has the target, whether LLVM obeys the switches.
//!
//! What does not live here: compiling the mod (`compile.rs`).

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::environment::Environment;
use crate::error::BuildError;
use crate::recipe;

/// The compiler that a mod's folder selects.
#[derive(Debug, Clone)]
pub(crate) struct Toolchain {
    /// All that `rustc -vV` prints.
    pub(crate) version: String,
    pub(crate) sysroot: PathBuf,
    /// Whether the target was added just now.
    pub(crate) target_added: bool,
}

impl Toolchain {
    /// Asks for the compiler and adds the target when it is missing.
    pub(crate) fn ready(environment: &Environment) -> Result<Self, BuildError> {
        let version = asked(environment.command("rustc").arg("-vV"))?;
        let sysroot = PathBuf::from(asked(environment.command("rustc").args(["--print", "sysroot"]))?.trim());
        let mut toolchain = Self { version, sysroot, target_added: false };
        if !toolchain.has_target() {
            toolchain.add_target(environment)?;
        }
        Ok(toolchain)
    }

    /// "rustc 1.95.0 (59807616e 2026-04-14)".
    pub(crate) fn name(&self) -> &str {
        self.version.lines().next().unwrap_or_default()
    }

    /// The commit the standard library was built from, which stands in its paths as `/rustc/COMMIT`.
    pub(crate) fn commit(&self) -> &str {
        self.version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown")
    }

    fn has_target(&self) -> bool {
        let libraries = self.sysroot.join("lib/rustlib").join(recipe::TARGET).join("lib");
        let is_core = |entry: io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
        };
        std::fs::read_dir(libraries).is_ok_and(|mut entries| entries.any(is_core))
    }

    fn add_target(&mut self, environment: &Environment) -> Result<(), BuildError> {
        tracing::info!(target = recipe::TARGET, toolchain = self.name(), "adding the missing target with rustup");
        let sysroot = self.sysroot.clone();
        let output = environment.command("rustup").args(["target", "add", recipe::TARGET]).output();
        let output = output.map_err(|source| BuildError::TargetMissing {
            target: recipe::TARGET,
            sysroot: sysroot.clone(),
            source,
        })?;
        if !self.has_target() {
            let output = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(BuildError::TargetNotAdded { target: recipe::TARGET, sysroot, output });
        }
        self.target_added = true;
        Ok(())
    }
}

/// Compiles the probe with the flags of every crate and reads what LLVM made of it. `folder` is for the compiler's output.
pub(crate) fn prove_switches(
    environment: &Environment,
    toolchain: &Toolchain,
    flags: &[String],
    folder: &Path,
) -> Result<(), BuildError> {
    let ineffective = |found: String| BuildError::SwitchesIneffective { toolchain: toolchain.name().to_owned(), found };
    let source = folder.join("probe.rs");
    std::fs::write(&source, include_str!("../wrapper/probe.rs")).map_err(BuildError::io("write", &source))?;
    let emitted = folder.join("probe.ll");
    let mut rustc = environment.command("rustc");
    rustc.args(["--edition=2024", "--crate-type=cdylib", "--target", recipe::TARGET, "--emit=llvm-ir"]);
    rustc.args(["-Copt-level=3", "-Cpanic=abort", "-Ccodegen-units=1"]).args(flags);
    let output = started(rustc.arg(&source).arg("-o").arg(&emitted))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(ineffective(format!("rustc refuses the flags: {}", stderr.trim())));
    }
    let emitted = std::fs::read_to_string(&emitted).map_err(BuildError::io("read", &emitted))?;
    judge_probe(&emitted).map_err(ineffective)
}

/// What LLVM's text must show.
fn judge_probe(emitted: &str) -> Result<(), String> {
    for twin in ["@tickswap_probe_twin_a(", "@tickswap_probe_twin_b("] {
        if !emitted.lines().any(|line| line.starts_with("define ") && line.contains(twin)) {
            return Err(format!("`{twin})` has no code of its own, so equal functions were merged"));
        }
    }
    let calls_twin = |line: &str| line.contains(" call ") && line.contains("@tickswap_probe_twin_");
    if emitted.lines().any(calls_twin) {
        return Err("one of two equal functions calls the other, so they were merged".to_owned());
    }
    let keeps_shape =
        |line: &str| line.starts_with('@') && line.contains("SMALL") && line.contains(" global [4 x i8] ");
    if !emitted.lines().any(keeps_shape) {
        return Err("a static of four bytes did not keep its shape".to_owned());
    }
    Ok(())
}

fn asked(command: &mut Command) -> Result<String, BuildError> {
    let output = started(command)?;
    if !output.status.success() {
        let command = format!("{command:?}");
        return Err(BuildError::ToolFailed {
            command,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(crate) fn started(command: &mut Command) -> Result<std::process::Output, BuildError> {
    let output = command.output();
    output.map_err(|source| {
        let program = command.get_program().to_string_lossy().into_owned();
        BuildError::ToolMissing { program, source }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn probed(flags: &[&str]) -> Result<(), BuildError> {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::new(folder.path(), &[]);
        let toolchain = Toolchain::ready(&environment).unwrap();
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        prove_switches(&environment, &toolchain, &flags, folder.path())
    }

    #[test]
    fn this_toolchain_obeys_the_switches() {
        probed(recipe::EVERY_CRATE).unwrap();
    }

    #[test]
    fn each_missing_or_misspelt_switch_is_seen() {
        let merged = probed(&["-Cllvm-args=-opt-disable=globalopt"]).unwrap_err().to_string();
        assert!(merged.contains("equal functions were merged"), "{merged}");
        let shrunk = probed(&["-Cllvm-args=-opt-disable=mergefunc"]).unwrap_err().to_string();
        assert!(shrunk.contains("did not keep its shape"), "{shrunk}");
        // LLVM accepts pass names that do not exist.
        assert!(probed(&["-Cllvm-args=-opt-disable=globalopt,mergefunction"]).is_err());
        let refused = probed(&["-Cllvm-args=-opt-disabled=globalopt"]).unwrap_err().to_string();
        assert!(refused.contains("rustc refuses the flags"), "{refused}");
    }
}
