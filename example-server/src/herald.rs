//! Tells clients of submissions that do not go live, or wait for somebody, whoever submitted them. What goes live the worlds tell themselves.

use std::io;

use tickswap::{Control, ControlError, Event, SubmissionState, SubmissionStatus};

use crate::bulletin::{Bulletin, Entry};

/// Why refusals are not announced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HeraldError {
    /// The runtime has too many readers of events.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

/// Posts every refusal on the bulletin from now on, on a thread of its own.
pub fn announce_refusals(control: &Control, bulletin: Bulletin) -> Result<(), HeraldError> {
    let events = control.events()?;
    let announce = move || {
        for event in events {
            if let Event::Submission(submission) = event {
                entries(&submission).into_iter().for_each(|entry| bulletin.post(entry));
            }
        }
    };
    // Ends with the runtime.
    std::thread::Builder::new().name("herald".to_owned()).spawn(announce).map_err(HeraldError::Thread)?;
    Ok(())
}

fn entries(SubmissionStatus { id, state, .. }: &SubmissionStatus) -> Vec<Entry> {
    match state {
        SubmissionState::AwaitingApproval { .. } => {
            vec![Entry::AwaitingApproval { submission: *id, text: state.to_string() }]
        }
        SubmissionState::Refused { reasons } => {
            let refused = |reason: &tickswap::Refusal| Entry::Refused {
                mod_name: reason.mod_name.to_string(),
                text: reason.to_string(),
            };
            reasons.iter().map(refused).collect()
        }
        SubmissionState::Failed { reasons } => {
            // Not of one mod: the worlds that could not take it are named in the text.
            let text = reasons.join("\n");
            vec![Entry::Refused { mod_name: String::new(), text }]
        }
        _ => Vec::new(),
    }
}
