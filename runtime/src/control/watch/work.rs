//! The watching thread: waits for notices, looks, reads, submits, and tells how submissions end.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, Select, Sender, bounded};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::AccessKind};
use tickswap_abi::ModName;

use super::{
    Listener, WatchError, WatchOptions, WatchReport,
    folder::{self, FolderIdentity},
    pending::{FileFacts, Pending, Reading},
};
use crate::{
    clock,
    control::{Control, ControlError, Event, Events},
    ids::SubmissionId,
    limits::{MODS_PER_SUBMISSION_MAX, WATCH_RETRY_WAIT},
};

/// See the module.
pub(super) struct Work {
    folder: PathBuf,
    control: Control,
    events: Events,
    listener: Listener,
    look_interval: Duration,
    pending: Pending,
    notices: Notices,
    /// What was said last of the folder itself, so that it is said once.
    trouble: Option<String>,
    is_told: bool,
    strange: BTreeMap<PathBuf, String>,
    open: Vec<(SubmissionId, Vec<ModName>)>,
}

/// A mod, its content, and the hash of it.
type ReadFile = (ModName, Vec<u8>, u64);

/// The system's notices of a folder.
struct Notices {
    /// None when they are not wanted, or not to be had.
    watcher: Option<RecommendedWatcher>,
    watched: Option<FolderIdentity>,
    hints: Receiver<()>,
    hint: Sender<()>,
    are_wanted: bool,
}

impl Work {
    pub(super) fn new(
        folder: PathBuf,
        control: Control,
        options: WatchOptions,
        listener: Listener,
    ) -> Result<Self, WatchError> {
        let now = clock::now();
        let mut pending = Pending::new(options.settle);
        options.known.iter().for_each(|(name, hash)| pending.knows(now, name, *hash));
        let (hint, hints) = bounded(1);
        Ok(Self {
            events: control.events()?,
            folder,
            control,
            listener,
            look_interval: options.look_interval,
            pending,
            notices: Notices { watcher: None, watched: None, hints, hint, are_wanted: options.uses_notices },
            trouble: None,
            is_told: false,
            strange: BTreeMap::new(),
            open: Vec::new(),
        })
    }

    /// Watches until the other end of `stopped` is closed.
    pub(super) fn run(mut self, stopped: &Receiver<()>) {
        loop {
            self.look();
            let now = clock::now();
            let until = self.pending.next_look(now).unwrap_or(now + self.look_interval).min(now + self.look_interval);
            loop {
                match self.wait(stopped, until) {
                    Woken::Stopped => return,
                    Woken::Event => self.follow_submissions(),
                    Woken::Look => break,
                }
            }
        }
    }

    fn wait(&self, stopped: &Receiver<()>, until: Instant) -> Woken {
        let mut select = Select::new();
        let stop = select.recv(stopped);
        let event = select.recv(self.events.notices());
        select.recv(&self.notices.hints);
        match select.ready_deadline(until) {
            Ok(ready) if ready == stop => Woken::Stopped,
            Ok(ready) if ready == event => Woken::Event,
            Ok(_) => {
                // Taken before looking: what happens during the look asks for another one.
                let _ = self.notices.hints.try_recv();
                Woken::Look
            }
            Err(_) => Woken::Look,
        }
    }

    fn look(&mut self) {
        match self.notices.follow(&self.folder) {
            Ok(None) => {}
            Ok(Some(reason)) => self.say(WatchReport::Polling { folder: self.folder.clone(), reason }),
            Err(error) => return self.no_folder(&error),
        }
        // Listed after the watch was set, so that nothing falls between the two.
        let found = match folder::look(&self.folder) {
            Ok(found) => found,
            Err(error) => return self.no_folder(&error),
        };
        if self.trouble.take().is_some() || !self.is_told {
            self.is_told = true;
            self.say(WatchReport::Watching { folder: self.folder.clone() });
        }
        for (path, reason) in &found.strange {
            if !self.strange.contains_key(path) {
                self.say(WatchReport::NotAMod { path: path.clone(), reason: reason.clone() });
            }
        }
        self.strange = found.strange;
        self.seen(&found.mods);
        self.submit_due();
    }

    fn seen(&mut self, mods: &BTreeMap<ModName, FileFacts>) {
        for mod_name in self.pending.seen(clock::now(), mods) {
            self.say(WatchReport::Removed { mod_name });
        }
    }

    /// Files of a folder that cannot be listed are not taken for removed: the folder is said to be gone, once.
    fn no_folder(&mut self, error: &std::io::Error) {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "it does not exist (yet)".to_owned(),
            _ => error.to_string(),
        };
        if self.trouble.as_ref() != Some(&reason) {
            self.trouble = Some(reason.clone());
            self.is_told = true;
            self.say(WatchReport::NoFolder { folder: self.folder.clone(), reason });
        }
    }

    fn submit_due(&mut self) {
        let mut files = Vec::new();
        let mut is_unfinished = false;
        for name in self.pending.due(clock::now()) {
            match self.read(&name) {
                Some((Reading::Submit, file)) => files.push(file),
                Some((Reading::Same, _)) => self.say(WatchReport::Same { mod_name: name }),
                Some((Reading::Unfinished, _)) => is_unfinished = true,
                None => {}
            }
        }
        // What is unfinished may belong to the others; they stay due, and do not wait for ever.
        if is_unfinished && !self.pending.is_overdue(clock::now()) {
            return;
        }
        while !files.is_empty() {
            let rest = files.split_off(files.len().min(MODS_PER_SUBMISSION_MAX));
            self.submit(files);
            files = rest;
        }
    }

    fn read(&mut self, name: &ModName) -> Option<(Reading, ReadFile)> {
        let path = self.folder.join(format!("{name}.wasm"));
        match folder::read(&path) {
            Ok((bytes, facts)) => {
                let content = folder::content(&bytes);
                let reading = self.pending.read(clock::now(), name, facts, content);
                Some((reading, (name.clone(), bytes, content.hash)))
            }
            // It has gone since; the next look sees that.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                self.pending.give_up(clock::now(), name);
                self.say(WatchReport::Unreadable { path, reason: error.to_string() });
                None
            }
        }
    }

    fn submit(&mut self, files: Vec<ReadFile>) {
        let mods: Vec<ModName> = files.iter().map(|(name, ..)| name.clone()).collect();
        let hashes: Vec<u64> = files.iter().map(|(.., hash)| *hash).collect();
        let candidates = files.into_iter().map(|(name, bytes, _)| (name, bytes)).collect();
        let now = clock::now();
        match self.control.submit(candidates) {
            Ok(id) => {
                mods.iter().zip(hashes).for_each(|(name, hash)| self.pending.submitted(now, name, hash));
                self.open.push((id, mods.clone()));
                self.say(WatchReport::Submitted { id, mods });
            }
            Err(error) => {
                let is_full = matches!(error, ControlError::QueueFull { .. });
                for name in &mods {
                    match is_full {
                        true => self.pending.put_off(now, name, now + WATCH_RETRY_WAIT),
                        false => self.pending.give_up(now, name),
                    }
                }
                self.say(WatchReport::NotTaken { mods, error });
            }
        }
    }

    /// Tells of the watcher's own submissions that have ended.
    fn follow_submissions(&mut self) {
        while let Some(event) = self.events.try_next() {
            let ended: Vec<SubmissionId> = match event {
                Event::Submission(status) if status.state.is_final() => vec![status.id],
                // An end may be among what is missing.
                Event::Lost { .. } => self.open.iter().map(|(id, _)| *id).collect(),
                _ => continue,
            };
            for id in ended {
                let state = self.control.submission(id);
                let Some(index) = self.open.iter().position(|(open, _)| *open == id && state.is_final()) else {
                    continue;
                };
                let (id, mods) = self.open.swap_remove(index);
                self.say(WatchReport::Ended { id, mods, state });
            }
        }
    }

    fn say(&self, report: WatchReport) {
        (self.listener)(report);
    }
}

enum Woken {
    Stopped,
    Event,
    Look,
}

impl Notices {
    /// Sees to it that the folder which the path leads to now is the one that notices come of. Answers why there are none,
    /// once.
    fn follow(&mut self, folder: &Path) -> std::io::Result<Option<String>> {
        let identity = folder::identity(folder).inspect_err(|_| (self.watcher, self.watched) = (None, None))?;
        if !self.are_wanted || self.watched.as_ref() == Some(&identity) {
            return Ok(None);
        }
        let hint = self.hint.clone();
        let watched = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.as_ref().map_or(true, |event| is_change(event.kind)) {
                // Full means that a look is asked for already.
                let _ = hint.try_send(());
            }
        })
        .and_then(|mut watcher| {
            watcher.watch(&identity.real_path, RecursiveMode::NonRecursive)?;
            Ok(watcher)
        });
        match watched {
            Ok(watcher) => {
                (self.watcher, self.watched) = (Some(watcher), Some(identity));
                Ok(None)
            }
            Err(error) => {
                // The folder may have gone between the two; then the next look says so.
                folder::identity(folder)?;
                self.are_wanted = false;
                Ok(Some(error.to_string()))
            }
        }
    }
}

/// Reading a file is noticed too, and would make the watcher wake itself for ever.
fn is_change(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Access(AccessKind::Read | AccessKind::Open(_) | AccessKind::Close(notify::event::AccessMode::Read))
    )
}
