//! What could stand at a place of a line: a function of the line and of what is known, without the server.

use super::grammar::{self, Arity, JSON, Kind, VERBS, Verb};

/// What can be named in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Mods with their generations, oldest first, and which of them is active.
    pub mods: Vec<KnownMod>,
    /// Names of worlds.
    pub worlds: Vec<String>,
    /// Names of players.
    pub players: Vec<String>,
    /// The game's own verbs with their usage.
    pub verbs: Vec<(String, String)>,
}

/// A mod that can be named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownMod {
    /// Its name.
    pub name: String,
    /// Its generations, as they are typed.
    pub generations: Vec<String>,
    /// The active one.
    pub current: String,
}

/// Where a completion begins, and what could stand there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The byte of the line where the word begins that would be replaced.
    pub start: usize,
    /// What could stand there, in order.
    pub candidates: Vec<Candidate>,
    /// Whether a path is expected there: the candidates are files then, which is for others to look up.
    pub is_path: bool,
}

/// Something that could stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What is put into the line, quoted if it has to be.
    pub text: String,
    /// What is shown in a list.
    pub shown: String,
}

/// What could stand at byte `position` of a line.
pub fn complete(line: &str, position: usize, known: &Known) -> Completion {
    let place = Place::of(line, position);
    let words = match place.kind() {
        Expected::Kind(Kind::Path) => return Completion { start: place.start, is_path: true, ..Completion::default() },
        Expected::Kind(kind) => names(kind, place.previous(), known),
        Expected::Flags(verb) => {
            let flags =
                verb.flags.iter().map(|flag| flag.long).filter(|flag| !place.words.iter().any(|word| word == flag));
            flags.chain([JSON]).map(|flag| (flag.to_owned(), flag.to_owned())).collect()
        }
        Expected::Nothing => Vec::new(),
    };
    let meant = words.into_iter().filter(|(word, _)| word.to_lowercase().starts_with(&place.typed.to_lowercase()));
    let candidates = meant.map(|(word, shown)| Candidate { text: quoted(&word), shown }).collect();
    Completion { start: place.start, candidates, is_path: false }
}

/// What the usage still has behind the end of a line; nothing in the middle of a word.
pub fn hint(line: &str, position: usize, known: &Known) -> Option<String> {
    if position != line.len() || !line.ends_with(char::is_whitespace) {
        return None;
    }
    let place = Place::of(line, position);
    let name = place.words.first()?;
    let Some(verb) = grammar::verb(name) else {
        let usage = known.verbs.iter().find(|(verb, _)| verb == name).map(|(_, usage)| usage.as_str())?;
        return usage.split_once(' ').filter(|_| place.words.len() == 1).map(|(_, arguments)| arguments.to_owned());
    };
    if place.flag(verb).is_some() {
        return place.flag(verb).map(|kind| kind.value.to_owned());
    }
    let given = place.positionals(verb);
    let mut arguments = verb.arguments();
    let is_last = |index: usize| index + 1 == verb.positionals.len();
    // What may repeat stays in the hint.
    let done = (0..verb.positionals.len())
        .take(given)
        .filter(|&index| !(is_last(index) && matches!(verb.positionals[index].arity, Arity::Many | Arity::Rest)));
    arguments.drain(..done.count());
    arguments.retain(|argument| !place.words.iter().any(|word| argument.starts_with(&format!("[{word}"))));
    (!arguments.is_empty()).then(|| arguments.join(" "))
}

/// The part of a line before a position, and the word that is being typed there.
struct Place {
    /// The words before it, without their quotes.
    words: Vec<String>,
    /// Where the word begins.
    start: usize,
    /// What is typed of it, without its quotes.
    typed: String,
}

enum Expected {
    Kind(Kind),
    Flags(&'static Verb),
    Nothing,
}

impl Place {
    fn of(line: &str, position: usize) -> Self {
        let position = line.floor_char_boundary(position.min(line.len()));
        let mut place = Self { words: Vec::new(), start: 0, typed: String::new() };
        let (mut quote, mut is_escaped, mut has_word) = (None, false, false);
        for (at, character) in line[..position].char_indices() {
            if quote.is_none() && !is_escaped && character.is_whitespace() {
                if has_word {
                    place.words.push(std::mem::take(&mut place.typed));
                }
                (has_word, place.start) = (false, at + character.len_utf8());
                continue;
            }
            has_word = true;
            match (character, quote) {
                _ if is_escaped => {
                    is_escaped = false;
                    place.typed.push(character);
                }
                ('\\', None | Some('"')) => is_escaped = true,
                ('"' | '\'', None) => quote = Some(character),
                (end, Some(begin)) if end == begin => quote = None,
                _ => place.typed.push(character),
            }
        }
        place.words.retain(|word| word != JSON);
        place
    }

    fn previous(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }

    /// The flag whose value is being typed.
    fn flag(&self, verb: &'static Verb) -> Option<&'static grammar::Flag> {
        verb.flag(self.previous()).filter(|_| self.words.len() > 1)
    }

    /// How many words before the place are arguments known by their place.
    fn positionals(&self, verb: &'static Verb) -> usize {
        let (mut count, mut words) = (0, self.words.iter().skip(1));
        while let Some(word) = words.next() {
            match verb.flag(word) {
                Some(_) => drop(words.next()),
                None if word.starts_with('-') => {}
                None => count += 1,
            }
        }
        count
    }

    fn kind(&self) -> Expected {
        let Some(first) = self.words.first() else {
            return Expected::Kind(Kind::Verb);
        };
        let Some(verb) = grammar::verb(first) else {
            return Expected::Nothing;
        };
        if let Some(flag) = self.flag(verb) {
            return Expected::Kind(flag.kind);
        }
        if self.typed.starts_with('-') && !verb.takes_rest() {
            return Expected::Flags(verb);
        }
        match verb.positional(self.positionals(verb)) {
            Some(positional) => Expected::Kind(positional.kind),
            None if verb.flags.is_empty() => Expected::Nothing,
            None => Expected::Flags(verb),
        }
    }
}

/// Words of a kind, and how they are shown. `previous` is the mod that a generation is of.
fn names(kind: Kind, previous: &str, known: &Known) -> Vec<(String, String)> {
    let same = |name: &str| (name.to_owned(), name.to_owned());
    match kind {
        Kind::Verb => {
            let own = VERBS.iter().map(|verb| same(verb.name));
            own.chain(known.verbs.iter().map(|(verb, _)| same(verb))).collect()
        }
        Kind::Mod => known.mods.iter().map(|known| same(&known.name)).collect(),
        Kind::Generation => {
            let Some(known) = known.mods.iter().find(|known| known.name == previous) else {
                return Vec::new();
            };
            // The newest is what one mostly goes to.
            let shown = |generation: &String| match *generation == known.current {
                true => (generation.clone(), format!("{generation} (active)")),
                false => same(generation),
            };
            known.generations.iter().rev().map(shown).collect()
        }
        Kind::World => known.worlds.iter().map(|name| same(name)).collect(),
        Kind::Player => known.players.iter().map(|name| same(name)).collect(),
        Kind::Switch => vec![same("on"), same("off")],
        Kind::Path | Kind::Count | Kind::Text => Vec::new(),
    }
}

fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let texts = |all: &[&str]| all.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let of = |name: &str, generations: &[&str], current: &str| KnownMod {
            name: name.to_owned(),
            generations: texts(generations),
            current: current.to_owned(),
        };
        Known {
            mods: vec![of("arena", &["g1", "g2", "g10"], "g2"), of("score", &["g1"], "g1")],
            worlds: texts(&["eu-1", "the moon"]),
            players: texts(&["Ada", "bob", "it's me"]),
            verbs: vec![("reload".to_owned(), "reload [MOD]".to_owned())],
        }
    }

    /// Candidates at the end of a line, put where they belong.
    fn completed(line: &str) -> Vec<String> {
        let completion = complete(line, line.len(), &known());
        let put = |candidate: &Candidate| format!("{}{}", &line[..completion.start], candidate.text);
        completion.candidates.iter().map(put).collect()
    }

    #[test]
    fn words_are_completed_by_what_may_stand_there() {
        for (line, expected) in [
            ("st", vec!["status"]),
            ("s", vec!["status", "submit", "say"]),
            ("re", vec!["reload"]),
            ("rollback ", vec!["rollback arena", "rollback score"]),
            ("rollback a", vec!["rollback arena"]),
            ("activate arena ", vec!["activate arena g10", "activate arena g2", "activate arena g1"]),
            ("activate arena g1", vec!["activate arena g10", "activate arena g1"]),
            ("activate nobody ", vec![]),
            ("activate arena g1 ", vec!["activate arena g1 --world", "activate arena g1 --json"]),
            ("activate arena g1 --w", vec!["activate arena g1 --world"]),
            ("activate --world e", vec!["activate --world eu-1"]),
            ("activate --world eu-1 sc", vec!["activate --world eu-1 score"]),
            ("rollback arena -w t", vec!["rollback arena -w 'the moon'"]),
            ("rollback arena -w 'the", vec!["rollback arena -w 'the moon'"]),
            ("players A", vec!["players Ada"]),
            ("players B", vec!["players bob"]),
            ("players i", vec!["players \"it's me\""]),
            ("help ro", vec!["help rollback"]),
            ("json o", vec!["json on", "json off"]),
            ("--json sta", vec!["--json status"]),
            ("say hel", vec![]),
            ("status ", vec![]),
            ("unknown ", vec![]),
            ("log -n ", vec![]),
        ] {
            assert_eq!(completed(line), expected, "{line:?}");
        }
        let shown = complete("activate arena g2", 17, &known()).candidates;
        assert_eq!(shown[0].shown, "g2 (active)");
        assert!(complete("submit a b", 10, &known()).is_path);
        assert!(complete("", 0, &known()).candidates.len() > VERBS.len());
    }

    #[test]
    fn completion_looks_at_the_cursor_and_survives_any_position() {
        let line = "rollback a --world eu-1";
        let completion = complete(line, 10, &known());
        assert_eq!((completion.start, completion.candidates[0].text.as_str()), (9, "arena"));
        for line in ["", "players ä", "'", "\\", "a 'b \" c", "日本 語"] {
            for position in 0..line.len() + 3 {
                let completion = complete(line, position, &known());
                assert!(
                    completion.start <= line.len() && line.is_char_boundary(completion.start),
                    "{line:?} {position}"
                );
                hint(line, position, &known());
            }
        }
    }

    #[test]
    fn hints_show_what_is_left_of_the_usage() {
        for (line, expected) in [
            ("activate ", Some("MOD GENERATION [--world WORLD]")),
            ("activate arena ", Some("GENERATION [--world WORLD]")),
            ("activate arena g2 ", Some("[--world WORLD]")),
            ("activate arena g2 --world ", Some("WORLD")),
            ("activate arena g2 --world eu-1 ", None),
            ("submit ", Some("PATH...")),
            ("submit a.wasm ", Some("PATH...")),
            ("say hello ", Some("TEXT...")),
            ("reload ", Some("[MOD]")),
            ("status ", None),
            ("activate", None),
            ("nothing ", None),
        ] {
            assert_eq!(hint(line, line.len(), &known()).as_deref(), expected, "{line:?}");
        }
        assert_eq!(hint("activate ", 4, &known()), None);
    }
}
