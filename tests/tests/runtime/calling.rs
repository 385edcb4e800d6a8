//! Goal: values cross as they are, to the mods they are meant for, in the server's order.

use probe_api::probe_hooks::Caller;
use probe_api::{Body, PlayerId};
use tickswap::{CallError, TickError};
use tickswap_abi::RawAnswer;

use crate::server::{Server, effects, generation, name, probe, tick, total};

#[test]
fn scalars_and_encoded_values_cross_unchanged() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    for (a, b) in [(1, 2), (u64::MAX, 1), (0, u32::MAX), (u64::MAX - 1, u32::MAX)] {
        let sum = tick(&mut world, |tick| tick.probe().of("probe").add(a, b));
        assert_eq!(sum, a.wrapping_add(u64::from(b)));
    }
    for text in ["", "Ann", "Zoë ☃", &"long ".repeat(10_000)] {
        assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").greet(text)), format!("Hello, {text}"));
    }
    let body = Body { position: [1.0, f64::MIN, f64::EPSILON], velocity: [0.5, 0.0, f64::MAX], id: u64::MAX, flags: 9 };
    let moved = tick(&mut world, |tick| tick.probe().of("probe").advance(body));
    let position = [1.5, f64::MIN, f64::EPSILON + f64::MAX];
    assert_eq!(moved, Body { position, ..body });
    let bytes: Vec<u8> = (0..4096).map(|number| number as u8).collect();
    let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
    assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").echo(bytes.clone())), reversed);
    // Growing and shrinking payloads share one buffer.
    for length in [0, 1, 1 << 20, 3, 65_536] {
        let bytes = vec![7; length];
        assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").echo(bytes.clone())), bytes);
    }
}

#[test]
fn answers_are_labelled_by_mod_and_stand_in_the_servers_order() {
    let server = Server::of_both();
    let mut world = server.world("eu-1");
    let answers = tick(&mut world, |tick| tick.probe().add(6, 7));
    let answers: Vec<_> = answers.into_iter().map(|(mod_name, sum)| (mod_name.to_string(), sum)).collect();
    assert_eq!(answers, [("probe".to_owned(), 13), ("second".to_owned(), 42)]);
    let reverse = Server::with(|builder| builder.mod_order([name("second"), name("probe")]));
    reverse.load(&[("probe", probe(1)), ("second", crate::server::second(1))]);
    let heard = effects(&mut reverse.world("eu-1"), |tick| tick.probe().tell(4));
    assert_eq!(heard, ["from second", "5 for 8", "from probe", "4 for 7", "from probe", "4 points"]);
}

#[test]
fn a_named_mod_is_called_alone_and_optional_hooks_answer_options() {
    let server = Server::of_both();
    let mut world = server.world("eu-1");
    tick(&mut world, |tick| tick.probe().of("probe").bump(4));
    assert_eq!((total(&mut world, "probe"), total(&mut world, "second")), (4, 3));
    tick(&mut world, |tick| tick.probe().bump(1));
    assert_eq!((total(&mut world, "probe"), total(&mut world, "second")), (5, 4));
    assert_eq!(tick(&mut world, |tick| tick.probe().of("probe").extra(1)), Some(2));
    assert_eq!(tick(&mut world, |tick| tick.probe().of("second").extra(1)), None);
    assert_eq!(tick(&mut world, |tick| tick.probe().extra(1)).len(), 1);
    let unknown = world.tick(|tick| tick.probe().of("nobody").total()).unwrap_err();
    assert!(unknown.to_string().contains("no mod named \"nobody\""), "{unknown}");
}

#[test]
fn players_are_served_by_the_generation_they_are_assigned_to() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    server.patch(&mut world, &[("probe", probe(2))]);
    let (early, usual) = (PlayerId(1), PlayerId(2));
    world.assign_player(early, &name("probe"), Some(generation(1))).unwrap();
    let versions = |world: &mut tickswap::World| {
        tick(world, |tick| {
            tick.for_player(early).probe().bump(10)?;
            let first = tick.for_player(early).probe().of("probe").version()?;
            let second = tick.for_player(usual).probe().of("probe").version()?;
            Ok((first, second, tick.probe().of("probe").version()?))
        })
    };
    assert_eq!(versions(&mut world), (1, 2, 2));
    assert_eq!(total(&mut world, "probe"), 10, "one state for all");
    world.assign_player(early, &name("probe"), None).unwrap();
    assert_eq!(versions(&mut world), (2, 2, 2));
    // A world that never staged the generation stages it for the player.
    let mut late = server.world("late");
    late.assign_player(early, &name("probe"), Some(generation(1))).unwrap();
    assert_eq!(versions(&mut late), (1, 2, 2));
    let unknown = late.assign_player(early, &name("probe"), Some(generation(9))).unwrap_err();
    assert!(unknown.to_string().contains("no generation g9"), "{unknown}");
    let unknown = late.assign_player(early, &name("nobody"), Some(generation(1))).unwrap_err();
    assert!(unknown.to_string().contains("no mod named nobody"), "{unknown}");
}

#[test]
fn queries_are_answered_and_recorded() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let done = world.tick(|tick| tick.probe().of("probe").ask(PlayerId(4))).unwrap();
    assert_eq!(done.value, "player 4 of 3");
    let recorded: Vec<_> = done.queries.iter().collect();
    let names: Vec<_> = recorded.iter().map(|query| query.interface.functions[query.function].name).collect();
    assert_eq!(names, ["name_of", "online"]);
    assert_eq!(recorded[0].from, "probe");
    assert_eq!(recorded[0].answer.decode::<String>().unwrap(), "player 4");
    assert_eq!(recorded[1].answer, RawAnswer::Scalar(3));
    assert!(world.tick(|_| Ok(())).unwrap().queries.is_empty(), "each tick has its own");
}

#[test]
fn effects_come_in_order_and_only_from_ticks_that_committed() {
    let server = Server::of_both();
    let mut world = server.world("eu-1");
    let heard = effects(&mut world, |tick| {
        tick.probe().of("second").tell(1)?;
        tick.probe().tell(2)
    });
    let expected =
        ["from second", "2 for 8", "from probe", "2 for 7", "from probe", "2 points", "from second", "3 for 8"];
    assert_eq!(heard, expected);
    assert!(effects(&mut world, |_| Ok(())).is_empty(), "an effect is handed out once");

    let failed = world.tick(|tick| {
        tick.probe().tell(3)?;
        Err::<(), _>(CallError::TickOver)
    });
    let TickError::Closure { error, faults } = failed.unwrap_err() else { panic!("another error") };
    assert_eq!((error, faults), (CallError::TickOver, vec![]));
    assert!(effects(&mut world, |_| Ok(())).is_empty(), "a failed tick leaves no effects to the next one");
    assert_eq!(world.tick_number(), 4);
}
