//! Generated dispatchers: queries are answered, effects applied, and foreign arguments refused.

use tickswap_abi::{
    AnswerBuffer, EffectRef, HostCallError, HostFunctionKind, HostFunctions, ModName, PlayerId, RawAnswer,
    RawArguments, Scalar, codec,
};

use crate::game::{GameHost, game_hooks, game_host};

#[derive(Default)]
struct Server {
    said: Vec<String>,
    awarded: Vec<(PlayerId, i16)>,
}

impl GameHost for Server {
    fn online(&self) -> u32 {
        3
    }

    fn name_of(&self, player: PlayerId) -> Option<String> {
        (player.0 == 1).then(|| "ann".to_owned())
    }

    fn say(&mut self, text: String) {
        self.said.push(text);
    }

    fn award(&mut self, player: PlayerId, points: i16) {
        self.awarded.push((player, points));
    }
}

fn function(name: &str) -> usize {
    let functions = game_host::INTERFACE.functions;
    functions.iter().position(|f| f.name == name).unwrap()
}

fn effect<'a>(from: &'a ModName, name: &str, arguments: RawArguments<'a>) -> EffectRef<'a> {
    EffectRef { from, interface: &game_host::INTERFACE, function: function(name), arguments }
}

#[test]
fn queries_are_answered_in_the_form_of_their_result() {
    let functions: Box<dyn HostFunctions> = game_host::answering(Server::default());
    assert_eq!(functions.interface().name, "GameHost");
    let mut answer = AnswerBuffer::new();

    functions.answer(function("online"), RawArguments::Scalars(&[]), &mut answer).unwrap();
    assert_eq!(answer.answer(), RawAnswer::Scalar(3));

    functions.answer(function("name_of"), RawArguments::Scalars(&[1]), &mut answer).unwrap();
    let name: Option<String> = answer.answer().decode().unwrap();
    assert_eq!(name.as_deref(), Some("ann"));
}

#[test]
fn effects_are_applied_with_their_arguments() {
    let from = ModName::try_from("a").unwrap();
    let mut server = Server::default();
    let mut text = Vec::new();
    codec::encode(&("hello",), &mut text).unwrap();
    game_host::apply(&effect(&from, "say", RawArguments::Encoded(&text)), &mut server).unwrap();
    let points = (-5_i16).to_bits();
    game_host::apply(&effect(&from, "award", RawArguments::Scalars(&[9, points])), &mut server).unwrap();
    assert_eq!(server.said, ["hello"]);
    assert_eq!(server.awarded, [(PlayerId(9), -5)]);
}

#[test]
fn foreign_arguments_are_errors_and_have_no_effect() {
    let from = ModName::try_from("a").unwrap();
    let mut server = Server::default();
    let too_wide = [9, 0x1_0000];
    for (name, arguments) in [
        ("award", RawArguments::Scalars(&[9])),
        ("award", RawArguments::Scalars(&too_wide)),
        ("award", RawArguments::Encoded(&[1, 2])),
        ("say", RawArguments::Scalars(&[1])),
        ("say", RawArguments::Encoded(&[9, b'x'])),
        ("say", RawArguments::Encoded(&[1, b'x', 0])),
        ("say", RawArguments::Encoded(&[1, 0xff])),
    ] {
        let result = game_host::apply(&effect(&from, name, arguments), &mut server);
        assert!(matches!(result, Err(HostCallError::Arguments { .. })), "{name} {arguments:?}");
    }
    assert!(server.said.is_empty() && server.awarded.is_empty());
}

#[test]
fn an_index_of_the_other_kind_or_of_nothing_is_refused() {
    let from = ModName::try_from("a").unwrap();
    let functions = game_host::answering(Server::default());
    let mut answer = AnswerBuffer::new();
    for index in [function("say"), 99] {
        let result = functions.answer(index, RawArguments::Scalars(&[]), &mut answer);
        assert!(matches!(result, Err(HostCallError::UnknownFunction { .. })));
    }
    let query = effect(&from, "online", RawArguments::Scalars(&[]));
    let result = game_host::apply(&query, &mut Server::default());
    assert!(matches!(result, Err(HostCallError::UnknownFunction { .. })));
}

#[test]
fn descriptors_say_what_the_trait_says() {
    let kinds: Vec<_> = game_host::INTERFACE.functions.iter().map(|function| (function.name, function.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("online", HostFunctionKind::Query),
            ("name_of", HostFunctionKind::Query),
            ("say", HostFunctionKind::Effect),
            ("award", HostFunctionKind::Effect),
        ]
    );
    let signatures: Vec<_> = game_hooks::INTERFACE.hooks.iter().map(|hook| hook.signature).collect();
    assert_eq!(
        signatures,
        [
            "fn joined(&mut self, player: PlayerId, name: String)",
            "fn update(&mut self, dt: f32)",
            "fn count(&self) -> i32",
            "fn view(&self, player: PlayerId) -> View where View = struct View{player: PlayerId, \
             score: struct Score(u32, Option<u32>), mood: enum Mood{Calm, Angry{at: PlayerId}, \
             Mixed(Vec<String>, HashMap<u8, [bool; 3]>)}}",
            "fn extra(&mut self, amount: u8) -> bool",
        ]
    );
    assert_ne!(game_hooks::INTERFACE.id, game_host::INTERFACE.id);
}
