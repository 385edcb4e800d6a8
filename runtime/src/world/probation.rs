//! How long a new generation has to prove itself, and what a world goes back to if it does not.

use smallvec::SmallVec;
use tickswap_linker::GenerationId;

use super::{Fault, ModSwap};
use crate::{
    ids::SubmissionId,
    limits::{PROBATION_TICKS, PROBATIONS_MAX},
};

/// The probations of one mod in one world, the active generation's last. Empty when it is proved.
#[derive(Debug, Default)]
pub(super) struct Probations(SmallVec<[Probation; 2]>);

/// One generation's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probation {
    /// What brought it. Everything of one submission goes back together.
    pub(super) submission: SubmissionId,
    /// Position of what was active before; `None` for a mod that was new.
    pub(super) before: Option<usize>,
    /// Ticks that still have to go well.
    ticks_left: u32,
}

/// A submission that a fault took back in one world.
#[derive(Debug)]
pub(crate) struct WentBack {
    /// What brought the generations that went.
    pub(crate) submission: SubmissionId,
    /// What is active now, mod by mod.
    pub(crate) mods: Vec<ModSwap>,
    /// Why.
    pub(crate) fault: Fault,
}

impl Probations {
    /// A generation was activated over `before`.
    pub(super) fn begin(&mut self, submission: SubmissionId, before: Option<usize>, ticks: u32) {
        if ticks == 0 {
            self.0.clear();
            return;
        }
        if self.0.len() >= PROBATIONS_MAX {
            self.0.remove(0);
        }
        self.0.push(Probation { submission, before, ticks_left: ticks });
    }

    /// What is active was chosen by somebody who went back: it needs no proof.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The active generation's.
    pub(super) fn current(&self) -> Option<Probation> {
        self.0.last().copied()
    }

    /// The active generation went; the one before it is on the probation it was on.
    pub(super) fn end(&mut self) {
        self.0.pop();
    }

    /// A tick went well. Whether that was the last it took.
    pub(super) fn passed(&mut self) -> bool {
        let Some(current) = self.0.last_mut() else {
            return false;
        };
        current.ticks_left -= 1;
        let is_proved = current.ticks_left == 0;
        if is_proved {
            self.0.clear();
        }
        is_proved
    }
}

const _: () = assert!(PROBATION_TICKS > 0);

/// The change of one mod that goes back.
pub(super) fn swap(
    name: &tickswap_abi::ModName,
    from: Option<GenerationId>,
    to: Option<GenerationId>,
) -> Option<ModSwap> {
    Some(ModSwap { mod_name: name.clone(), from, to: to? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_proved_by_ticks_and_the_one_before_waits_for_its_rest() {
        let mut probations = Probations::default();
        assert!(!probations.passed());
        probations.begin(SubmissionId(1), Some(0), 3);
        assert!(!probations.passed());
        probations.begin(SubmissionId(2), Some(1), 2);
        assert!(!probations.passed());
        probations.end();
        assert_eq!(probations.current().map(|p| (p.submission, p.before)), Some((SubmissionId(1), Some(0))));
        assert!(!probations.passed());
        assert!(probations.passed(), "one tick before, two after");
        assert!(probations.current().is_none());
    }

    #[test]
    fn the_oldest_of_too_many_counts_as_proved() {
        let mut probations = Probations::default();
        (0..20).for_each(|number| probations.begin(SubmissionId(number), Some(0), 5));
        (1..PROBATIONS_MAX).for_each(|_| probations.end());
        assert_eq!(probations.current().map(|p| p.submission), Some(SubmissionId(20 - PROBATIONS_MAX as u64)));
        probations.begin(SubmissionId(30), Some(0), 0);
        assert!(probations.current().is_none());
    }
}
