//! Which files are due: what was seen of a folder, and when, in; what to read and to submit, out.
//!
//! No files, no threads and no clock live here, so that every order of events can be tested.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

use tickswap_abi::ModName;

use crate::limits::{WATCH_BURST_WAIT_MAX, WATCH_INCOMPLETE_WAIT_MAX};

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileFacts {
    pub(super) bytes: u64,
    pub(super) modified: Option<SystemTime>,
    /// Where the system has them: the file's number, and when anything of it changed, in nanoseconds.
    pub(super) inode: u64,
    pub(super) changed_ns: i128,
}

/// What reading a file showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) hash: u64,
    /// Whether the module's sections end where the file ends.
    pub(super) is_complete: bool,
}

/// What is to be done with a file that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Submit it, then say so by [`Pending::submitted`].
    Submit,
    /// The bytes that were submitted last.
    Same,
    /// Somebody still writes it; it will be due again.
    Unfinished,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pending {
    settle: Duration,
    files: BTreeMap<ModName, Known>,
}

#[derive(Debug)]
struct Known {
    /// `None` once the file is gone.
    facts: Option<FileFacts>,
    /// When the facts were last seen to change.
    changed: Instant,
    /// When the first change was seen that is not dealt with.
    dirty_since: Option<Instant>,
    missing_since: Option<Instant>,
    not_before: Instant,
    /// Of what was submitted last.
    hash: Option<u64>,
}

impl Pending {
    pub(super) fn new(settle: Duration) -> Self {
        Self { settle, files: BTreeMap::new() }
    }

    /// These bytes of a mod are known to the server: finding them again is no change.
    pub(super) fn knows(&mut self, now: Instant, name: &ModName, hash: u64) {
        self.file(now, name).hash = Some(hash);
    }

    /// What a look at the folder showed, all files together. Answers the mods whose file is gone for good.
    pub(super) fn seen(&mut self, now: Instant, files: &BTreeMap<ModName, FileFacts>) -> Vec<ModName> {
        for (name, facts) in files {
            let known = self.file(now, name);
            known.missing_since = None;
            if known.facts != Some(*facts) {
                known.facts = Some(*facts);
                known.changed = now;
                known.dirty_since.get_or_insert(now);
            }
        }
        let mut removed = Vec::new();
        for (name, known) in &mut self.files {
            if files.contains_key(name) || known.facts.is_none() {
                continue;
            }
            // An editor may remove a file only to write it anew.
            let since = *known.missing_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= self.settle {
                (known.facts, known.dirty_since, known.missing_since) = (None, None, None);
                removed.push(name.clone());
            }
        }
        removed
    }

    /// The mods whose files shall be read now and submitted together: everything that changed, once nothing has changed for
    /// the settle time. A file that never rests holds up the others only for a while.
    pub(super) fn due(&self, now: Instant) -> Vec<ModName> {
        let (quiet, restless): (Vec<_>, Vec<_>) = self.dirty().partition(|(_, known)| self.rests_at(known) <= now);
        if !restless.is_empty() && !self.is_overdue(now) {
            return Vec::new();
        }
        quiet.into_iter().map(|(name, _)| name.clone()).collect()
    }

    /// Whether a change has waited so long that it no longer waits for others.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.dirty().filter_map(|(_, known)| known.dirty_since).any(|since| since + WATCH_BURST_WAIT_MAX <= now)
    }

    /// When something may be due, or may turn out to be gone, that is not yet.
    pub(super) fn next_look(&self, now: Instant) -> Option<Instant> {
        let rest = self.dirty().map(|(_, known)| self.rests_at(known));
        let overdue = self.dirty().filter_map(|(_, known)| Some(known.dirty_since? + WATCH_BURST_WAIT_MAX));
        let gone = self.files.values().filter_map(|known| Some(known.missing_since? + self.settle));
        rest.chain(overdue).chain(gone).filter(|at| *at > now).min()
    }

    /// A due file was read; `facts` are from after the reading.
    pub(super) fn read(&mut self, now: Instant, name: &ModName, facts: FileFacts, content: Content) -> Reading {
        let settle = self.settle;
        let known = self.file(now, name);
        if known.facts != Some(facts) {
            (known.facts, known.changed) = (Some(facts), now);
            return Reading::Unfinished;
        }
        if known.hash == Some(content.hash) {
            known.dirty_since = None;
            return Reading::Same;
        }
        // A writer may pause longer than the settle time. In the end the runtime says what is wrong with the file.
        if !content.is_complete && now.saturating_duration_since(known.changed) < WATCH_INCOMPLETE_WAIT_MAX {
            known.not_before = now + settle;
            return Reading::Unfinished;
        }
        Reading::Submit
    }

    /// A file's content was submitted.
    pub(super) fn submitted(&mut self, now: Instant, name: &ModName, hash: u64) {
        let known = self.file(now, name);
        (known.hash, known.dirty_since) = (Some(hash), None);
    }

    /// A file cannot be read or submitted as it is: nothing is done until it changes.
    pub(super) fn give_up(&mut self, now: Instant, name: &ModName) {
        self.file(now, name).dirty_since = None;
    }

    /// A file cannot be submitted now, but may be later.
    pub(super) fn put_off(&mut self, now: Instant, name: &ModName, until: Instant) {
        self.file(now, name).not_before = until;
    }

    fn dirty(&self) -> impl Iterator<Item = (&ModName, &Known)> {
        self.files.iter().filter(|(_, known)| known.dirty_since.is_some() && known.missing_since.is_none())
    }

    fn rests_at(&self, known: &Known) -> Instant {
        (known.changed + self.settle).max(known.not_before)
    }

    fn file(&mut self, now: Instant, name: &ModName) -> &mut Known {
        self.files.entry(name.clone()).or_insert_with(|| Known {
            facts: None,
            changed: now,
            dirty_since: None,
            missing_since: None,
            not_before: now,
            hash: None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SETTLE: Duration = Duration::from_millis(100);

    /// A folder whose time is what the test says.
    struct Folder {
        began: Instant,
        pending: Pending,
        files: BTreeMap<ModName, FileFacts>,
    }

    fn named(name: &str) -> ModName {
        ModName::try_from(name).unwrap()
    }

    fn facts(bytes: u64) -> FileFacts {
        FileFacts { bytes, modified: None, inode: 1, changed_ns: 0 }
    }

    fn whole(hash: u64) -> Content {
        Content { hash, is_complete: true }
    }

    impl Folder {
        fn new() -> Self {
            Self { began: Instant::now(), pending: Pending::new(SETTLE), files: BTreeMap::new() }
        }

        fn at(&self, milliseconds: u64) -> Instant {
            self.began + Duration::from_millis(milliseconds)
        }

        /// A file has that many bytes from now on; none for one that is removed.
        fn set(&mut self, at: u64, name: &str, bytes: Option<u64>) -> Vec<ModName> {
            match bytes {
                Some(bytes) => self.files.insert(named(name), facts(bytes)),
                None => self.files.remove(&named(name)),
            };
            self.look(at)
        }

        fn look(&mut self, at: u64) -> Vec<ModName> {
            let now = self.at(at);
            self.pending.seen(now, &self.files)
        }

        fn due(&self, at: u64) -> Vec<String> {
            self.pending.due(self.at(at)).iter().map(ToString::to_string).collect()
        }

        fn read(&mut self, at: u64, name: &str, bytes: u64, content: Content) -> Reading {
            let now = self.at(at);
            let reading = self.pending.read(now, &named(name), facts(bytes), content);
            if reading == Reading::Submit {
                self.pending.submitted(now, &named(name), content.hash);
            }
            reading
        }

        fn next(&self, at: u64) -> Option<u128> {
            let next = self.pending.next_look(self.at(at))?;
            Some(next.duration_since(self.began).as_millis())
        }
    }

    #[test]
    fn a_file_is_due_once_it_rests() {
        let mut folder = Folder::new();
        folder.set(0, "arena", Some(10));
        assert_eq!((folder.due(0), folder.next(0)), (vec![], Some(100)));
        folder.set(60, "arena", Some(20));
        assert_eq!((folder.due(100), folder.next(100)), (vec![], Some(160)), "it grew, so the time begins anew");
        assert_eq!(folder.due(160), ["arena"]);
        assert_eq!(folder.read(160, "arena", 20, whole(7)), Reading::Submit);
        assert_eq!((folder.due(500), folder.next(500)), (vec![], None));
    }

    #[test]
    fn a_burst_goes_together_and_stragglers_do_not_hold_it_up_for_ever() {
        let mut folder = Folder::new();
        folder.set(0, "arena", Some(10));
        folder.set(90, "score", Some(10));
        assert_eq!(folder.due(120), [""; 0], "score may belong to it");
        assert_eq!(folder.due(190), ["arena", "score"]);
        let wait = WATCH_BURST_WAIT_MAX.as_millis() as u64;
        for at in (190..wait).step_by(50) {
            folder.set(at, "score", Some(at));
            assert_eq!(folder.due(at), [""; 0]);
        }
        folder.set(wait, "score", Some(wait));
        assert_eq!(folder.due(wait), ["arena"], "score never rests");
    }

    #[test]
    fn the_same_bytes_again_do_nothing() {
        let mut folder = Folder::new();
        let now = folder.at(0);
        folder.pending.knows(now, &named("arena"), 7);
        folder.set(0, "arena", Some(10));
        assert_eq!(folder.read(100, "arena", 10, whole(7)), Reading::Same, "the server was started with it");
        folder.set(200, "arena", Some(11));
        assert_eq!(folder.read(300, "arena", 11, whole(8)), Reading::Submit);
        folder.set(400, "arena", None);
        folder.set(420, "arena", Some(11));
        folder.look(600);
        assert_eq!(folder.due(600), [""; 0], "removed and written anew with the same facts");
        folder.set(700, "arena", Some(12));
        assert_eq!(folder.read(800, "arena", 12, whole(8)), Reading::Same);
        assert_eq!(folder.due(2000), [""; 0]);
        folder.set(2100, "arena", Some(10));
        assert_eq!(folder.read(2200, "arena", 10, whole(7)), Reading::Submit, "back to older bytes is a change");
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again() {
        let mut folder = Folder::new();
        folder.set(0, "arena", Some(10));
        assert_eq!(folder.read(100, "arena", 12, whole(1)), Reading::Unfinished);
        assert_eq!((folder.due(150), folder.next(150)), (vec![], Some(200)));
        assert_eq!(folder.due(200), ["arena"]);
        assert_eq!(folder.read(200, "arena", 12, whole(2)), Reading::Submit);
    }

    #[test]
    fn half_a_module_is_waited_for_but_not_for_ever() {
        let half = Content { hash: 1, is_complete: false };
        let mut folder = Folder::new();
        folder.set(0, "arena", Some(5));
        assert_eq!(folder.read(100, "arena", 5, half), Reading::Unfinished);
        assert_eq!((folder.due(150), folder.due(200)), (vec![], vec!["arena".to_owned()]));
        folder.set(250, "arena", Some(10));
        assert_eq!(folder.read(350, "arena", 10, whole(2)), Reading::Submit);
        folder.set(400, "arena", Some(5));
        let wait = WATCH_INCOMPLETE_WAIT_MAX.as_millis() as u64;
        assert_eq!(folder.read(399 + wait, "arena", 5, half), Reading::Unfinished);
        assert_eq!(folder.read(400 + wait, "arena", 5, half), Reading::Submit, "the runtime says what is wrong");
    }

    #[test]
    fn a_removed_file_is_told_once_and_only_if_it_stays_away() {
        let mut folder = Folder::new();
        folder.set(0, "arena", Some(10));
        assert_eq!(folder.read(100, "arena", 10, whole(1)), Reading::Submit);
        assert!(folder.set(200, "arena", None).is_empty());
        assert_eq!(folder.next(200), Some(300));
        assert_eq!(folder.look(300), [named("arena")]);
        assert_eq!((folder.look(400), folder.next(400)), (vec![], None));
        folder.set(500, "arena", Some(10));
        assert_eq!(folder.due(600), ["arena"]);
        assert_eq!(folder.read(600, "arena", 10, whole(1)), Reading::Same);
        // Removed before it was ever read.
        folder.set(700, "score", Some(10));
        folder.set(710, "score", None);
        assert_eq!(folder.due(800), [""; 0]);
        assert_eq!(folder.look(810), [named("score")]);
    }

    #[test]
    fn what_is_put_off_comes_again_and_what_is_given_up_does_not() {
        let mut folder = Folder::new();
        folder.set(0, "arena", Some(10));
        let (now, later) = (folder.at(100), folder.at(900));
        folder.pending.put_off(now, &named("arena"), later);
        assert_eq!((folder.due(899), folder.due(900)), (vec![], vec!["arena".to_owned()]));
        folder.pending.give_up(later, &named("arena"));
        assert_eq!((folder.due(5000), folder.next(5000)), (vec![], None));
        folder.set(5000, "arena", Some(11));
        assert_eq!(folder.due(5100), ["arena"]);
    }
}
