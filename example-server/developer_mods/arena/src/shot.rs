//! A shot in flight.

use arena_api::{ARENA_HEIGHT, ARENA_WIDTH, Color, PlayerId, Position, ShotView};

use crate::fighter::Fighter;

/// Hit points a shot costs before the damage rules.
pub(crate) const DAMAGE: u32 = 20;
/// Units per second.
const SPEED: f32 = 640.0;
/// Distance at which a shot hits a fighter.
const REACH: f32 = 18.0;

pub(crate) struct Shot {
    number: u32,
    pub(crate) owner: PlayerId,
    color: Color,
    position: Position,
    velocity: (f32, f32),
}

impl Shot {
    pub(crate) fn fired_by(owner: PlayerId, fighter: &Fighter, number: u32) -> Self {
        Self {
            number,
            owner,
            color: fighter.color,
            position: fighter.position,
            velocity: (fighter.facing.cos() * SPEED, fighter.facing.sin() * SPEED),
        }
    }

    /// Flies on. False if it has left the arena.
    pub(crate) fn advance(&mut self, dt: f32) -> bool {
        self.position.x += self.velocity.0 * dt;
        self.position.y += self.velocity.1 * dt;
        (0.0..=ARENA_WIDTH).contains(&self.position.x) && (0.0..=ARENA_HEIGHT).contains(&self.position.y)
    }

    pub(crate) fn hits(&self, fighter: &Fighter) -> bool {
        let dx = self.position.x - fighter.position.x;
        let dy = self.position.y - fighter.position.y;
        fighter.is_alive() && dx * dx + dy * dy <= REACH * REACH
    }

    pub(crate) fn view(&self) -> ShotView {
        ShotView { number: self.number, owner: self.owner, position: self.position, color: self.color }
    }
}
