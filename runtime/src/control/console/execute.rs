//! Carries commands out over the control handle and the game's side of the console.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::Duration,
};

use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

use super::{
    GameConsole,
    answer::{Answer, VerbHelp},
    error::ConsoleError,
    grammar::{self, VERBS, Verb},
    parse::Command,
};
use crate::{
    clock,
    control::{Control, SubmissionStatus},
    ids::SubmissionId,
    limits::{CANDIDATE_BYTES_MAX, CONSOLE_LOG_LINES, CONSOLE_WAIT_MAX},
    swap::Scope,
};

/// How often a submission that is waited for is looked at, to tell how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// What a command is carried out with.
pub(super) struct Executor<'a> {
    pub(super) control: &'a Control,
    pub(super) game: &'a dyn GameConsole,
    /// Hears how far a command is that takes a while.
    pub(super) progress: &'a mut dyn FnMut(&str),
}

impl Executor<'_> {
    pub(super) fn execute(&mut self, command: Command) -> Result<Answer, ConsoleError> {
        Ok(match command {
            Command::Help { verb } => Answer::Help { verbs: self.help(verb.as_deref())? },
            Command::Status => Answer::Status { status: self.control.status(), players: self.game.players().len() },
            Command::Mods { only } => {
                let mut mods = self.control.status().mods;
                if let Some(only) = only {
                    self.known_mod(&only, None)?;
                    mods.retain(|known| known.mod_name == only);
                }
                Answer::Mods { mods }
            }
            Command::Worlds { only } => {
                let mut worlds = self.control.status().worlds;
                if let Some(only) = only {
                    self.known_world(&only)?;
                    worlds.retain(|world| world.name == only);
                }
                Answer::Worlds { worlds }
            }
            Command::Players { only, world } => self.players(only.as_deref(), world.as_deref())?,
            Command::Submit { paths } => {
                let candidates: Result<Vec<_>, _> = paths.into_iter().map(read).collect();
                let id = self.control.submit(candidates?)?;
                self.wait(id)
            }
            Command::Activate { mod_name, generation, scope } => {
                self.known_mod(&mod_name, Some(generation))?;
                self.known_scope(&scope)?;
                let id = self.control.activate(&mod_name, generation, scope)?;
                self.wait(id)
            }
            Command::RollBack { mod_name, scope } => {
                self.known_mod(&mod_name, None)?;
                self.known_scope(&scope)?;
                let id = self.control.roll_back(&mod_name, scope)?;
                self.wait(id)
            }
            Command::Log { lines, world } => self.log(lines.unwrap_or(CONSOLE_LOG_LINES), world.as_deref())?,
            Command::Say { text } => Answer::Said { players: self.game.say(&text).map_err(ConsoleError::Game)? },
            Command::Json { on } => Answer::Json { on },
            Command::Quit => Answer::Quit,
            Command::Game { verb, words } => {
                let text = self.game.run(&verb, &words, self.progress).map_err(ConsoleError::Game)?;
                Answer::Game { text }
            }
        })
    }

    fn help(&self, only: Option<&str>) -> Result<Vec<VerbHelp>, ConsoleError> {
        let own = |verb: &Verb| VerbHelp { usage: verb.usage(), about: verb.about.to_owned() };
        let game = self.game.verbs();
        let of_game =
            || game.iter().map(|verb| VerbHelp { usage: verb.usage.to_owned(), about: verb.about.to_owned() });
        let Some(name) = only else {
            return Ok(VERBS.iter().map(own).chain(of_game()).collect());
        };
        let found = grammar::verb(name).map(own);
        let found = found.or_else(|| of_game().zip(game).find(|(_, verb)| verb.name == name).map(|(help, _)| help));
        let known = VERBS.iter().map(|verb| verb.name).chain(game.iter().map(|verb| verb.name));
        found.map(|help| vec![help]).ok_or_else(|| not_there("verb", name, known))
    }

    fn players(&self, only: Option<&str>, world: Option<&str>) -> Result<Answer, ConsoleError> {
        let mut players = self.game.players();
        if let Some(world) = world {
            self.known_world(world)?;
            players.retain(|player| player.world == world);
        }
        if let Some(only) = only {
            let is_meant = |name: &str| name.to_lowercase() == only.to_lowercase();
            if !players.iter().any(|player| is_meant(&player.name)) {
                return Err(not_there("player", only, players.iter().map(|player| player.name.as_str())));
            }
            players.retain(|player| is_meant(&player.name));
        }
        Ok(Answer::Players { players })
    }

    fn log(&self, lines: usize, world: Option<&str>) -> Result<Answer, ConsoleError> {
        let mut records = self.control.log();
        if let Some(world) = world {
            // A world that is no more may still be in the log.
            if !records.iter().any(|record| record.world == world) {
                self.known_world(world)?;
            }
            records.retain(|record| record.world == world);
        }
        let earlier = records.len().saturating_sub(lines);
        Ok(Answer::Log { records: records.split_off(earlier), earlier })
    }

    /// Waits for the end, and tells what changes until then.
    fn wait(&mut self, id: SubmissionId) -> Answer {
        let gives_up = clock::now() + CONSOLE_WAIT_MAX;
        let mut told = String::new();
        loop {
            let state = self.control.wait(id, PROGRESS_INTERVAL);
            if state.is_final() || clock::now() >= gives_up {
                return Answer::Submission(SubmissionStatus { id, state });
            }
            let words = format!("{id}: {state}");
            if words != told {
                (self.progress)(&words);
                told = words;
            }
        }
    }

    fn known_mod(&self, mod_name: &ModName, generation: Option<GenerationId>) -> Result<(), ConsoleError> {
        let mods = self.control.status().mods;
        let Some(known) = mods.iter().find(|known| known.mod_name == *mod_name) else {
            return Err(not_there("mod", mod_name, mods.iter().map(|known| known.mod_name.as_str())));
        };
        let Some(generation) = generation else {
            return Ok(());
        };
        let all: Vec<String> = known.generations.iter().map(|known| known.prepared.generation.to_string()).collect();
        match all.contains(&generation.to_string()) {
            true => Ok(()),
            false => Err(not_there("generation", &generation.to_string(), all.iter().map(String::as_str))),
        }
    }

    fn known_scope(&self, scope: &Scope) -> Result<(), ConsoleError> {
        match scope {
            Scope::All => Ok(()),
            Scope::World(world) => self.known_world(world),
        }
    }

    fn known_world(&self, name: &str) -> Result<(), ConsoleError> {
        let worlds = self.control.status().worlds;
        match worlds.iter().any(|world| world.name == name) {
            true => Ok(()),
            false => Err(not_there("world", name, worlds.iter().map(|world| world.name.as_str()))),
        }
    }
}

fn not_there<'a>(what: &'static str, found: &str, known: impl Iterator<Item = &'a str>) -> ConsoleError {
    /// More would fill the screen.
    const LISTED_MAX: usize = 20;
    let all: Vec<&str> = known.collect();
    let listed = all.iter().take(LISTED_MAX).copied().collect::<Vec<_>>().join(", ");
    let known = match all.len() {
        0 => "there is none yet".to_owned(),
        1..=LISTED_MAX => format!("there is: {listed}"),
        more => format!("there is: {listed} and {} more", more - LISTED_MAX),
    };
    ConsoleError::NotThere { what, found: found.to_owned(), known }
}

/// A mod's file: its name says which mod it is.
fn read(path: PathBuf) -> Result<(ModName, Vec<u8>), ConsoleError> {
    let is_module = path.extension().is_some_and(|extension| extension == "wasm");
    let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_module);
    let Some(name) = stem.and_then(|stem| ModName::try_from(stem).ok()) else {
        return Err(ConsoleError::FileName { path });
    };
    let unreadable = |path: &Path, source| ConsoleError::Read { path: path.to_owned(), source };
    let file = File::open(&path).map_err(|source| unreadable(&path, source))?;
    let found = file.metadata().map_err(|source| unreadable(&path, source))?.len();
    if found > CANDIDATE_BYTES_MAX as u64 {
        return Err(ConsoleError::TooLarge { path, found, limit: CANDIDATE_BYTES_MAX });
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    let read = file.take(CANDIDATE_BYTES_MAX as u64).read_to_end(&mut bytes);
    read.map_err(|source| unreadable(&path, source))?;
    Ok((name, bytes))
}
