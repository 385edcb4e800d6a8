//! A small contract with one function of every way of passing.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use tickswap_abi::{Contract, Payload, PlayerId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct View {
    pub player: PlayerId,
    pub score: Score<u32>,
    pub mood: Mood,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct Score<T>(pub T, pub Option<Box<T>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub enum Mood {
    Calm,
    Angry { at: PlayerId },
    Mixed(Vec<String>, HashMap<u8, [bool; 3]>),
}

#[tickswap_abi::hooks]
pub trait GameHooks {
    fn joined(&mut self, player: PlayerId, name: String);
    fn update(&mut self, dt: f32);
    fn count(&self) -> i32;
    fn view(&self, player: PlayerId) -> View;
    #[optional]
    fn extra(&mut self, amount: u8) -> bool;
}

#[tickswap_abi::host]
pub trait GameHost {
    fn online(&self) -> u32;
    fn name_of(&self, player: PlayerId) -> Option<String>;
    fn say(&mut self, text: String);
    fn award(&mut self, player: PlayerId, points: i16);
}

pub fn contract() -> Contract {
    Contract::new("game").with_hooks(&game_hooks::INTERFACE).with_host(&game_host::INTERFACE)
}

pub fn view() -> View {
    View {
        player: PlayerId(5),
        score: Score(7, Some(Box::new(8))),
        mood: Mood::Mixed(vec!["a".into()], HashMap::from([(1, [true, false, true])])),
    }
}
