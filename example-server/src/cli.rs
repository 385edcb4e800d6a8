//! The command line: what can be asked for, and its defaults. Carries nothing out.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{bulletin::Bulletin, mods::ModsFolder, server::ServerConfig, soak::SoakConfig};

/// The arena: a networked game whose rules are swapped while players stay connected.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `serve`.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the mods and serve players (the default)
    Serve(ServeArgs),
    /// Let bots play on a server that runs already
    Bots(BotsArgs),
    /// Let bots play, swap the rules under them, and report
    Soak(SoakArgs),
}

/// Options of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port to listen on; 0 for any
    #[arg(long, default_value_t = 7878)]
    pub port: u16,
    /// Ticks per second
    #[arg(long, default_value_t = 60)]
    pub tick_rate: u32,
    /// Frames per second that players are sent
    #[arg(long, default_value_t = 30)]
    pub frame_rate: u32,
    /// Worlds, each on a thread of its own
    #[arg(long, default_value_t = 1)]
    pub worlds: usize,
    /// Folder of the mods' sources; finished files are in its folder `built`
    #[arg(long)]
    pub mods_dir: Option<PathBuf>,
    /// Use the files in `built` as they are, and build nothing
    #[arg(long)]
    pub no_build: bool,
    /// Folder for what the server keeps for its next start: compiled code
    #[arg(long)]
    pub data_dir: Option<PathBuf>,
    /// Bots that play, over sockets like everybody
    #[arg(long, default_value_t = 0)]
    pub bots: usize,
    /// Do not watch sources and finished files; the console's `build` and `submit` load new code
    #[arg(long)]
    pub no_watch: bool,
    /// Where the console's history is kept; in the user's state folder if nothing is said
    #[arg(long)]
    pub history: Option<PathBuf>,
}

/// Options of `bots`.
#[derive(Clone, Debug, Args)]
pub struct BotsArgs {
    /// Host and port of the server
    #[arg(long, default_value = "127.0.0.1:7878")]
    pub server: String,
    /// How many
    #[arg(long, default_value_t = 8)]
    pub count: usize,
    /// Inputs per second of each bot
    #[arg(long, default_value_t = BOT_INPUT_RATE)]
    pub input_rate: u32,
}

/// Inputs per second of a bot that hunts.
pub const BOT_INPUT_RATE: u32 = 12;

/// Swaps from one to a faulty generation to the next, if there are any.
pub const FAULTY_SWAP_EVERY: usize = 10;

/// Options of `soak`.
#[derive(Clone, Debug, Args)]
pub struct SoakArgs {
    /// Bots, spread over the worlds
    #[arg(long, default_value_t = 200)]
    pub players: usize,
    /// Worlds, each on a thread of its own
    #[arg(long, default_value_t = 1)]
    pub worlds: usize,
    /// Ticks per second
    #[arg(long, default_value_t = 60)]
    pub tick_rate: u32,
    /// Frames per second that bots are sent
    #[arg(long, default_value_t = 10)]
    pub frame_rate: u32,
    /// Inputs per second of each bot
    #[arg(long, default_value_t = 20)]
    pub input_rate: u32,
    /// Seconds of the phase with swaps
    #[arg(long, default_value_t = 30)]
    pub seconds: u32,
    /// Seconds of the baseline before it; as long as the phase with swaps if not given
    #[arg(long)]
    pub baseline_seconds: Option<u32>,
    /// Binaries to swap in, each another one
    #[arg(long, default_value_t = 100)]
    pub swaps: usize,
    /// Seconds from one swap to the next; when all binaries are in, the swaps go on among them
    #[arg(long)]
    pub swap_every: Option<f64>,
    /// Let every tenth swap be to a faulty generation, which every world has to take back by itself
    #[arg(long)]
    pub faulty: bool,
    /// Compile a large mod from cold again and again for as long as the baseline, and count late ticks meanwhile
    #[arg(long)]
    pub compile_large: bool,
    /// Port to listen on, for looking on with a browser; 0 for any
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Chromium browsers that watch, without a window
    #[arg(long, default_value_t = 0)]
    pub browsers: usize,
    /// Mebibytes of live state in each world, beside the game's
    #[arg(long, default_value_t = 0)]
    pub state_mib: u32,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Folder of the mods' sources
    #[arg(long)]
    pub mods_dir: Option<PathBuf>,
}

impl ServeArgs {
    /// How the server runs.
    pub fn server_config(&self, bulletin: Bulletin) -> ServerConfig {
        ServerConfig {
            worlds: self.worlds,
            tick_rate: self.tick_rate,
            frame_rate: self.frame_rate,
            bulletin,
            data_dir: self.data_dir.clone(),
            ..ServerConfig::default()
        }
    }

    /// Where the mods are.
    pub fn mods_folder(&self) -> ModsFolder {
        mods_folder(&self.mods_dir)
    }
}

impl SoakArgs {
    /// What the soak does.
    pub fn soak_config(&self) -> SoakConfig {
        SoakConfig {
            players: self.players,
            worlds: self.worlds,
            tick_rate: self.tick_rate,
            frame_rate: self.frame_rate,
            input_rate: self.input_rate,
            seconds: self.seconds,
            baseline_seconds: self.baseline_seconds.unwrap_or(self.seconds),
            swaps: self.swaps,
            swap_every: self.swap_every,
            faulty_every: self.faulty.then_some(FAULTY_SWAP_EVERY),
            port: self.port,
            browsers: self.browsers,
            state_mib: self.state_mib,
        }
    }

    /// Where the mods are.
    pub fn mods_folder(&self) -> ModsFolder {
        mods_folder(&self.mods_dir)
    }
}

fn mods_folder(given: &Option<PathBuf>) -> ModsFolder {
    given.as_ref().map_or_else(ModsFolder::of_the_example, ModsFolder::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_serves_by_default() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["example-server", "--port", "0"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.port, 0);
        let soak =
            ["example-server", "soak", "--players", "8", "--swaps", "3", "--state-mib", "1", "--json", "--faulty"];
        let Some(Command::Soak(soak)) = Cli::try_parse_from(soak).unwrap().command else {
            panic!("expected a soak");
        };
        assert_eq!(soak.soak_config().faulty_every, Some(10));
        assert_eq!((soak.players, soak.swaps, soak.state_mib, soak.json), (8, 3, 1, true));
    }
}
