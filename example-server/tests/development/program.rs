//! The program with its standard input and output in pipes: plain lines, no escape codes, and clear errors.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use crate::{alone, copy::Copy};

/// A copy with finished mods.
fn built() -> Copy {
    let copy = Copy::fresh();
    let silent: example_server::mods::Listener = std::sync::Arc::new(|_| ());
    copy.folder.build(None, &silent).unwrap();
    copy
}

fn program(copy: &Copy, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_example-server"))
        .args(["--no-build", "--mods-dir"])
        .arg(copy.folder.path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn plain_lines_are_answered_and_quit_stops_the_server() {
    let _alone = alone();
    let copy = built();
    let mut server = program(&copy, &["--port", "0"]);
    server.stdin.take().unwrap().write_all(b"mods --json\nplayers\nstauts\nquit\n").unwrap();
    let output = server.wait_with_output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with(r#"{"answer":"mods","mods":[{"mod_name":"arena","current":1,"#), "{out}");
    assert_eq!(lines[1], "nobody is playing");
    assert!(lines[2].contains("did you mean `status`?"), "{out}");
    assert_eq!(lines[3], "stopping the server");
    assert!(err.contains("The arena is open: http://127.0.0.1:") && err.contains("quit: stopping"), "{err}");
    assert!(!out.contains('\x1b') && !err.contains('\x1b') && !out.contains("arena>"), "{out}{err}");
}

#[test]
fn the_end_of_input_ends_the_console_and_not_the_server() {
    let _alone = alone();
    let copy = built();
    let mut server = program(&copy, &["--port", "0"]);
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = log.find(|line| line.contains("The arena is open: ")).unwrap();
    let address = line.rsplit("http://").next().unwrap().trim_end_matches('/').to_owned();
    let mut input = server.stdin.take().unwrap();
    input.write_all(b"status\n").unwrap();
    drop(input);
    let mut answers = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(answers.next().unwrap(), "2 mods, 1 world, 0 players");
    // The port is still taken, so a second server says so.
    let port = address.rsplit(':').next().unwrap();
    let second = program(&copy, &["--port", port]).wait_with_output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && said.contains("is in use by another program"), "{said}");
    assert_eq!(server.try_wait().unwrap(), None);
    let killed = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert!(server.wait().unwrap().success());
    assert!(log.any(|line| line.contains("terminated: stopping")));
}

#[test]
fn mods_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let copy = Copy { folder: example_server::mods::ModsFolder::new(folder.path()) };
    let output = program(&copy, &["--port", "0"]).wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("cannot read") && said.contains("built"), "{said}");
}
