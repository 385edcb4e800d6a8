//! What a bot that hunts wants to do next: from a frame to controls. No socket, no clock, and its dice are its own.

use arena_api::{ARENA_HEIGHT, ARENA_WIDTH, HazardKind, PlayerId};
use serde::Deserialize;

use crate::protocol::HazardState;

/// From here on it circles its target.
const NEAR: f32 = 230.0;
/// From here on a shot is worth a try.
const RANGE: f32 = 460.0;
/// Nearer to a wall than this it turns back.
const WALL: f32 = 130.0;
/// Below this it looks for healing.
const HURT_BELOW: u32 = 35;
/// Inputs in which it circles, then inputs in which it turns to its target and fires.
const CIRCLE_INPUTS: u32 = 5;
const FIRE_INPUTS: u32 = 3;
/// Units a shot flies while a target moves on by one look of the bot.
const SHOT_REACH_PER_LOOK: f32 = 55.0;

/// See the module.
#[derive(Debug)]
pub(super) struct Hunter {
    dice: u64,
    inputs: u32,
    /// Whom it looked at last, and where they were.
    target: Option<(PlayerId, f32, f32)>,
    controls: (f32, f32, bool),
}

/// As much of a frame as a hunter looks at.
#[derive(Debug, Deserialize)]
struct Seen {
    players: Vec<SeenPlayer>,
    #[serde(default)]
    hazards: Vec<HazardState>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct SeenPlayer {
    id: PlayerId,
    x: f32,
    y: f32,
    health: u32,
}

impl Hunter {
    /// Each number makes another character.
    pub(super) fn new(number: u64) -> Self {
        Self {
            dice: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            inputs: 0,
            target: None,
            controls: Default::default(),
        }
    }

    /// Direction and trigger, from the newest frame if there is one. Without one it goes on as before.
    pub(super) fn controls(&mut self, me: PlayerId, frame: Option<&str>) -> (f32, f32, bool) {
        let seen = frame.and_then(|frame| serde_json::from_str::<Seen>(frame).ok());
        if let Some(seen) = seen {
            self.inputs += 1;
            self.controls = self.look(me, &seen);
        }
        self.controls
    }

    fn look(&mut self, me: PlayerId, seen: &Seen) -> (f32, f32, bool) {
        let Some(own) = seen.players.iter().find(|player| player.id == me).filter(|own| own.health > 0) else {
            return (0.0, 0.0, false);
        };
        let far = |player: &SeenPlayer| (player.x - own.x).hypot(player.y - own.y);
        let others = seen.players.iter().filter(|player| player.id != me && player.health > 0);
        let nearest = others.min_by(|left, right| far(left).total_cmp(&far(right)));
        if own.health < HURT_BELOW
            && let Some(healing) = seen.hazards.iter().find(|hazard| hazard.kind == HazardKind::Heals)
        {
            let (dx, dy) = (healing.x - own.x, healing.y - own.y);
            if dx.hypot(dy) > healing.radius * 0.6 {
                return (dx, dy, nearest.is_some_and(|enemy| far(enemy) < NEAR));
            }
        }
        let Some(enemy) = nearest else {
            return self.wander(own);
        };
        let last = self.target.replace((enemy.id, enemy.x, enemy.y)).filter(|last| last.0 == enemy.id);
        let distance = far(enemy);
        // Where they will be when a shot arrives, if they go on as they do.
        let looks = distance / SHOT_REACH_PER_LOOK;
        let (vx, vy) = last.map_or((0.0, 0.0), |(_, x, y)| (enemy.x - x, enemy.y - y));
        let (dx, dy) = (enemy.x + vx * looks - own.x, enemy.y + vy * looks - own.y);
        let phase = self.inputs % (CIRCLE_INPUTS + FIRE_INPUTS);
        let sway = self.roll() * 0.6 - 0.3;
        match (distance < NEAR, phase < CIRCLE_INPUTS) {
            // Not along a wall: whoever is pushed against one turns back.
            (true, true) if near_wall(own) => self.wander(own),
            // Across the line of fire, the way round that its number says.
            (true, true) if self.dice & 2 == 0 => turned(-dy, dx, sway, false),
            (true, true) => turned(dy, -dx, sway, false),
            (true, false) => (dx, dy, true),
            (false, _) => turned(dx, dy, sway * 0.4, distance < RANGE),
        }
    }

    /// Nobody is there: back towards the middle in a curve.
    fn wander(&mut self, own: &SeenPlayer) -> (f32, f32, bool) {
        let sway = self.roll() * 2.4 - 0.6;
        turned(ARENA_WIDTH / 2.0 - own.x, ARENA_HEIGHT / 2.0 - own.y, sway, false)
    }

    /// From 0 to 1, one step of xorshift (<https://www.jstatsoft.org/v08/i14/paper>).
    fn roll(&mut self) -> f32 {
        // The lowest two bits are the character and stay.
        let mut state = self.dice >> 2 | 1;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.dice = state << 2 | self.dice & 3;
        (state >> 20 & 0xffff) as f32 / 65_536.0
    }
}

fn near_wall(own: &SeenPlayer) -> bool {
    let inside = |value: f32, extent: f32| (WALL..=extent - WALL).contains(&value);
    !(inside(own.x, ARENA_WIDTH) && inside(own.y, ARENA_HEIGHT))
}

/// A direction, turned by that many radians.
fn turned(dx: f32, dy: f32, angle: f32, fire: bool) -> (f32, f32, bool) {
    let (sin, cos) = angle.sin_cos();
    let length = dx.hypot(dy).max(1.0);
    ((dx * cos - dy * sin) / length, (dx * sin + dy * cos) / length, fire)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(players: &[(u64, f32, f32, u32)]) -> String {
        let players = players.iter().map(|(id, x, y, health)| {
            format!(r#"{{"id":{id},"name":"n","x":{x},"y":{y},"facing":0.0,"health":{health},"score":0,"color":0}}"#)
        });
        let players: Vec<String> = players.collect();
        format!(
            r#"{{"type":"frame","tick":1,"players":[{}],"hazards":[{{"kind":"heals","x":800.0,"y":450.0,"radius":60.0}}]}}"#,
            players.join(",")
        )
    }

    #[test]
    fn it_goes_for_the_nearest_who_is_in() {
        let mut hunter = Hunter::new(1);
        let near_and_far =
            frame(&[(1, 100.0, 100.0, 100), (2, 500.0, 100.0, 60), (3, 100.0, 900.0, 60), (4, 90.0, 100.0, 0)]);
        let (dx, dy, fire) = hunter.controls(PlayerId(1), Some(&near_and_far));
        assert!(dx > 0.9 && dy.abs() < 0.3 && fire, "{dx} {dy}");
        assert_eq!(hunter.controls(PlayerId(1), None), (dx, dy, fire));
        assert_eq!(hunter.controls(PlayerId(1), Some("no frame")), (dx, dy, fire));
    }

    #[test]
    fn it_fires_and_circles_in_turn_when_near() {
        let mut hunter = Hunter::new(1);
        let near = frame(&[(1, 400.0, 400.0, 100), (2, 500.0, 400.0, 60)]);
        let looks: Vec<_> = (0..8).map(|_| hunter.controls(PlayerId(1), Some(&near))).collect();
        assert!(looks.iter().any(|look| look.2 && look.0 > 0.9));
        assert!(looks.iter().any(|look| !look.2 && look.0.abs() < 0.5));
    }

    #[test]
    fn hurt_it_looks_for_healing_and_out_it_waits() {
        let mut hunter = Hunter::new(1);
        let hurt = frame(&[(1, 100.0, 450.0, 10), (2, 500.0, 100.0, 60)]);
        let (dx, dy, _) = hunter.controls(PlayerId(1), Some(&hurt));
        assert_eq!((dx, dy), (700.0, 0.0));
        assert_eq!(hunter.controls(PlayerId(1), Some(&frame(&[(1, 0.0, 0.0, 0)]))), (0.0, 0.0, false));
    }
}
