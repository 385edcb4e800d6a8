//! Whether every input that bots sent was applied exactly once. Pure: compares what both sides counted.

use std::{collections::HashMap, fmt};

use arena_api::{InputTotals, PlayerId};

use crate::bots::BotReport;

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Compares what bots sent with what the rules of all worlds counted, while all bots are still connected.
pub(super) fn inputs(bots: &[BotReport], worlds: &[InputTotals]) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut fail = |words: String| failures.push(Failure::new(words));
    for bot in bots {
        match &bot.disconnected {
            Some(reason) => fail(format!("bot {} lost its connection: {reason}", bot.bot)),
            None if bot.player.is_none() => fail(format!("bot {} never got in", bot.bot)),
            None if bot.acknowledged != bot.sent => {
                fail(format!("bot {} sent {} inputs, {} were acknowledged", bot.bot, bot.sent, bot.acknowledged))
            }
            None => {}
        }
    }
    for (index, totals) in worlds.iter().enumerate() {
        for (count, what) in [
            (totals.duplicated, "came twice"),
            (totals.missing, "are missing"),
            (totals.unknown_player, "came from players who had not joined"),
        ] {
            if count > 0 {
                fail(format!("world {}: {count} inputs {what}", index + 1));
            }
        }
    }
    let sent: u64 = bots.iter().map(|bot| bot.sent).sum();
    let applied: u64 = worlds.iter().map(|totals| totals.applied).sum();
    if sent != applied {
        fail(format!("{sent} inputs were sent, {applied} were applied"));
    }
    let counted = worlds.iter().flat_map(|totals| &totals.players);
    let counted: HashMap<PlayerId, (u64, u64)> =
        counted.map(|inputs| (inputs.player, (inputs.applied, inputs.last_sequence))).collect();
    for bot in bots.iter().filter(|bot| bot.disconnected.is_none()) {
        let Some(player) = bot.player else {
            continue;
        };
        match counted.get(&player) {
            Some(&(applied, last)) if applied == bot.sent && last == bot.sent => {}
            Some((applied, last)) => {
                fail(format!("{player} sent {} inputs, {applied} were applied, the last is number {last}", bot.sent))
            }
            None => fail(format!("{player} is connected, but the rules do not know them")),
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use arena_api::PlayerInputs;

    use super::*;

    fn bot(number: u64, sent: u64) -> BotReport {
        BotReport {
            bot: number as usize,
            player: Some(PlayerId(number)),
            sent,
            acknowledged: sent,
            ..BotReport::default()
        }
    }

    fn totals(players: &[(u64, u64)]) -> InputTotals {
        InputTotals {
            applied: players.iter().map(|player| player.1).sum(),
            players: players
                .iter()
                .map(|&(player, applied)| PlayerInputs { player: PlayerId(player), applied, last_sequence: applied })
                .collect(),
            ..InputTotals::default()
        }
    }

    #[test]
    fn equal_counts_pass() {
        let worlds = [totals(&[(1, 10), (3, 0)]), totals(&[(2, 7)])];
        assert_eq!(inputs(&[bot(1, 10), bot(2, 7), bot(3, 0)], &worlds), []);
    }

    #[test]
    fn a_lost_input_is_seen_also_where_a_doubled_one_makes_up_for_it() {
        let lost = inputs(&[bot(1, 10)], &[totals(&[(1, 9)])]);
        assert_eq!(lost.len(), 2, "{lost:?}");
        let swapped = inputs(&[bot(1, 10), bot(2, 10)], &[totals(&[(1, 9), (2, 11)])]);
        assert_eq!(swapped.len(), 2, "{swapped:?}");
    }

    #[test]
    fn every_kind_of_failure_is_named() {
        let mut totals = totals(&[(1, 10)]);
        (totals.duplicated, totals.missing, totals.unknown_player) = (1, 2, 3);
        let gone = BotReport { disconnected: Some("1008".into()), ..bot(2, 0) };
        let outside = BotReport { bot: 3, ..BotReport::default() };
        let unacknowledged = BotReport { acknowledged: 9, ..bot(1, 10) };
        let failures = inputs(&[unacknowledged, gone, outside, bot(4, 0)], &[totals]);
        let words: Vec<String> = failures.iter().map(ToString::to_string).collect();
        assert_eq!(words.len(), 7, "{words:#?}");
        for part in
            ["9 were acknowledged", "1008", "never got in", "came twice", "missing", "not joined", "do not know"]
        {
            assert!(words.iter().any(|line| line.contains(part)), "{part}: {words:#?}");
        }
    }
}
