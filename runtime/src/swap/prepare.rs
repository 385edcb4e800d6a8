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
use tickswap_linker::{
    GenerationId, Residents, compare, image, link,
    verify::{self, Class, Finding, Permit, Report, Verdict},
};

use super::{
    Approval, Approvals, Fleet, Held, Ledger, PreparedMod, Refusal, SubmissionState, SwapError, change::Generation,
    findings, fleet::Unsent,
};
use crate::{
    clock,
    engine::{self, Abandoned, CodeFacts, CodeSource, Engine, PreparePool},
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
    /// Where it has waited for one.
    pub(crate) approval: Option<Approval>,
}

/// See the module.
pub(crate) struct Preparer {
    engine: Arc<Engine<Outside>>,
    pool: PreparePool,
    fleet: Arc<Fleet>,
    ledger: Arc<Ledger>,
    approvals: Arc<Approvals>,
    limits: Limits,
    mods: HashMap<ModName, KnownMod>,
}

#[derive(Default)]
struct KnownMod {
    residents: Residents,
    /// The linker panicked while it worked on the residents.
    is_broken: bool,
}

/// A candidate with its verdict.
struct Judged {
    verdict: Verdict,
    base: Option<GenerationId>,
    file_bytes: usize,
    read_ns: u64,
    compare_ns: u64,
}

/// A candidate that may go live.
struct Permitted {
    permit: Permit,
    report: Report,
    approved_by: Option<String>,
    base: Option<GenerationId>,
    file_bytes: usize,
    read_ns: u64,
    compare_ns: u64,
}

type Prepared = Vec<(Arc<Generation>, Vec<Option<GenerationId>>)>;

/// What preparing a submission came to.
enum Outcome {
    Prepared(Prepared),
    Held(Vec<(ModName, Report)>),
}

/// What judging a submission came to.
enum Judgement<'a> {
    /// All of it may go live.
    Permitted(Vec<(&'a ModName, Permitted)>),
    /// Somebody has to approve it.
    Held(Vec<(ModName, Report)>),
}

impl Preparer {
    pub(crate) fn new(
        engine: Arc<Engine<Outside>>,
        pool: PreparePool,
        fleet: Arc<Fleet>,
        ledger: Arc<Ledger>,
        approvals: Arc<Approvals>,
        limits: Limits,
    ) -> Self {
        Self { engine, pool, fleet, ledger, approvals, limits, mods: HashMap::new() }
    }

    /// Works until nobody can submit any more.
    pub(crate) fn run(mut self, submissions: &Receiver<Submission>) {
        engine::yield_to_ticks();
        for Submission { id, candidates, approval } in submissions {
            self.ledger.set(id, SubmissionState::Preparing);
            // A panic of the linker must not take the thread, and with it all later submissions, along.
            let work = || self.prepare(id, &candidates, approval.as_ref());
            let outcome = catch_unwind(AssertUnwindSafe(work));
            match outcome.unwrap_or_else(|panic| Err(self.broken(&candidates, panic.as_ref()))) {
                Ok(Outcome::Held(reports)) => {
                    tracing::info!(target: "tickswap", "{id}: waits for approval");
                    self.approvals.hold(id, Held { candidates, reports });
                }
                Ok(Outcome::Prepared(prepared)) if prepared.is_empty() => {
                    self.ledger.set(id, SubmissionState::Identical);
                }
                Ok(Outcome::Prepared(prepared)) => {
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
        approval: Option<&Approval>,
    ) -> Result<Outcome, Vec<Refusal>> {
        let permitted = match self.judge_all(candidates, approval)? {
            Judgement::Permitted(permitted) => permitted,
            Judgement::Held(reports) => return Ok(Outcome::Held(reports)),
        };
        let mut prepared = Vec::new();
        let mut left = (self.limits.compile_ms > 0).then(|| Duration::from_millis(self.limits.compile_ms));
        for (name, candidate) in permitted {
            match self.build(submission, name, candidate, &mut left) {
                Ok(generation) => prepared.push(generation),
                Err(error) => return Err(vec![error.refusal(name, self.limits.report_findings)]),
            }
        }
        Ok(Outcome::Prepared(prepared))
    }

    /// Judges all candidates before any is placed. One that is refused refuses all, one that has to be approved lets all
    /// wait. With an approval, everything is judged anew: against what is resident now, and for what was approved.
    fn judge_all<'a>(
        &mut self,
        candidates: &'a [(ModName, Vec<u8>)],
        approval: Option<&Approval>,
    ) -> Result<Judgement<'a>, Vec<Refusal>> {
        let kept = self.limits.report_findings;
        let mut judged = Vec::new();
        let mut reasons = Vec::new();
        for (name, bytes) in candidates {
            match self.judge(name, bytes) {
                Ok(Some(candidate)) if candidate.verdict.class() > Class::Review => {
                    let refused = candidate.verdict.permit().err();
                    reasons.extend(refused.map(|refusal| SwapError::from(refusal).refusal(name, kept)));
                }
                Ok(Some(candidate)) => judged.push((name, candidate)),
                Ok(None) => {}
                Err(error) => reasons.push(error.refusal(name, kept)),
            }
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        if approval.is_none() && judged.iter().any(|(_, candidate)| candidate.verdict.class() == Class::Review) {
            let reports = judged.iter().map(|(name, candidate)| ((*name).clone(), candidate.verdict.report().clone()));
            return Ok(Judgement::Held(reports.collect()));
        }
        let mut permitted = Vec::new();
        for (name, Judged { verdict, base, file_bytes, read_ns, compare_ns }) in judged {
            let report = verdict.report().clone();
            let needs_approval = verdict.class() == Class::Review;
            let seen = approval.and_then(|approval| {
                let (_, seen) = approval.reports.iter().find(|(of, _)| of == name)?;
                Some((seen, &approval.by))
            });
            let permit = match seen {
                Some((seen, _)) => verdict.approve(seen),
                None => verdict.permit(),
            };
            let approved_by = seen.filter(|_| needs_approval).map(|(_, by)| by.clone());
            match permit {
                Ok(permit) => {
                    let candidate = Permitted { permit, report, approved_by, base, file_bytes, read_ns, compare_ns };
                    permitted.push((name, candidate));
                }
                Err(refusal) => reasons.push(SwapError::from(refusal).refusal(name, kept)),
            }
        }
        if reasons.is_empty() { Ok(Judgement::Permitted(permitted)) } else { Err(reasons) }
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
        let unfit = self.check_contract(&image);
        let known = self.mods.entry(name.clone()).or_default();
        let began = clock::now();
        let base = self.fleet.current(name);
        let comparison = compare::compare(&known.residents, base, image);
        if !unfit.is_empty() {
            // With all else that stands in the way, so that nobody has to submit twice to learn of it.
            let report = verify::judge(comparison).report().with(unfit);
            return Err(SwapError::Contract(Box::new(report)));
        }
        if comparison.is_identical() {
            return Ok(None);
        }
        let verdict = verify::judge(comparison);
        Ok(Some(Judged { verdict, base, file_bytes: bytes.len(), read_ns, compare_ns: clock::nanos_since(began) }))
    }

    /// What of a candidate does not fit the server.
    fn check_contract(&self, image: &image::ModImage) -> Vec<Finding> {
        let signatures = self.engine.signatures();
        let Some(section) = image.custom_section(CONTRACT_SECTION) else { return vec![findings::no_contract()] };
        match signatures.contract().check_section(section) {
            Ok(declared) => {
                let unfit = engine::check_functions(signatures, image.exports(), image.imports(), &declared);
                unfit.iter().map(findings::of_engine).collect()
            }
            Err(mismatch) => findings::of_contract(&mismatch),
        }
    }

    /// Places and compiles. `left` is the time that the submission still has for compiling.
    fn build(
        &mut self,
        submission: SubmissionId,
        name: &ModName,
        candidate: Permitted,
        left: &mut Option<Duration>,
    ) -> Result<(Arc<Generation>, Vec<Option<GenerationId>>), SwapError> {
        let (found, limit) = (self.pool.abandoned(), self.limits.compiles_abandoned.max(1));
        if found >= limit {
            return Err(SwapError::TooManyCompiles { found, limit });
        }
        let known = self.mods.entry(name.clone()).or_default();
        let began = clock::now();
        let linked = link::place(&mut known.residents, candidate.permit)?;
        let link_ns = clock::nanos_since(began);
        let bases = known.residents.bases();
        let mut facts = PreparedMod {
            mod_name: name.clone(),
            generation: linked.generation,
            base: candidate.base,
            report: candidate.report.shortened(self.limits.report_findings),
            approved_by: candidate.approved_by,
            changed_functions: linked.report.functions_touched.clone(),
            file_bytes: candidate.file_bytes,
            fresh_bytes: linked.report.fresh_bytes,
            image_end: linked.image_end,
            read_ns: candidate.read_ns,
            compare_ns: candidate.compare_ns,
            link_ns,
            compile_ns: 0,
            code: CodeFacts::default(),
        };
        let began = clock::now();
        let source = CodeSource::from(linked);
        let engine = self.engine.clone();
        let compiled = self.pool.run(*left, move || engine.compile(source));
        let limit_ms = self.limits.compile_ms;
        let compiled = compiled.map_err(|Abandoned| SwapError::CompileTime { limit_ms })??;
        facts.compile_ns = clock::nanos_since(began);
        facts.code = compiled.code;
        *left = left.map(|left| left.saturating_sub(Duration::from_nanos(facts.compile_ns)));
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
            refusals.push(error.refusal(name, self.limits.report_findings));
        }
        refusals
    }
}
