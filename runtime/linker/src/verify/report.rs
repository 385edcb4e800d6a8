//! What a verdict tells: findings with place, consequence and remedy, worst first, as values for tools and consoles. How
//! they are written for people is `render`'s.

use super::{Class, Code};
use crate::compare::{Cause, SourcePosition};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One thing that was found, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// How far it reaches: the code's class.
    pub class: Class,
    /// The function, type, static, section it is about, by its source name.
    pub item: String,
    /// Where the item stands in the candidate's source, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<SourcePosition>,
    /// What happened, in a few words.
    pub summary: String,
    /// How the item as a whole changed: `size 40 -> 48`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub change: String,
    /// What was and is there, line by line; `+` and `-` at the start mark what came and went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What it would mean for live state; empty where nothing follows.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub consequence: String,
    /// What the developer can do; empty where nothing has to be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remedy: String,
    /// Whether something else explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Cause>,
}

impl Finding {
    /// A finding with the title of its code as summary.
    pub fn new(code: Code, item: impl Into<String>) -> Self {
        Self {
            code,
            class: code.class(),
            item: item.into(),
            at: None,
            summary: code.title().to_owned(),
            change: String::new(),
            details: Vec::new(),
            consequence: String::new(),
            remedy: String::new(),
            mark: None,
        }
    }

    /// With the place in the source.
    #[must_use]
    pub fn at(mut self, at: Option<SourcePosition>) -> Self {
        self.at = at;
        self
    }

    /// With another summary than the code's title.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// With how the item as a whole changed.
    #[must_use]
    pub fn change(mut self, change: impl Into<String>) -> Self {
        self.change = change.into();
        self
    }

    /// With one line more of what was and is there.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// With what it would mean for live state.
    #[must_use]
    pub fn consequence(mut self, consequence: impl Into<String>) -> Self {
        self.consequence = consequence.into();
        self
    }

    /// With what the developer can do.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// With what explains it.
    #[must_use]
    pub fn mark(mut self, mark: Option<Cause>) -> Self {
        self.mark = mark;
        self
    }

    /// Whether it says the same as `other`, wherever either stands in the source.
    fn is_covered_by(&self, other: &Self) -> bool {
        self.code == other.code
            && self.item == other.item
            && self.summary == other.summary
            && self.change == other.change
            && self.details == other.details
    }
}

/// Everything that was found of one candidate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// Class of the worst finding.
    pub class: Class,
    /// One line for people: `2 functions changed, 1 type changed: needs migration`.
    pub summary: String,
    /// Every finding, worst first.
    pub findings: Vec<Finding>,
    /// Findings that are not in the list because the report was shortened to be kept; 0 in a fresh one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Report {
    /// A report of these findings; without any, of a candidate in which no code or data differs.
    pub fn new(findings: Vec<Finding>) -> Self {
        let class = findings.iter().map(|finding| finding.code.class()).max().unwrap_or(Class::Exempt);
        Self::of_class(class, findings)
    }

    /// The report of a candidate that is, byte for byte, what it would replace.
    pub fn identical() -> Self {
        Self::of_class(Class::Identical, Vec::new())
    }

    /// The report of a first version, of which nothing differs because there is nothing to compare it with.
    pub(super) fn first() -> Self {
        Self { summary: "first version, nothing to compare it with".to_owned(), ..Self::new(Vec::new()) }
    }

    /// The report with these findings added, such as what a server itself found.
    #[must_use]
    pub fn with(&self, more: Vec<Finding>) -> Self {
        let class = more.iter().map(|finding| finding.code.class()).chain([self.class]).max().unwrap_or(self.class);
        Self::of_class(class, self.findings.iter().cloned().chain(more).collect())
    }

    /// The report with its first, worst findings only, to be kept for long.
    #[must_use]
    pub fn shortened(&self, findings: usize) -> Self {
        let left_out = self.left_out + self.findings.len().saturating_sub(findings);
        let findings = self.findings.iter().take(findings).cloned().collect();
        Self { class: self.class, summary: self.summary.clone(), findings, left_out }
    }

    fn of_class(class: Class, mut findings: Vec<Finding>) -> Self {
        // What somebody touched comes before what merely follows from it.
        let key = |finding: &Finding| (std::cmp::Reverse(finding.code.class()), finding.code, finding.mark.is_some());
        findings.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.at.cmp(&b.at)).then_with(|| a.item.cmp(&b.item)));
        findings.dedup();
        let summary = super::render::summary(class, &findings);
        Self { class, summary, findings, left_out: 0 }
    }

    /// The findings of one code.
    pub fn of(&self, code: Code) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.code == code)
    }

    /// The findings of a class or worse.
    pub fn at_least(&self, class: Class) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.code.class() >= class)
    }

    /// Findings that need an approval or more and that `approved` does not have.
    pub fn beyond<'a>(&'a self, approved: &'a Self) -> impl Iterator<Item = &'a Finding> {
        let mut known: HashMap<(Code, &str), Vec<&Finding>> = HashMap::new();
        for finding in &approved.findings {
            known.entry((finding.code, &finding.item)).or_default().push(finding);
        }
        self.at_least(Class::Review).filter(move |finding| {
            let same_item = known.get(&(finding.code, &*finding.item));
            !same_item.is_some_and(|all| all.iter().any(|known| finding.is_covered_by(known)))
        })
    }
}
