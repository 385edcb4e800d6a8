//! Watches a folder of finished mods and submits what is new or changed there. Building sources is not its business.
//!
//! The system's notices only say when to look; what to do is decided from what a look shows. So it does not matter whether
//! files come by rename, by truncating and writing, or in several steps, and a lost notice costs time only: the folder is
//! also looked at now and then, which finds folders that come and go and files behind symbolic links.

mod folder;
mod pending;
mod report;
mod work;

use std::{path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};

use crossbeam_channel::{Sender, bounded};
use tickswap_abi::ModName;

pub use report::WatchReport;

use super::{Control, ControlError};
use crate::limits::{WATCH_LOOK_INTERVAL, WATCH_SETTLE};

/// Submits mods of a folder for as long as it lives.
///
/// ```no_run
/// # fn runtime() -> tickswap::Runtime { unimplemented!() }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = runtime();
/// use tickswap::{ModsWatcher, WatchOptions};
///
/// let watcher = ModsWatcher::new("mods/built", runtime.control(), WatchOptions::default(), |report| {
///     eprintln!("{report}"); // on the watcher's thread
/// })?;
/// // Tick worlds here. Dropping the watcher ends it.
/// # drop(watcher);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ModsWatcher {
    /// Closing it ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How a folder is watched.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    settle: Duration,
    look_interval: Duration,
    uses_notices: bool,
    known: Vec<(ModName, u64)>,
}

/// Why a folder is not watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The watcher cannot follow what becomes of its submissions.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The system gives no thread.
    #[error("the watching thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
}

impl ModsWatcher {
    /// Watches files named `NAME.wasm` in a folder, which need not be there yet. Those that are there already are submitted
    /// too, except for [`WatchOptions::knows`].
    ///
    /// `listener` hears of everything on the watcher's own thread.
    ///
    /// # Errors
    ///
    /// Too many readers of events, or a system that gives no thread.
    pub fn new(
        folder: impl Into<PathBuf>,
        control: Control,
        options: WatchOptions,
        listener: impl Fn(WatchReport) + Send + 'static,
    ) -> Result<Self, WatchError> {
        let (stop, stopped) = bounded(0);
        let work = work::Work::new(folder.into(), control, options, Box::new(listener))?;
        let thread = std::thread::Builder::new().name("tickswap-watch".to_owned());
        let thread = thread.spawn(move || work.run(&stopped)).map_err(WatchError::Thread)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for ModsWatcher {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id()) {
            // A listener that panicked has said so already.
            let _ = thread.join();
        }
    }
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self { settle: WATCH_SETTLE, look_interval: WATCH_LOOK_INTERVAL, uses_notices: true, known: Vec::new() }
    }
}

impl WatchOptions {
    /// How long nothing may change in the folder before what has changed is submitted, all together.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// Looks at the folder that often and does not ask the system for notices: for folders on a network or in a container,
    /// where there are none.
    #[must_use]
    pub fn polling(mut self, interval: Duration) -> Self {
        (self.look_interval, self.uses_notices) = (interval, false);
        self
    }

    /// These mods run already: finding the same bytes in the folder is no change.
    #[must_use]
    pub fn knows<'a>(mut self, mods: impl IntoIterator<Item = (&'a ModName, &'a [u8])>) -> Self {
        self.known.extend(mods.into_iter().map(|(name, bytes)| (name.clone(), folder::hash(bytes))));
        self
    }
}

/// Hears what the watcher says.
type Listener = Box<dyn Fn(WatchReport) + Send>;

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<ModsWatcher>();
    is_shared::<Arc<WatchOptions>>();
};
