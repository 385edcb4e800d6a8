//! `cargo tickswap check` as people and tools call it. Method: one small mod, built in variants, checked against each other
//! and against files that are no mods.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

const SOURCE: &str = r#"//! A duel.
#[path = "proof.rs"]
mod proof;

pub struct Fighter {
    health: u32,
}

static FIGHTER: std::sync::Mutex<Option<Fighter>> = std::sync::Mutex::new(None);

#[unsafe(no_mangle)]
pub extern "C" fn hit(damage: u32) -> u32 {
    let mut fighter = FIGHTER.lock().unwrap();
    let fighter = fighter.get_or_insert(Fighter { health: 100 });
    fighter.health = fighter.health.saturating_sub(damage);
    fighter.health
}
"#;

/// Name of a variant, and what it replaces.
const VARIANTS: &[(&str, &[(&str, &str)])] = &[
    ("first", &[]),
    ("body", &[("saturating_sub(damage)", "saturating_sub(damage / 2)")]),
    (
        "static",
        &[
            ("fighter.health\n}", "HITS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n    fighter.health\n}"),
            (
                "#[unsafe",
                "static HITS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);\n\n#[unsafe",
            ),
        ],
    ),
    (
        "field",
        &[
            ("health: u32,", "health: u32,\n    shield: u32,"),
            ("{ health: 100 }", "{ health: 100, shield: damage }"),
            ("fighter.health\n}", "fighter.health + fighter.shield\n}"),
        ],
    ),
    ("hook", &[("fn hit(", "fn strike(")]),
];

/// The folder with all variants.
static MODULES: LazyLock<PathBuf> = LazyLock::new(|| {
    // A folder that stays: only the first run compiles everything.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("check");
    let made = folder.join("duel");
    fs::create_dir_all(made.join("src")).unwrap();
    let manifest =
        "[package]\nname = 'duel'\nversion = '0.1.0'\nedition = '2024'\n[lib]\ncrate-type = ['cdylib']\n[workspace]\n";
    fs::write(made.join("Cargo.toml"), manifest).unwrap();
    let proof = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/shared/proof.rs");
    fs::copy(proof, made.join("src/proof.rs")).unwrap();
    for (name, edits) in VARIANTS {
        let mut source = SOURCE.to_owned();
        for (old, new) in *edits {
            assert!(source.contains(old), "{name}: {old}");
            source = source.replacen(old, new, 1);
        }
        fs::write(made.join("src/lib.rs"), source).unwrap();
        let output = tickswap(&folder, &["build", "--manifest-dir", "duel", "--out-dir", "duel/built", "--offline"]);
        assert!(output.status.success(), "{}", errors(&output));
        fs::rename(made.join("built/duel.wasm"), folder.join(format!("{name}.wasm"))).unwrap();
    }
    fs::write(folder.join("text.wasm"), "no module").unwrap();
    let first = fs::read(folder.join("first.wasm")).unwrap();
    fs::write(folder.join("cut.wasm"), &first[..first.len() / 2]).unwrap();
    fs::write(folder.join("component.wasm"), b"\0asm\x0d\0\x01\0").unwrap();
    folder
});

fn tickswap(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-tickswap"))
        .current_dir(folder)
        .args(arguments)
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

/// Exit status and report of a check in the folder of the variants.
fn check(arguments: &[&str]) -> (i32, String) {
    let mut all = vec!["tickswap", "check"];
    all.extend(arguments);
    let output = tickswap(&MODULES, &all);
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_exit_status_tells_the_class_and_the_report_why() {
    for (candidate, status, says) in [
        ("first.wasm", 0, "nothing differs: identical"),
        ("body.wasm", 0, "B1  body changed"),
        ("static.wasm", 10, "R3  static added"),
        ("field.wasm", 20, "M1  "),
        ("hook.wasm", 30, "X1  hook removed"),
        ("text.wasm", 30, "X8  not a WebAssembly file"),
        ("cut.wasm", 30, "X8  malformed WebAssembly"),
        ("component.wasm", 30, "X8  a WebAssembly component"),
    ] {
        let (found, report) = check(&["--against", "first.wasm", candidate]);
        assert_eq!(found, status, "{candidate}: {report}");
        assert!(report.contains(says), "{candidate}: {report}");
        assert!(report.ends_with('\n') && !report.contains('\u{1b}'), "{report:?}");
    }
    let (_, report) = check(&["--against", "first.wasm", "field.wasm"]);
    assert!(report.contains("duel::Fighter") && report.contains("shield"), "{report}");
}

#[test]
fn every_version_that_ever_ran_counts_and_the_last_one_runs() {
    // What somebody approved may be the version that runs.
    let (status, _) = check(&["--against", "first.wasm", "--against", "static.wasm", "first.wasm"]);
    assert_eq!(status, 20, "the static would be lost");
    let (status, report) =
        check(&["--against", "first.wasm", "--against", "static.wasm", "--against", "first.wasm", "first.wasm"]);
    assert_eq!(status, 0, "{report}");
    // Two that cannot have lived in one process.
    let output = tickswap(&MODULES, &["check", "--against", "first.wasm", "--against", "field.wasm", "first.wasm"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("field.wasm cannot have been live") && errors(&output).contains("M1"));
}

#[test]
fn tools_get_one_json_object() {
    let (status, text) = check(&["--json", "--against", "first.wasm", "field.wasm"]);
    assert_eq!(status, 20);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["exit_status"], 20);
    assert_eq!(document["class"], "migration");
    assert_eq!(document["against"], serde_json::json!(["first.wasm"]));
    assert_eq!(document["candidate"], "field.wasm");
    assert!(document["summary"].as_str().unwrap().ends_with("needs migration"), "{text}");
    let findings = document["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["item"] == "duel::Fighter").unwrap();
    assert_eq!((&finding["code"], &finding["class"]), (&"M1".into(), &"migration".into()), "{text}");
    // A file that is none is a report too.
    let (status, text) = check(&["--json", "--against", "first.wasm", "text.wasm"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &document["findings"][0]["code"]), (30, &"X8".into()), "{text}");
}

#[test]
fn colour_comes_when_it_is_asked_for() {
    let coloured = |arguments: &[&str]| check(&[arguments, &["--against", "first.wasm", "field.wasm"]].concat()).1;
    let plain = coloured(&["--color", "never"]);
    let painted = coloured(&["--color", "always"]);
    assert!(!plain.contains('\u{1b}') && painted.contains("\u{1b}[35m"), "{painted:?}");
    let mut stripped = String::new();
    for part in painted.split('\u{1b}') {
        stripped.push_str(part.strip_prefix('[').and_then(|part| part.split_once('m')).map_or(part, |(_, text)| text));
    }
    assert_eq!(stripped, plain);
    // Standard output is no terminal here.
    assert_eq!(coloured(&[]), plain);
}

#[test]
fn what_cannot_be_compared_is_an_error_of_its_own() {
    for (arguments, says) in [
        (&["--against", "first.wasm", "missing.wasm"][..], "cannot read missing.wasm: "),
        (&["--against", "missing.wasm", "first.wasm"], "cannot read missing.wasm: "),
        (&["--against", "first.wasm", "duel"], "duel is a folder"),
        (&["--against", "text.wasm", "first.wasm"], "text.wasm cannot have been live"),
        (&["--against", "cut.wasm", "first.wasm"], "X8  malformed WebAssembly"),
        (&["first.wasm"], "--against <LIVE.wasm>"),
        (&["--against", "first.wasm"], "<NEW.wasm>"),
        (&["--against", "first.wasm", "--color", "sometimes", "first.wasm"], "sometimes"),
        (&["--against", "first.wasm", "first.wasm", "--yaml"], "--yaml"),
    ] {
        let mut all = vec!["check"];
        all.extend(arguments);
        let output = tickswap(&MODULES, &all);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(says), "{arguments:?}: {}", errors(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let help = tickswap(&MODULES, &["check", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.contains("20  needs migration") && text.contains("Examples:"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_cargo-tickswap"))
        .current_dir(&*MODULES)
        .args(["check", "--json", "--against", "first.wasm", "field.wasm"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(20), "{}", errors(&output));
    assert!(output.stderr.is_empty());
}
