//! Floors inside a crate: a module names itself and lower floors only.

use std::path::Path;

use super::Finding;
use super::code::{self, words};

/// The modules at a crate's root, lowest first. Modules that stand in one group are neighbours and may not name each other.
pub type Floors<'a> = &'a [&'a [&'a str]];

/// Checks one file. `within` is its path inside the crate's `src`, `shown` the path that findings name.
pub fn check(shown: &Path, within: &Path, source: &str, floors: Floors<'_>) -> Vec<Finding> {
    let Some(own) = root_module(within) else {
        return Vec::new();
    };
    let height = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let Some(own_height) = height(&own) else {
        let message = format!(
            "the module `{own}` has no floor; give it one in tests/tests/tidy.rs and in the crate's architecture document"
        );
        return vec![Finding::new(shown, 0, message)];
    };
    let mut findings = Vec::new();
    for (line, module) in named_modules(source) {
        let Some(named_height) = height(&module).filter(|_| module != own) else {
            continue;
        };
        if named_height >= own_height {
            let relation = if named_height == own_height { "its neighbour" } else { "the higher floor" };
            findings.push(Finding::new(
                shown,
                line,
                format!("`{own}` names {relation} `{module}`; a module names itself and lower floors only"),
            ));
        }
    }
    findings
}

/// The module at the crate's root that a file belongs to; none for the root itself.
fn root_module(within: &Path) -> Option<String> {
    let first = within.components().next()?.as_os_str().to_str()?;
    let module = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(first, "lib.rs" | "main.rs" | "bin")).then(|| module.to_owned())
}

/// Every `crate::MODULE` with its line, those in groups `crate::{a::b, c}` too.
fn named_modules(source: &str) -> Vec<(usize, String)> {
    let mut named = Vec::new();
    let kept: Vec<_> = code::lines(source).into_iter().take_while(|line| !line.test).map(|line| line.code).collect();
    let text = kept.join("\n");
    for start in words(&text, "crate") {
        let line = text[..start].matches('\n').count() + 1;
        let Some(path) = text[start + "crate".len()..].trim_start().strip_prefix("::") else {
            continue;
        };
        let path = path.trim_start();
        match path.strip_prefix('{') {
            Some(group) => named.extend(heads(group).into_iter().map(|head| (line, head))),
            None => named.push((line, head(path))),
        }
    }
    named
}

/// The first segment of each path of a group, up to its closing brace.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut heads) = (0_usize, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            ',' | '}' if depth == 0 => {
                heads.push(head(group[start..at].trim_start()));
                start = at + 1;
                if character == '}' {
                    break;
                }
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}

fn head(path: &str) -> String {
    path.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOORS: Floors<'static> = &[&["limits"], &["image"], &["compare", "measure"], &["verify"]];

    fn messages(within: &str, source: &str) -> Vec<String> {
        check(Path::new("x.rs"), Path::new(within), source, FLOORS).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lower_floors_and_the_own_one_may_be_named() {
        let source = "use crate::{GenerationId, image::{Body, read}, limits};\nuse crate::compare::difference;\nfn f() { crate::limits::X }";
        assert_eq!(messages("compare/statics.rs", source), [""; 0]);
        assert_eq!(messages("lib.rs", "use crate::verify::Verdict;"), [""; 0]);
    }

    #[test]
    fn higher_floors_and_neighbours_are_found_wherever_they_hide() {
        let higher = "`image` names the higher floor `verify`; a module names itself and lower floors only";
        for source in [
            "use crate::verify::Verdict;",
            "use crate::{limits, verify::{Verdict}};",
            "fn f() -> crate :: verify::V {}",
            "use crate::{\n image::Body,\n verify,\n};",
        ] {
            assert_eq!(messages("image/mod.rs", source), [format!("x.rs:1: {higher}")], "{source}");
        }
        let neighbour = messages("compare.rs", "\nuse crate::measure;");
        assert_eq!(
            neighbour,
            ["x.rs:2: `compare` names its neighbour `measure`; a module names itself and lower floors only"]
        );
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        let source =
            "/// [`crate::verify`]\nconst A: &str = \"crate::verify\";\n#[cfg(test)]\nmod tests { use crate::verify; }";
        assert_eq!(messages("image/mod.rs", source), [""; 0]);
    }

    #[test]
    fn a_module_without_a_floor_is_found() {
        assert!(messages("helpers.rs", "")[0].contains("`helpers` has no floor"));
    }
}
