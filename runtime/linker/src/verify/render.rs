//! Writes a report for people: spans of text, each with what it is, so that a caller can colour them. Nothing is printed
//! here. Long lists are folded; the report itself has them whole.

use super::{Class, Code, Finding, Report};
use std::fmt;

/// Findings of one code that are written out, each on its lines; of the rest only the number is told.
pub const FINDINGS_SHOWN_PER_CODE: usize = 12;

/// Detail lines of one finding that are written out.
pub const DETAILS_SHOWN_PER_FINDING: usize = 24;

/// Width of the column before positions.
const COLUMN: usize = 56;

/// What a span of a report's text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// Spaces, line ends, words between.
    Plain,
    /// The line for people at the top, and the headings of classes.
    Heading(Class),
    /// A code.
    Code(Class),
    /// What happened.
    Title,
    /// A place in the source.
    Position,
    /// The item it is about.
    Item,
    /// A detail that came.
    Added,
    /// A detail that went.
    Removed,
    /// Any other detail.
    Detail,
    /// What would follow.
    Consequence,
    /// What to do.
    Remedy,
    /// What explains it, and how much was left out.
    Note,
}

/// A run of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub style: Style,
    /// The text itself.
    pub text: String,
}

impl Report {
    /// The report as text, in spans; joined they are what `Display` writes. Ends without a line end.
    pub fn spans(&self) -> Vec<Span> {
        let mut page = Page(Vec::new());
        page.add(Style::Heading(self.class), &self.summary);
        let mut class = None;
        let mut rest = self.findings.as_slice();
        while let Some(first) = rest.first() {
            let (group, after) = rest.split_at(rest.iter().take_while(|finding| finding.code == first.code).count());
            rest = after;
            if class != Some(first.code.class()) {
                class = Some(first.code.class());
                page.add(Style::Plain, "\n\n");
                page.add(Style::Heading(first.code.class()), heading(first.code.class()));
            }
            if first.code.class() <= Class::Exempt {
                page.list(first.code, first.code.title(), group);
            } else {
                // Reports have what somebody touched first; what follows from it needs no words of its own.
                let touched = group.iter().take_while(|finding| finding.mark.is_none()).count();
                let (touched, following) = group.split_at(touched);
                touched.iter().take(FINDINGS_SHOWN_PER_CODE).for_each(|finding| page.finding(finding));
                page.left_out(touched.len(), FINDINGS_SHOWN_PER_CODE);
                if !following.is_empty() {
                    page.list(first.code, &format!("{}, as follows from the above", first.code.title()), following);
                }
            }
        }
        if self.left_out > 0 {
            page.add(Style::Note, format!("\n\n{} more findings were not kept", self.left_out));
        }
        page.0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spans().iter().try_for_each(|span| f.write_str(&span.text))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut page = Page(Vec::new());
        page.finding(self);
        // The page begins a new line for every finding.
        page.0.iter().skip(1).try_for_each(|span| f.write_str(&span.text))
    }
}

fn heading(class: Class) -> &'static str {
    match class {
        Class::Identical | Class::Exempt => "Exempt: only the inside of functions",
        Class::Review => "Needs review: can be patched, but reaches further than functions",
        Class::Migration => "Needs migration: live state would have to be carried over",
        Class::Refused => "Refused: not loaded, what runs goes on",
    }
}

struct Page(Vec<Span>);

impl Page {
    fn add(&mut self, style: Style, text: impl Into<String>) {
        self.0.push(Span { style, text: text.into() });
    }

    /// Code, summary and position; item and details; consequence and remedy.
    fn finding(&mut self, finding: &Finding) {
        self.title(finding.code, &finding.summary);
        if let Some(at) = &finding.at {
            self.position(CODE_WIDTH + finding.summary.chars().count(), at);
        }
        self.item(finding);
        for line in finding.details.iter().take(DETAILS_SHOWN_PER_FINDING) {
            let style = match line.as_bytes().first() {
                Some(b'+') => Style::Added,
                Some(b'-') => Style::Removed,
                _ => Style::Detail,
            };
            self.add(Style::Plain, "\n      ");
            self.add(style, line);
        }
        self.left_out(finding.details.len(), DETAILS_SHOWN_PER_FINDING);
        for (style, text) in [(Style::Consequence, &finding.consequence), (Style::Remedy, &finding.remedy)] {
            if !text.is_empty() {
                self.add(Style::Plain, "\n    ");
                self.add(style, text);
            }
        }
    }

    /// One line for each finding under a common title.
    fn list(&mut self, code: Code, title: &str, group: &[Finding]) {
        self.title(code, title);
        for finding in group.iter().take(FINDINGS_SHOWN_PER_CODE) {
            self.item(finding);
            if let Some(at) = &finding.at {
                let mark = finding.mark.as_ref().map_or(0, |mark| mark.to_string().chars().count() + 4);
                self.position(4 + finding.item.chars().count() + mark, at);
            }
        }
        self.left_out(group.len(), FINDINGS_SHOWN_PER_CODE);
    }

    fn title(&mut self, code: Code, summary: &str) {
        self.add(Style::Plain, "\n");
        self.add(Style::Code(code.class()), format!("{code:CODE_WIDTH$}"));
        self.add(Style::Title, summary);
    }

    fn item(&mut self, finding: &Finding) {
        self.add(Style::Plain, "\n    ");
        self.add(Style::Item, &finding.item);
        if !finding.change.is_empty() {
            self.add(Style::Detail, format!("   {}", finding.change));
        }
        if let Some(mark) = &finding.mark {
            self.add(Style::Note, format!("  ({mark})"));
        }
    }

    fn position(&mut self, used: usize, at: &crate::compare::SourcePosition) {
        self.add(Style::Plain, " ".repeat(COLUMN.saturating_sub(used).max(2)));
        self.add(Style::Position, at.to_string());
    }

    fn left_out(&mut self, all: usize, shown: usize) {
        if all > shown {
            self.add(Style::Note, format!("\n    ... and {} more", all - shown));
        }
    }
}

/// Columns that a code takes, spaces included.
const CODE_WIDTH: usize = 4;

/// The line for people: what changed, counted by kind, and what follows.
pub(super) fn summary(class: Class, findings: &[Finding]) -> String {
    if class == Class::Identical {
        return "nothing differs: identical".to_owned();
    }
    let mut parts: Vec<String> = Vec::new();
    for (codes, singular, plural) in KINDS {
        // What follows from a change is no change of its own.
        let matching = |finding: &&Finding| codes.contains(&finding.code) && finding.mark.is_none();
        match findings.iter().filter(matching).count() {
            0 => {}
            1 => parts.push(format!("1 {singular}")),
            count => parts.push(format!("{count} {plural}")),
        }
    }
    if parts.is_empty() {
        parts.push("no function touched".to_owned());
    }
    format!("{}: {class}", parts.join(", "))
}

/// How findings are counted, in the order in which they are told.
const KINDS: &[(&[Code], &str, &str)] = &[
    (&[Code::B1], "function changed", "functions changed"),
    (&[Code::B2], "function added", "functions added"),
    (&[Code::B3], "function removed", "functions removed"),
    (&[Code::B4], "constant changed", "constants changed"),
    (&[Code::B5], "type added", "types added"),
    (&[Code::B6], "group of closures renewed", "groups of closures renewed"),
    (&[Code::B7], "function moved in its file", "functions moved in their files"),
    (&[Code::B8], "standard static first used", "standard statics first used"),
    (&[Code::B9], "log line renewed", "log lines renewed"),
    (&[Code::R1], "hook added", "hooks added"),
    (&[Code::R2], "host function newly used", "host functions newly used"),
    (&[Code::R3], "static added", "statics added"),
    (&[Code::R4], "initial value changed", "initial values changed"),
    (&[Code::R5], "body that data relies on changed", "bodies that data relies on changed"),
    (&[Code::R6], "dependency changed", "dependencies changed"),
    (&[Code::R7], "signature changed", "signatures changed"),
    (&[Code::R8], "coroutine changed", "coroutines changed"),
    (&[Code::M1, Code::M2], "type changed", "types changed"),
    (&[Code::M3], "static changed its type", "statics changed their types"),
    (&[Code::M4], "static removed", "statics removed"),
    (&[Code::M5], "difference in how it was compiled", "differences in how it was compiled"),
    (&[Code::M6], "vtable changed", "vtables changed"),
    (&[Code::M7], "change of type identities", "changes of type identities"),
    (&[Code::M8], "other allocator", "other allocators"),
    (&[Code::X1], "hook removed", "hooks removed"),
    (&[Code::X2], "hook with another signature", "hooks with another signature"),
    (&[Code::X3], "difference from the contract", "differences from the contract"),
    (&[Code::X4], "import not offered", "imports not offered"),
    (&[Code::X5], "thing missing from the file", "things missing from the file"),
    (&[Code::X6], "piece of start-up code", "pieces of start-up code"),
    (&[Code::X7], "memory or table of its own", "memories or tables of its own"),
    (&[Code::X8], "malformed part", "malformed parts"),
    (&[Code::X9], "item that cannot be identified", "items that cannot be identified"),
    (&[Code::X10], "sign of another recipe", "signs of another recipe"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::SourcePosition;

    fn fighter() -> Finding {
        let at = Some(SourcePosition { file: "developer_mods/arena/src/lib.rs".into(), line: 14 });
        Finding::new(Code::M1, "arena::Fighter")
            .at(at)
            .change("size 40 -> 48")
            .summary("field added to a live type")
            .detail("+ shield: u32   at 40")
            .consequence("state that holds a Fighter would be read with the wrong layout.")
            .remedy("To patch without review: keep the field out.")
    }

    #[test]
    fn a_finding_reads_as_designed() {
        let expected = "M1  field added to a live type                          developer_mods/arena/src/lib.rs:14
    arena::Fighter   size 40 -> 48
      + shield: u32   at 40
    state that holds a Fighter would be read with the wrong layout.
    To patch without review: keep the field out.";
        assert_eq!(fighter().to_string(), expected);
    }

    #[test]
    fn a_report_has_the_worst_first_and_counts_what_changed() {
        let changed = |item: &str| Finding::new(Code::B1, item);
        let inlined = changed("c").mark(Some(super::super::Mark::InlinedFrom(vec!["a".into()])));
        let report = Report::new(vec![inlined, changed("b"), fighter(), changed("a")]);
        assert_eq!(report.class, Class::Migration);
        assert_eq!(report.summary, "2 functions changed, 1 type changed: needs migration");
        let items: Vec<_> = report.findings.iter().map(|finding| finding.item.as_str()).collect();
        assert_eq!(items, ["arena::Fighter", "a", "b", "c"]);
        assert!(report.to_string().ends_with("B1  body changed\n    a\n    b\n    c  (inlined from a)"), "{report}");
        let coloured = report.spans();
        assert!(coloured.iter().any(|span| span.style == Style::Added && span.text.starts_with("+ shield")));
    }

    #[test]
    fn long_lists_are_folded_in_text_and_whole_in_the_report() {
        let report = Report::new((0..300).map(|n| Finding::new(Code::B2, format!("f{n:03}"))).collect());
        assert_eq!(report.findings.len(), 300);
        let text = report.to_string();
        assert!(text.ends_with("    f011\n    ... and 288 more"), "{text}");
        assert!(text.lines().count() < 20, "{text}");
    }

    #[test]
    fn every_code_is_counted_by_one_kind() {
        for code in Code::ALL {
            assert_eq!(KINDS.iter().filter(|(codes, _, _)| codes.contains(code)).count(), 1, "{code}");
        }
    }
}
