//! Why a candidate is not loaded.

use serde::{Deserialize, Serialize};
use tickswap_abi::ModName;
use tickswap_linker::{
    image::ReadError,
    link::PlaceError,
    verify::{self, Report},
};

use super::findings;
use crate::engine::EngineError;

/// What went wrong on a candidate's way, with the words of the floor that found it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwapError {
    /// The file is too large to be read.
    #[error(
        "the file has {found} bytes, at most {limit} are read (limit candidate_bytes); \
         build the mod with debug information of its own crates only"
    )]
    TooLarge {
        /// Bytes of the file.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The file is no module that can be linked live.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The mod was built against another contract, or its imports or exports do not fit the server; with all else that
    /// was found.
    #[error("{0}")]
    Contract(Box<Report>),
    /// The gate does not let the candidate pass.
    #[error(transparent)]
    Verdict(#[from] Box<verify::Refusal>),
    /// There is no room for it beside the generations that are resident.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// It does not compile.
    #[error(transparent)]
    Compile(#[from] EngineError),
    /// Compiling the submission takes too long.
    #[error(
        "compiling the submission has not ended after {limit_ms} ms, which is all it may take (limit compile_ms); the compiler cannot be \
         interrupted and comes to its end in the background, its result is dropped; \
         submit again when the machine is less busy, make the mod smaller, give more prepare_threads, or raise the limit"
    )]
    CompileTime {
        /// The limit.
        limit_ms: u64,
    },
    /// Too much is being compiled that nobody waits for any more.
    #[error(
        "{found} compilations of refused submissions still run in the background, at most {limit} may \
         (limit compiles_abandoned); wait until they end, then submit again"
    )]
    TooManyCompiles {
        /// How many run.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// An earlier candidate of the mod made the runtime itself fail.
    #[error(
        "an earlier candidate of this mod made the linker panic, so what it knows of the mod cannot be trusted; \
         what runs goes on, restart the server to load new code, and report the candidate"
    )]
    Broken,
    /// This candidate made the runtime itself fail.
    #[error("the linker panicked over this candidate: {0}; please report it")]
    Panicked(String),
}

/// Why one mod of a submission was not loaded. What ran goes on running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The mod.
    pub mod_name: ModName,
    /// How far its candidate came.
    pub stage: RefusalStage,
    /// What was expected, what was found, what to do; where there is a report, its line for people.
    pub reason: String,
    /// Every finding, where the candidate came as far as that (limit `report_findings`).
    pub report: Option<Report>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.report {
            Some(report) => write!(formatter, "mod {} is not loaded: {report}", self.mod_name),
            None => write!(formatter, "mod {} is not loaded: {}", self.mod_name, self.reason),
        }
    }
}

/// The stage at which a candidate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusalStage {
    /// Reading the file.
    Read,
    /// Comparing it with the contract.
    Contract,
    /// Judging how it differs from what runs.
    Verdict,
    /// Giving it addresses and slots.
    Link,
    /// Compiling it.
    Compile,
    /// The runtime itself.
    Internal,
}

impl SwapError {
    /// The refusal of a mod for this reason.
    pub(super) fn refusal(&self, mod_name: &ModName, kept: usize) -> Refusal {
        let stage = match self {
            Self::TooLarge { .. } | Self::Read(_) => RefusalStage::Read,
            Self::Contract(_) => RefusalStage::Contract,
            Self::Verdict(_) => RefusalStage::Verdict,
            Self::Place(_) => RefusalStage::Link,
            Self::Compile(_) | Self::CompileTime { .. } | Self::TooManyCompiles { .. } => RefusalStage::Compile,
            Self::Broken | Self::Panicked(_) => RefusalStage::Internal,
        };
        let report = match self {
            Self::TooLarge { found, limit } => Some(Report::new(vec![findings::too_large(*found, *limit)])),
            Self::Read(error) => Some(Report::from(error)),
            Self::Contract(report) => Some(Report::clone(report)),
            Self::Verdict(refusal) => Some(refusal.report.clone()),
            Self::Compile(error) => Some(Report::new(vec![findings::of_engine(error)])),
            Self::Place(_)
            | Self::CompileTime { .. }
            | Self::TooManyCompiles { .. }
            | Self::Broken
            | Self::Panicked(_) => None,
        };
        let mut reason = report.as_ref().map_or_else(|| self.to_string(), |report| report.summary.clone());
        if let Self::Verdict(refusal) = self
            && let Some(first) = refusal.unapproved.first()
        {
            let count = refusal.unapproved.len();
            reason = format!("{reason}; {count} of it beyond what was approved: {} {}", first.code, first.item);
        }
        let report = report.map(|report| report.shortened(kept));
        Refusal { mod_name: mod_name.clone(), stage, reason, report }
    }
}
