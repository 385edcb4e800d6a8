//! Who is connected, for those who ask: name and world of each player.

use std::{collections::BTreeMap, sync::Arc};

use arena_api::PlayerId;
use parking_lot::Mutex;

/// All players of a server. Cheap to clone; all clones are one roster. No tick looks at it.
#[derive(Clone, Debug, Default)]
pub struct Roster(Arc<Mutex<BTreeMap<PlayerId, Listed>>>);

/// A player as the roster knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// The world.
    pub world: Arc<str>,
}

/// A player's line in the roster; dropping it strikes it out.
#[derive(Debug)]
pub(crate) struct RosterLine {
    roster: Roster,
    player: PlayerId,
}

impl Roster {
    /// The players in the order in which they came.
    pub fn players(&self) -> Vec<(PlayerId, Listed)> {
        self.0.lock().iter().map(|(player, listed)| (*player, listed.clone())).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lists a player for as long as the line is kept.
    pub(crate) fn enter(&self, player: PlayerId, name: String, world: Arc<str>) -> RosterLine {
        self.0.lock().insert(player, Listed { name, world });
        RosterLine { roster: self.clone(), player }
    }
}

impl Drop for RosterLine {
    fn drop(&mut self) {
        self.roster.0.lock().remove(&self.player);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_are_listed_for_as_long_as_they_are_there() {
        let roster = Roster::default();
        let ada = roster.enter(PlayerId(1), "Ada".to_owned(), "arena-1".into());
        let _bob = roster.enter(PlayerId(2), "Bob".to_owned(), "arena-2".into());
        assert_eq!(roster.len(), 2);
        drop(ada);
        let bob = Listed { name: "Bob".to_owned(), world: "arena-2".into() };
        assert_eq!(roster.players(), [(PlayerId(2), bob)]);
    }
}
