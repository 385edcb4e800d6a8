//! How long a save took to go live, step by step.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use tickswap::{PreparedMod, SwapRecord};

/// The way of one mod from a save to its finished file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journey {
    pub(super) saved: Instant,
    pub(super) noticed: Instant,
    /// When its build began; it may have waited for another one.
    pub(super) began: Instant,
    pub(super) cargo: Duration,
    /// When the finished file lay in its place.
    pub(super) published: Instant,
}

/// Journeys whose file is published and not submitted yet, by mod.
pub(super) type Journeys = HashMap<String, Journey>;

/// What a journey took, from the first save of its submission to the last world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) total: Duration,
    pub(super) cargo: Duration,
    steps: [(&'static str, Duration); 9],
}

impl Times {
    /// `submitted` and `ended` are when the submission of these mods was made and had ended.
    pub(super) fn of(
        journeys: &[Journey],
        submitted: Instant,
        ended: Instant,
        mods: &[PreparedMod],
        swaps: &[SwapRecord],
    ) -> Option<Self> {
        // With several mods the last save counts, and what was done for all of them.
        let last = journeys.iter().max_by_key(|journey| journey.saved)?;
        let began = journeys.iter().map(|journey| journey.began).min()?;
        let published = journeys.iter().map(|journey| journey.published).max()?;
        let sum = |part: fn(&PreparedMod) -> u64| Duration::from_nanos(mods.iter().map(part).sum());
        let longest = |part: fn(&SwapRecord) -> u64| Duration::from_nanos(swaps.iter().map(part).max().unwrap_or(0));
        Some(Self {
            total: ended.saturating_duration_since(last.saved),
            cargo: journeys.iter().map(|journey| journey.cargo).sum(),
            steps: [
                ("noticed", last.noticed.saturating_duration_since(last.saved)),
                ("waited", began.saturating_duration_since(last.noticed)),
                ("built", published.saturating_duration_since(began)),
                ("found", submitted.saturating_duration_since(published)),
                ("read", sum(|prepared| prepared.read_ns)),
                ("compared", sum(|prepared| prepared.compare_ns)),
                ("linked", sum(|prepared| prepared.link_ns)),
                ("compiled", sum(|prepared| prepared.compile_ns)),
                ("staged", longest(|swap| swap.stage_ns)),
            ],
        })
    }

    /// `live 1.9 s after saving, 1.2 s of it cargo`.
    pub(super) fn headline(&self) -> String {
        format!("live {} after saving, {} of it cargo", shown(self.total), shown(self.cargo))
    }

    /// All steps in their order.
    pub(super) fn steps(&self, pause_ns: u64) -> String {
        let steps = self.steps.iter().map(|(name, time)| format!("{name} {}", shown(*time)));
        let flipped = format!("flipped {}", shown(Duration::from_nanos(pause_ns)));
        let all: Vec<String> = steps.chain([flipped]).collect();
        // Two lines fit a terminal where one does not.
        let (until_found, prepared) = all.split_at(4);
        format!("{}\n  {}", until_found.join(", "), prepared.join(", "))
    }
}

fn shown(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_nanos() {
        0..1_000 => format!("{} ns", time.as_nanos()),
        1_000..1_000_000 => format!("{:.0} us", seconds * 1e6),
        1_000_000..1_000_000_000 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_journey_is_told_step_by_step() {
        let zero = Instant::now();
        let at = |milliseconds| zero + Duration::from_millis(milliseconds);
        let journey = Journey {
            saved: at(0),
            noticed: at(30),
            began: at(32),
            cargo: Duration::from_millis(1200),
            published: at(1600),
        };
        let times = Times::of(&[journey], at(1650), at(1900), &[], &[]).unwrap();
        assert_eq!(times.headline(), "live 1.9 s after saving, 1.2 s of it cargo");
        assert_eq!(
            times.steps(1500),
            "noticed 30 ms, waited 2 ms, built 1.6 s, found 50 ms\n  read 0 ns, compared 0 ns, linked 0 ns, compiled 0 ns, staged 0 ns, flipped 2 us"
        );
        assert!(Times::of(&[], at(1), at(2), &[], &[]).is_none());
    }
}
