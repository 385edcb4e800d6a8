//! The messages between server and clients, as `PROTOCOL.md` describes them: JSON texts over a WebSocket.
//!
//! Only their form. When which message is allowed is the business of sessions.

use std::borrow::Cow;

use arena_api::{ARENA_HEIGHT, ARENA_WIDTH, Condition, Frame, HazardKind, Input, PlayerId};
use serde::{Deserialize, Serialize};
use tickswap::GenerationId;

use crate::{
    bulletin::{Entry, Posted},
    limits::NAME_CHARS_MAX,
};

/// The path of the WebSocket.
pub const PLAY: &str = "/play";

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message of a connection.
    Hello {
        /// Cleaned by the server before others see it.
        name: String,
        /// The world to enter; the server chooses if there is none.
        #[serde(default)]
        world: Option<String>,
    },
    /// The first message of a connection that only looks on. A hello may follow.
    Watch {
        /// The world to look at; the server chooses if there is none.
        #[serde(default)]
        world: Option<String>,
    },
    /// Controls.
    Input {
        /// 1 for the first of the connection, then one more each time.
        sequence: u64,
        /// Wanted direction along x, -1 to 1.
        dx: f32,
        /// Wanted direction along y, -1 to 1.
        dy: f32,
        /// Whether the trigger is held.
        #[serde(default)]
        fire: bool,
    },
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage<'a> {
    /// The answer to a hello.
    Welcome {
        /// The player that the client is from now on.
        player: PlayerId,
        /// The player's name as others see it.
        name: Cow<'a, str>,
        /// The world.
        #[serde(flatten)]
        place: Place<'a>,
    },
    /// The answer to a client that only looks on.
    Watching {
        /// The world.
        #[serde(flatten)]
        place: Place<'a>,
    },
    /// The state of the world. Later frames replace earlier ones; a slow client is sent fewer.
    Frame {
        /// The tick that made it.
        tick: u64,
        /// Number of the round, from 1.
        round: u32,
        /// The players, by id.
        players: Vec<PlayerState<'a>>,
        /// The shots in flight.
        shots: Vec<ShotState>,
        /// Things that act on players by themselves.
        hazards: Vec<HazardState>,
    },
    /// How the world does. Later ones replace earlier ones.
    Status(Status<'a>),
    /// All inputs up to this number have been applied by the rules.
    Ack {
        /// The number.
        sequence: u64,
    },
    /// A line of text for every player.
    Notice {
        /// The text.
        text: Cow<'a, str>,
    },
    /// The player's account was credited.
    Award {
        /// Points.
        points: u32,
        /// Points since the player connected.
        total: u64,
    },
    /// Something happened to the code.
    Bulletin {
        /// Counts from 1 for each run of the server.
        number: u64,
        /// Milliseconds since it happened.
        ago_ms: u64,
        /// What happened.
        #[serde(flatten)]
        entry: Cow<'a, Entry>,
    },
}

/// Where a client is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place<'a> {
    /// Another number for each run of the server.
    pub run: u64,
    /// The world.
    pub world: Cow<'a, str>,
    /// Ticks per second.
    pub tick_rate: u32,
    /// Extent of the arena along x.
    pub width: f32,
    /// Extent of the arena along y.
    pub height: f32,
}

/// How a world does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status<'a> {
    /// Its last tick.
    pub tick: u64,
    /// Microseconds of a tick's work, the median of the last seconds.
    pub tick_us: u32,
    /// The same, the 99th of a hundred.
    pub tick_us_p99: u32,
    /// Ticks that began more than half a period after their time.
    pub late: u64,
    /// Ticks that were skipped after stalls.
    pub skipped: u64,
    /// Players who are in.
    pub players: usize,
    /// Its mods in the server's order.
    pub mods: Vec<ModState<'a>>,
    /// What mods show beside the arena.
    pub tables: Vec<TableState<'a>>,
}

/// A mod of a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModState<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// What runs.
    pub generation: Option<GenerationId>,
    /// Why it is not called, if it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Cow<'a, str>>,
}

/// The table of one mod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableState<'a> {
    /// Whose.
    pub mod_name: Cow<'a, str>,
    /// What it tells.
    pub title: Cow<'a, str>,
    /// Its lines, best first.
    pub lines: Vec<TableLine<'a>>,
}

/// One player's line in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableLine<'a> {
    /// Who.
    pub id: PlayerId,
    /// Their name.
    pub name: Cow<'a, str>,
    /// How often they put others out.
    pub knockouts: u32,
    /// How often they were put out.
    pub outs: u32,
    /// Knockouts since they were last put out.
    pub streak: u32,
}

/// One player in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlayerState<'a> {
    /// Who.
    pub id: PlayerId,
    /// Their name.
    pub name: Cow<'a, str>,
    /// From the left edge.
    pub x: f32,
    /// From the upper edge.
    pub y: f32,
    /// Direction they look in, in radians.
    pub facing: f32,
    /// Hit points; 0 while they are out.
    pub health: u32,
    /// Points in this round.
    pub score: u32,
    /// What to paint them with, as `0xRRGGBB`.
    pub color: u32,
}

/// One shot in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShotState {
    /// The same from frame to frame.
    pub id: u32,
    /// Who fired it.
    pub owner: PlayerId,
    /// From the left edge.
    pub x: f32,
    /// From the upper edge.
    pub y: f32,
    /// What to paint it with, as `0xRRGGBB`.
    pub color: u32,
}

/// One hazard in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HazardState {
    /// What it does.
    pub kind: HazardKind,
    /// From the left edge.
    pub x: f32,
    /// From the upper edge.
    pub y: f32,
    /// How far it reaches.
    pub radius: f32,
}

impl<'a> Place<'a> {
    /// A world of the arena.
    pub fn new(run: u64, world: &'a str, tick_rate: u32) -> Self {
        Self { run, world: world.into(), tick_rate, width: ARENA_WIDTH, height: ARENA_HEIGHT }
    }
}

impl<'a> ServerMessage<'a> {
    /// An entry of the bulletin, as old as it is now.
    pub fn bulletin(posted: &'a Posted) -> Self {
        let ago_ms = u64::try_from(posted.at.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self::Bulletin { number: posted.number, ago_ms, entry: Cow::Borrowed(&posted.entry) }
    }

    /// A frame of the rules, in the form that clients see.
    pub fn frame(tick: u64, frame: &'a Frame) -> Self {
        let players = frame.players.iter().map(|view| PlayerState {
            id: view.player,
            name: view.name.as_str().into(),
            x: rounded(view.position.x, 10.0),
            y: rounded(view.position.y, 10.0),
            facing: rounded(view.facing, 100.0),
            health: match view.condition {
                Condition::Alive { health } => health,
                Condition::Respawning(_) => 0,
            },
            score: view.score,
            color: view.color.0,
        });
        let shots = frame.shots.iter().map(|shot| ShotState {
            id: shot.number,
            owner: shot.owner,
            x: rounded(shot.position.x, 10.0),
            y: rounded(shot.position.y, 10.0),
            color: shot.color.0,
        });
        let hazards = frame.hazards.iter().map(|hazard| HazardState {
            kind: hazard.kind,
            x: rounded(hazard.position.x, 10.0),
            y: rounded(hazard.position.y, 10.0),
            radius: hazard.radius,
        });
        Self::Frame {
            tick,
            round: frame.round,
            players: players.collect(),
            shots: shots.collect(),
            hazards: hazards.collect(),
        }
    }

    /// The message as JSON.
    pub fn to_json(&self) -> String {
        // These types have neither maps with odd keys nor a serializer that fails.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl ClientMessage {
    /// Reads a message. The error says what was expected.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("expected a hello or an input: {error}"))
    }

    /// The message as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Controls as the rules get them: directions out of range are brought into it.
pub fn input(sequence: u64, dx: f32, dy: f32, fire: bool) -> Input {
    let direction = |value: f32| if value.is_nan() { 0.0 } else { value.clamp(-1.0, 1.0) };
    Input { sequence, dx: direction(dx), dy: direction(dy), fire }
}

/// A name that can be shown to others: printable characters only, single spaces, a bounded length, never empty.
pub fn clean_name(name: &str) -> String {
    let shown = name.chars().filter(|&c| c == ' ' || !(c.is_control() || is_invisible(c)));
    let shown: String = shown.collect();
    let words: Vec<&str> = shown.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(NAME_CHARS_MAX).collect();
    match name.trim_end() {
        "" => "player".to_owned(),
        name => name.to_owned(),
    }
}

/// Characters that change how their neighbours are shown, or are not shown themselves (Unicode Standard Annex 9 and 31).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Frames are sent often, and nobody sees the hundredth part of a pixel.
fn rounded(value: f32, parts: f32) -> f32 {
    (value * parts).round() / parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arena_api::{Color, HazardView, PlayerView, Position, ShotView};

    use super::*;

    #[test]
    fn messages_have_the_documented_form() {
        let hello = ClientMessage::from_json(r#"{"type":"hello","name":"Ada"}"#).unwrap();
        let name = "Ada".to_owned();
        assert_eq!(hello, ClientMessage::Hello { name, world: None });
        let input = r#"{"type":"input","sequence":3,"dx":0.5,"dy":-1}"#;
        let expected = ClientMessage::Input { sequence: 3, dx: 0.5, dy: -1.0, fire: false };
        assert_eq!(ClientMessage::from_json(input).unwrap(), expected);
        assert_eq!(ServerMessage::Ack { sequence: 7 }.to_json(), r#"{"type":"ack","sequence":7}"#);
        let said = Entry::Said { text: "hello".to_owned() };
        let bulletin = ServerMessage::Bulletin { number: 3, ago_ms: 40, entry: Cow::Owned(said) };
        let json = r#"{"type":"bulletin","number":3,"ago_ms":40,"event":"said","text":"hello"}"#;
        assert_eq!(bulletin.to_json(), json);
        assert_eq!(serde_json::from_str::<ServerMessage<'_>>(json).unwrap(), bulletin);
        let place = Place::new(5, "arena-1", 60);
        let welcome = ServerMessage::Welcome { player: PlayerId(1), name: "Ada".into(), place }.to_json();
        assert_eq!(
            welcome,
            r#"{"type":"welcome","player":1,"name":"Ada","run":5,"world":"arena-1","tick_rate":60,"width":1600.0,"height":900.0}"#
        );
    }

    #[test]
    fn a_frame_shows_rounded_positions() {
        let player = PlayerView {
            player: PlayerId(4),
            name: "Ada".into(),
            position: Position { x: 1.2345, y: 899.99 },
            facing: 1.2345,
            condition: Condition::Respawning(1.0),
            score: 100,
            color: Color(0xff8000),
            acknowledged: 9,
        };
        let position = Position { x: 8.0, y: 0.26 };
        let shot = ShotView { number: 7, owner: PlayerId(4), position, color: Color(1) };
        let hazard = HazardView { kind: HazardKind::Heals, position, radius: 60.0 };
        let frame = Frame { round: 2, updates: 8, players: vec![player], shots: vec![shot], hazards: vec![hazard] };
        assert_eq!(
            ServerMessage::frame(8, &frame).to_json(),
            r#"{"type":"frame","tick":8,"round":2,"players":[{"id":4,"name":"Ada","x":1.2,"y":900.0,"facing":1.23,"health":0,"score":100,"color":16744448}],"shots":[{"id":7,"owner":4,"x":8.0,"y":0.3,"color":1}],"hazards":[{"kind":"heals","x":8.0,"y":0.3,"radius":60.0}]}"#
        );
    }

    #[test]
    fn what_is_no_message_is_refused_with_a_reason() {
        for bad in ["", "{}", "[]", "null", "{\"type\":\"frame\"}", "{\"type\":\"hello\"}", "\u{0}"] {
            assert!(ClientMessage::from_json(bad).unwrap_err().starts_with("expected"), "{bad}");
        }
        let extra = r#"{"type":"input","sequence":1,"dx":0,"dy":0,"admin":true}"#;
        assert!(ClientMessage::from_json(extra).unwrap_err().contains("admin"));
        assert!(ClientMessage::from_json(&"[".repeat(4000)).is_err());
    }

    #[test]
    fn directions_are_brought_into_range() {
        assert_eq!(input(1, f32::INFINITY, -7.0, true), Input { sequence: 1, dx: 1.0, dy: -1.0, fire: true });
        assert_eq!(input(1, f32::NAN, 0.25, false), Input { sequence: 1, dx: 0.0, dy: 0.25, fire: false });
    }

    #[test]
    fn names_are_cleaned() {
        for (given, shown) in [
            ("Ada", "Ada"),
            ("  Ada \t Lovelace\n", "Ada Lovelace"),
            ("", "player"),
            ("\u{202e}\u{200b}\u{7}", "player"),
            ("\u{1b}[31mred", "[31mred"),
            ("Zoë 王", "Zoë 王"),
        ] {
            assert_eq!(clean_name(given), shown);
        }
        assert_eq!(clean_name(&"x".repeat(4000)).len(), NAME_CHARS_MAX);
    }
}
