//! How far a submission is, as values for logs and tools.

use serde::{Deserialize, Serialize};
use tickswap_abi::ModName;
use tickswap_linker::{GenerationId, verify::Report};

use super::Refusal;
use crate::engine::CodeFacts;

/// How far a submission, an activation or a going back is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SubmissionState {
    /// Waits for the preparing thread.
    Queued,
    /// Is read, compared, linked or compiled.
    Preparing,
    /// Waits for [`crate::Control::approve`] or [`crate::Control::reject`]: it can be patched, but reaches further than
    /// function bodies. All mods of a submission wait together.
    AwaitingApproval {
        /// What was found, mod by mod, those that need no approval included.
        reports: Vec<ModReport>,
    },
    /// Is on its way into the worlds.
    Staging {
        /// Worlds in which it is active.
        worlds_done: usize,
        /// Worlds that existed when it was ready, and have not been dropped since.
        worlds_total: usize,
        /// What was prepared; empty for an activation or a going back.
        mods: Vec<PreparedMod>,
    },
    /// Is active in all worlds.
    Done {
        /// Worlds in which it became active.
        worlds: usize,
        /// What was prepared; empty for an activation or a going back.
        mods: Vec<PreparedMod>,
    },
    /// All candidates are, byte for byte, what is active. Nothing was loaded.
    Identical,
    /// Not loaded. What ran goes on running.
    Refused {
        /// Every reason, mod by mod.
        reasons: Vec<Refusal>,
    },
    /// Somebody refused to approve it. What ran goes on running.
    Rejected {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// Waited for approval and was dropped. What ran goes on running.
    Dropped {
        /// Which limit, and what to do.
        reason: String,
    },
    /// Did not become active in some worlds; there what ran goes on running.
    Failed {
        /// World by world.
        reasons: Vec<String>,
    },
    /// Nothing is known of it: never made, or so long ago that it was forgotten (limit `SUBMISSIONS_REMEMBERED_MAX`).
    Unknown,
}

impl SubmissionState {
    /// Whether it will not change any more.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Queued | Self::Preparing | Self::AwaitingApproval { .. } | Self::Staging { .. })
    }

    /// Whether it does not change any more by itself: it is final, or waits for somebody.
    pub fn is_settled(&self) -> bool {
        self.is_final() || matches!(self, Self::AwaitingApproval { .. })
    }

    /// Whether it ended well.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Identical)
    }
}

/// What was found of one mod's candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModReport {
    /// The mod.
    pub mod_name: ModName,
    /// The findings.
    pub report: Report,
}

/// A candidate that became a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PreparedMod {
    /// The mod.
    pub mod_name: ModName,
    /// Its number.
    pub generation: GenerationId,
    /// The generation it was compared with for the report: what was current when it was prepared.
    pub base: Option<GenerationId>,
    /// How it differs from the base, the first findings of it (limit `report_findings`).
    pub report: Report,
    /// Who approved it, where somebody had to.
    pub approved_by: Option<String>,
    /// Functions that differ from the base, added ones included, by source name.
    pub changed_functions: Vec<String>,
    /// Bytes of the file.
    pub file_bytes: usize,
    /// Bytes of the image area that it took.
    pub fresh_bytes: u32,
    /// First free address of the image area after it, in bytes.
    pub image_end: u32,
    /// Nanoseconds of reading the file.
    pub read_ns: u64,
    /// Nanoseconds of comparing and judging.
    pub compare_ns: u64,
    /// Nanoseconds of linking.
    pub link_ns: u64,
    /// Nanoseconds of compiling, on the clock.
    pub compile_ns: u64,
    /// Where its machine code came from, and what that takes.
    pub code: CodeFacts,
}

impl std::fmt::Display for SubmissionState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Queued => formatter.write_str("queued"),
            Self::Preparing => formatter.write_str("preparing"),
            Self::AwaitingApproval { reports } => {
                formatter.write_str("waits for approval")?;
                reports.iter().try_for_each(|found| write!(formatter, "\n\nmod {}: {}", found.mod_name, found.report))
            }
            Self::Staging { worlds_done, worlds_total, .. } => {
                write!(formatter, "active in {worlds_done} of {worlds_total} worlds")
            }
            Self::Done { worlds, .. } => write!(formatter, "active in all {worlds} worlds"),
            Self::Identical => formatter.write_str("identical to what is active"),
            Self::Refused { reasons } => {
                formatter.write_str("refused")?;
                reasons.iter().try_for_each(|reason| write!(formatter, "\n{reason}"))
            }
            Self::Rejected { by, why } => write!(formatter, "rejected by {by}: {why}"),
            Self::Dropped { reason } => write!(formatter, "dropped: {reason}"),
            Self::Failed { reasons } => {
                formatter.write_str("failed")?;
                reasons.iter().try_for_each(|reason| write!(formatter, "\n{reason}"))
            }
            Self::Unknown => formatter.write_str("unknown"),
        }
    }
}
