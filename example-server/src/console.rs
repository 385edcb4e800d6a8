//! What the arena adds to the console: its players, talking to them, and building its mods.

use std::sync::Arc;

use tickswap::{
    Control,
    console::{GameConsole, GameVerb, PlayerInfo},
};

use crate::{
    bulletin::{Bulletin, Entry},
    development::Development,
    limits::SUBMISSION_WAIT_MAX,
    mods::{self, Listener, ModsFolder},
    roster::Roster,
    server::Server,
};

const VERBS: &[GameVerb] = &[GameVerb {
    name: "build",
    usage: "build [MOD]",
    about: "compile the mods' sources, or one mod's, and load them",
}];

/// The arena's side of the console.
pub struct ArenaConsole {
    roster: Roster,
    bulletin: Bulletin,
    control: Control,
    folder: ModsFolder,
    development: Option<Arc<Development>>,
    listener: Listener,
}

impl ArenaConsole {
    /// The console of a server whose mods come from a folder. `listener` hears how far builds are.
    pub fn new(server: &Server, folder: ModsFolder, development: Option<Arc<Development>>, listener: Listener) -> Self {
        let (roster, bulletin, control) = (server.roster(), server.bulletin(), server.control());
        Self { roster, bulletin, control, folder, development, listener }
    }

    fn build(&self, only: Option<&str>) -> Result<String, String> {
        let Some(development) = &self.development else {
            let loaded = mods::reload(&self.folder, only, &self.control, SUBMISSION_WAIT_MAX, &self.listener);
            return loaded.map_err(|error| format!("{error}\nwhat ran goes on running"));
        };
        if development.build(only) {
            return Ok(String::new());
        }
        // The watcher of finished files submits them.
        let built = self.folder.build(only, &self.listener);
        built.map(|_| String::new()).map_err(|error| format!("{error}\nwhat ran goes on running"))
    }
}

impl GameConsole for ArenaConsole {
    fn players(&self) -> Vec<PlayerInfo> {
        let info = |(id, listed): (_, crate::roster::Listed)| PlayerInfo {
            id,
            name: listed.name,
            world: listed.world.to_string(),
            note: String::new(),
        };
        self.roster.players().into_iter().map(info).collect()
    }

    fn say(&self, text: &str) -> Result<usize, String> {
        self.bulletin.post(Entry::Said { text: text.to_owned() });
        Ok(self.roster.len())
    }

    fn verbs(&self) -> &[GameVerb] {
        VERBS
    }

    fn run(&self, verb: &str, words: &[String], _progress: &mut dyn FnMut(&str)) -> Result<String, String> {
        match (verb, words) {
            ("build", []) => self.build(None),
            ("build", [only]) => self.build(Some(only)),
            _ => Err(format!("expected one mod or none, found {}\nusage: build [MOD]", words.len())),
        }
    }
}

impl std::fmt::Debug for ArenaConsole {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ArenaConsole").field("folder", &self.folder).finish_non_exhaustive()
    }
}
