//! The thread that looks at sources: waits for the system's notices, and hands saves to the builder.

use std::{path::PathBuf, time::Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher, event::AccessKind};

use super::{builder::Request, news::News, saves::Saves, sources::Sources};
use crate::limits::{SAVE_SETTLE, SOURCES_LOOK_INTERVAL};

/// See the module.
pub(super) struct SourceWatch {
    sources: Sources,
    manifests: u64,
    saves: Saves,
    builder: Sender<Request>,
    news: News,
    watcher: Option<RecommendedWatcher>,
    /// What the notices come of: folder and its number, which another folder of that name does not have.
    watched: Vec<(PathBuf, bool, u64)>,
    hint: Sender<()>,
    hints: Receiver<()>,
}

impl SourceWatch {
    /// Watches sources that are built as they are now.
    pub(super) fn new(sources: Sources, builder: Sender<Request>, news: News) -> Self {
        let (hint, hints) = bounded(1);
        let mut saves = Saves::new(SAVE_SETTLE);
        let now = Instant::now();
        sources.look().iter().for_each(|(name, state)| saves.knows(now, name, state.hash));
        let manifests = sources.manifests();
        Self { sources, manifests, saves, builder, news, watcher: None, watched: Vec::new(), hint, hints }
    }

    /// Watches until the other end of `stopped` is closed.
    pub(super) fn run(mut self, stopped: &Receiver<()>) {
        loop {
            self.follow();
            self.look();
            let now = Instant::now();
            let until = self.saves.next_look().unwrap_or(now + SOURCES_LOOK_INTERVAL).min(now + SOURCES_LOOK_INTERVAL);
            select! {
                recv(stopped) -> _ => return,
                recv(self.hints) -> _ => {}
                default(until.saturating_duration_since(now)) => {}
            }
        }
    }

    fn look(&mut self) {
        let manifests = self.sources.manifests();
        if manifests != self.manifests {
            self.manifests = manifests;
            self.find_again();
        }
        for (name, state) in self.sources.look() {
            self.saves.seen(Instant::now(), &name, state.hash, state.saved);
        }
        let saves = self.saves.take_due(Instant::now());
        if !saves.is_empty() {
            // An error says that the builder has ended, and the server with it.
            let _ = self.builder.send(Request::Saved { saves, sources: self.sources.clone() });
        }
    }

    /// Mods may have been added or removed. While a manifest has an error, those that are known go on being watched.
    fn find_again(&mut self) {
        match Sources::find(self.sources.folder()) {
            Ok(sources) => {
                self.manifests = sources.manifests();
                self.sources = sources;
            }
            Err(error) => self.news.failed(&error.to_string()),
        }
    }

    /// Sees to it that notices come of the folders that are there now.
    fn follow(&mut self) {
        let there = self.sources.watched().into_iter();
        let there: Vec<_> =
            there.filter_map(|(path, is_deep)| number(&path).map(|number| (path, is_deep, number))).collect();
        if there == self.watched && self.watcher.is_some() {
            return;
        }
        let hint = self.hint.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.as_ref().map_or(true, |event| is_change(event.kind)) {
                // Full means that a look is asked for already.
                let _ = hint.try_send(());
            }
        });
        let watched = watcher.and_then(|mut watcher| {
            for (path, is_deep, _) in &there {
                let mode = if *is_deep { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
                watcher.watch(path, mode)?;
            }
            Ok(watcher)
        });
        if let Err(error) = &watched
            && self.watched != there
        {
            // Said once for these folders; the look now and then goes on.
            self.news
                .say(&format!("the system gives no notice of saved sources, they are looked at now and then: {error}"));
        }
        (self.watcher, self.watched) = (watched.ok(), there);
    }
}

#[cfg(unix)]
fn number(path: &std::path::Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}

#[cfg(not(unix))]
fn number(path: &std::path::Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|_| 0)
}

/// Reading the sources is noticed too, and would make the thread wake itself for ever.
fn is_change(kind: EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Access(AccessKind::Read | AccessKind::Open(_) | AccessKind::Close(notify::event::AccessMode::Read))
    )
}
