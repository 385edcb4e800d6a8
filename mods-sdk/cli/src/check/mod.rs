//! `cargo tickswap check`: what a server would say to a candidate, without a server.
//!
//! What lives here: reading the files and playing the server's part, residents included. Findings are the linker's, how
//! they are written is `output.rs`. What only a server knows, which host functions it offers, is not checked here.

mod output;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tickswap_linker::verify::{Class, Report};
use tickswap_linker::{GenerationId, Residents, compare, image, limits, link, verify};

const AFTER_HELP: &str = "\
Exit status:
  0   identical or exempt: a server patches it without asking
  10  needs review: a server patches it once somebody approved
  20  needs migration: live state would have to be carried over
  30  refused: a server does not load it
  2   wrong usage, or a file that cannot be read or cannot have been live

Examples:
  cargo tickswap check --against live/arena.wasm developer_mods/built/arena.wasm
  cargo tickswap check --against g1.wasm --against g2.wasm new.wasm
      g2 runs, and live state may still come from g1
  cargo tickswap check --against g1.wasm --against g2.wasm --against g1.wasm new.wasm
      the same after g2 was rolled back
  cargo tickswap check --json --against live.wasm new.wasm

With --json one object goes to standard output:
  candidate    the file checked
  against      the files given with --against
  exit_status  as above
  class        identical, exempt, review, migration or refused
  summary      one line for people
  findings     worst first, each with code (M1), class, item and summary, and where there is something to say
               at {file, line}, change, details [..], consequence, remedy, mark
runtime/VERDICTS.md explains every code.";

/// What `check` takes.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Check {
    /// The version that runs. Given several times: every version that ever ran since the server started, in order; the
    /// last one runs
    #[arg(long, value_name = "LIVE.wasm", required = true)]
    against: Vec<PathBuf>,
    /// The module to check, as `cargo tickswap build` made it
    #[arg(value_name = "NEW.wasm")]
    candidate: PathBuf,
    /// Writes the report for tools
    #[arg(long)]
    json: bool,
    /// When to colour the report
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal that can
    Auto,
    Always,
    Never,
}

/// Why nothing could be compared. A candidate that is no module is no such case: that is a finding.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error("cannot read {}: {error}; give the .wasm file that `cargo tickswap build` names", .path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("{} is a folder, expected a module; `cargo tickswap build` makes one and names it", .path.display())]
    Folder { path: PathBuf },
    #[error("{} cannot have been live, no server loads it:\n{report}", .path.display())]
    NeverLive { path: PathBuf, report: Box<Report> },
    #[error("{} cannot be placed: {error}", .path.display())]
    Place { path: PathBuf, error: link::PlaceError },
    #[error("cannot write the report: {0}")]
    Write(std::io::Error),
}

/// Checks, writes the report, and answers the exit status.
pub(crate) fn run(options: &Check) -> Result<u8, CheckError> {
    let candidate = contents(&options.candidate)?;
    let (residents, running) = residents(&options.against)?;
    let report = match image::read(&candidate) {
        Ok(image) => verify::judge(compare::compare(&residents, running, image)).report().clone(),
        Err(error) => Report::from(&error),
    };
    let status = status(report.class);
    if options.json {
        output::json(options, &report, status).map_err(CheckError::Write)?;
    } else {
        output::text(&report, options.color).map_err(CheckError::Write)?;
    }
    Ok(status)
}

fn status(class: Class) -> u8 {
    match class {
        Class::Identical | Class::Exempt => 0,
        Class::Review => 10,
        Class::Migration => 20,
        Class::Refused => 30,
    }
}

/// Links the live versions one over the other, as the server did. One that comes again was gone back to.
fn residents(paths: &[PathBuf]) -> Result<(Residents, Option<GenerationId>), CheckError> {
    let mut residents = Residents::new();
    let mut linked: Vec<(Vec<u8>, GenerationId)> = Vec::new();
    let mut running = None;
    for path in paths {
        let bytes = contents(path)?;
        if let Some((_, generation)) = linked.iter().find(|(known, _)| *known == bytes) {
            running = Some(*generation);
            continue;
        }
        let never_live = |report: Report| CheckError::NeverLive { path: path.clone(), report: Box::new(report) };
        let image = image::read(&bytes).map_err(|error| never_live(Report::from(&error)))?;
        let verdict = verify::judge(compare::compare(&residents, running, image));
        // What ran was approved, if that was needed.
        let approved = verdict.report().clone();
        let permit = verdict.approve(&approved).map_err(|refusal| never_live(refusal.report))?;
        let placed = link::place(&mut residents, permit);
        let placed = placed.map_err(|error| CheckError::Place { path: path.clone(), error })?;
        running = Some(placed.generation);
        linked.push((bytes, placed.generation));
    }
    Ok((residents, running))
}

/// A file, read up to the limit of a module and one byte beyond, so that its length can be found too large.
fn contents(path: &Path) -> Result<Vec<u8>, CheckError> {
    if path.is_dir() {
        return Err(CheckError::Folder { path: path.to_owned() });
    }
    let fail = |error| CheckError::File { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(fail)?;
    file.take(limits::CANDIDATE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}
