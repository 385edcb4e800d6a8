//! The verbs and their arguments, as data. Reading a line, help, usage, completion and hints all follow these tables.

/// What may stand at a place of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A verb of this console.
    Verb,
    /// A mod's name.
    Mod,
    /// A generation of the mod before it, as `g2` or `2`.
    Generation,
    /// A world's name.
    World,
    /// A player's name.
    Player,
    /// A file.
    Path,
    /// A number.
    Count,
    /// `on` or `off`.
    Switch,
    /// Anything.
    Text,
}

/// How often an argument may stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    One,
    Optional,
    /// Once or more.
    Many,
    /// The rest of the line as it is written, quotes included.
    Rest,
}

/// An argument that is known by its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Positional {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) arity: Arity,
}

/// An argument that is known by its name, with a value behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<&'static str>,
    pub(super) value: &'static str,
    pub(super) kind: Kind,
}

/// A verb of the language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verb {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) positionals: &'static [Positional],
    pub(super) flags: &'static [Flag],
}

/// May stand anywhere in a line.
pub(super) const JSON: &str = "--json";

const fn one(name: &'static str, kind: Kind) -> Positional {
    Positional { name, kind, arity: Arity::One }
}

const WORLD: Flag = Flag { long: "--world", short: Some("-w"), value: "WORLD", kind: Kind::World };

const MOD: Positional = one("MOD", Kind::Mod);

/// In the order in which help lists them.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "help",
        about: "what can be typed here, or more about one verb",
        positionals: &[Positional { name: "VERB", kind: Kind::Verb, arity: Arity::Optional }],
        flags: &[],
    },
    Verb {
        name: "status",
        about: "all at a glance: mods, worlds, what was submitted last",
        positionals: &[],
        flags: &[],
    },
    Verb {
        name: "mods",
        about: "generations of every mod, or of one",
        positionals: &[Positional { name: "MOD", kind: Kind::Mod, arity: Arity::Optional }],
        flags: &[],
    },
    Verb {
        name: "worlds",
        about: "what runs in every world, or in one",
        positionals: &[Positional { name: "WORLD", kind: Kind::World, arity: Arity::Optional }],
        flags: &[],
    },
    Verb {
        name: "players",
        about: "who is playing",
        positionals: &[Positional { name: "PLAYER", kind: Kind::Player, arity: Arity::Optional }],
        flags: &[WORLD],
    },
    Verb {
        name: "submit",
        about: "load files named MOD.wasm, all together",
        positionals: &[Positional { name: "PATH", kind: Kind::Path, arity: Arity::Many }],
        flags: &[],
    },
    Verb {
        name: "activate",
        about: "make a generation active that is resident",
        positionals: &[MOD, one("GENERATION", Kind::Generation)],
        flags: &[WORLD],
    },
    Verb { name: "rollback", about: "make active what was active before", positionals: &[MOD], flags: &[WORLD] },
    Verb {
        name: "log",
        about: "what became active, when and where; the last 20 changes, or N",
        positionals: &[],
        flags: &[Flag { long: "--lines", short: Some("-n"), value: "N", kind: Kind::Count }, WORLD],
    },
    Verb {
        name: "say",
        about: "tell all players something",
        positionals: &[Positional { name: "TEXT", kind: Kind::Text, arity: Arity::Rest }],
        flags: &[],
    },
    Verb {
        name: "json",
        about: "answer every line with JSON, or with text again",
        positionals: &[one("on|off", Kind::Switch)],
        flags: &[],
    },
    Verb { name: "quit", about: "stop the server", positionals: &[], flags: &[] },
];

/// The verb of that name.
pub(super) fn verb(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

impl Verb {
    /// How the verb is typed: `activate MOD GENERATION [--world WORLD]`.
    pub(super) fn usage(&self) -> String {
        let arguments = self.arguments();
        if arguments.is_empty() { self.name.to_owned() } else { format!("{} {}", self.name, arguments.join(" ")) }
    }

    /// The arguments of the usage, those that are known by their place first.
    pub(super) fn arguments(&self) -> Vec<String> {
        let positional = |positional: &Positional| match positional.arity {
            Arity::One => positional.name.to_owned(),
            Arity::Optional => format!("[{}]", positional.name),
            Arity::Many | Arity::Rest => format!("{}...", positional.name),
        };
        let flag = |flag: &Flag| {
            format!("[{} {}]", flag.short.filter(|_| flag.kind == Kind::Count).unwrap_or(flag.long), flag.value)
        };
        self.positionals.iter().map(positional).chain(self.flags.iter().map(flag)).collect()
    }

    /// Whether what follows the verb is taken as it is written.
    pub(super) fn takes_rest(&self) -> bool {
        self.positionals.iter().any(|positional| positional.arity == Arity::Rest)
    }

    pub(super) fn flag(&self, name: &str) -> Option<&'static Flag> {
        self.flags.iter().find(|flag| flag.long == name || flag.short == Some(name))
    }

    /// The argument at a place, counted from 0; the last one may stand there many times.
    pub(super) fn positional(&self, index: usize) -> Option<&'static Positional> {
        let last = self.positionals.last().filter(|last| matches!(last.arity, Arity::Many | Arity::Rest));
        self.positionals.get(index).or(last)
    }
}

impl Kind {
    /// What is expected there, in words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Verb => "a verb",
            Self::Mod => "a mod's name: a-z, 0-9, _ and -; `mods` lists them",
            Self::Generation => "a generation such as g2; `mods` lists them",
            Self::World => "a world's name; `worlds` lists them",
            Self::Player => "a player's name; `players` lists them",
            Self::Path => "a file named MOD.wasm",
            Self::Count => "a number from 1 up",
            Self::Switch => "`on` or `off`",
            Self::Text => "some text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_read_as_usual() {
        let usages: Vec<String> = VERBS.iter().map(Verb::usage).collect();
        assert_eq!(
            usages,
            [
                "help [VERB]",
                "status",
                "mods [MOD]",
                "worlds [WORLD]",
                "players [PLAYER] [--world WORLD]",
                "submit PATH...",
                "activate MOD GENERATION [--world WORLD]",
                "rollback MOD [--world WORLD]",
                "log [-n N] [--world WORLD]",
                "say TEXT...",
                "json on|off",
                "quit",
            ]
        );
    }

    #[test]
    fn only_the_last_argument_may_repeat_or_be_missing() {
        for verb in VERBS {
            let fixed = verb.positionals.iter().rev().skip(1);
            assert!(fixed.into_iter().all(|positional| positional.arity == Arity::One), "{}", verb.name);
            assert!(!verb.takes_rest() || verb.flags.is_empty(), "{}: flags would be taken for text", verb.name);
        }
    }
}
