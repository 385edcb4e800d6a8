//! The builder, and wiring. No behaviour of its own.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use crossbeam_channel::bounded;
use tickswap_abi::{Contract, HostFunctions, ModName};

use crate::{
    control::Control,
    engine::{Engine, EngineError, EngineOptions, PreparePool, UndoMechanism},
    limits::Limits,
    swap::{Approvals, Fleet, Ledger, Preparer, start_world},
    world::{Outside, Transactions, World, WorldError, WorldSettings},
};

/// The mods of a process and everything they run on. Cheap to clone; one per process is meant.
#[derive(Clone)]
pub struct Runtime {
    engine: Arc<Engine<Outside>>,
    fleet: Arc<Fleet>,
    ledger: Arc<Ledger>,
    control: Control,
    settings: WorldSettings,
    limits: Limits,
}

impl Runtime {
    /// A runtime with defaults, and no contract yet.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    /// A handle for submitting, activating, going back and looking.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Makes a world and starts it at the current generation of every mod, on the calling thread.
    ///
    /// `host` answers the queries of the contract's host traits: `arena_host::answering(server)` for a trait
    /// `ArenaHost`. Effects are not its business, they come out of ticks.
    ///
    /// # Errors
    ///
    /// A name that is taken or empty, a host trait that nothing answers, or a mod whose start fails.
    pub fn create_world(
        &self,
        name: impl Into<String>,
        host: Vec<Box<dyn HostFunctions>>,
    ) -> Result<World, WorldError> {
        let name: Arc<str> = name.into().into();
        let settings = self.settings.clone();
        start_world(name, host, settings, &self.engine, &self.fleet, &self.ledger, &self.limits)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Runtime").finish_non_exhaustive()
    }
}

/// Settings of a [`Runtime`].
#[derive(Debug)]
pub struct RuntimeBuilder {
    contract: Option<Contract>,
    mod_order: Vec<ModName>,
    transactions: Transactions,
    transactions_of: HashMap<ModName, Transactions>,
    prepare_threads: usize,
    options: EngineOptions,
    limits: Limits,
}

impl Default for RuntimeBuilder {
    fn default() -> Self {
        // One thread fewer than there are processors leaves one to the ticks.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            contract: None,
            mod_order: Vec::new(),
            transactions: Transactions::default(),
            transactions_of: HashMap::new(),
            prepare_threads: processors.saturating_sub(1).max(1),
            options: EngineOptions::default(),
            limits: Limits::default(),
        }
    }
}

impl RuntimeBuilder {
    /// What mods offer and may call. Required.
    #[must_use]
    pub fn contract(mut self, contract: Contract) -> Self {
        self.contract = Some(contract);
        self
    }

    /// The order in which hooks are called on several mods. Mods that are not named come after it, by name.
    #[must_use]
    pub fn mod_order(mut self, order: impl IntoIterator<Item = ModName>) -> Self {
        self.mod_order = order.into_iter().collect();
        self
    }

    /// Which ticks of mods can be undone, for mods that have no mode of their own. By default every one.
    #[must_use]
    pub fn transactions(mut self, mode: Transactions) -> Self {
        self.transactions = mode;
        self
    }

    /// Which ticks of one mod can be undone. A tick that calls a mod that cannot be undone cannot run again as a whole, so
    /// a fault in it pauses the mod that faulted.
    #[must_use]
    pub fn transactions_of(mut self, mod_name: ModName, mode: Transactions) -> Self {
        self.transactions_of.insert(mod_name, mode);
        self
    }

    /// Threads that compile, at low priority. By default one fewer than there are processors.
    #[must_use]
    pub fn prepare_threads(mut self, threads: usize) -> Self {
        self.prepare_threads = threads;
        self
    }

    /// Whether faults name source lines for every frame. Off by default: every generation would keep its debug
    /// information in memory. Panics name file and line either way.
    #[must_use]
    pub fn backtrace_lines(mut self, keep: bool) -> Self {
        self.options.backtrace_lines = keep;
        self
    }

    /// How the writes of an undone tick are taken back. By default by write protection where the system has it.
    #[must_use]
    pub fn undo(mut self, mechanism: UndoMechanism) -> Self {
        self.options.undo = mechanism;
        self
    }

    /// A folder to keep compiled code in, of at most so many bytes
    /// ([`CODE_CACHE_BYTES_MAX`](crate::limits::CODE_CACHE_BYTES_MAX) is a good bound). A server that starts again takes its
    /// mods' machine code from there. Several servers may share it. What is in it is sealed with a key that lies in it as
    /// well, so the folder should belong to the server's user alone.
    #[must_use]
    pub fn code_cache(mut self, folder: impl Into<PathBuf>, bytes_max: u64) -> Self {
        self.options.code_cache = Some((folder.into(), bytes_max));
        self
    }

    /// Limits other than the defaults.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets everything up and starts the preparing thread.
    ///
    /// # Errors
    ///
    /// No contract, a contract that cannot be served, a limit out of range, or a system that gives no threads.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let contract = self.contract.ok_or(BuildError::NoContract)?;
        let limits = self.limits;
        let engine = Arc::new(Engine::new(contract, &limits, self.options)?);
        let ledger = Arc::new(Ledger::new(&limits));
        let fleet = Arc::new(Fleet::new(ledger.clone(), &limits));
        let (submissions, queue) = bounded(limits.submissions_queued.max(1));
        let pool = PreparePool::new(self.prepare_threads)?;
        let approvals = Arc::new(Approvals::new(ledger.clone(), &limits));
        let preparer =
            Preparer::new(engine.clone(), pool, fleet.clone(), ledger.clone(), approvals.clone(), limits.clone());
        std::thread::Builder::new()
            .name("tickswap-prepare".to_owned())
            .spawn(move || preparer.run(&queue))
            .map_err(BuildError::Thread)?;
        Ok(Runtime {
            engine,
            control: Control::new(submissions, fleet.clone(), ledger.clone(), approvals),
            fleet,
            ledger,
            settings: WorldSettings {
                order: self.mod_order.into(),
                transactions: self.transactions,
                transactions_of: Arc::new(self.transactions_of),
                probation_ticks: limits.probation_ticks,
                faults_in_a_row: limits.faults_in_a_row,
            },
            limits,
        })
    }
}

/// Why a runtime cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The builder was given no contract.
    #[error("a runtime needs the contract that its mods are built against: call `contract` on the builder")]
    NoContract,
    /// The engine cannot be set up as asked.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The system gives no thread to prepare on.
    #[error("the preparing thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
}

const _: () = {
    const fn is_shared<T: Clone + Send + Sync>() {}
    is_shared::<Runtime>();
};
