//! Things in the arena that act on fighters by themselves.

use std::collections::HashMap;

use arena_api::{ARENA_HEIGHT, ARENA_WIDTH, HazardKind, HazardView, PlayerId, Position};

use crate::fighter::Fighter;

/// Something that acts on fighters as time passes.
pub(crate) trait Hazard {
    fn update(&mut self, dt: f32, fighters: &mut HashMap<PlayerId, Fighter>);

    /// What players see of it.
    fn view(&self) -> HazardView;
}

/// Heals whoever stands in it, one point at a time.
pub(crate) struct HealingZone {
    centre: Position,
    since_last: f32,
}

impl HealingZone {
    const RADIUS: f32 = 60.0;
    const SECONDS_PER_POINT: f32 = 0.2;

    pub(crate) fn new(x: f32, y: f32) -> Self {
        Self { centre: Position { x, y }, since_last: 0.0 }
    }
}

impl Hazard for HealingZone {
    fn update(&mut self, dt: f32, fighters: &mut HashMap<PlayerId, Fighter>) {
        self.since_last += dt;
        if self.since_last < Self::SECONDS_PER_POINT {
            return;
        }
        self.since_last = 0.0;
        for fighter in fighters.values_mut() {
            if distance(fighter.position, self.centre) <= Self::RADIUS {
                fighter.heal(1);
            }
        }
    }

    fn view(&self) -> HazardView {
        HazardView { kind: HazardKind::Heals, position: self.centre, radius: Self::RADIUS }
    }
}

/// Wanders around the arena and pushes fighters away.
pub(crate) struct Whirlwind {
    angle: f32,
}

impl Whirlwind {
    const RADIUS: f32 = 80.0;
    const PUSH: f32 = 90.0;

    pub(crate) fn new() -> Self {
        Self { angle: 0.0 }
    }

    fn centre(&self) -> Position {
        Position { x: ARENA_WIDTH * (0.5 + 0.4 * self.angle.cos()), y: ARENA_HEIGHT * (0.5 + 0.4 * self.angle.sin()) }
    }
}

impl Hazard for Whirlwind {
    fn update(&mut self, dt: f32, fighters: &mut HashMap<PlayerId, Fighter>) {
        self.angle = (self.angle + dt * 0.3) % std::f32::consts::TAU;
        let centre = self.centre();
        for fighter in fighters.values_mut() {
            let reach = distance(fighter.position, centre);
            if reach > 0.0 && reach < Self::RADIUS {
                let step = Self::PUSH * dt / reach;
                fighter.push((fighter.position.x - centre.x) * step, (fighter.position.y - centre.y) * step);
            }
        }
    }

    fn view(&self) -> HazardView {
        HazardView { kind: HazardKind::Pushes, position: self.centre(), radius: Self::RADIUS }
    }
}

fn distance(left: Position, right: Position) -> f32 {
    ((left.x - right.x).powi(2) + (left.y - right.y).powi(2)).sqrt()
}
