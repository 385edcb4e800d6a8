//! What happens on a server, as a stream of values for consoles, watchers and pages.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use serde::{Deserialize, Serialize};

use super::SubmissionStatus;
use crate::{
    clock,
    swap::{Ledger, Notice, NoticeReader},
    world::{Fault, SwapRecord},
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A submission, an activation or a going back is further, or has ended.
    Submission(SubmissionStatus),
    /// A world changed what is active. Comes before the end of the submission that asked for it.
    Swapped(SwapRecord),
    /// A mod trapped.
    Faulted(Fault),
    /// Events that were not read in time (limit `EVENTS_QUEUED_MAX`) are missing here.
    Lost {
        /// How many.
        count: u64,
    },
}

/// A reader of what happens, from the moment [`Control::events`](super::Control::events) made it.
///
/// As an iterator it waits for the next event, and ends when the runtime, all its worlds and all other handles are gone.
#[derive(Debug)]
pub struct Events {
    reader: NoticeReader,
    ledger: Weak<Ledger>,
}

impl Events {
    pub(super) fn new(reader: NoticeReader, ledger: &Arc<Ledger>) -> Self {
        // Holding the ledger would keep the channel open for ever.
        Self { reader, ledger: Arc::downgrade(ledger) }
    }

    /// The next event, if one comes within `timeout`.
    pub fn wait(&self, timeout: Duration) -> Option<Event> {
        self.next_until(clock::now().checked_add(timeout))
    }

    /// The next event, if there is one already.
    pub fn try_next(&self) -> Option<Event> {
        self.next_until(Some(clock::now()))
    }

    /// To wait for among other things. A notice that is there need not become an event.
    pub(super) fn notices(&self) -> &Receiver<Notice> {
        &self.reader.notices
    }

    fn next_until(&self, deadline: Option<Instant>) -> Option<Event> {
        loop {
            let notice = match self.reader.notices.try_recv() {
                Ok(notice) => notice,
                Err(_) => match self.reader.take_lost() {
                    Some(lost) => lost,
                    None => self.receive(deadline)?,
                },
            };
            if let Some(event) = self.event(notice) {
                return Some(event);
            }
        }
    }

    fn receive(&self, deadline: Option<Instant>) -> Option<Notice> {
        let received = match deadline {
            Some(deadline) => self.reader.notices.recv_deadline(deadline),
            None => self.reader.notices.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        received.ok()
    }

    /// The words to a notice. None for a state that has passed by the time it is read: its end is told next.
    fn event(&self, notice: Notice) -> Option<Event> {
        Some(match notice {
            Notice::Submission { id, is_final } => {
                let state = self.ledger.upgrade()?.submission(id);
                if state.is_final() != is_final {
                    return None;
                }
                Event::Submission(SubmissionStatus { id, state })
            }
            Notice::Swapped(record) => Event::Swapped(SwapRecord::clone(&record)),
            Notice::Faulted(fault) => Event::Faulted(Fault::clone(&fault)),
            Notice::Lost(count) => Event::Lost { count },
        })
    }
}

impl Iterator for Events {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.next_until(None)
    }
}
