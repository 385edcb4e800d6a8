//! What a mutant's world is made to do, and whether a patched world and one that ran the new code from the start agree.
//!
//! A script has two halves: the first makes state, the second looks at it. Whatever the mutant, three things can be said:
//! patched before there is any state, it must do all that it does from the start. If the state that the new code makes
//! looks to the old code as its own does, the edit is one of the second half, and then the state that the old code made must
//! look to the new code as its own does. And nothing that passes by itself may trap where neither version traps.

use tickswap_tests::live::{Live, NotPatched};
use wasmtime::{WasmParams, WasmResults};

/// Steps that one call may take.
const STEPS: u64 = 40_000_000;

/// What calls answered, up to the first trap.
pub(crate) type Answers = Vec<Result<u64, String>>;

/// Calls of one half.
type Half = fn(&mut Player<'_>);

/// The halves of a fixture's script.
fn halves(fixture: &str) -> (Half, Half) {
    match fixture {
        "zoo" => (zoo_fill, zoo_look),
        "numbered" => (numbered_fill, numbered_look),
        "marvels" => (marvels_fill, marvels_look),
        "skirmish" => (skirmish_fill, skirmish_look),
        other => panic!("no script for the fixture {other}"),
    }
}

/// Makes calls until one traps.
pub(crate) struct Player<'a> {
    live: &'a mut Live,
    answers: Answers,
}

impl Player<'_> {
    fn play(live: &mut Live, half: Half) -> Answers {
        let mut player = Player { live, answers: Vec::new() };
        half(&mut player);
        player.answers
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P, value: fn(R) -> u64) {
        if self.answers.last().is_some_and(Result::is_err) {
            return;
        }
        let answer = self.live.try_call::<P, R>(name, parameters);
        self.answers.push(answer.map(value).map_err(|error| format!("{name}: {}", error.root_cause())));
    }

    fn act<P: WasmParams>(&mut self, name: &str, parameters: P) {
        self.call::<P, ()>(name, parameters, |()| 0);
    }

    fn long<P: WasmParams>(&mut self, name: &str, parameters: P) {
        self.call::<P, u64>(name, parameters, |value| value);
    }

    fn short<P: WasmParams>(&mut self, name: &str, parameters: P) {
        self.call::<P, u32>(name, parameters, u64::from);
    }
}

/// How a patched world and one that ran the new code from the start compare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Compared {
    /// They agree, over state that the old code cannot tell from its own.
    Agree,
    /// They agree as far as they can: the new code makes other state.
    OtherState,
    /// Before there is any state they agree; then one of the versions traps by itself.
    Traps,
    /// Nothing to compare over state: the way back from the mutant is refused, with approval too.
    NoWayBack,
    Disagree(String),
}

/// Runs a mutant that passed beside worlds of its own.
pub(crate) fn compare(fixture: &str, old: &[u8], new: &[u8]) -> Compared {
    let (fill, look) = halves(fixture);
    let world = |first: &[u8]| {
        let mut live = Live::with_steps(STEPS);
        live.patch(first).map(|_| live)
    };
    let run = |first: &[u8], before: bool, then: &[u8]| -> Result<(Answers, Answers), NotPatched> {
        let mut live = world(first)?;
        if before {
            live.patch(then)?;
        }
        let filled = Player::play(&mut live, fill);
        if !before && first != then {
            // The way back from a mutant may need an approval of its own.
            live.patch_approved(then)?;
        }
        Ok((filled, Player::play(&mut live, look)))
    };
    let passed = |result: Result<(Answers, Answers), NotPatched>| {
        result.unwrap_or_else(|error| panic!("what passed by itself does not pass: {error}"))
    };
    let fresh = passed(run(new, false, new));
    let early = passed(run(old, true, new));
    if fresh != early {
        return Compared::Disagree(format!("patched before any state: {early:?}\n  from the start: {fresh:?}"));
    }
    let ours = passed(run(old, false, old));
    let ended = |answers: &Answers| answers.last().is_some_and(Result::is_err);
    if ended(&ours.0) || ended(&fresh.0) {
        return Compared::Traps;
    }
    let patched = passed(run(old, false, new));
    let compared = match run(new, false, old) {
        // The old code cannot tell whose state it is.
        Ok(theirs) if ours == theirs => {
            if patched != (ours.0.clone(), fresh.1.clone()) {
                let (patched, fresh) = (patched.1, fresh.1);
                return Compared::Disagree(format!("patched over state: {patched:?}\n  from the start: {fresh:?}"));
            }
            Compared::Agree
        }
        Ok(_) => Compared::OtherState,
        Err(_) => Compared::NoWayBack,
    };
    if ended(&patched.1) && !ended(&fresh.1) && !ended(&ours.1) {
        return Compared::Disagree(format!("only the patched world traps: {:?}", patched.1.last()));
    }
    compared
}

fn zoo_fill(player: &mut Player<'_>) {
    (1..=6u64).for_each(|number| player.act("join", number));
    player.short("small", 1u32);
}

fn zoo_look(player: &mut Player<'_>) {
    for name in ["names_length", "labels_length", "cached"] {
        player.long(name, ());
    }
    player.short("counter", ());
    player.short("score", 3u64);
    for name in ["animals", "callbacks", "pointers", "twins", "churn"] {
        player.long(name, 7u64);
    }
    player.short("small", 0u32);
    player.short("small", 0u32);
    player.short("leave", ());
    player.long("animals", 1u64);
    player.act("join", 9u64);
    player.long("names_length", ());
}

fn numbered_fill(player: &mut Player<'_>) {
    (1..=3u64).for_each(|number| player.act("fill", number));
    player.act("begin", (2u32, 2u32));
    player.long("poll_all", ());
    for name in ["count", "count_inlined", "count_exported"] {
        player.long(name, ());
    }
}

fn numbered_look(player: &mut Player<'_>) {
    for name in ["pairs", "nested", "generic", "captured", "held", "rank"] {
        player.long(name, 5u64);
    }
    for name in ["streams", "poll_all", "poll_all", "poll_all", "poll_all", "walks_left", "calls", "kept"] {
        player.long(name, ());
    }
    for name in ["count", "count_inlined", "count_exported"] {
        player.long(name, ());
    }
    player.act("fill", 4u64);
    player.long("captured", 2u64);
}

fn marvels_fill(player: &mut Player<'_>) {
    (1..=4u64).for_each(|number| player.act("fill", number));
}

fn marvels_look(player: &mut Player<'_>) {
    for name in ["found", "interned", "words", "texts", "moods", "end_session", "ended", "locals"] {
        player.long(name, ());
    }
    player.long("cast", 6u64);
    player.long("commands", 3u64);
    player.short("clamp", 2u32);
    player.act("fill", 8u64);
    for name in ["end_session", "ended", "found", "words"] {
        player.long(name, ());
    }
}

fn skirmish_fill(player: &mut Player<'_>) {
    (0..12u32).for_each(|number| player.short("spawn", (number % 2, number / 2)));
    player.long("advance", 6u32);
}

fn skirmish_look(player: &mut Player<'_>) {
    for name in ["digest", "lines"] {
        player.long(name, ());
    }
    player.short("alive", ());
    player.long("advance", 20u32);
    for name in ["digest", "lines"] {
        player.long(name, ());
    }
    player.short("spawn", (1u32, 2u32));
    player.long("digest", ());
}
