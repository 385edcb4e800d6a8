//! A player's body: movement, health, respawn. It knows nothing of other fighters.

use arena_api::{ARENA_HEIGHT, ARENA_WIDTH, Color, Condition, PlayerId, Position};

/// Hit points of an unharmed fighter.
pub(crate) const MAX_HEALTH: u32 = 100;
/// Units per second.
const SPEED: f32 = 220.0;
/// Seconds between two shots.
const RELOAD: f32 = 0.25;
/// Seconds between being put out and being back.
const RESPAWN: f32 = 3.0;

/// Told apart at a glance on a dark floor; players get them in turn.
const COLORS: [u32; 8] = [0xff5d73, 0x4cc9f0, 0xffd166, 0x80ed99, 0xc77dff, 0xff9f5a, 0x5affe0, 0xf78fd8];

pub(crate) struct Fighter {
    pub(crate) name: String,
    pub(crate) color: Color,
    pub(crate) position: Position,
    pub(crate) facing: f32,
    pub(crate) condition: Condition,
    pub(crate) score: u32,
    direction: (f32, f32),
    trigger: bool,
    reload: f32,
}

impl Fighter {
    pub(crate) fn new(player: PlayerId, name: String, position: Position) -> Self {
        Self {
            name,
            color: Color(COLORS[(player.0 % COLORS.len() as u64) as usize]),
            position: inside(position),
            facing: 0.0,
            condition: Condition::Alive { health: MAX_HEALTH },
            score: 0,
            direction: (0.0, 0.0),
            trigger: false,
            reload: 0.0,
        }
    }

    /// Follows the player's controls. Values that are no direction stop the fighter.
    pub(crate) fn steer(&mut self, dx: f32, dy: f32, fire: bool) {
        let length = (dx * dx + dy * dy).sqrt();
        self.direction = match length.is_finite() && length > 0.0 {
            true => (dx / length.max(1.0), dy / length.max(1.0)),
            false => (0.0, 0.0),
        };
        if self.direction != (0.0, 0.0) {
            self.facing = self.direction.1.atan2(self.direction.0);
        }
        self.trigger = fire;
    }

    /// Lets time pass. True if the fighter is due to come back.
    pub(crate) fn advance(&mut self, dt: f32) -> bool {
        self.reload = (self.reload - dt).max(0.0);
        if let Condition::Respawning(seconds) = &mut self.condition {
            *seconds -= dt;
            return *seconds <= 0.0;
        }
        self.position = inside(Position {
            x: self.position.x + self.direction.0 * SPEED * dt,
            y: self.position.y + self.direction.1 * SPEED * dt,
        });
        false
    }

    pub(crate) fn revive(&mut self, position: Position) {
        self.position = inside(position);
        self.condition = Condition::Alive { health: MAX_HEALTH };
    }

    /// Whether a shot leaves now; it then takes time until the next one.
    pub(crate) fn takes_a_shot(&mut self) -> bool {
        let ready = self.trigger && self.reload <= 0.0 && self.is_alive();
        if ready {
            self.reload = RELOAD;
        }
        ready
    }

    /// Takes damage. True if that put the fighter out.
    pub(crate) fn wound(&mut self, damage: u32) -> bool {
        match &mut self.condition {
            Condition::Alive { health } if *health > damage => {
                *health -= damage;
                false
            }
            Condition::Alive { .. } => {
                self.condition = Condition::Respawning(RESPAWN);
                true
            }
            Condition::Respawning(_) => false,
        }
    }

    pub(crate) fn heal(&mut self, points: u32) {
        if let Condition::Alive { health } = &mut self.condition {
            *health = (*health + points).min(MAX_HEALTH);
        }
    }

    pub(crate) fn push(&mut self, dx: f32, dy: f32) {
        self.position = inside(Position { x: self.position.x + dx, y: self.position.y + dy });
    }

    pub(crate) fn is_alive(&self) -> bool {
        matches!(self.condition, Condition::Alive { .. })
    }

    pub(crate) fn health(&self) -> u32 {
        match self.condition {
            Condition::Alive { health } => health,
            Condition::Respawning(_) => 0,
        }
    }
}

fn inside(position: Position) -> Position {
    Position { x: position.x.clamp(0.0, ARENA_WIDTH), y: position.y.clamp(0.0, ARENA_HEIGHT) }
}
