//! From a candidate's bytes to code that is active in every world, and back.
//!
//! [`prepare`] runs on a thread of its own: read, compare, judge, place, compile. [`fleet`] knows all mods, their
//! generations and all worlds, and hands changes to worlds through bounded channels. [`link`] is a world's end of such a
//! channel: it stages in idle time and flips at a boundary. [`ledger`] remembers how far each submission is, and the log.
//!
//! [`approvals`] holds submissions that wait for somebody's approval.
//!
//! **Invariant:** the flip changes indexes. It cannot fail, and takes the same time whatever the size of state and code.
//! **Invariant:** all mods of one submission flip at the same boundary of a world, or none does.

mod approvals;
mod change;
mod error;
mod findings;
mod fleet;
mod gauge;
mod ledger;
mod link;
mod notices;
mod prepare;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use approvals::{Approval, Approvals, Held};
pub use error::{Refusal, RefusalStage, SwapError};
pub(crate) use fleet::Fleet;
pub(crate) use fleet::Unsent;
pub use fleet::{GenerationStatus, ModStatus, Scope};
pub use gauge::{WorldModStatus, WorldStatus};
pub(crate) use ledger::Ledger;
pub(crate) use link::start_world;
pub(crate) use notices::{Notice, NoticeReader};
pub(crate) use prepare::{Preparer, Submission};
pub use state::{ModReport, PreparedMod, SubmissionState};
