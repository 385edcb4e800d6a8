//! `cargo tickswap new | build | check`: makes mods, builds them, and tells what a server would say to them.
//!
//! What lives here: the command line. The work is in `create.rs`, `compile.rs` and `check`, the recipe of a mod in
//! `tickswap-build`, the proof in `tickswap-linker`. Messages are for people and go to standard error, reports to standard
//! output. Exit codes: 0 done, 1 failed, 2 wrong usage; `check` has its own.

mod check;
mod compile;
mod create;
mod place;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Makes, builds and checks Tickswap mods.
#[derive(Debug, Parser)]
#[command(name = "cargo tickswap", bin_name = "cargo tickswap", version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a mod that builds and runs as it is
    New(New),
    /// Compiles mods and moves them into the folder that a server watches
    Build(Build),
    /// Tells what a server that runs LIVE.wasm would say to NEW.wasm
    Check(check::Check),
}

#[derive(Debug, Args)]
struct New {
    /// The mod's name: a-z, 0-9, `_` and `-`, at most 64
    name: String,
    /// The folder to make it in [default: the nearest `developer_mods`, or the current folder]
    #[arg(long, value_name = "DIR")]
    manifest_dir: Option<PathBuf>,
    /// The folder of tickswap-sdk, for a mod outside a mods workspace [default: the published version]
    #[arg(long, value_name = "DIR")]
    path_to_sdk: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Build {
    /// The mods to build [default: all]
    names: Vec<String>,
    /// The folder of a mod or of a workspace of mods [default: the nearest `developer_mods`, or the current folder]
    #[arg(long, value_name = "DIR")]
    manifest_dir: Option<PathBuf>,
    /// Where NAME.wasm goes [default: `built` in the workspace's folder]
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Keeps cargo from using the network
    #[arg(long)]
    offline: bool,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Build(#[from] tickswap_build::BuildError),
    #[error(transparent)]
    Create(#[from] create::CreateError),
    #[error(transparent)]
    Check(#[from] check::CheckError),
    #[error("there is no mod `{name}` in {}; there are: {known}", .folder.display())]
    UnknownMod { name: String, folder: PathBuf, known: String },
    #[error("there are no mods in {}: a mod is a crate with `crate-type = [\"cdylib\"]`; `cargo tickswap new NAME` makes one", .folder.display())]
    NoMods { folder: PathBuf },
    #[error("{failed} of {all} mods failed")]
    SomeFailed { failed: usize, all: usize },
    #[error("cannot tell the current folder: {0}")]
    CurrentFolder(std::io::Error),
}

fn main() -> ExitCode {
    let result = match CommandLine::parse_from(arguments(std::env::args_os())).command {
        Command::New(options) => create::run(&options).map(|()| 0),
        Command::Build(options) => compile::run(&options).map(|()| 0),
        Command::Check(options) => check::run(&options).map_err(CommandError::from),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("error: {error}");
            // `check` tells a verdict by its exit status; 1 would be none.
            if matches!(error, CommandError::Check(_)) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// Cargo calls `cargo-tickswap tickswap ARGUMENTS`; called directly, the second word is missing.
fn arguments(all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = all.collect();
    if arguments.get(1).is_some_and(|word| word == "tickswap") {
        arguments.remove(1);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_extra_word_is_skipped() {
        let skipped = |words: &[&str]| arguments(words.iter().map(OsString::from));
        assert_eq!(skipped(&["cargo-tickswap", "tickswap", "build"]), ["cargo-tickswap", "build"]);
        assert_eq!(skipped(&["cargo-tickswap", "build", "tickswap"]), ["cargo-tickswap", "build", "tickswap"]);
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        CommandLine::command().debug_assert();
    }
}
