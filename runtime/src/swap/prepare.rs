//! The preparing thread: takes submissions one after the other and makes generations of their candidates.
//!
//! Only this thread knows the linker's residents, so they need no lock. All candidates of a submission are
//! judged before any is placed: one that is refused leaves no trace of the others.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use crossbeam_channel::Receiver;
use tickswap_abi::ModName;
use tickswap_linker::{GenerationId, Residents, compare, image, link, verify};

use super::{Fleet, Ledger, PreparedMod, Refusal, SubmissionState, SwapError, change::Generation, fleet::Unsent};
use crate::{
    clock,
    engine::{self, CodeSource, Engine, PreparePool},
    ids::SubmissionId,
    limits::Limits,
    world::Outside,
};

/// How often a full channel is looked at again.
const ROOM_POLL: Duration = Duration::from_millis(5);

/// Custom section in which a mod says what it was built against.
const CONTRACT_SECTION: &str = "tickswap.contract";

/// Candidates that go live together.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) id: SubmissionId,
    pub(crate) candidates: Vec<(ModName, Vec<u8>)>,
}

/// See the module.
pub(crate) struct Preparer {
    engine: Arc<Engine<Outside>>,
    pool: PreparePool,
    fleet: Arc<Fleet>,
    ledger: Arc<Ledger>,
    limits: Limits,
    mods: HashMap<ModName, KnownMod>,
}

#[derive(Default)]
struct KnownMod {
    residents: Residents,
    /// The linker panicked while it worked on the residents.
    is_broken: bool,
}

/// A candidate that may go live.
struct Judged {
    permit: verify::Permit,
    base: Option<GenerationId>,
    file_bytes: usize,
    read_ns: u64,
    compare_ns: u64,
}

type Prepared = Vec<(Arc<Generation>, Vec<Option<GenerationId>>)>;

impl Preparer {
    pub(crate) fn new(
        engine: Arc<Engine<Outside>>,
        pool: PreparePool,
        fleet: Arc<Fleet>,
        ledger: Arc<Ledger>,
        limits: Limits,
    ) -> Self {
        Self { engine, pool, fleet, ledger, limits, mods: HashMap::new() }
    }

    /// Works until nobody can submit any more.
    pub(crate) fn run(mut self, submissions: &Receiver<Submission>) {
        engine::yield_to_ticks();
        for Submission { id, candidates } in submissions {
            self.ledger.set(id, SubmissionState::Preparing);
            // A panic of the linker must not take the thread, and with it all later submissions, along.
            let outcome = catch_unwind(AssertUnwindSafe(|| self.prepare(id, &candidates)));
            match outcome.unwrap_or_else(|panic| Err(self.broken(&candidates, panic.as_ref()))) {
                Ok(prepared) if prepared.is_empty() => {
                    self.ledger.set(id, SubmissionState::Identical);
                }
                Ok(prepared) => {
                    self.announce(id, &prepared);
                    self.engine.keep_compiled();
                }
                Err(reasons) => {
                    for reason in &reasons {
                        tracing::warn!(target: "tickswap", "{id}: {reason}");
                    }
                    self.ledger.set(id, SubmissionState::Refused { reasons });
                }
            }
        }
    }

    fn prepare(
        &mut self,
        submission: SubmissionId,
        candidates: &[(ModName, Vec<u8>)],
    ) -> Result<Prepared, Vec<Refusal>> {
        let mut judged = Vec::new();
        let mut reasons = Vec::new();
        for (name, bytes) in candidates {
            match self.judge(name, bytes) {
                Ok(Some(candidate)) => judged.push((name, candidate)),
                Ok(None) => {}
                Err(error) => reasons.push(error.refusal(name)),
            }
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let mut prepared = Vec::new();
        for (name, candidate) in judged {
            match self.build(submission, name, candidate) {
                Ok(generation) => prepared.push(generation),
                Err(error) => return Err(vec![error.refusal(name)]),
            }
        }
        Ok(prepared)
    }

    /// Reads, compares and judges; `None` for what is active already.
    fn judge(&mut self, name: &ModName, bytes: &[u8]) -> Result<Option<Judged>, SwapError> {
        let known = self.mods.entry(name.clone()).or_default();
        if known.is_broken {
            return Err(SwapError::Broken);
        }
        if bytes.len() > self.limits.candidate_bytes {
            return Err(SwapError::TooLarge { found: bytes.len(), limit: self.limits.candidate_bytes });
        }
        let began = clock::now();
        let image = image::read(bytes)?;
        let read_ns = clock::nanos_since(began);
        let signatures = self.engine.signatures();
        let section = image.custom_section(CONTRACT_SECTION).ok_or(SwapError::NoContract)?;
        let declared = signatures.contract().check_section(section)?;
        let unfit = engine::check_functions(signatures, image.exports(), image.imports(), &declared);
        if !unfit.is_empty() {
            return Err(SwapError::Functions(unfit));
        }
        let began = clock::now();
        let base = self.fleet.current(name);
        let comparison = compare::compare(&known.residents, base, image);
        if comparison.is_identical() {
            return Ok(None);
        }
        let permit = verify::judge(comparison).permit()?;
        Ok(Some(Judged { permit, base, file_bytes: bytes.len(), read_ns, compare_ns: clock::nanos_since(began) }))
    }

    /// Places and compiles.
    fn build(
        &mut self,
        submission: SubmissionId,
        name: &ModName,
        candidate: Judged,
    ) -> Result<(Arc<Generation>, Vec<Option<GenerationId>>), SwapError> {
        let known = self.mods.entry(name.clone()).or_default();
        let began = clock::now();
        let linked = link::place(&mut known.residents, candidate.permit)?;
        let link_ns = clock::nanos_since(began);
        let bases = known.residents.bases();
        let mut facts = PreparedMod {
            mod_name: name.clone(),
            generation: linked.generation,
            base: candidate.base,
            changed_functions: linked.report.functions_touched.clone(),
            file_bytes: candidate.file_bytes,
            fresh_bytes: linked.report.fresh_bytes,
            image_end: linked.image_end,
            read_ns: candidate.read_ns,
            compare_ns: candidate.compare_ns,
            link_ns,
            compile_ns: 0,
        };
        let began = clock::now();
        let source = CodeSource::from(linked);
        let compiled = self.pool.install(|| self.engine.compile(source))?;
        facts.compile_ns = clock::nanos_since(began);
        let generation = Generation { submission, compiled, facts };
        Ok((Arc::new(generation), bases))
    }

    /// Sends what is prepared to all worlds, waiting a while for those whose channel is full.
    fn announce(&self, id: SubmissionId, prepared: &Prepared) {
        let deadline: Option<Instant> = clock::now().checked_add(Duration::from_millis(self.limits.world_room_wait_ms));
        loop {
            match self.fleet.announce(id, prepared) {
                Err(Unsent::Busy(_)) if deadline.is_some_and(|deadline| clock::now() < deadline) => {
                    std::thread::sleep(ROOM_POLL);
                }
                Err(unsent) => {
                    let reason = format!(
                        "nothing was changed: {unsent} (waited {} ms, limit world_room_wait_ms); tick or drop that world",
                        self.limits.world_room_wait_ms
                    );
                    tracing::error!(target: "tickswap", "{id}: {reason}");
                    let reasons = vec![reason];
                    return self.ledger.set(id, SubmissionState::Failed { reasons });
                }
                Ok(()) => return,
            }
        }
    }

    fn broken(&mut self, candidates: &[(ModName, Vec<u8>)], panic: &(dyn std::any::Any + Send)) -> Vec<Refusal> {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        let error = SwapError::Panicked(text.to_owned());
        tracing::error!(target: "tickswap", "{error}");
        let mut refusals = Vec::new();
        for (name, _) in candidates {
            self.mods.entry(name.clone()).or_default().is_broken = true;
            refusals.push(error.refusal(name));
        }
        refusals
    }
}
