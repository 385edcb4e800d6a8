//! What development mode has to say, to the terminal and to the bulletin at once.

use std::{fmt, sync::Arc};

use crate::bulletin::{Bulletin, Entry};

/// Where news go. Cheap to clone.
#[derive(Clone)]
pub struct News {
    terminal: Arc<dyn Fn(&str) + Send + Sync>,
    bulletin: Bulletin,
    has_colours: bool,
}

impl News {
    /// `terminal` is called with lines that go above a prompt; they hold colours only if it has them.
    pub fn new(terminal: impl Fn(&str) + Send + Sync + 'static, has_colours: bool, bulletin: Bulletin) -> Self {
        Self { terminal: Arc::new(terminal), bulletin, has_colours }
    }

    /// Whether the compiler may colour what it says.
    pub(super) fn has_colours(&self) -> bool {
        self.has_colours
    }

    /// For the terminal alone.
    pub(super) fn say(&self, text: &str) {
        (self.terminal)(text);
    }

    /// Something does not work, and what runs goes on.
    pub(super) fn failed(&self, text: &str) {
        let mark = if self.has_colours { "\x1b[1;31merror\x1b[0m" } else { "error" };
        self.say(&format!("{mark}: {}\nwhat ran goes on running", text.trim_end()));
    }

    /// For clients alone.
    pub(super) fn post(&self, entry: Entry) {
        self.bulletin.post(entry);
    }

    pub(super) fn bulletin(&self) -> &Bulletin {
        &self.bulletin
    }
}

impl fmt::Debug for News {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("News").field("has_colours", &self.has_colours).finish_non_exhaustive()
    }
}

/// Text without the escape sequences by which a compiler colours it (ECMA-48, section 5.4).
pub(super) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once("\x1b[") {
        plain.push_str(before);
        let end = sequence.find(|character: char| ('\x40'..='\x7e').contains(&character));
        rest = end.map_or("", |end| &sequence[end + 1..]);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_vanish_and_text_stays() {
        assert_eq!(without_colours("\x1b[0m\x1b[1m\x1b[38;5;9merror\x1b[0m: [E0308] ä"), "error: [E0308] ä");
        assert_eq!(without_colours("plain [text]"), "plain [text]");
        assert_eq!(without_colours("cut \x1b[1"), "cut ");
    }
}
