//! What a world still owes its mods: events of ticks that left a mod out, or that did not happen. Knows neither sockets nor hooks.
//!
//! A tick whose mod faults runs again without it where there is no earlier code to go back to. The others have heard of the
//! events then, and that one has not: it is told them in the next tick, before anything newer, and alone.

use tickswap::{Fault, FaultOutcome, ModName};

use crate::limits::{OWED_EVENTS_MAX, TICK_TRIES_MAX};

/// See the module.
#[derive(Debug)]
pub(super) struct Owed<E> {
    mods: Vec<(ModName, Vec<E>)>,
    /// How often the batch has been tried in ticks that did not happen.
    tries: u32,
}

impl<E> Default for Owed<E> {
    fn default() -> Self {
        Self { mods: Vec::new(), tries: 0 }
    }
}

impl<E: Clone> Owed<E> {
    /// Events for one mod alone, oldest first; to be told before the batch.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&ModName, &[E])> {
        self.mods.iter().map(|(name, events)| (name, events.as_slice()))
    }

    /// A tick was kept. Whoever took part in it has heard what it was owed; whoever was left out is owed the batch as well.
    /// `is_paused` says who is not called for now.
    pub(super) fn kept(&mut self, batch: &[E], faults: &[Fault], is_paused: impl Fn(&ModName) -> bool) {
        self.tries = 0;
        let was_left_out = |fault: &&Fault| matches!(fault.outcome, FaultOutcome::LeftOut | FaultOutcome::Paused);
        let left_out: Vec<&ModName> = faults.iter().filter(was_left_out).map(|fault| &fault.mod_name).collect();
        self.mods.retain(|(name, _)| left_out.contains(&name) || is_paused(name));
        for name in left_out {
            let position = self.mods.iter().position(|(known, _)| known == name);
            let position = position.unwrap_or_else(|| {
                self.mods.push((name.clone(), Vec::new()));
                self.mods.len() - 1
            });
            let owed = &mut self.mods[position].1;
            let room = OWED_EVENTS_MAX.saturating_sub(owed.len());
            owed.extend(batch.iter().take(room).cloned());
            let lost = batch.len().saturating_sub(room);
            if lost > 0 {
                tracing::error!(mod_name = %name, lost, "events of a tick without the mod are lost (limit OWED_EVENTS_MAX)");
            }
        }
        for fault in faults.iter().filter(|fault| fault.outcome == FaultOutcome::Suspect) {
            // What the mod had heard before it faulted cannot be known, so nothing is told twice.
            let unsure = batch.len();
            tracing::error!(mod_name = %fault.mod_name, unsure, "a mod may not have heard all events of a tick");
        }
    }

    /// A tick did not happen. Whether the same batch is to be tried again.
    pub(super) fn undone(&mut self, batch: &[E]) -> bool {
        self.tries += 1;
        if self.tries < TICK_TRIES_MAX || batch.is_empty() {
            return !batch.is_empty();
        }
        tracing::error!(lost = batch.len(), "events are lost: ticks with them fail (limit TICK_TRIES_MAX)");
        self.tries = 0;
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A fault as worlds tell it; there is no other way to make one.
    fn fault(mod_name: &str, outcome: &str) -> Fault {
        let json = serde_json::json!({
            "mod_name": mod_name, "generation": 1, "world": "w", "tick": 1, "count": 1, "last_tick": 1, "hook": "h",
            "player": null, "message": "m", "backtrace": [], "outcome": outcome,
        });
        serde_json::from_value(json).unwrap()
    }

    fn owed(owed: &Owed<u32>) -> Vec<(String, Vec<u32>)> {
        owed.iter().map(|(name, events)| (name.to_string(), events.to_vec())).collect()
    }

    #[test]
    fn a_mod_that_is_left_out_is_owed_every_tick_until_it_takes_part() {
        let mut events = Owed::default();
        events.kept(&[1, 2], &[fault("arena", "left_out")], |_| false);
        events.kept(&[3], &[fault("arena", "paused"), fault("other", "went_back")], |_| true);
        assert_eq!(owed(&events), [("arena".to_owned(), vec![1, 2, 3])]);
        events.kept(&[4], &[], |_| true);
        assert_eq!(owed(&events), [("arena".to_owned(), vec![1, 2, 3])], "while it is paused nothing more comes");
        events.kept(&[5], &[], |_| false);
        assert_eq!(owed(&events), []);
    }

    #[test]
    fn what_is_owed_is_bounded() {
        let mut events = Owed::default();
        let batch = vec![7; OWED_EVENTS_MAX - 1];
        (0..2).for_each(|_| events.kept(&batch, &[fault("arena", "left_out")], |_| false));
        assert_eq!(owed(&events)[0].1.len(), OWED_EVENTS_MAX);
    }

    #[test]
    fn a_tick_that_does_not_happen_is_tried_again_so_often() {
        let mut events = Owed::default();
        for _ in 0..2 {
            assert!((1..TICK_TRIES_MAX).all(|_| events.undone(&[1])));
            assert!(!events.undone(&[1]), "then its events are given up, in words");
        }
        assert!(!events.undone(&[]), "without events there is nothing to try again");
    }
}
