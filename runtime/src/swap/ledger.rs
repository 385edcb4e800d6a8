//! How far every submission is, and the log of swaps. The one place where control waits for worlds.
//!
//! Worlds report here after a boundary, and only if the lock is free at that moment; otherwise they report later.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{
    PreparedMod, SubmissionState,
    notices::{Listeners, Notice, NoticeReader},
};
use crate::{
    clock,
    ids::{SubmissionId, WorldId},
    limits::{Limits, SUBMISSIONS_REMEMBERED_MAX},
    world::{Fault, SwapRecord},
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Ledger {
    state: Mutex<State>,
    changed: Condvar,
    log_records: usize,
}

#[derive(Debug, Default)]
struct State {
    last: u64,
    submissions: BTreeMap<SubmissionId, Entry>,
    log: VecDeque<Arc<SwapRecord>>,
    listeners: Listeners,
}

#[derive(Debug)]
struct Entry {
    state: SubmissionState,
    /// Worlds that have not reported yet.
    waiting: BTreeSet<WorldId>,
    worlds_done: usize,
    failures: Vec<String>,
}

/// What a world has to report.
#[derive(Debug)]
pub(crate) enum WorldEvent {
    /// How a submission went there.
    Change { submission: SubmissionId, outcome: Outcome },
    /// A mod trapped.
    Faulted(Arc<Fault>),
}

/// How a change went in one world.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is active.
    Flipped(Arc<SwapRecord>),
    /// It was active before, or a world started with it.
    Started(Arc<SwapRecord>),
    /// It was active, and a fault took it back.
    Returned(Arc<SwapRecord>),
    /// It could not be staged.
    Failed(String),
}

impl Ledger {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), log_records: limits.log_records }
    }

    /// A new number, in state `Queued`.
    pub(crate) fn open(&self) -> SubmissionId {
        let mut state = self.state.lock();
        state.last += 1;
        let id = SubmissionId(state.last);
        let entry =
            Entry { state: SubmissionState::Queued, waiting: BTreeSet::new(), worlds_done: 0, failures: Vec::new() };
        state.submissions.insert(id, entry);
        state.forget_oldest();
        id
    }

    /// Takes back a number that nobody was told.
    pub(crate) fn withdraw(&self, id: SubmissionId) {
        self.state.lock().submissions.remove(&id);
    }

    /// Sets the state of a submission that is not in any world.
    pub(crate) fn set(&self, id: SubmissionId, new: SubmissionState) {
        let mut state = self.state.lock();
        let State { submissions, listeners, .. } = &mut *state;
        if let Some(entry) = submissions.get_mut(&id) {
            entry.state = new;
            listeners.tell(&entry.notice(id));
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A change goes to `worlds`. Called before any of them can report.
    pub(crate) fn staging(&self, id: SubmissionId, mods: Vec<PreparedMod>, worlds: Vec<WorldId>) {
        let mut state = self.state.lock();
        let State { submissions, listeners, .. } = &mut *state;
        if let Some(entry) = submissions.get_mut(&id) {
            entry.state = SubmissionState::Staging { worlds_done: 0, worlds_total: worlds.len(), mods };
            entry.waiting = worlds.into_iter().collect();
            entry.settle();
            listeners.tell(&entry.notice(id));
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Takes a world's reports, if the lock is free. Whether it took them.
    pub(crate) fn try_report(&self, world: WorldId, events: &mut Vec<WorldEvent>) -> bool {
        let Some(mut state) = self.state.try_lock() else {
            return false;
        };
        state.take(world, events, self.log_records);
        drop(state);
        self.changed.notify_all();
        true
    }

    /// A world is no more: takes its last reports, and waits for it no longer.
    pub(crate) fn world_gone(&self, world: WorldId, events: &mut Vec<WorldEvent>) {
        let mut state = self.state.lock();
        state.take(world, events, self.log_records);
        let State { submissions, listeners, .. } = &mut *state;
        for (id, entry) in submissions {
            if entry.waiting.remove(&world) && entry.settle() {
                listeners.tell(&entry.notice(*id));
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A reader of what happens from now on; `None` when there are too many.
    pub(crate) fn listen(&self) -> Option<NoticeReader> {
        self.state.lock().listeners.add()
    }

    /// The state of a submission.
    pub(crate) fn submission(&self, id: SubmissionId) -> SubmissionState {
        self.state.lock().submission(id)
    }

    /// The state of a submission once it is final or waits for approval, or when `timeout` has passed.
    pub(crate) fn wait(&self, id: SubmissionId, timeout: Duration) -> SubmissionState {
        let deadline: Option<Instant> = clock::now().checked_add(timeout);
        let mut state = self.state.lock();
        loop {
            let found = state.submission(id);
            if found.is_settled() {
                return found;
            }
            match deadline {
                Some(deadline) => {
                    if self.changed.wait_until(&mut state, deadline).timed_out() {
                        return state.submission(id);
                    }
                }
                None => self.changed.wait(&mut state),
            }
        }
    }

    /// All submissions that are remembered, oldest first.
    pub(crate) fn submissions(&self) -> Vec<(SubmissionId, SubmissionState)> {
        let state = self.state.lock();
        state.submissions.iter().map(|(id, entry)| (*id, entry.state.clone())).collect()
    }

    /// The log, oldest first. Holds the lock only to copy pointers.
    pub(crate) fn log(&self) -> Vec<Arc<SwapRecord>> {
        self.state.lock().log.iter().cloned().collect()
    }
}

impl State {
    fn submission(&self, id: SubmissionId) -> SubmissionState {
        let entry = self.submissions.get(&id);
        entry.map_or(SubmissionState::Unknown, |entry| entry.state.clone())
    }

    fn take(&mut self, world: WorldId, events: &mut Vec<WorldEvent>, log_records: usize) {
        for event in events.drain(..) {
            let (submission, outcome) = match event {
                WorldEvent::Change { submission, outcome } => (submission, outcome),
                WorldEvent::Faulted(fault) => {
                    self.listeners.tell(&Notice::Faulted(fault));
                    continue;
                }
            };
            let entry = self.submissions.get_mut(&submission);
            let entry = entry.filter(|entry| entry.waiting.contains(&world));
            let (record, ended) = match outcome {
                Outcome::Flipped(record) => (Some(record), entry.and_then(|entry| entry.done(world, submission))),
                Outcome::Started(record) | Outcome::Returned(record) => (Some(record), None),
                Outcome::Failed(reason) => (None, entry.and_then(|entry| entry.failed(world, submission, reason))),
            };
            // A reader hears of the flip first, and then that the submission has ended.
            if let Some(record) = record {
                self.listeners.tell(&Notice::Swapped(record.clone()));
                while self.log.len() >= log_records.max(1) {
                    self.log.pop_front();
                }
                self.log.push_back(record);
            }
            if let Some(ended) = ended {
                self.listeners.tell(&ended);
            }
        }
    }

    fn forget_oldest(&mut self) {
        while self.submissions.len() > SUBMISSIONS_REMEMBERED_MAX {
            let finished = self.submissions.iter().find(|(_, entry)| entry.state.is_final());
            let Some(id) = finished.map(|(id, _)| *id) else {
                break;
            };
            self.submissions.remove(&id);
        }
    }
}

impl Entry {
    /// It is active in that world. What there is to tell if that was the last one.
    fn done(&mut self, world: WorldId, id: SubmissionId) -> Option<Notice> {
        self.waiting.remove(&world);
        self.worlds_done += 1;
        self.settle().then(|| self.notice(id))
    }

    /// It could not be staged in that world.
    fn failed(&mut self, world: WorldId, id: SubmissionId, reason: String) -> Option<Notice> {
        self.waiting.remove(&world);
        self.failures.push(reason);
        self.settle().then(|| self.notice(id))
    }

    fn notice(&self, id: SubmissionId) -> Notice {
        Notice::Submission { id, is_final: self.state.is_final() }
    }

    /// Brings the state in line with the worlds that reported. Whether it ended by that.
    fn settle(&mut self) -> bool {
        let SubmissionState::Staging { worlds_done, worlds_total, mods } = &mut self.state else {
            return false;
        };
        *worlds_done = self.worlds_done;
        *worlds_total = self.worlds_done + self.failures.len() + self.waiting.len();
        if !self.waiting.is_empty() {
            return false;
        }
        self.state = if self.failures.is_empty() {
            SubmissionState::Done { worlds: self.worlds_done, mods: std::mem::take(mods) }
        } else {
            SubmissionState::Failed { reasons: std::mem::take(&mut self.failures) }
        };
        true
    }
}
