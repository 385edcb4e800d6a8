//! From a line to a command. Knows the language, not the server: whether a mod exists is found out when it is asked for.

use std::path::PathBuf;

use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

use super::{
    error::ConsoleError,
    grammar::{self, Arity, JSON, Kind, VERBS, Verb},
};
use crate::{limits::CONSOLE_LINE_BYTES_MAX, swap::Scope};

/// A line that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) command: Command,
    /// Whether this line asks for JSON by itself.
    pub(super) json: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help {
        verb: Option<String>,
    },
    Status,
    Mods {
        only: Option<ModName>,
    },
    Worlds {
        only: Option<String>,
    },
    Players {
        only: Option<String>,
        world: Option<String>,
    },
    Submit {
        paths: Vec<PathBuf>,
    },
    Activate {
        mod_name: ModName,
        generation: GenerationId,
        scope: Scope,
    },
    RollBack {
        mod_name: ModName,
        scope: Scope,
    },
    Log {
        lines: Option<usize>,
        world: Option<String>,
    },
    Say {
        text: String,
    },
    Json {
        on: bool,
    },
    Quit,
    /// A verb of the game's own, with what was typed behind it.
    Game {
        verb: String,
        words: Vec<String>,
    },
}

/// Reads a line; `None` for one that is empty or a comment. `game_verbs` are known beside the language's own.
pub(super) fn parse(line: &str, game_verbs: &[&str]) -> Result<Option<Line>, ConsoleError> {
    if line.len() > CONSOLE_LINE_BYTES_MAX {
        return Err(ConsoleError::TooLong { found: line.len(), limit: CONSOLE_LINE_BYTES_MAX });
    }
    let (mut name, mut rest) = first_word(line);
    let mut json = false;
    while name == JSON {
        json = true;
        (name, rest) = first_word(rest);
    }
    if name.is_empty() || name.starts_with('#') {
        return Ok(None);
    }
    let Some(verb) = grammar::verb(name) else {
        if !game_verbs.contains(&name) {
            let all = VERBS.iter().map(|verb| verb.name).chain(game_verbs.iter().copied());
            return Err(ConsoleError::UnknownVerb { found: name.to_owned(), near: nearest(name, all) });
        }
        let words = split(rest)?;
        let json = json || words.iter().any(|word| word == JSON);
        let words = words.into_iter().filter(|word| word != JSON).collect();
        return Ok(Some(Line { command: Command::Game { verb: name.to_owned(), words }, json }));
    };
    let mut arguments = Arguments::read(verb, rest)?;
    json |= arguments.json;
    let command = arguments.command()?;
    Ok(Some(Line { command, json }))
}

fn first_word(line: &str) -> (&str, &str) {
    let line = line.trim();
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

fn split(text: &str) -> Result<Vec<String>, ConsoleError> {
    shlex::split(text).ok_or(ConsoleError::OpenQuote)
}

/// The word that was probably meant.
fn nearest<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // Who stops in the middle of a word means one that begins so; other mistakes are a letter or two.
    let distance = |word: &str| (!word.starts_with(found), strsim::damerau_levenshtein(found, word));
    let near = known.map(|word| (distance(word), word)).min();
    let is_near = |(is_other, letters): (bool, usize), word: &str| !is_other || letters <= 1 + word.len() / 4;
    near.filter(|(distance, word)| is_near(*distance, word)).map(|(_, word)| word.to_owned())
}

/// What stands behind a verb, sorted by the verb's table. The values are taken out one by one.
struct Arguments {
    verb: &'static Verb,
    positionals: std::vec::IntoIter<String>,
    flags: Vec<(&'static str, String)>,
    json: bool,
}

impl Arguments {
    fn read(verb: &'static Verb, rest: &str) -> Result<Self, ConsoleError> {
        let mut arguments = Self { verb, positionals: Vec::new().into_iter(), flags: Vec::new(), json: false };
        let mut positionals = Vec::new();
        if verb.takes_rest() {
            positionals.extend((!rest.is_empty()).then(|| rest.to_owned()));
        } else {
            let mut words = split(rest)?.into_iter();
            while let Some(word) = words.next() {
                if word == JSON {
                    arguments.json = true;
                } else if word.starts_with('-') && word.len() > 1 {
                    arguments.flag(&word, &mut words)?;
                } else if verb.positional(positionals.len()).is_some() {
                    positionals.push(word);
                } else {
                    return Err(ConsoleError::Unexpected { found: word, usage: verb.usage() });
                }
            }
        }
        let needed = |arity| matches!(arity, Arity::One | Arity::Many | Arity::Rest);
        let missing = verb.positionals.iter().skip(positionals.len()).find(|positional| needed(positional.arity));
        if let Some(missing) = missing {
            return Err(ConsoleError::Missing {
                name: missing.name,
                expected: missing.kind.expected(),
                usage: verb.usage(),
            });
        }
        arguments.positionals = positionals.into_iter();
        Ok(arguments)
    }

    fn flag(&mut self, word: &str, words: &mut impl Iterator<Item = String>) -> Result<(), ConsoleError> {
        // Both `--world eu-1` and `--world=eu-1`.
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let usage = || self.verb.usage();
        let Some(flag) = self.verb.flag(name) else {
            let known = self.verb.flags.iter().map(|flag| flag.long).chain([JSON]);
            return Err(ConsoleError::UnknownFlag {
                found: name.to_owned(),
                near: nearest(name, known),
                usage: usage(),
            });
        };
        if self.flags.iter().any(|(long, _)| *long == flag.long) {
            return Err(ConsoleError::Twice { name: flag.long, usage: usage() });
        }
        let value = attached.or_else(|| words.next()).ok_or_else(|| ConsoleError::Missing {
            name: flag.value,
            expected: flag.kind.expected(),
            usage: usage(),
        })?;
        self.flags.push((flag.long, value));
        Ok(())
    }

    fn command(&mut self) -> Result<Command, ConsoleError> {
        Ok(match self.verb.name {
            "help" => Command::Help { verb: self.positionals.next() },
            "status" => Command::Status,
            "mods" => Command::Mods { only: self.positionals.next().map(|name| self.mod_name(&name)).transpose()? },
            "worlds" => Command::Worlds { only: self.positionals.next() },
            "players" => Command::Players { only: self.positionals.next(), world: self.take("--world") },
            "submit" => Command::Submit { paths: self.positionals.by_ref().map(PathBuf::from).collect() },
            "activate" => {
                let (mod_name, generation) = (self.next(), self.next());
                Command::Activate {
                    mod_name: self.mod_name(&mod_name)?,
                    generation: self.generation(&generation)?,
                    scope: self.scope(),
                }
            }
            "rollback" => {
                let mod_name = self.next();
                Command::RollBack { mod_name: self.mod_name(&mod_name)?, scope: self.scope() }
            }
            "log" => {
                let lines = self.take("--lines").map(|lines| self.count(&lines)).transpose()?;
                Command::Log { lines, world: self.take("--world") }
            }
            "say" => Command::Say { text: self.next() },
            "json" => {
                let switch = self.next();
                match switch.as_str() {
                    "on" => Command::Json { on: true },
                    "off" => Command::Json { on: false },
                    _ => return Err(self.bad(Kind::Switch, &switch)),
                }
            }
            _ => Command::Quit,
        })
    }

    /// The next argument; that it is there was checked.
    fn next(&mut self) -> String {
        self.positionals.next().unwrap_or_default()
    }

    fn take(&mut self, long: &str) -> Option<String> {
        let index = self.flags.iter().position(|(name, _)| *name == long)?;
        Some(self.flags.swap_remove(index).1)
    }

    fn scope(&mut self) -> Scope {
        self.take("--world").map_or(Scope::All, Scope::World)
    }

    fn mod_name(&self, found: &str) -> Result<ModName, ConsoleError> {
        ModName::try_from(found).map_err(|_| self.bad(Kind::Mod, found))
    }

    fn generation(&self, found: &str) -> Result<GenerationId, ConsoleError> {
        let number = found.strip_prefix('g').unwrap_or(found).parse().ok().filter(|number| *number > 0);
        number.map(GenerationId::new).ok_or_else(|| self.bad(Kind::Generation, found))
    }

    fn count(&self, found: &str) -> Result<usize, ConsoleError> {
        found.parse().ok().filter(|count| *count > 0).ok_or_else(|| self.bad(Kind::Count, found))
    }

    fn bad(&self, kind: Kind, found: &str) -> ConsoleError {
        ConsoleError::BadValue { expected: kind.expected(), found: found.to_owned(), usage: self.verb.usage() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn command(line: &str) -> Command {
        parse(line, &["reload"]).unwrap().unwrap().command
    }

    fn error(line: &str) -> String {
        parse(line, &["reload"]).unwrap_err().to_string()
    }

    fn arena() -> ModName {
        ModName::try_from("arena").unwrap()
    }

    #[test]
    fn lines_are_read_as_they_are_meant() {
        let world = || Scope::World("eu 1".to_owned());
        let second = GenerationId::new(2);
        for (line, expected) in [
            ("help", Command::Help { verb: None }),
            ("  help   activate ", Command::Help { verb: Some("activate".to_owned()) }),
            ("mods", Command::Mods { only: None }),
            ("mods arena", Command::Mods { only: Some(arena()) }),
            ("worlds 'eu 1'", Command::Worlds { only: Some("eu 1".to_owned()) }),
            ("players --world=eu", Command::Players { only: None, world: Some("eu".to_owned()) }),
            ("players -w eu Ada", Command::Players { only: Some("Ada".to_owned()), world: Some("eu".to_owned()) }),
            ("submit a.wasm 'b c.wasm'", Command::Submit { paths: vec!["a.wasm".into(), "b c.wasm".into()] }),
            ("activate arena g2", Command::Activate { mod_name: arena(), generation: second, scope: Scope::All }),
            (
                "activate --world 'eu 1' arena 2",
                Command::Activate { mod_name: arena(), generation: second, scope: world() },
            ),
            ("rollback arena -w 'eu 1'", Command::RollBack { mod_name: arena(), scope: world() }),
            ("log -n 5", Command::Log { lines: Some(5), world: None }),
            ("say  don't \"worry\" --json ", Command::Say { text: "don't \"worry\" --json".to_owned() }),
            ("json on", Command::Json { on: true }),
            ("quit", Command::Quit),
            (
                "reload 'a b' c",
                Command::Game { verb: "reload".to_owned(), words: vec!["a b".to_owned(), "c".to_owned()] },
            ),
        ] {
            assert_eq!(command(line), expected, "{line}");
        }
        for nothing in ["", "   ", "# a comment", "--json"] {
            assert_eq!(parse(nothing, &[]).unwrap(), None, "{nothing:?}");
        }
    }

    #[test]
    fn json_may_stand_anywhere_but_in_text() {
        for (line, expected) in [
            ("status", false),
            ("status --json", true),
            ("--json say hi", true),
            ("say --json", false),
            ("reload --json", true),
        ] {
            assert_eq!(parse(line, &["reload"]).unwrap().unwrap().json, expected, "{line}");
        }
    }

    #[test]
    fn every_error_says_what_was_expected_and_what_to_do() {
        for (line, expected) in [
            ("stauts", "there is no verb \"stauts\"; did you mean `status`? `help` lists all"),
            ("act", "there is no verb \"act\"; did you mean `activate`? `help` lists all"),
            ("relaod", "there is no verb \"relaod\"; did you mean `reload`? `help` lists all"),
            ("xyzzy", "there is no verb \"xyzzy\"; `help` lists all"),
            (
                "activate arena",
                "GENERATION is missing: expected a generation such as g2; `mods` lists them\nusage: activate MOD GENERATION [--world WORLD]",
            ),
            ("submit", "PATH is missing: expected a file named MOD.wasm\nusage: submit PATH..."),
            ("say  ", "TEXT is missing: expected some text\nusage: say TEXT..."),
            ("status now", "\"now\" is one word too many\nusage: status"),
            (
                "rollback arena --wrld x",
                "there is no option \"--wrld\"; did you mean `--world`?\nusage: rollback MOD [--world WORLD]",
            ),
            (
                "rollback arena --world",
                "WORLD is missing: expected a world's name; `worlds` lists them\nusage: rollback MOD [--world WORLD]",
            ),
            ("rollback arena -w a --world b", "--world stands there twice\nusage: rollback MOD [--world WORLD]"),
            (
                "activate arena 0",
                "expected a generation such as g2; `mods` lists them, found \"0\"\nusage: activate MOD GENERATION [--world WORLD]",
            ),
            (
                "activate ../x 1",
                "expected a mod's name: a-z, 0-9, _ and -; `mods` lists them, found \"../x\"\nusage: activate MOD GENERATION [--world WORLD]",
            ),
            ("log -n many", "expected a number from 1 up, found \"many\"\nusage: log [-n N] [--world WORLD]"),
            ("json maybe", "expected `on` or `off`, found \"maybe\"\nusage: json on|off"),
            ("worlds 'eu", "a quote is not closed; close it, or write \\' for a quote that is meant as such"),
        ] {
            assert_eq!(error(line), expected, "{line}");
        }
        let long = error(&"x".repeat(CONSOLE_LINE_BYTES_MAX + 1));
        assert!(long.contains("CONSOLE_LINE_BYTES_MAX"), "{long}");
    }
}
