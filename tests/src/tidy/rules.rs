//! Rules for single source files: the header, the length, the name, `unsafe`.

use std::path::Path;

use super::Finding;
use super::code::{self, Line, words};

/// The most lines of code a file may have, tests and comments not counted.
pub const CODE_LINES_MAX: usize = 400;

/// Names that say nothing about what lives in a file.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "misc"];

/// A file opens with `//!`: what lives here and what does not.
pub fn header(path: &Path, source: &str) -> Option<Finding> {
    let opens = source.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| line.starts_with("//!"));
    (!opens).then(|| Finding::new(path, 1, "the file does not open with `//!`: say what lives here and what does not"))
}

/// A file is no longer than one can hold in mind.
pub fn length(path: &Path, source: &str) -> Option<Finding> {
    let count = code::lines(source).iter().filter(|line| line.counts()).count();
    let message =
        || format!("{count} lines of code, the limit is {CODE_LINES_MAX}: split the file by what it is about");
    (count > CODE_LINES_MAX).then(|| Finding::new(path, 0, message()))
}

/// A file or folder is named after what it holds.
pub fn name(path: &Path) -> Option<Finding> {
    let empty =
        path.iter().filter_map(|part| part.to_str()).find(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")));
    empty.map(|part| Finding::new(path, 0, format!("`{part}` says nothing about what lives there: name the thing")))
}

/// `unsafe` stands in few files, and each block says why it is sound. An attribute such as `#[unsafe(no_mangle)]` is no block.
pub fn unsafe_code(path: &Path, source: &str, allowed: bool) -> Vec<Finding> {
    let lines = code::lines(source);
    let mut findings = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let block = words(&line.code, "unsafe").any(|start| opens_block(&lines, index, start));
        let mentioned = words(&line.code, "unsafe")
            .any(|start| !is_attribute(&line.code[start..]) && !line.code.contains("unsafe_"));
        if mentioned && !allowed {
            findings.push(Finding::new(
                path,
                index + 1,
                "`unsafe` outside the files allowed to have it (tests/tests/tidy.rs): use what they offer",
            ));
        } else if block && !is_justified(&lines, index) {
            findings.push(Finding::new(
                path,
                index + 1,
                "an `unsafe` without `// SAFETY:` right above: say why it is sound",
            ));
        }
    }
    findings
}

fn is_attribute(from: &str) -> bool {
    from["unsafe".len()..].trim_start().starts_with('(')
}

/// Whether the `unsafe` at this place promises something: a block or an implementation. An `unsafe fn` demands it of others.
fn opens_block(lines: &[Line], index: usize, start: usize) -> bool {
    let behind = lines[index].code[start + "unsafe".len()..].trim_start();
    let next = lines[index + 1..].iter().map(|line| line.code.trim()).find(|code| !code.is_empty());
    let behind = if behind.is_empty() { next.unwrap_or_default() } else { behind };
    behind.starts_with('{') || behind.starts_with("impl")
}

fn is_justified(lines: &[Line], index: usize) -> bool {
    let here = lines[index].written.contains("// SAFETY:");
    // A statement may begin some lines above its `unsafe`; a blank line or a finished statement ends the search.
    let above = lines[..index].iter().rev().map(|line| line.written.trim());
    let mut above = above.take_while(|line| {
        line.starts_with("//") || line.starts_with("#[") || !(line.is_empty() || line.ends_with([';', '}', '{']))
    });
    here || above.any(|line| line.contains("SAFETY:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(findings: impl IntoIterator<Item = Finding>) -> Vec<usize> {
        findings.into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_file_without_header_is_found() {
        assert!(header(Path::new("a.rs"), "\n//! Good.\nfn f() {}").is_none());
        for bad in ["", "fn f() {}", "// plain", "/// item\nfn f() {}"] {
            assert!(header(Path::new("a.rs"), bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn only_code_counts_for_the_length() {
        let long = "fn f() {}\n".repeat(CODE_LINES_MAX);
        assert!(length(Path::new("a.rs"), &format!("//! Header.\n\n{long}#[cfg(test)]\nmod tests {{\n}}\n")).is_none());
        let finding = length(Path::new("a.rs"), &format!("{long}fn g() {{}}\n"));
        assert!(finding.is_some_and(|finding| finding.message.starts_with("401 lines")));
    }

    #[test]
    fn empty_names_are_found() {
        for bad in ["runtime/src/utils.rs", "tests/common/mod.rs"] {
            assert!(name(Path::new(bad)).is_some(), "{bad}");
        }
        assert!(name(Path::new("runtime/src/engine/memory.rs")).is_none());
    }

    #[test]
    fn unsafe_stays_in_its_files() {
        let path = Path::new("a.rs");
        let source = "//! Without unsafe.\n// SAFETY: x\nunsafe { f() }\nlet s = \"unsafe\";\n";
        assert_eq!(shown(unsafe_code(path, source, false)), [3]);
        assert_eq!(shown(unsafe_code(path, source, true)), [0; 0]);
        assert_eq!(
            shown(unsafe_code(path, "#[unsafe(no_mangle)]\nfn f() {}\n#![deny(unsafe_op_in_unsafe_fn)]", false)),
            [0; 0]
        );
    }

    #[test]
    fn unsafe_says_why() {
        let path = Path::new("a.rs");
        let without = |source: &str| shown(unsafe_code(path, source, true));
        assert_eq!(without("a();\nlet x = unsafe { f() };"), [2]);
        assert_eq!(without("// SAFETY: far above.\n\nunsafe impl Send for X {}"), [3]);
        assert_eq!(without("// SAFETY: of another.\nb();\nunsafe { f() }"), [3]);
        assert_eq!(without("// SAFETY: right here,\n// over two lines.\n#[allow(x)]\nunsafe { f() }"), [0; 0]);
        assert_eq!(without("// SAFETY: for the statement.\nlet x =\n    unsafe { f() };"), [0; 0]);
        assert_eq!(without("unsafe fn f() {}"), [0; 0]);
    }
}
