//! What others ask of a running server: submit, approve, activate, go back, look. Values in, values out; no sockets.

pub mod console;
mod error;
mod events;
mod status;
mod watch;

use std::{sync::Arc, time::Duration};

use crossbeam_channel::{Sender, TrySendError};
use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

pub use error::ControlError;
pub use events::{Event, Events};
pub use status::{Status, SubmissionStatus};
pub use watch::{ModsWatcher, WatchError, WatchOptions, WatchReport};

use crate::{
    ids::SubmissionId,
    limits::{APPROVAL_TEXT_BYTES_MAX, EVENT_READERS_MAX, MODS_PER_SUBMISSION_MAX},
    swap::{Approval, Approvals, Fleet, Held, Ledger, Scope, Submission, SubmissionState},
    world::{Fault, SwapRecord},
};

/// A handle on a running server. Cheap to clone, usable from any thread.
///
/// No call waits for a tick, except [`Control::wait`], which is meant to.
#[derive(Clone)]
pub struct Control {
    submissions: Sender<Submission>,
    fleet: Arc<Fleet>,
    ledger: Arc<Ledger>,
    approvals: Arc<Approvals>,
}

impl Control {
    pub(crate) fn new(
        submissions: Sender<Submission>,
        fleet: Arc<Fleet>,
        ledger: Arc<Ledger>,
        approvals: Arc<Approvals>,
    ) -> Self {
        Self { submissions, fleet, ledger, approvals }
    }

    /// Submits candidates that go live together: mod names and the contents of their files.
    ///
    /// Returns at once. Reading, comparing, linking and compiling happen on the preparing thread, staging in the worlds' idle
    /// time, the flip at a boundary of each. What became of it says [`Control::wait`]. A mod of an
    /// unknown name is started in every world.
    ///
    /// # Errors
    ///
    /// No candidate, too many, one mod twice, or a full queue.
    pub fn submit(&self, candidates: Vec<(ModName, Vec<u8>)>) -> Result<SubmissionId, ControlError> {
        if candidates.is_empty() {
            return Err(ControlError::Nothing);
        }
        if candidates.len() > MODS_PER_SUBMISSION_MAX {
            return Err(ControlError::TooManyMods { found: candidates.len(), limit: MODS_PER_SUBMISSION_MAX });
        }
        for (index, (name, _)) in candidates.iter().enumerate() {
            if candidates[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(ControlError::Twice { mod_name: name.clone() });
            }
        }
        let id = self.ledger.open();
        self.submissions.try_send(Submission { id, candidates, approval: None }).map_err(|error| {
            self.ledger.withdraw(id);
            self.unsent(&error)
        })?;
        Ok(id)
    }

    /// Approves a submission that waits for it, in somebody's name. All its mods are read and judged again, against what is
    /// resident now; should anything have appeared that was not in the reports that waited, it is refused.
    ///
    /// Returns at once, as [`Control::submit`] does.
    ///
    /// # Errors
    ///
    /// A submission that does not wait, a name that is empty or too long, or a full queue, in which case it waits on.
    pub fn approve(&self, id: SubmissionId, by: &str) -> Result<(), ControlError> {
        check_text("the name of whoever approves", by)?;
        let held = self.approvals.take(id, SubmissionState::Queued).ok_or(ControlError::NotWaiting { id })?;
        let approval = Approval { by: by.to_owned(), reports: held.reports };
        let submission = Submission { id, candidates: held.candidates, approval: Some(approval) };
        self.submissions.try_send(submission).map_err(|error| {
            let unsent = self.unsent(&error);
            let (TrySendError::Full(submission) | TrySendError::Disconnected(submission)) = error;
            if let Some(approval) = submission.approval {
                self.approvals.hold(id, Held { candidates: submission.candidates, reports: approval.reports });
            }
            unsent
        })
    }

    /// Refuses to approve a submission that waits for it. What runs goes on running; the submission's files are dropped.
    ///
    /// # Errors
    ///
    /// A submission that does not wait, or a text that is empty or too long.
    pub fn reject(&self, id: SubmissionId, by: &str, why: &str) -> Result<(), ControlError> {
        check_text("the name of whoever rejects", by)?;
        check_text("the reason", why)?;
        let state = SubmissionState::Rejected { by: by.to_owned(), why: why.to_owned() };
        let taken = self.approvals.take(id, state);
        taken.map(drop).ok_or(ControlError::NotWaiting { id })
    }

    fn unsent(&self, error: &TrySendError<Submission>) -> ControlError {
        match error {
            TrySendError::Full(_) => ControlError::QueueFull { limit: self.submissions.capacity().unwrap_or_default() },
            TrySendError::Disconnected(_) => ControlError::Stopped,
        }
    }

    /// How far a submission, an activation or a going back is.
    pub fn submission(&self, id: SubmissionId) -> SubmissionState {
        self.ledger.submission(id)
    }

    /// Waits until a submission, an activation or a going back has ended or waits for approval, at most `timeout`; answers
    /// its state then.
    ///
    /// Worlds must be ticked meanwhile, so not to be called on a thread that ticks one.
    pub fn wait(&self, id: SubmissionId, timeout: Duration) -> SubmissionState {
        self.ledger.wait(id, timeout)
    }

    /// Makes a generation active that is resident in the process, older or newer.
    ///
    /// # Errors
    ///
    /// Unknown mod, generation or world, or a world that does not take changes.
    pub fn activate(
        &self,
        mod_name: &ModName,
        generation: GenerationId,
        scope: Scope,
    ) -> Result<SubmissionId, ControlError> {
        let sent = self.fleet.activate(mod_name, generation, &scope);
        sent.map_err(|unsent| ControlError::unsent(unsent, mod_name, Some(generation), &scope))
    }

    /// Makes the generation active that was active before. Going back twice goes back two generations; going forward again
    /// is [`Control::activate`].
    ///
    /// # Errors
    ///
    /// Unknown mod or world, nothing to go back to, or a world that does not take changes.
    pub fn roll_back(&self, mod_name: &ModName, scope: Scope) -> Result<SubmissionId, ControlError> {
        let sent = self.fleet.roll_back(mod_name, &scope);
        sent.map_err(|unsent| ControlError::unsent(unsent, mod_name, None, &scope))
    }

    /// Mods, worlds and submissions.
    pub fn status(&self) -> Status {
        let (mods, worlds) = self.fleet.status();
        let submissions = self.ledger.submissions().into_iter();
        Status { mods, worlds, submissions: submissions.map(|(id, state)| SubmissionStatus { id, state }).collect() }
    }

    /// The last faults of all worlds, world by world, repeats folded and counted.
    pub fn faults(&self) -> Vec<Fault> {
        self.fleet.status().1.into_iter().flat_map(|world| world.faults).collect()
    }

    /// What happens from now on: how submissions end, what becomes active where, and faults. Bounded: neither ticks nor other
    /// readers wait for this one.
    ///
    /// # Errors
    ///
    /// Too many readers.
    pub fn events(&self) -> Result<Events, ControlError> {
        let reader = self.ledger.listen().ok_or(ControlError::TooManyReaders { limit: EVENT_READERS_MAX })?;
        Ok(Events::new(reader, &self.ledger))
    }

    /// Every change of what is active, oldest first, as far back as the limit `log_records` goes.
    pub fn log(&self) -> Vec<SwapRecord> {
        self.ledger.log().iter().map(|record| SwapRecord::clone(record)).collect()
    }
}

fn check_text(what: &'static str, text: &str) -> Result<(), ControlError> {
    if text.is_empty() || text.len() > APPROVAL_TEXT_BYTES_MAX {
        return Err(ControlError::Text { what, found: text.len(), limit: APPROVAL_TEXT_BYTES_MAX });
    }
    Ok(())
}

impl std::fmt::Debug for Control {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Control").finish_non_exhaustive()
    }
}

const _: () = {
    const fn is_shared<T: Clone + Send + Sync>() {}
    is_shared::<Control>();
};
