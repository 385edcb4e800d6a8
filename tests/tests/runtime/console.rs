//! Goal: lines typed into a console change what runs, and say what came of it. Method: a world that ticks on a thread of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tickswap::{
    GenerationId, World,
    console::{Answer, Console, GameConsole, PlayerInfo},
};

use crate::server::{Server, generation, probe};

struct NoGame;

impl GameConsole for NoGame {
    fn players(&self) -> Vec<PlayerInfo> {
        Vec::new()
    }

    fn say(&self, _text: &str) -> Result<usize, String> {
        Err("nobody can be told anything".to_owned())
    }
}

/// Ticks worlds until it is dropped.
struct Ticking(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Ticking {
    fn start(mut worlds: Vec<World>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for world in &mut worlds {
                    world.idle_until(Instant::now() + Duration::from_millis(1));
                    world.tick(|_| Ok(())).unwrap();
                }
            }
        });
        Self(stop, Some(thread))
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        self.1.take().unwrap().join().unwrap();
    }
}

fn run(console: &Console, line: &str) -> String {
    console.run(line, &mut |_| ()).unwrap().to_string()
}

fn active(server: &Server) -> Vec<Option<GenerationId>> {
    server.control.status().worlds.iter().map(|world| world.mods[0].active).collect()
}

#[test]
fn lines_change_what_runs_and_say_so() {
    let server = Server::of_probe();
    let _ticking = Ticking::start(vec![server.world("eu-1"), server.world("the moon")]);
    let console = Console::new(server.control.clone(), NoGame);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("probe.wasm");
    std::fs::write(&path, probe(2)).unwrap();

    let submit = format!("submit {}", path.display());
    let mut told = Vec::new();
    let reply = console.run(&submit, &mut |words| told.push(words.to_owned())).unwrap();
    let text = reply.to_string();
    assert!(text.starts_with("active in 2 worlds\nprobe g2: ") && text.contains("version"), "{text}");
    assert_eq!(active(&server), [Some(generation(2)); 2]);
    assert_eq!(run(&console, &submit), "identical to what is active; nothing was loaded");

    assert_eq!(run(&console, "activate probe g1 --world 'the moon'"), "active in 1 world");
    assert_eq!(active(&server), [Some(generation(2)), Some(generation(1))]);
    assert_eq!(run(&console, "rollback probe"), "active in 2 worlds");
    assert_eq!(active(&server), [Some(generation(1)); 2]);
    assert_eq!(run(&console, "activate probe 9"), "there is no generation \"g9\"; there is: g1, g2");
    assert_eq!(run(&console, "rollback probe"), "mod probe has no earlier generation to go back to");
    assert_eq!(run(&console, "rollback probe -w mars"), "there is no world \"mars\"; there is: eu-1, the moon");
    assert_eq!(run(&console, "say hi"), "nobody can be told anything");

    let log = console.run("log -n 3 --world 'the moon' --json", &mut |_| ()).unwrap();
    let Ok(Answer::Log { records, earlier }) = log.answer else {
        panic!("expected a log");
    };
    let kinds: Vec<String> = records.iter().map(|record| record.kind.to_string()).collect();
    assert_eq!((kinds.join(", "), earlier), ("patch, activate, roll back".to_owned(), 1));
    let completion = console.complete("activate probe ", 15);
    let shown: Vec<&str> = completion.candidates.iter().map(|candidate| candidate.shown.as_str()).collect();
    assert_eq!(shown, ["g2", "g1 (active)"]);
    assert!(run(&console, "status").starts_with("1 mod, 2 worlds, 0 players\n"));
}
