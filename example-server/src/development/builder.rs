//! The thread that builds: one build at a time, at low priority, newest saves next.
//!
//! Whatever is built goes live, also if it was saved anew meanwhile: then the newer one is built after it. A batch of which
//! one mod fails is held back whole, since its mods may belong together; the next build takes all of them up again.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

use crossbeam_channel::Receiver;
use parking_lot::Mutex;
use tickswap_build::{BuildError, BuiltMod};

use super::{
    journey::{Journey, Journeys},
    news::{News, without_colours},
    saves::Save,
    sources::Sources,
};
use crate::bulletin::Entry;

/// What the builder is asked for.
#[derive(Debug)]
pub(super) enum Request {
    /// Sources were saved; they are these now.
    Saved { saves: Vec<Save>, sources: Sources },
    /// Somebody wants mods built, changed or not: one, or all.
    Wanted { only: Option<String> },
}

/// See the module.
pub(super) struct Builder {
    sources: Sources,
    built: PathBuf,
    news: News,
    journeys: Arc<Mutex<Journeys>>,
    /// What is to be built next, and since when: nobody saved what was only wanted.
    wanted: BTreeMap<String, Option<Save>>,
}

impl Builder {
    pub(super) fn new(sources: Sources, built: PathBuf, news: News, journeys: Arc<Mutex<Journeys>>) -> Self {
        Self { sources, built, news, journeys, wanted: BTreeMap::new() }
    }

    /// Builds until nobody can ask any more.
    pub(super) fn run(mut self, requests: &Receiver<Request>) {
        yield_to_ticks();
        while let Ok(request) = requests.recv() {
            self.take(request);
            // What was saved during a build is built once, as it is now.
            requests.try_iter().for_each(|request| self.take(request));
            self.build();
        }
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Saved { saves, sources } => {
                self.sources = sources;
                self.wanted.extend(saves.into_iter().map(|save| (save.mod_name.clone(), Some(save))));
            }
            Request::Wanted { only: Some(name) } if self.sources.get(&name).is_none() => {
                let known = self.sources.names().collect::<Vec<_>>().join(", ");
                self.news.failed(&format!("there is no mod {name:?} to build; there is: {known}"));
            }
            Request::Wanted { only } => {
                let names = self.sources.names().filter(|name| only.as_deref().is_none_or(|only| only == *name));
                for name in names {
                    self.wanted.entry(name.to_owned()).or_insert(None);
                }
            }
        }
    }

    fn build(&mut self) {
        let wanted = std::mem::take(&mut self.wanted);
        let names: Vec<String> = wanted.keys().cloned().collect();
        if names.is_empty() {
            return;
        }
        self.news.say(&format!("building {}", names.join(", ")));
        self.news.post(Entry::BuildStarted { mods: names });
        let mut finished = Vec::new();
        let mut failures = 0;
        for (name, save) in &wanted {
            let began = Instant::now();
            match self.build_one(name) {
                Ok(Some(built)) => {
                    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    let bytes = built.bytes.len() as u64;
                    self.news.post(Entry::Built { mod_name: name.clone(), took_ms, bytes });
                    built.messages.iter().for_each(|message| self.news.say(message.trim_end()));
                    finished.push((began, built, save.clone()));
                }
                // Its sources are gone.
                Ok(None) => {}
                Err(error) => {
                    failures += 1;
                    self.failed(name, &error);
                }
            }
        }
        if failures > 0 {
            if !finished.is_empty() {
                let held: Vec<&str> = finished.iter().map(|(_, built, _)| built.name.as_str()).collect();
                self.news.say(&format!("{} waits for the mod that does not compile", held.join(", ")));
            }
            self.wanted = wanted;
            return;
        }
        self.publish(finished);
    }

    fn build_one(&self, name: &str) -> Result<Option<BuiltMod>, BuildError> {
        let Some(source) = self.sources.get(name).filter(|source| source.manifest_dir.is_dir()) else {
            return Ok(None);
        };
        source.to_build().ansi(self.news.has_colours()).build().map(Some)
    }

    /// All of a batch one right after the other, so that the watcher submits them together.
    fn publish(&self, finished: Vec<(Instant, BuiltMod, Option<Save>)>) {
        for (began, built, save) in finished {
            if let Some(Save { saved, noticed, .. }) = save {
                let journey = Journey { saved, noticed, began, cargo: built.cargo_time, published: Instant::now() };
                self.journeys.lock().insert(built.name.clone(), journey);
            }
            if let Err(error) = built.publish(&self.built) {
                self.journeys.lock().remove(&built.name);
                self.failed(&built.name, &error);
            }
        }
    }

    fn failed(&self, mod_name: &str, error: &BuildError) {
        let text = error.to_string();
        self.news.failed(&text);
        let text = without_colours(&text);
        self.news.post(Entry::BuildFailed { mod_name: mod_name.to_owned(), text });
    }
}

/// Lowers the priority of the calling thread and of what it starts, where the system knows priorities of threads.
fn yield_to_ticks() {
    // On Linux the process call with a thread's number changes that thread alone; cargo inherits it.
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::setpriority_process(Some(rustix::thread::gettid()), crate::limits::BUILD_NICENESS)
    {
        tracing::debug!(%error, "builds keep their priority");
    }
}
