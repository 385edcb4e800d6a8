//! What happens to the code: builds, swaps, refusals, in the order in which they happened, for terminal and page alike.
//!
//! A [`Bulletin`] carries and keeps entries, it makes none. Builds, refusals and approvals are posted by who builds and submits
//! (development mode, console); [`Entry::Live`] is posted for each world as its tick hands the swap out, whoever asked for it.
//!
//! **Invariant:** posting never waits for a reader. A slow reader loses the oldest entries, and is told how many.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tickswap::{GenerationId, SubmissionId};
use tickswap_abi::ModName;
use tokio::sync::broadcast;

use crate::limits::{
    BULLETIN_FUNCTIONS_MAX, BULLETIN_KEPT_MAX, BULLETIN_QUEUED_MAX, BULLETIN_TEXT_BYTES_MAX, SAVES_REMEMBERED_MAX,
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Entry {
    /// Mods are being compiled.
    BuildStarted {
        /// Their names.
        mods: Vec<String>,
    },
    /// A mod does not compile. What runs goes on running.
    BuildFailed {
        /// The mod.
        mod_name: String,
        /// What the compiler says, without colours.
        text: String,
    },
    /// A mod has been compiled.
    Built {
        /// The mod.
        mod_name: String,
        /// Milliseconds it took.
        took_ms: u64,
        /// Bytes of the finished file.
        bytes: u64,
    },
    /// A generation became active in a world.
    Live {
        /// The mod.
        mod_name: ModName,
        /// What was active before; none if the world did not have the mod.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<GenerationId>,
        /// What is active now.
        generation: GenerationId,
        /// Functions that differ from the generation it was compared with, by source name: the first of them.
        changed_functions: Vec<String>,
        /// How many there are.
        changed_total: usize,
        /// Nanoseconds from entering the boundary to the first hook.
        pause_ns: u64,
        /// The world.
        world: String,
        /// Milliseconds since the source was saved, if a saved source began it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since_save_ms: Option<u64>,
    },
    /// A candidate was not loaded. What runs goes on running.
    Refused {
        /// The mod.
        mod_name: String,
        /// Every reason.
        text: String,
    },
    /// A candidate waits for somebody's approval.
    AwaitingApproval {
        /// What to approve.
        submission: SubmissionId,
        /// Why it does not go live by itself.
        text: String,
    },
    /// The operator says something to everybody.
    Said {
        /// What.
        text: String,
    },
}

/// An entry in its place. Numbers count from 1 without gaps.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Its number.
    pub number: u64,
    /// When it was posted.
    pub at: Instant,
    /// What happened.
    pub entry: Entry,
}

/// Posts entries and hands them to who subscribes. Cheap to clone; all clones are one bulletin.
#[derive(Clone, Debug)]
pub struct Bulletin(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    readers: broadcast::Sender<Arc<Posted>>,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    kept: VecDeque<Arc<Posted>>,
    saves: VecDeque<(SubmissionId, Instant)>,
}

/// A reader's place in the bulletin. Begins with the entries that were kept.
#[derive(Debug)]
pub struct Subscription {
    kept: VecDeque<Arc<Posted>>,
    live: broadcast::Receiver<Arc<Posted>>,
}

/// What a reader gets.
#[derive(Clone, Debug)]
pub enum Heard {
    /// The next entry.
    Entry(Arc<Posted>),
    /// That many entries are lost: the reader was too slow.
    Lost(u64),
}

impl Default for Bulletin {
    fn default() -> Self {
        let (readers, _) = broadcast::channel(BULLETIN_QUEUED_MAX);
        Self(Arc::new(Shared { state: Mutex::default(), readers }))
    }
}

impl Bulletin {
    /// Posts an entry. Never waits for readers; the lock is held for a few instructions only. Long texts and lists are cut.
    pub fn post(&self, mut entry: Entry) {
        entry.shorten();
        let mut state = self.0.state.lock();
        state.last += 1;
        let posted = Arc::new(Posted { number: state.last, at: Instant::now(), entry });
        if state.kept.len() >= BULLETIN_KEPT_MAX {
            state.kept.pop_front();
        }
        state.kept.push_back(Arc::clone(&posted));
        // Under the lock, so that readers get entries in order. An error says that there are none.
        let _ = self.0.readers.send(posted);
    }

    /// The entries that are kept, then every later one.
    pub fn subscribe(&self) -> Subscription {
        // Under the lock: no entry is missed or doubled between the two.
        let state = self.0.state.lock();
        Subscription { kept: state.kept.clone(), live: self.0.readers.subscribe() }
    }

    /// Notes that a submission began with a source that was saved then. To be called right after submitting.
    pub fn saved(&self, submission: SubmissionId, at: Instant) {
        let mut state = self.0.state.lock();
        if state.saves.len() >= SAVES_REMEMBERED_MAX {
            state.saves.pop_front();
        }
        state.saves.push_back((submission, at));
    }

    /// Milliseconds since the source was saved that a submission began with.
    pub(crate) fn since_save_ms(&self, submission: SubmissionId) -> Option<u64> {
        let state = self.0.state.lock();
        let save = state.saves.iter().find(|save| save.0 == submission);
        save.map(|save| u64::try_from(save.1.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Subscription {
    /// Waits for the next entry. None once no handle on the bulletin is left.
    pub async fn next(&mut self) -> Option<Heard> {
        match self.kept.pop_front() {
            Some(posted) => Some(Heard::Entry(posted)),
            None => heard(self.live.recv().await),
        }
    }

    /// The same for a thread that may wait. Panics in asynchronous code.
    pub fn wait(&mut self) -> Option<Heard> {
        match self.kept.pop_front() {
            Some(posted) => Some(Heard::Entry(posted)),
            None => heard(self.live.blocking_recv()),
        }
    }
}

impl Entry {
    fn shorten(&mut self) {
        match self {
            Self::BuildFailed { text, .. }
            | Self::Refused { text, .. }
            | Self::AwaitingApproval { text, .. }
            | Self::Said { text } => shorten(text),
            Self::Live { changed_functions, .. } => {
                changed_functions.truncate(BULLETIN_FUNCTIONS_MAX);
                changed_functions.iter_mut().for_each(shorten);
            }
            Self::BuildStarted { .. } | Self::Built { .. } => {}
        }
    }
}

fn shorten(text: &mut String) {
    if text.len() > BULLETIN_TEXT_BYTES_MAX {
        let end = text.floor_char_boundary(BULLETIN_TEXT_BYTES_MAX);
        text.truncate(end);
        text.push_str(" [cut]");
    }
}

fn heard(received: Result<Arc<Posted>, broadcast::error::RecvError>) -> Option<Heard> {
    match received {
        Ok(posted) => Some(Heard::Entry(posted)),
        Err(broadcast::error::RecvError::Lagged(count)) => Some(Heard::Lost(count)),
        Err(broadcast::error::RecvError::Closed) => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn said(text: &str) -> Entry {
        Entry::Said { text: text.to_owned() }
    }

    fn number(heard: Option<Heard>) -> u64 {
        match heard {
            Some(Heard::Entry(posted)) => posted.number,
            other => panic!("expected an entry, found {other:?}"),
        }
    }

    #[test]
    fn who_comes_later_reads_what_was_kept_and_goes_on_without_gap() {
        let bulletin = Bulletin::default();
        let count = BULLETIN_KEPT_MAX as u64 + 5;
        for _ in 0..count {
            bulletin.post(said("before"));
        }
        let mut late = bulletin.subscribe();
        bulletin.clone().post(said("after"));
        let numbers: Vec<u64> = (0..=BULLETIN_KEPT_MAX).map(|_| number(late.wait())).collect();
        assert_eq!(numbers, (6..=count + 1).collect::<Vec<u64>>());
        drop(bulletin);
        assert!(late.wait().is_none());
    }

    #[test]
    fn a_slow_reader_is_told_what_it_lost_and_nobody_waits_for_it() {
        let bulletin = Bulletin::default();
        let mut slow = bulletin.subscribe();
        for _ in 0..BULLETIN_QUEUED_MAX + 3 {
            bulletin.post(said("x"));
        }
        assert!(matches!(slow.wait(), Some(Heard::Lost(3))));
        assert_eq!(number(slow.wait()), 4);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let bulletin = Bulletin::default();
        bulletin.post(said(&"ä".repeat(BULLETIN_TEXT_BYTES_MAX)));
        let Some(Heard::Entry(posted)) = bulletin.subscribe().wait() else {
            panic!("expected an entry");
        };
        let Entry::Said { text } = &posted.entry else {
            panic!("expected what was said");
        };
        assert_eq!(text.len(), BULLETIN_TEXT_BYTES_MAX + " [cut]".len());
        assert!(text.ends_with("ä [cut]"));
    }

    #[test]
    fn entries_have_the_documented_form() {
        let live = Entry::Live {
            mod_name: ModName::try_from("arena").unwrap(),
            previous: Some(GenerationId::new(1)),
            generation: GenerationId::new(2),
            changed_functions: vec!["arena::shot::Shot::hits".to_owned()],
            changed_total: 1,
            pause_ns: 1500,
            world: "arena-1".to_owned(),
            since_save_ms: None,
        };
        let json = serde_json::to_string(&live).unwrap();
        assert_eq!(
            json,
            r#"{"event":"live","mod_name":"arena","previous":1,"generation":2,"changed_functions":["arena::shot::Shot::hits"],"changed_total":1,"pause_ns":1500,"world":"arena-1"}"#
        );
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), live);
    }

    #[test]
    fn the_time_since_a_save_is_known_for_its_submission_only() {
        let bulletin = Bulletin::default();
        bulletin.saved(SubmissionId(3), Instant::now());
        assert!(bulletin.since_save_ms(SubmissionId(3)).is_some());
        assert_eq!(bulletin.since_save_ms(SubmissionId(4)), None);
    }
}
