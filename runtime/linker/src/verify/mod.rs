//! Decides what a comparison allows. Policy only: facts come from `compare`, execution is `link`'s.
//!
//! Every difference becomes a [`Finding`] with a stable [`Code`]; the worst decides. A candidate passes by itself only if
//! function bodies, read-only data and what follows from them changed. What reaches further but can be linked safely waits
//! for somebody's approval; the rest is refused.

mod code;
mod findings;
mod render;
mod report;
#[cfg(test)]
pub(crate) mod tests;
mod unreadable;

pub use crate::compare::Cause as Mark;
pub use code::{Class, Code, UnknownCode};
pub use render::{DETAILS_SHOWN_PER_FINDING, FINDINGS_SHOWN_PER_CODE, Span, Style};
pub use report::{Finding, Report};

use crate::compare::Comparison;
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// What a comparison allows, with every finding. Only [`judge`] makes one.
///
/// ```compile_fail,E0451
/// use tickswap_linker::{compare::Comparison, verify::{Report, Verdict}};
/// fn forge(comparison: Comparison, report: Report) -> Verdict {
///     Verdict { comparison, report }
/// }
/// ```
///
/// Nor can the report that decides be exchanged:
///
/// ```compile_fail,E0616
/// use tickswap_linker::verify::{Report, Verdict};
/// fn forge(verdict: &mut Verdict, harmless: Report) {
///     verdict.report = harmless;
/// }
/// ```
#[derive(Debug)]
pub struct Verdict {
    comparison: Comparison,
    report: Report,
}

/// Leave to link a candidate. Only a [`Verdict`] gives it, each for one use.
///
/// ```compile_fail,E0451
/// use tickswap_linker::{compare::Comparison, verify::Permit};
/// fn forge(comparison: Comparison) -> Permit {
///     Permit { comparison }
/// }
/// ```
///
/// [`crate::link::place`] takes nothing else:
///
/// ```compile_fail,E0308
/// use tickswap_linker::{Residents, link, verify::Verdict};
/// fn skip(residents: &mut Residents, verdict: Verdict) {
///     let _ = link::place(residents, verdict);
/// }
/// ```
///
/// ```compile_fail,E0308
/// use tickswap_linker::{Residents, compare::Comparison, link};
/// fn skip(residents: &mut Residents, comparison: Comparison) {
///     let _ = link::place(residents, comparison);
/// }
/// ```
///
/// ```compile_fail,E0382
/// use tickswap_linker::{Residents, link, verify::Permit};
/// fn twice(residents: &mut Residents, permit: Permit) {
///     let _ = link::place(residents, permit);
///     let _ = link::place(residents, permit);
/// }
/// ```
///
/// What is right does compile:
///
/// ```
/// use tickswap_linker::{GenerationId, Residents, compare, image, link, verify};
/// fn patch(residents: &mut Residents, base: GenerationId, bytes: &[u8]) -> Result<link::Linked, Box<dyn std::error::Error>> {
///     let comparison = compare::compare(residents, Some(base), image::read(bytes)?);
///     Ok(link::place(residents, verify::judge(comparison).permit()?)?)
/// }
/// ```
#[derive(Debug)]
pub struct Permit {
    pub(crate) comparison: Comparison,
}

/// Why a candidate may not be linked, with everything that was found, what would have been allowed included.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// Everything at once, worst first.
    pub report: Report,
    /// Findings that were not there when somebody approved; empty where nobody had to.
    pub unapproved: Vec<Finding>,
}

impl Refusal {
    /// Class of the worst finding.
    pub fn class(&self) -> Class {
        self.report.class
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)?;
        if self.report.class == Class::Review && !self.unapproved.is_empty() {
            write!(f, "\n\nNot among what was approved:")?;
            self.unapproved.iter().try_for_each(|finding| write!(f, "\n{finding}"))?;
        }
        Ok(())
    }
}

/// Gives a comparison its verdict.
pub fn judge(comparison: Comparison) -> Verdict {
    let report = if comparison.identical && comparison.differences.is_empty() {
        Report::identical()
    } else if comparison.base.is_none() && comparison.differences.is_empty() {
        Report::first()
    } else {
        Report::new(comparison.differences.iter().map(findings::of).collect())
    };
    Verdict { comparison, report }
}

impl Verdict {
    /// Class of the worst finding.
    pub fn class(&self) -> Class {
        self.report.class
    }

    /// Everything that was found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The comparison judged.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// Leave to link without anybody's approval.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if any finding is more than exempt.
    pub fn permit(self) -> Result<Permit, Box<Refusal>> {
        if self.report.class <= Class::Exempt {
            return Ok(Permit { comparison: self.comparison });
        }
        Err(Box::new(Refusal { report: self.report, unapproved: Vec::new() }))
    }

    /// Leave to link what somebody has approved: `approved` is the report that they saw. Approval cannot make safe what
    /// is refused or needs migration.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if a finding needs more than an approval, or needs one and is not in `approved`.
    pub fn approve(self, approved: &Report) -> Result<Permit, Box<Refusal>> {
        let unapproved: Vec<_> = self.report.beyond(approved).cloned().collect();
        if self.report.class <= Class::Review && unapproved.is_empty() {
            return Ok(Permit { comparison: self.comparison });
        }
        Err(Box::new(Refusal { report: self.report, unapproved }))
    }
}
