//! The console's language: a line in, an answer as a value out. Terminals, sockets and pages that show it live elsewhere.
//!
//! `grammar` holds the verbs as tables; `parse` reads a line by them, `complete` completes one, `execute` carries a command out,
//! `answer` is what comes of it and `text` how that looks.

mod answer;
mod complete;
mod error;
mod execute;
mod grammar;
mod parse;
mod table;
#[cfg(test)]
mod tests;
mod text;

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
};

pub use answer::{Answer, PlayerInfo, VerbHelp};
pub use complete::{Candidate, Completion, Known, KnownMod, complete, hint};
pub use error::ConsoleError;

use super::Control;

/// What a game adds to the console: its players, a way to talk to them, and verbs of its own.
pub trait GameConsole: Send + Sync {
    /// Everybody who is playing.
    fn players(&self) -> Vec<PlayerInfo>;

    /// Tells all players something. Answers how many hear it.
    ///
    /// # Errors
    ///
    /// Why it cannot be said, and what to do.
    fn say(&self, text: &str) -> Result<usize, String>;

    /// Verbs beside the language's own, which have precedence.
    fn verbs(&self) -> &[GameVerb] {
        &[]
    }

    /// Carries out one of [`GameConsole::verbs`]. `words` are what was typed behind it, without quotes. What takes a while
    /// tells `progress` how far it is.
    ///
    /// # Errors
    ///
    /// What was expected, what was found, and what to do.
    fn run(&self, verb: &str, words: &[String], progress: &mut dyn FnMut(&str)) -> Result<String, String> {
        let _ = (words, progress);
        Err(format!("the game does not know what to do for {verb:?}"))
    }
}

/// A verb of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GameVerb {
    /// The verb.
    pub name: &'static str,
    /// How it is typed, the verb first.
    pub usage: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Carries out lines. One per terminal or connection.
pub struct Console {
    control: Control,
    game: Box<dyn GameConsole>,
    json: AtomicBool,
}

/// What comes of a line.
#[derive(Debug)]
pub struct Reply {
    /// The answer, or why there is none.
    pub answer: Result<Answer, ConsoleError>,
    /// Whether it shall be shown as JSON.
    pub json: bool,
}

impl Console {
    /// A console of a server and its game.
    pub fn new(control: Control, game: impl GameConsole + 'static) -> Self {
        Self { control, game: Box::new(game), json: AtomicBool::new(false) }
    }

    /// Whether every line is answered with JSON, until a line says otherwise.
    #[must_use]
    pub fn json(self, on: bool) -> Self {
        self.json.store(on, Ordering::Relaxed);
        self
    }

    /// Carries out a line, and waits until it is done. `None` for one that says nothing. A line that takes a while tells
    /// `progress` how far it is.
    ///
    /// Not to be called on a thread that ticks a world: a submission waits for ticks.
    pub fn run(&self, line: &str, progress: &mut dyn FnMut(&str)) -> Option<Reply> {
        let verbs: Vec<&str> = self.game.verbs().iter().map(|verb| verb.name).collect();
        let json = self.json.load(Ordering::Relaxed);
        let line = match parse::parse(line, &verbs) {
            Ok(line) => line?,
            Err(error) => return Some(Reply { answer: Err(error), json }),
        };
        let mut executor = execute::Executor { control: &self.control, game: &*self.game, progress };
        let answer = executor.execute(line.command);
        if let Ok(Answer::Json { on }) = &answer {
            self.json.store(*on, Ordering::Relaxed);
        }
        Some(Reply { answer, json: self.json.load(Ordering::Relaxed) || line.json })
    }

    /// What can be named at this moment, for [`complete`].
    pub fn known(&self) -> Known {
        let status = self.control.status();
        let mods = status.mods.iter().map(|known| KnownMod {
            name: known.mod_name.to_string(),
            generations: known.generations.iter().map(|known| known.prepared.generation.to_string()).collect(),
            current: known.current.to_string(),
        });
        Known {
            mods: mods.collect(),
            worlds: status.worlds.into_iter().map(|world| world.name).collect(),
            players: self.game.players().into_iter().map(|player| player.name).collect(),
            verbs: self.known_verbs(),
        }
    }

    /// What could stand at byte `position` of a line.
    pub fn complete(&self, line: &str, position: usize) -> Completion {
        complete(line, position, &self.known())
    }

    /// What the usage still has behind the end of a line. Cheap enough for every key.
    pub fn hint(&self, line: &str, position: usize) -> Option<String> {
        hint(line, position, &Known { verbs: self.known_verbs(), ..Known::default() })
    }

    fn known_verbs(&self) -> Vec<(String, String)> {
        self.game.verbs().iter().map(|verb| (verb.name.to_owned(), verb.usage.to_owned())).collect()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Console").field("json", &self.json).finish_non_exhaustive()
    }
}

impl Reply {
    /// Whether the server shall be stopped.
    pub fn is_quit(&self) -> bool {
        matches!(self.answer, Ok(Answer::Quit))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = match (&self.answer, self.json) {
            (Ok(answer), true) => serde_json::to_string(answer),
            (Err(error), true) => serde_json::to_string(error),
            (Ok(answer), false) => return answer.fmt(formatter),
            (Err(error), false) => return formatter.write_str(&table::plain_lines(&error.to_string())),
        };
        formatter.write_str(&json.map_err(|_| fmt::Error)?)
    }
}
