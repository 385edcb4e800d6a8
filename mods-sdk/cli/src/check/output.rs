//! Writes a report to standard output: coloured for people, or one JSON object for tools. What it says is the linker's.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style as Paint};
use serde::Serialize;
use tickswap_linker::verify::{Class, Report, Style};

use super::{Check, Color};

/// What `--json` writes. Fields are added, never renamed or removed.
#[derive(Serialize)]
struct Document<'a> {
    candidate: String,
    against: Vec<String>,
    exit_status: u8,
    #[serde(flatten)]
    report: &'a Report,
}

/// Writes the report for tools.
pub(super) fn json(options: &Check, report: &Report, exit_status: u8) -> io::Result<()> {
    let name = |path: &Path| path.display().to_string();
    let against = options.against.iter().map(|path| name(path)).collect();
    let document = Document { candidate: name(&options.candidate), against, exit_status, report };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    unless_closed(io::stdout().lock().write_all(text.as_bytes()))
}

/// Writes the report for people.
pub(super) fn text(report: &Report, color: Color) -> io::Result<()> {
    let choice = match color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::AlwaysAnsi,
        Color::Never => anstream::ColorChoice::Never,
    };
    let mut output = anstream::AutoStream::new(io::stdout().lock(), choice);
    unless_closed(output.write_all(painted(report).as_bytes()).and_then(|()| output.flush()))
}

/// The text with every span in its colour.
fn painted(report: &Report) -> String {
    let mut text = String::new();
    for span in report.spans() {
        let paint = paint(span.style);
        text.push_str(&format!("{paint}{}{paint:#}", span.text));
    }
    text.push('\n');
    text
}

fn paint(style: Style) -> Paint {
    let plain = Paint::new();
    match style {
        Style::Heading(class) => color_of(class).bold(),
        Style::Code(class) => color_of(class),
        Style::Title | Style::Item => plain.bold(),
        Style::Position => AnsiColor::Cyan.on_default(),
        Style::Added => AnsiColor::Green.on_default(),
        Style::Removed => AnsiColor::Red.on_default(),
        Style::Note => plain.dimmed(),
        _ => plain,
    }
}

fn color_of(class: Class) -> Paint {
    match class {
        Class::Identical | Class::Exempt => AnsiColor::Green.on_default(),
        Class::Review => AnsiColor::Yellow.on_default(),
        Class::Migration => AnsiColor::Magenta.on_default(),
        Class::Refused => AnsiColor::Red.on_default(),
    }
}

/// A reader that has seen enough, such as `head`, is no failure.
fn unless_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
