//! Rust source with everything that is not code blanked out, line by line.
//!
//! No parser: comments, string and character literals are found by their delimiters, which is enough to look for words.

/// One line of a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The code, with comments gone and literals empty.
    pub code: String,
    /// The line as written.
    pub written: String,
    /// Whether it belongs to tests: from `#[cfg(test)]` before a module to the file's end, where this house keeps them.
    pub test: bool,
}

impl Line {
    /// Whether the line counts as code.
    pub fn counts(&self) -> bool {
        !self.test && !self.code.trim().is_empty()
    }
}

/// Splits a source file into lines.
pub fn lines(source: &str) -> Vec<Line> {
    let code = blank(source);
    let mut lines: Vec<Line> = source
        .lines()
        .zip(code.lines().chain(std::iter::repeat("")))
        .map(|(written, code)| Line { code: code.to_owned(), written: written.to_owned(), test: false })
        .collect();
    let opens_module = |line: &Line| {
        let code = line.code.trim();
        code.starts_with("mod ") && code.contains('{')
    };
    let tests = lines.iter().enumerate().position(|(index, line)| {
        let next =
            lines[index + 1..].iter().find(|line| !line.code.trim().is_empty() && !line.code.trim().starts_with("#["));
        line.code.trim().starts_with("#[cfg(test)]") && next.is_some_and(opens_module)
    });
    for line in lines.iter_mut().skip(tests.unwrap_or(usize::MAX)) {
        line.test = true;
    }
    lines
}

/// Whether `word` stands in `code` as a word of its own, and where.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_word = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).map(|(start, _)| start).filter(move |&start| {
        !code[..start].ends_with(part_of_word) && !code[start + word.len()..].starts_with(part_of_word)
    })
}

fn blank(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(literal) = literal(rest, code.chars().next_back()) {
            code.push_str("\"\"");
            literal
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        // Line numbers stay true.
        code.extend(rest[..skipped].chars().filter(|&character| character == '\n'));
        rest = &rest[skipped..];
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the literal that `text` begins with.
fn literal(text: &str, before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|character| character.is_alphanumeric() || character == '_');
    let prefix = ["br", "cr", "b", "c", "r"].into_iter().find(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with('"') || (prefix.ends_with('r') && raw_opens(rest)))
    });
    let prefix = prefix.filter(|_| !in_word).unwrap_or_default();
    let body = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let opened = hashes + 1;
        let closed = body.get(opened..)?.find(&end).map_or(body.len(), |at| opened + at + end.len());
        return Some(prefix.len() + closed);
    }
    match body.chars().next()? {
        '"' => Some(prefix.len() + quoted(body, '"')),
        // A lifetime has no closing quote right behind its first character.
        '\'' => {
            let mut inner = body[1..].chars();
            let (first, second) = (inner.next()?, inner.next());
            (first == '\\' || second == Some('\'')).then(|| quoted(body, '\''))
        }
        _ => None,
    }
}

fn raw_opens(text: &str) -> bool {
    text.starts_with('#') && text.trim_start_matches('#').starts_with('"')
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        if !escaped && character == quote {
            return at + 1;
        }
        escaped = !escaped && character == '\\';
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(source: &str) -> String {
        lines(source).iter().map(|line| line.code.as_str()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn comments_and_literals_vanish_and_lines_stay() {
        assert_eq!(code_of("let a = 1; // unsafe\nlet b = \"unsafe\";"), "let a = 1; \nlet b = \"\";");
        assert_eq!(code_of("/* one\n/* two */\n*/ let c;"), "\n\n let c;");
        assert_eq!(code_of("r#\"a\"b\nunsafe\"# end"), "\"\"\n end");
        assert_eq!(code_of("'\"' '\\'' 'a: &'a str \"\\\"//\" tail"), "\"\" \"\" 'a: &'a str \"\" tail");
        assert_eq!(code_of("r#type b\"x\" bar\"y\""), "r#type \"\" bar\"\"");
    }

    #[test]
    fn tests_at_the_end_do_not_count() {
        let lines = lines("fn a() {}\n\n// note\n#[cfg(test)]\nuse x;\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n}\n");
        let counted: Vec<bool> = lines.iter().map(Line::counts).collect();
        assert_eq!(counted, [true, false, false, true, true, false, false, false, false]);
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(words("unsafe_op unsafe(unsafe", "unsafe").collect::<Vec<_>>(), [10, 17]);
    }
}
