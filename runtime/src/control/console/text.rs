//! Answers as text for people: short, aligned, the newest or most important last, where a terminal leaves it in view.

use std::fmt::{self, Display, Formatter};

use super::{
    answer::{Answer, PlayerInfo, VerbHelp},
    table::{Table, bytes, count, duration, plain, plain_lines},
};
use crate::{
    control::{Status, SubmissionStatus},
    swap::{GenerationStatus, ModStatus, PreparedMod, SubmissionState, WorldModStatus, WorldStatus},
    world::SwapRecord,
};

/// Changed functions that are listed by name; of the rest only the number is told.
const FUNCTIONS_LISTED_MAX: usize = 8;

impl Display for Answer {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Help { verbs } => help(verbs, formatter),
            Self::Status { status, players } => overview(status, *players, formatter),
            Self::Mods { mods } => generations(mods, formatter),
            Self::Worlds { worlds } => all_worlds(worlds, formatter),
            Self::Players { players } => all_players(players, formatter),
            Self::Submission(submission) => formatter.write_str(&ended(submission)),
            Self::Log { records, earlier } => log(records, *earlier, formatter),
            Self::Said { players } => write!(formatter, "told {}", count(*players, "player")),
            Self::Json { on: true } => formatter.write_str("answers are JSON from now on; `json off` ends that"),
            Self::Json { on: false } => formatter.write_str("answers are text from now on"),
            Self::Game { text } => formatter.write_str(&plain_lines(text)),
            Self::Quit => formatter.write_str("stopping the server"),
        }
    }
}

fn help(verbs: &[VerbHelp], formatter: &mut Formatter<'_>) -> fmt::Result {
    if let [verb] = verbs {
        return write!(formatter, "usage: {}\n{}", verb.usage, verb.about);
    }
    for verb in verbs {
        // One line each where there is room; the usage of the longest leaves enough for its words on 100 columns.
        writeln!(formatter, "{:<40}  {}", verb.usage, verb.about)?;
    }
    formatter.write_str(
        "--json with any of them answers as JSON; the tab key completes verbs, mods, generations, worlds and players",
    )
}

fn overview(status: &Status, players: usize, formatter: &mut Formatter<'_>) -> fmt::Result {
    let (mods, worlds) = (&status.mods, &status.worlds);
    let [mods_count, worlds_count] = [count(mods.len(), "mod"), count(worlds.len(), "world")];
    write!(formatter, "{mods_count}, {worlds_count}, {}", count(players, "player"))?;
    let mut table = Table::new(&["mod", "active", "resident", "newest change"], &[2]);
    for known in mods {
        let newest = known.generations.last().map(|newest| changed(&newest.prepared)).unwrap_or_default();
        table.row([known.mod_name.to_string(), known.current.to_string(), known.generations.len().to_string(), newest]);
    }
    section(&table, formatter)?;
    let mut table = Table::new(&["world", "tick", "memory", "runs"], &[1, 2]);
    for world in worlds {
        let runs: Vec<String> = world.mods.iter().map(running).collect();
        table.row([world.name.clone(), world.tick.to_string(), bytes(world.memory_bytes), runs.join(", ")]);
    }
    section(&table, formatter)?;
    for submission in status.submissions.iter().filter(|submission| !submission.state.is_final()) {
        write!(formatter, "\n{}: {}", submission.id, submission.state)?;
    }
    for (world, paused) in worlds.iter().flat_map(|world| world.mods.iter().map(move |known| (world, known))) {
        if let Some(reason) = &paused.paused {
            let reason = plain(reason.lines().next().unwrap_or_default());
            write!(formatter, "\n{} is paused in {}: {reason}", paused.mod_name, plain(&world.name))?;
        }
    }
    Ok(())
}

fn running(known: &WorldModStatus) -> String {
    let generation = known.active.map_or_else(|| "-".to_owned(), |generation| generation.to_string());
    let paused = if known.paused.is_some() { " (paused)" } else { "" };
    format!("{} {generation}{paused}", known.mod_name)
}

fn generations(mods: &[ModStatus], formatter: &mut Formatter<'_>) -> fmt::Result {
    let mut table = Table::new(&["mod", "generation", "", "change", "file", "prepared in", "by"], &[4, 5]);
    for known in mods {
        for GenerationStatus { submission, prepared, .. } in &known.generations {
            let active = if prepared.generation == known.current { "active" } else { "" };
            table.row([
                known.mod_name.to_string(),
                prepared.generation.to_string(),
                active.to_owned(),
                changed(prepared),
                bytes(prepared.file_bytes as u64),
                duration(prepared_ns(prepared)),
                submission.to_string(),
            ]);
        }
    }
    if table.is_empty() {
        return formatter.write_str("no mod was loaded yet; `submit PATH` loads one");
    }
    table.fmt(formatter)?;
    if let [only] = mods {
        for generation in &only.generations {
            functions(&generation.prepared, formatter)?;
        }
    }
    Ok(())
}

fn prepared_ns(prepared: &PreparedMod) -> u64 {
    let PreparedMod { read_ns, compare_ns, link_ns, compile_ns, .. } = prepared;
    [compare_ns, link_ns, compile_ns].into_iter().fold(*read_ns, |sum, next| sum.saturating_add(*next))
}

/// How a generation differs from the one before it, in a few words.
fn changed(prepared: &PreparedMod) -> String {
    match prepared.base {
        Some(base) => format!("{} on {base}", count(prepared.changed_functions.len(), "function")),
        None => "the first".to_owned(),
    }
}

/// Names of changed functions, if there is something that they are changed from.
fn functions(prepared: &PreparedMod, formatter: &mut Formatter<'_>) -> fmt::Result {
    if prepared.base.is_none() || prepared.changed_functions.is_empty() {
        return Ok(());
    }
    write!(formatter, "\n{} changed:", prepared.generation)?;
    for function in prepared.changed_functions.iter().take(FUNCTIONS_LISTED_MAX) {
        write!(formatter, "\n  {}", plain(function))?;
    }
    match prepared.changed_functions.len().saturating_sub(FUNCTIONS_LISTED_MAX) {
        0 => Ok(()),
        more => write!(formatter, "\n  and {more} more"),
    }
}

fn all_worlds(worlds: &[WorldStatus], formatter: &mut Formatter<'_>) -> fmt::Result {
    let mut table = Table::new(&["world", "tick", "mod", "active", "resident", "memory", "faults", ""], &[1, 4, 5, 6]);
    for world in worlds {
        for known in &world.mods {
            table.row([
                world.name.clone(),
                world.tick.to_string(),
                known.mod_name.to_string(),
                known.active.map_or_else(|| "-".to_owned(), |generation| generation.to_string()),
                known.resident_generations.to_string(),
                bytes(known.memory_bytes),
                known.faults.to_string(),
                if known.paused.is_some() { "paused".to_owned() } else { String::new() },
            ]);
        }
        if world.mods.is_empty() {
            table.row([world.name.clone(), world.tick.to_string(), "no mods".to_owned()]);
        }
    }
    if table.is_empty() {
        return formatter.write_str("there is no world");
    }
    table.fmt(formatter)?;
    if let [only] = worlds {
        for fault in &only.faults {
            write!(formatter, "\n{}", plain_lines(&fault.to_string()))?;
        }
    }
    Ok(())
}

fn all_players(players: &[PlayerInfo], formatter: &mut Formatter<'_>) -> fmt::Result {
    let mut table = Table::new(&["player", "name", "world", ""], &[0]);
    for player in players {
        table.row([player.id.0.to_string(), player.name.clone(), player.world.clone(), player.note.clone()]);
    }
    match table.is_empty() {
        true => formatter.write_str("nobody is playing"),
        false => table.fmt(formatter),
    }
}

fn ended(SubmissionStatus { id, state }: &SubmissionStatus) -> String {
    match state {
        SubmissionState::Done { worlds, mods } => {
            let mut text = format!("active in {}", count(*worlds, "world"));
            for prepared in mods {
                text += &format!("\n{} {}: {}", prepared.mod_name, prepared.generation, changed(prepared));
                if prepared.base.is_some() {
                    let listed = prepared.changed_functions.iter().take(FUNCTIONS_LISTED_MAX);
                    listed.for_each(|function| text += &format!("\n  {}", plain(function)));
                    let more = prepared.changed_functions.len().saturating_sub(FUNCTIONS_LISTED_MAX);
                    text += &if more > 0 { format!("\n  and {more} more") } else { String::new() };
                }
            }
            text
        }
        SubmissionState::Identical => "identical to what is active; nothing was loaded".to_owned(),
        SubmissionState::Refused { .. } | SubmissionState::Failed { .. } => {
            format!("{}\nwhat ran goes on running", plain_lines(&state.to_string()))
        }
        unfinished => format!("{id} is not done yet: {unfinished}; `status` says how far it is"),
    }
}

fn log(records: &[SwapRecord], earlier: usize, formatter: &mut Formatter<'_>) -> fmt::Result {
    let mut table = Table::new(&["world", "tick", "change", "mods", "pause", "staged in", "by"], &[1, 4, 5]);
    for record in records {
        let mods = record.mods.iter().map(|change| match change.from {
            Some(from) => format!("{} {from} -> {}", change.mod_name, change.to),
            None => format!("{} {}", change.mod_name, change.to),
        });
        table.row([
            record.world.clone(),
            record.tick.to_string(),
            record.kind.to_string(),
            mods.collect::<Vec<_>>().join(", "),
            duration(record.pause_ns),
            duration(record.stage_ns),
            record.submission.to_string(),
        ]);
    }
    if table.is_empty() {
        return formatter.write_str("nothing became active yet");
    }
    if earlier > 0 {
        writeln!(formatter, "{} before these; `log -n N` shows more", count(earlier, "change"))?;
    }
    table.fmt(formatter)
}

fn section(table: &Table, formatter: &mut Formatter<'_>) -> fmt::Result {
    if table.is_empty() { Ok(()) } else { write!(formatter, "\n\n{table}") }
}
