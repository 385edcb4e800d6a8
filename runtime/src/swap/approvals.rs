//! Submissions that wait for somebody's approval, with their files. Few are kept: where one too many comes, the one that has
//! waited longest is dropped, and says so.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tickswap_abi::ModName;
use tickswap_linker::verify::Report;

use super::{Ledger, ModReport, SubmissionState};
use crate::{ids::SubmissionId, limits::Limits};

/// See the module.
#[derive(Debug)]
pub(crate) struct Approvals {
    waiting: Mutex<BTreeMap<SubmissionId, Held>>,
    ledger: Arc<Ledger>,
    count: usize,
    bytes: usize,
    findings: usize,
}

/// A submission that waits.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) candidates: Vec<(ModName, Vec<u8>)>,
    /// What whoever approves has seen.
    pub(crate) reports: Vec<(ModName, Report)>,
}

/// Somebody's leave for what they have seen.
#[derive(Debug)]
pub(crate) struct Approval {
    pub(crate) by: String,
    pub(crate) reports: Vec<(ModName, Report)>,
}

impl Held {
    fn bytes(&self) -> usize {
        self.candidates.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

impl Approvals {
    pub(crate) fn new(ledger: Arc<Ledger>, limits: &Limits) -> Self {
        Self {
            waiting: Mutex::default(),
            ledger,
            count: limits.approvals_waiting,
            bytes: limits.approval_bytes,
            findings: limits.report_findings,
        }
    }

    /// Lets a submission wait, and drops the oldest ones that have no room beside it.
    pub(crate) fn hold(&self, id: SubmissionId, held: Held) {
        let drop_it = |id, limit: &str, value: usize| {
            let reason = format!(
                "no room to let it wait for approval (limit {limit} is {value}); submit it again, and approve or reject what waits"
            );
            self.ledger.set(id, SubmissionState::Dropped { reason });
        };
        let mut waiting = self.waiting.lock();
        if held.bytes() > self.bytes {
            return drop_it(id, "approval_bytes", self.bytes);
        }
        if self.count == 0 {
            return drop_it(id, "approvals_waiting", self.count);
        }
        while waiting.len() >= self.count {
            let Some((oldest, _)) = waiting.pop_first() else { break };
            drop_it(oldest, "approvals_waiting", self.count);
        }
        while waiting.values().map(Held::bytes).sum::<usize>() > self.bytes - held.bytes() {
            let Some((oldest, _)) = waiting.pop_first() else { break };
            drop_it(oldest, "approval_bytes", self.bytes);
        }
        let reports = held.reports.iter().map(|(mod_name, report)| ModReport {
            mod_name: mod_name.clone(),
            report: report.shortened(self.findings),
        });
        let state = SubmissionState::AwaitingApproval { reports: reports.collect() };
        waiting.insert(id, held);
        self.ledger.set(id, state);
    }

    /// Takes a submission out and gives it a new state, if it waits.
    pub(crate) fn take(&self, id: SubmissionId, state: SubmissionState) -> Option<Held> {
        let mut waiting = self.waiting.lock();
        let held = waiting.remove(&id)?;
        self.ledger.set(id, state);
        Some(held)
    }
}
