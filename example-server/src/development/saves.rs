//! Which mods have to be built: what was seen of their sources, and when, in; what rests and differs from what was built, out.
//!
//! No files, no threads and no clock live here, so that every order of saves can be tested.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// A mod whose sources were changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Save {
    pub(super) mod_name: String,
    /// When the sources were saved, as the file's time says.
    pub(super) saved: Instant,
    /// When that was noticed.
    pub(super) noticed: Instant,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Saves {
    settle: Duration,
    mods: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    /// Of the sources that were taken to be built last.
    taken: Option<u64>,
    /// Of the sources as they were seen last.
    seen: u64,
    saved: Instant,
    changed: Instant,
    /// When they first were another than those that were taken.
    noticed: Instant,
}

impl Saves {
    pub(super) fn new(settle: Duration) -> Self {
        Self { settle, mods: BTreeMap::new() }
    }

    /// These sources are built already, or are being built.
    pub(super) fn knows(&mut self, now: Instant, mod_name: &str, hash: u64) {
        let known = Known { taken: Some(hash), seen: hash, saved: now, changed: now, noticed: now };
        self.mods.insert(mod_name.to_owned(), known);
    }

    /// What a look at a mod's sources showed. A mod that was never seen is to be built.
    pub(super) fn seen(&mut self, now: Instant, mod_name: &str, hash: u64, saved: Instant) {
        let Some(known) = self.mods.get_mut(mod_name) else {
            let known = Known { taken: None, seen: hash, saved, changed: now, noticed: now };
            self.mods.insert(mod_name.to_owned(), known);
            return;
        };
        if known.seen == hash {
            return;
        }
        if known.taken == Some(known.seen) {
            known.noticed = now;
        }
        (known.seen, known.saved, known.changed) = (hash, saved, now);
    }

    /// The mods that shall be built now: everything that changed, once nothing has changed for the settle time. They count as
    /// taken from now on.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Save> {
        let mut dirty: Vec<_> = self.mods.iter_mut().filter(|(_, known)| known.taken != Some(known.seen)).collect();
        if dirty.iter().any(|(_, known)| known.changed + self.settle > now) {
            return Vec::new();
        }
        let take = |(name, known): &mut (&String, &mut Known)| {
            known.taken = Some(known.seen);
            Save { mod_name: name.to_string(), saved: known.saved, noticed: known.noticed }
        };
        dirty.iter_mut().map(take).collect()
    }

    /// When something may be due that is not yet.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let dirty = self.mods.values().filter(|known| known.taken != Some(known.seen));
        dirty.map(|known| known.changed + self.settle).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_millis(25);

    struct Sources {
        began: Instant,
        saves: Saves,
    }

    impl Sources {
        fn new() -> Self {
            let mut sources = Self { began: Instant::now(), saves: Saves::new(SETTLE) };
            sources.saves.knows(sources.at(0), "arena", 1);
            sources.saves.knows(sources.at(0), "score", 1);
            sources
        }

        fn at(&self, milliseconds: u64) -> Instant {
            self.began + Duration::from_millis(milliseconds)
        }

        fn seen(&mut self, at: u64, name: &str, hash: u64) {
            let now = self.at(at);
            self.saves.seen(now, name, hash, now);
        }

        /// Names with the times when they were saved and noticed.
        fn due(&mut self, at: u64) -> Vec<(String, u128, u128)> {
            let now = self.at(at);
            let since = |at: Instant| at.duration_since(self.began).as_millis();
            let due = self.saves.take_due(now).into_iter();
            due.map(|save| (save.mod_name, since(save.saved), since(save.noticed))).collect()
        }
    }

    #[test]
    fn a_save_is_built_once_it_rests_and_only_once() {
        let mut sources = Sources::new();
        assert_eq!(sources.due(1000), []);
        sources.seen(1000, "arena", 2);
        assert_eq!(sources.due(1024), []);
        assert_eq!(sources.saves.next_look(), Some(sources.at(1025)));
        assert_eq!(sources.due(1025), [("arena".to_owned(), 1000, 1000)]);
        sources.seen(1100, "arena", 2);
        assert_eq!((sources.due(2000), sources.saves.next_look()), (vec![], None));
    }

    #[test]
    fn what_is_saved_together_is_built_together_with_the_newest_save() {
        let mut sources = Sources::new();
        sources.seen(1000, "arena", 2);
        sources.seen(1020, "score", 2);
        assert_eq!(sources.due(1025), [], "score may belong to it");
        sources.seen(1040, "arena", 3);
        assert_eq!(sources.due(1064), []);
        assert_eq!(sources.due(1065), [("arena".to_owned(), 1040, 1000), ("score".to_owned(), 1020, 1020)]);
    }

    #[test]
    fn saving_what_is_built_already_does_nothing() {
        let mut sources = Sources::new();
        sources.seen(1000, "arena", 1);
        assert_eq!(sources.due(1100), []);
        // Truncated, and written as it was.
        sources.seen(1200, "arena", 2);
        sources.seen(1210, "arena", 1);
        assert_eq!((sources.due(1300), sources.saves.next_look()), (vec![], None));
    }

    #[test]
    fn a_save_during_a_build_is_built_after_it() {
        let mut sources = Sources::new();
        sources.seen(1000, "arena", 2);
        assert_eq!(sources.due(1100).len(), 1);
        sources.seen(1200, "arena", 3);
        assert_eq!(sources.due(1300), [("arena".to_owned(), 1200, 1200)]);
        sources.seen(1400, "arena", 2);
        assert_eq!(sources.due(1500).len(), 1, "what was built before is a change after something else was");
    }

    #[test]
    fn a_new_mod_is_built() {
        let mut sources = Sources::new();
        sources.seen(1000, "flags", 7);
        assert_eq!(sources.due(1025), [("flags".to_owned(), 1000, 1000)]);
    }
}
