//! Development mode: a source that is saved is built, and what was built goes live; what goes wrong is said in the terminal and
//! to all clients, and what runs goes on.
//!
//! `source_watch` notices saves (`saves` decides which, `sources` reads them), `builder` builds them into the folder of
//! finished mods, and the runtime's own watcher submits what it finds there, whoever built it.

mod builder;
mod journey;
mod news;
mod saves;
mod source_watch;
mod sources;
mod submissions;

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;
use tickswap::{Control, ModsWatcher, WatchError, WatchOptions};
use tickswap_build::BuildError;

pub use news::News;

use self::{
    builder::{Builder, Request},
    journey::Journeys,
    source_watch::SourceWatch,
    sources::Sources,
    submissions::Submissions,
};
use crate::{
    limits::BUILT_SETTLE,
    mods::{ModFile, ModsFolder},
};

/// Sources as they are, noted before they are built, so that what is saved during the first build is not missed.
pub struct NotedSources {
    watch: SourceWatch,
    builder: Builder,
    requests: Sender<Request>,
    requested: Receiver<Request>,
    journeys: Arc<Mutex<Journeys>>,
}

/// A running development mode. Dropping it ends it; a build that runs comes to its end without effect.
#[derive(Debug)]
pub struct Development {
    _watcher: ModsWatcher,
    /// Closing it ends the thread that watches sources.
    _stop: Option<Sender<()>>,
    builder: Option<Sender<Request>>,
}

/// Why there is no development mode.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevelopmentError {
    /// Cargo does not know the sources.
    #[error(transparent)]
    Sources(#[from] BuildError),
    /// The finished mods are not watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// The system gives no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

impl NotedSources {
    /// Notes the sources of a folder.
    pub fn of(folder: &ModsFolder, news: &News) -> Result<Self, DevelopmentError> {
        let sources = Sources::find(folder.path())?;
        let (requests, requested) = unbounded();
        let journeys = Arc::<Mutex<Journeys>>::default();
        let builder = Builder::new(sources.clone(), folder.built(), news.clone(), Arc::clone(&journeys));
        let watch = SourceWatch::new(sources, requests.clone(), news.clone());
        Ok(Self { watch, builder, requests, requested, journeys })
    }
}

impl std::fmt::Debug for NotedSources {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NotedSources").finish_non_exhaustive()
    }
}

impl Development {
    /// Submits what comes into the folder of finished mods, except for `running`. If sources were noted, builds them
    /// whenever they are saved.
    pub fn start(
        folder: &ModsFolder,
        control: &Control,
        running: &[ModFile],
        noted: Option<NotedSources>,
        news: News,
    ) -> Result<Self, DevelopmentError> {
        let journeys = noted.as_ref().map(|noted| Arc::clone(&noted.journeys)).unwrap_or_default();
        let known = running.iter().map(|(name, bytes)| (name, bytes.as_slice()));
        let options = WatchOptions::default().settle(BUILT_SETTLE).knows(known);
        let submissions = Mutex::new(Submissions::new(control.clone(), news, journeys));
        let hear = move |report| submissions.lock().hear(report);
        let watcher = ModsWatcher::new(folder.built(), control.clone(), options, hear)?;
        let mut development = Self { _watcher: watcher, _stop: None, builder: None };
        if let Some(NotedSources { watch, builder, requests, requested, .. }) = noted {
            let (stop, stopped) = bounded(0);
            let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
                std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(DevelopmentError::Thread)
            };
            // Neither is waited for: a build takes as long as it takes, and the process may end meanwhile.
            spawn("builder", Box::new(move || builder.run(&requested)))?;
            spawn("sources", Box::new(move || watch.run(&stopped)))?;
            (development._stop, development.builder) = (Some(stop), Some(requests));
        }
        Ok(development)
    }

    /// Builds all mods, or one, whether they were changed or not. False if builds are switched off.
    pub fn build(&self, only: Option<&str>) -> bool {
        let request = Request::Wanted { only: only.map(str::to_owned) };
        self.builder.as_ref().is_some_and(|builder| builder.send(request).is_ok())
    }
}
