//! Decides what a comparison allows. Policy only: facts come from `compare`, execution is `link`'s.
//!
//! Until the full verifier lands, the gate is strict: a candidate passes by itself only if function bodies, read-only data
//! and what follows from them changed. What reaches further but can be linked safely waits for somebody's approval; the
//! rest is refused.

use crate::compare::{Comparison, Difference};
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// How far a difference reaches, from nothing to what must not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The same file.
    Identical,
    /// Only the implementation inside functions: patched without review.
    Exempt,
    /// Can be patched safely, but reaches further than bodies: somebody has to approve.
    Review,
    /// State would have to be carried over by save and restore.
    Migration,
    /// Cannot be proved safe or breaks the contract.
    Refused,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identical => "identical",
            Self::Exempt => "exempt",
            Self::Review => "needs review",
            Self::Migration => "needs migration",
            Self::Refused => "refused",
        })
    }
}

/// What a comparison allows, with every difference and its class.
#[derive(Debug)]
pub struct Verdict {
    comparison: Comparison,
    class: Class,
}

/// Leave to link a candidate. Only a [`Verdict`] gives it.
#[derive(Debug)]
pub struct Permit {
    pub(crate) comparison: Comparison,
}

/// Why a candidate may not be linked: everything at once, worst first.
#[derive(Debug, Error)]
pub struct Refusal {
    /// Class of the worst difference.
    pub class: Class,
    /// The differences that stand in the way.
    pub differences: Vec<Difference>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} found that a patch may not change by itself", self.class, self.differences.len())?;
        for difference in &self.differences {
            write!(f, "\n  - [{}] {difference}", class_of(difference))?;
        }
        let remedy = match self.class {
            Class::Identical | Class::Exempt | Class::Review => "keep the change inside functions, or have it approved",
            Class::Migration => {
                "keep types, statics, vtables, compiler and dependencies as they are, or restart the worlds with the new version"
            }
            Class::Refused => "what runs goes on running; repair what is named above and submit again",
        };
        write!(f, "\n  To do: {remedy}.")
    }
}

/// Gives a comparison its verdict.
pub fn judge(comparison: Comparison) -> Verdict {
    let worst = comparison.differences.iter().map(class_of).max();
    let class = match worst {
        None if comparison.identical => Class::Identical,
        None => Class::Exempt,
        Some(worst) => worst,
    };
    Verdict { comparison, class }
}

impl Verdict {
    /// Class of the worst difference.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The comparison judged.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// Leave to link without anybody's approval.
    ///
    /// # Errors
    ///
    /// [`Refusal`] names every difference that is more than exempt.
    pub fn permit(self) -> Result<Permit, Box<Refusal>> {
        self.permit_up_to(Class::Exempt)
    }

    /// Leave to link what somebody has approved. Approval cannot make unsafe what is refused or needs migration.
    ///
    /// # Errors
    ///
    /// [`Refusal`] names every difference that needs more than an approval.
    pub fn approve(self) -> Result<Permit, Box<Refusal>> {
        self.permit_up_to(Class::Review)
    }

    fn permit_up_to(self, limit: Class) -> Result<Permit, Box<Refusal>> {
        if self.class <= limit {
            return Ok(Permit { comparison: self.comparison });
        }
        let mut differences: Vec<_> =
            self.comparison.differences.into_iter().filter(|difference| class_of(difference) > limit).collect();
        differences.sort_by_key(|difference| std::cmp::Reverse(class_of(difference)));
        Err(Box::new(Refusal { class: self.class, differences }))
    }
}

/// How far one difference reaches.
pub fn class_of(difference: &Difference) -> Class {
    use Difference as D;
    match difference {
        D::FunctionChanged { .. }
        | D::PositionsMoved { .. }
        | D::FunctionAdded { .. }
        | D::FunctionRemoved { .. }
        | D::NumberedItemsUnmatched { .. }
        | D::ReadOnlyDataChanged { .. }
        | D::StandardStaticAdded { .. }
        | D::TypeAdded { .. } => Class::Exempt,
        D::CoroutineChanged { .. }
        | D::StaticAdded { .. }
        | D::StaticInitialValueChanged { .. }
        | D::ExportAdded { .. }
        | D::ImportAdded { .. }
        | D::DescriptionChanged { .. } => Class::Review,
        D::StaticRemoved { .. }
        | D::StaticChanged { .. }
        | D::TypeChanged { .. }
        | D::VtableChanged { .. }
        | D::TraitShapeUnknown { .. }
        | D::ToolchainChanged { .. }
        | D::CrateIdentityChanged { .. }
        | D::AllocatorChanged { .. } => Class::Migration,
        D::StaticUnproved { .. }
        | D::VtableEntryForeign { .. }
        | D::ExportRemoved { .. }
        | D::ExportChanged { .. }
        | D::StackGrown { .. }
        | D::ProofMissing { .. }
        | D::UnknownBase { .. } => Class::Refused,
    }
}
