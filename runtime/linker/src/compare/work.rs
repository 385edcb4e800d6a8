//! What comparing may cost beyond what simply grows with the files. Two files can be made so that everything in one has to be
//! held against everything in the other; such loops ask here, and a candidate that is refused its steps is refused.

use super::difference::Difference;
use crate::limits::{COMPARE_STEPS_FACTOR, COMPARE_STEPS_MIN};
use std::cell::Cell;

/// Steps that may still be taken. A step is about a nanosecond: a byte searched or compared.
#[derive(Debug)]
pub(super) struct Work {
    left: Cell<usize>,
    limit: usize,
    is_exhausted: Cell<bool>,
}

/// Steps of putting something into a map, or of looking it up there.
pub(super) const ENTRY: usize = 64;

impl Work {
    /// For a candidate of this size.
    pub(super) fn for_file(bytes: usize) -> Self {
        Self::new(COMPARE_STEPS_MIN.saturating_add(bytes.saturating_mul(COMPARE_STEPS_FACTOR)))
    }

    pub(super) fn new(limit: usize) -> Self {
        Self { left: Cell::new(limit), limit, is_exhausted: Cell::new(false) }
    }

    /// Takes `steps` more. If it may not, the caller stops with whatever answer it has: the candidate is refused anyway.
    pub(super) fn spend(&self, steps: usize) -> bool {
        match self.left.get().checked_sub(steps) {
            Some(left) if !self.is_exhausted.get() => {
                self.left.set(left);
                true
            }
            _ => {
                self.is_exhausted.set(true);
                false
            }
        }
    }

    /// Whether `text` holds `part`; also if that may not be found out any more.
    pub(super) fn contains(&self, text: &str, part: &str) -> bool {
        !self.spend(text.len()) || text.contains(part)
    }

    /// Steps taken so far.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.limit - self.left.get()
    }

    /// What refuses the candidate, if anything was left undone.
    pub(super) fn difference(&self) -> Option<Difference> {
        self.is_exhausted.get().then(|| Difference::LimitReached {
            what: "steps of comparing".into(),
            limit_name: "COMPARE_STEPS_FACTOR".into(),
            limit: self.limit as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_found_out_is_told() {
        let work = Work::new(10);
        assert!(work.contains("abcdef", "cd") && !work.contains("abc", "x"));
        assert!(work.difference().is_none());
        assert_eq!(work.taken(), 9);
        assert!(work.contains("abc", "x"), "the safe answer");
        assert!(!work.spend(1), "exhausted once, exhausted for good");
        assert!(matches!(work.difference(), Some(Difference::LimitReached { limit: 10, .. })));
    }
}
