//! Distributions of what was measured, and which ticks are looked at.

use std::ops::RangeInclusive;

use crate::room::TickSample;

/// Ticks before and after a flip that count as near it.
pub(super) const NEAR_TICKS: usize = 5;

/// The value that `share` (0 to 1) of all values do not exceed, by nearest rank; 0 if there are none. Sorts the values.
pub(super) fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).or(values.last()).copied().unwrap_or(0.0)
}

/// Ticks that were looked at, and those of them that were late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lateness {
    pub(super) ticks: u64,
    pub(super) late: u64,
}

impl Lateness {
    pub(super) fn of<'a>(samples: impl IntoIterator<Item = &'a TickSample>) -> Self {
        samples.into_iter().fold(Self::default(), |sum, sample| Self {
            ticks: sum.ticks + 1,
            late: sum.late + u64::from(sample.is_late),
        })
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { ticks: self.ticks + other.ticks, late: self.late + other.late }
    }
}

/// Positions of samples at which new code became active.
pub(super) fn flips(samples: &[TickSample]) -> Vec<usize> {
    let flips = samples.iter().enumerate().filter(|(_, sample)| sample.flip.is_some());
    flips.map(|(index, _)| index).collect()
}

/// The samples within [`NEAR_TICKS`] of any of these positions, each once.
pub(super) fn near<'a>(samples: &'a [TickSample], positions: &[usize]) -> Vec<&'a TickSample> {
    let mut is_near = vec![false; samples.len()];
    for &position in positions {
        let window: RangeInclusive<usize> = position.saturating_sub(NEAR_TICKS)..=position + NEAR_TICKS;
        for index in window.take_while(|&index| index < samples.len()) {
            is_near[index] = true;
        }
    }
    samples.iter().zip(is_near).filter_map(|(sample, near)| near.then_some(sample)).collect()
}

/// Lateness of one world: near its swaps, and in as many ticks of the baseline, chosen at the same distances from its
/// start as the swaps have from theirs, so that the two can be compared. (A phase with swaps that takes longer than planned
/// starts over in the baseline.)
pub(super) fn compare(baseline: &[TickSample], swaps: &[TickSample]) -> (Lateness, Lateness) {
    let flips = flips(swaps);
    let mirrored: Vec<usize> = flips.iter().map(|flip| flip % baseline.len().max(1)).collect();
    (Lateness::of(near(swaps, &flips)), Lateness::of(near(baseline, &mirrored)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Flip;

    fn ticks(count: usize, late: &[usize], flips: &[usize]) -> Vec<TickSample> {
        let flip = Flip { changes: 1, pause_ns: 1, stage_ns: 1 };
        (0..count)
            .map(|index| TickSample {
                phase: 0,
                is_late: late.contains(&index),
                delay_ns: 0,
                duration_ns: 0,
                flip: flips.contains(&index).then_some(flip),
            })
            .collect()
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut values, 0.5), 50.0);
        assert_eq!(percentile(&mut values, 0.99), 99.0);
        assert_eq!(percentile(&mut values, 1.0), 100.0);
        assert_eq!(percentile(&mut [7.0], 0.5), 7.0);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }

    #[test]
    fn a_tick_is_near_a_swap_within_five_ticks_and_counts_once() {
        let samples = ticks(100, &[0, 4, 5, 15, 16, 26, 27], &[10, 13, 20]);
        let expected = Lateness { ticks: 21, late: 3 };
        assert_eq!(Lateness::of(near(&samples, &flips(&samples))), Lateness { ticks: 21, late: 3 });
        assert_eq!(expected, compare(&ticks(100, &[5, 25, 26], &[]), &samples).0);
        assert_eq!(Lateness { ticks: 21, late: 2 }, compare(&ticks(100, &[5, 25, 26], &[]), &samples).1);
    }

    #[test]
    fn windows_end_where_the_phase_does() {
        let samples = ticks(8, &[], &[0, 7]);
        assert_eq!(Lateness::of(near(&samples, &flips(&samples))).ticks, 8);
        assert_eq!(compare(&ticks(3, &[], &[]), &samples).1.ticks, 3);
    }
}
