//! Lines carried out on a runtime without worlds, and how answers look. What reaches mods is tested in `tests/tests/runtime`.
#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use tickswap_abi::{Contract, ModName, PlayerId};
use tickswap_linker::{GenerationId, verify::Report};

use super::*;
use crate::{
    ModStatus, PreparedMod, Runtime, Status, SubmissionId, SubmissionState, SubmissionStatus, SwapRecord,
    WorldModStatus, WorldStatus,
    swap::GenerationStatus,
    world::{ChangeKind, ModSwap},
};

#[derive(Default)]
struct Game {
    said: Mutex<Vec<String>>,
}

impl GameConsole for Game {
    fn players(&self) -> Vec<PlayerInfo> {
        let player = |id, name: &str, world: &str, note: &str| PlayerInfo {
            id: PlayerId(id),
            name: name.to_owned(),
            world: world.to_owned(),
            note: note.to_owned(),
        };
        vec![player(1, "Ada", "eu-1", "12 points"), player(12, "\u{1b}[2J", "eu-2", "")]
    }

    fn say(&self, text: &str) -> Result<usize, String> {
        self.said.lock().unwrap().push(text.to_owned());
        Ok(2)
    }

    fn verbs(&self) -> &[GameVerb] {
        &[GameVerb { name: "reload", usage: "reload [MOD]", about: "build and load" }]
    }

    fn run(&self, verb: &str, words: &[String], progress: &mut dyn FnMut(&str)) -> Result<String, String> {
        progress("half way");
        if words.is_empty() { Ok(format!("{verb} done")) } else { Err(format!("cannot {verb} {words:?}")) }
    }
}

fn console() -> Console {
    let runtime = Runtime::builder().contract(Contract::new("test")).build().unwrap();
    Console::new(runtime.control(), Game::default())
}

/// The answer as text, after what was told on the way.
fn run(console: &Console, line: &str) -> String {
    let mut told = Vec::new();
    let reply = console.run(line, &mut |words| told.push(words.to_owned())).unwrap();
    told.push(reply.to_string());
    told.join("\n")
}

#[test]
fn lines_are_carried_out_on_the_server_and_the_game() {
    let console = console();
    for (line, expected) in [
        ("status", "0 mods, 0 worlds, 2 players"),
        ("mods", "no mod was loaded yet; `submit PATH` loads one"),
        ("worlds", "there is no world"),
        ("log", "nothing became active yet"),
        ("players", "player  name  world\n     1  Ada   eu-1   12 points\n    12  \u{fffd}[2J  eu-2"),
        ("players ada", "player  name  world\n     1  Ada   eu-1   12 points"),
        ("say hello  all", "told 2 players"),
        ("reload", "half way\nreload done"),
        ("reload x", "half way\ncannot reload [\"x\"]"),
        ("help reload", "usage: reload [MOD]\nbuild and load"),
        ("help say", "usage: say TEXT...\ntell all players something"),
        ("quit", "stopping the server"),
    ] {
        assert_eq!(run(&console, line), expected, "{line}");
    }
    assert!(console.run("quit", &mut |_| ()).unwrap().is_quit());
    assert!(console.run("  ", &mut |_| ()).is_none());
    let help = run(&console, "help");
    assert!(help.lines().any(|line| line.starts_with("activate MOD GENERATION [--world WORLD]")), "{help}");
    assert!(help.lines().any(|line| line.starts_with("reload [MOD] ") && line.ends_with("build and load")), "{help}");
}

#[test]
fn what_is_not_there_is_named_beside_what_is() {
    let console = console();
    for (line, expected) in [
        ("mods arena", "there is no mod \"arena\"; there is none yet"),
        ("activate arena g1", "there is no mod \"arena\"; there is none yet"),
        ("worlds eu", "there is no world \"eu\"; there is none yet"),
        ("log --world eu", "there is no world \"eu\"; there is none yet"),
        ("players Bob", "there is no player \"Bob\"; there is: Ada, \u{fffd}[2J"),
        ("submit Arena.wasm", "Arena.wasm does not name a mod: expected NAME.wasm with NAME of a-z, 0-9, _ and -"),
        ("submit arena.txt", "arena.txt does not name a mod: expected NAME.wasm with NAME of a-z, 0-9, _ and -"),
    ] {
        assert_eq!(run(&console, line), expected, "{line}");
    }
    assert!(run(&console, "help xyzzy").starts_with("there is no verb \"xyzzy\"; there is: help, status,"));
    assert!(run(&console, "submit /nowhere/arena.wasm").starts_with("cannot read /nowhere/arena.wasm: "));
}

#[test]
fn files_are_submitted_together_and_refusals_are_told_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arena.wasm");
    std::fs::write(&path, b"nothing").unwrap();
    let reply = run(&console(), &format!("submit '{}'", path.display()));
    assert!(
        reply.contains("refused\nmod arena is not loaded: ") && reply.ends_with("what ran goes on running"),
        "{reply}"
    );
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(crate::limits::CANDIDATE_BYTES_MAX as u64 + 1).unwrap();
    let reply = run(&console(), &format!("submit '{}'", path.display()));
    assert!(reply.contains("(limit CANDIDATE_BYTES_MAX)"), "{reply}");
}

#[test]
fn every_answer_exists_as_json() {
    let console = console();
    assert_eq!(run(&console, "say hi"), "told 2 players");
    assert_eq!(run(&console, "--json say hi"), r#"{"answer":"said","players":2}"#);
    assert_eq!(run(&console, "json on"), r#"{"answer":"json","on":true}"#);
    assert_eq!(
        run(&console, "status"),
        r#"{"answer":"status","status":{"mods":[],"worlds":[],"submissions":[]},"players":2}"#
    );
    assert_eq!(
        run(&console, "stauts"),
        r#"{"error":"there is no verb \"stauts\"; did you mean `status`? `help` lists all"}"#
    );
    assert_eq!(run(&console, "json off"), "answers are text from now on");
    let players = run(&console, "players ada --json");
    let answer: Answer = serde_json::from_str(&players).unwrap();
    assert!(matches!(answer, Answer::Players { players } if players[0].note == "12 points"));
}

fn prepared(generation: u32, base: Option<u32>, changed: &[&str]) -> PreparedMod {
    PreparedMod {
        mod_name: ModName::try_from("arena").unwrap(),
        generation: GenerationId::new(generation),
        base: base.map(GenerationId::new),
        report: Report::new(Vec::new()),
        approved_by: None,
        changed_functions: changed.iter().map(|&name| name.to_owned()).collect(),
        file_bytes: 2_763_755,
        fresh_bytes: 100,
        image_end: 2000,
        read_ns: 87_000_000,
        compare_ns: 5_000_000,
        link_ns: 2_000_000,
        compile_ns: 26_000_000,
        code: Default::default(),
    }
}

fn two_generations() -> ModStatus {
    let generations = [prepared(1, None, &["a"; 40]), prepared(2, Some(1), &["arena::shot::hits"])];
    let generations = generations.into_iter().zip(1..);
    let status = |(prepared, number)| GenerationStatus { submission: SubmissionId(number), prepared };
    ModStatus {
        mod_name: ModName::try_from("arena").unwrap(),
        current: GenerationId::new(2),
        generations: generations.map(status).collect(),
    }
}

#[test]
fn tables_show_what_runs_and_how_it_came_there() {
    let running = WorldModStatus {
        mod_name: ModName::try_from("arena").unwrap(),
        active: Some(GenerationId::new(2)),
        resident_generations: 2,
        paused: Some("it trapped\nsomewhere".to_owned()),
        faults: 1,
        on_probation: false,
        assigned_players: 0,
        memory_bytes: 34 << 20,
    };
    let world =
        WorldStatus { name: "eu-1".to_owned(), tick: 812, memory_bytes: 34 << 20, mods: vec![running], faults: vec![] };
    let submissions = vec![SubmissionStatus { id: SubmissionId(3), state: SubmissionState::Preparing }];
    let status = Status { mods: vec![two_generations()], worlds: vec![world.clone()], submissions };
    assert_eq!(
        Answer::Status { status, players: 1 }.to_string(),
        "1 mod, 1 world, 1 player\n\n\
         mod    active  resident  newest change\n\
         arena  g2             2  1 function on g1\n\n\
         world  tick  memory  runs\n\
         eu-1    812  34 MiB  arena g2 (paused)\n\
         submission 3: preparing\n\
         arena is paused in eu-1: it trapped"
    );
    assert_eq!(
        Answer::Worlds { worlds: vec![world] }.to_string(),
        "world  tick  mod    active  resident  memory  faults\n\
         eu-1    812  arena  g2             2  34 MiB       1  paused"
    );
    assert_eq!(
        Answer::Mods { mods: vec![two_generations()] }.to_string(),
        "mod    generation          change               file  prepared in  by\n\
         arena  g1                  the first         2.6 MiB       120 ms  submission 1\n\
         arena  g2          active  1 function on g1  2.6 MiB       120 ms  submission 2\n\
         g2 changed:\n  arena::shot::hits"
    );
}

#[test]
fn the_log_and_ends_of_submissions_are_read_at_a_glance() {
    let record = SwapRecord {
        submission: SubmissionId(2),
        kind: ChangeKind::Patch,
        world: "eu-1".to_owned(),
        tick: 812,
        mods: vec![ModSwap {
            mod_name: ModName::try_from("arena").unwrap(),
            from: Some(GenerationId::new(1)),
            to: GenerationId::new(2),
        }],
        pause_ns: 1500,
        stage_ns: 144_000,
        fault: None,
    };
    assert_eq!(
        Answer::Log { records: vec![record], earlier: 3 }.to_string(),
        "3 changes before these; `log -n N` shows more\n\
         world  tick  change  mods             pause  staged in  by\n\
         eu-1    812  patch   arena g1 -> g2  1.5 us     144 us  submission 2"
    );
    let changed: Vec<String> = (1..=10).map(|number| format!("f{number}")).collect();
    let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
    let state = SubmissionState::Done { worlds: 2, mods: vec![prepared(2, Some(1), &changed)] };
    let submission = SubmissionStatus { id: SubmissionId(2), state };
    let ended = Answer::Submission { submission, swaps: Vec::new() };
    assert_eq!(
        ended.to_string(),
        "active in 2 worlds\narena g2: 10 functions on g1\n  f1\n  f2\n  f3\n  f4\n  f5\n  f6\n  f7\n  f8\n  and 2 more"
    );
    let json = serde_json::to_string(&ended).unwrap();
    assert!(json.starts_with(r#"{"answer":"submission","id":2,"state":"done","worlds":2,"mods":["#), "{json}");
    assert_eq!(serde_json::from_str::<Answer>(&json).unwrap(), ended);
}
