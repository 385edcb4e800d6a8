//! What the line editor asks while a line is typed: candidates, hints, and how they look.

use std::{borrow::Cow, sync::Arc};

use rustyline::{
    Context, Helper, Result,
    completion::{Completer, FilenameCompleter, Pair},
    highlight::Highlighter,
    hint::{Hint, Hinter},
    validate::Validator,
};
use tickswap::console::Console;

/// Completes and hints by the console's language.
pub(crate) struct LineHelper {
    pub(crate) console: Arc<Console>,
    pub(crate) files: FilenameCompleter,
    pub(crate) has_colours: bool,
}

/// The rest of a usage. It is shown, not taken over: `MOD` is no mod.
pub(crate) struct UsageHint(String);

impl Hint for UsageHint {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Completer for LineHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _context: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let completion = self.console.complete(line, position);
        if completion.is_path {
            let (start, mut files) = self.files.complete_path(line, position)?;
            files.retain(|file| is_worth_showing(&file.replacement));
            return Ok((start, files));
        }
        let is_only = completion.candidates.len() == 1 && position == line.len();
        let pair = |candidate: tickswap::console::Candidate| {
            // What is settled needs its space, or every word takes one key more.
            let space = if is_only { " " } else { "" };
            Pair { display: candidate.shown, replacement: format!("{}{space}", candidate.text) }
        };
        Ok((completion.start, completion.candidates.into_iter().map(pair).collect()))
    }
}

/// Folders lead to mods, other files are none.
fn is_worth_showing(path: &str) -> bool {
    let path = path.trim_end_matches(['"', '\'']);
    path.ends_with(std::path::MAIN_SEPARATOR) || path.ends_with(".wasm")
}

impl Hinter for LineHelper {
    type Hint = UsageHint;

    fn hint(&self, line: &str, position: usize, _context: &Context<'_>) -> Option<UsageHint> {
        self.console.hint(line, position).map(UsageHint)
    }
}

impl Highlighter for LineHelper {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.has_colours {
            true => Cow::Owned(format!("\x1b[2m{hint}\x1b[22m")),
            false => Cow::Borrowed(hint),
        }
    }
}

impl Validator for LineHelper {}

impl Helper for LineHelper {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_modules_are_worth_showing() {
        for (path, expected) in [("mods/", true), ("a.wasm", true), ("\"a b.wasm\"", true), ("Cargo.toml", false)] {
            assert_eq!(is_worth_showing(path), expected, "{path}");
        }
    }
}
