//! The golden corpus: every folder of `tests/corpus` is a pair of mods with the report that the second must get over the first.
//!
//! `BLESS=1` writes the reports anew; `TICKSWAP_CORPUS_ONLY` runs the cases whose folder's name holds a text.

mod case;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use case::{Call, Case, Version};
use tickswap_linker::verify::{Class, Code, Report};
use tickswap_linker::{GenerationId, verify};
use tickswap_tests::live::Live;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Folders of cases by name.
fn cases() -> Vec<(String, Case)> {
    let only = std::env::var("TICKSWAP_CORPUS_ONLY").unwrap_or_default();
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    names.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(path.join("case.toml")).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let case = toml::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        (path.file_name().unwrap().to_string_lossy().into_owned(), case)
    };
    names.into_iter().map(read).filter(|(name, _)| name.contains(&only)).collect()
}

/// Runs a case up to its report and what follows from it; everything that is not as the case says.
fn run(case: &Case) -> (Report, Vec<String>) {
    let mut wrong = Vec::new();
    let mut live = Live::new();
    let first = [Version::default()];
    let versions = if case.live.is_empty() { first.as_slice() } else { case.live.as_slice() };
    for (index, version) in versions.iter().enumerate() {
        live.patch_approved(&version.module(&case.fixture))
            .unwrap_or_else(|error| panic!("live {}: {error}", index + 1));
    }
    if let Some(runs) = case.runs {
        live.activate(GenerationId::new(runs as u32));
    }
    play(&mut live, "before", &case.before, &mut wrong);
    let candidate = case.candidate.module(&case.fixture);
    let report = live.report_on(&candidate);
    if report.class != case.class {
        wrong.push(format!("class: expected {}, found {}", case.class, report.class));
    }
    let found: BTreeSet<Code> = report.findings.iter().map(|finding| finding.code).collect();
    let expected: BTreeSet<Code> = case.codes.iter().copied().collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    let beyond: Vec<_> = found.difference(&expected).filter(|code| code.class() > Class::Exempt).collect();
    if !missing.is_empty() || !beyond.is_empty() {
        wrong.push(format!("codes: {missing:?} are missing, {beyond:?} are too many"));
    }
    // What the report says is what the gate does.
    let patched = match report.class {
        Class::Identical | Class::Exempt => live.patch(&candidate).map(|_| true),
        Class::Review if live.patch(&candidate).is_ok() => panic!("patched without the approval it needs"),
        Class::Review => live.patch_approved(&candidate).map(|_| true),
        Class::Migration | Class::Refused => Ok(live.patch_approved(&candidate).is_ok()),
    };
    match patched {
        Ok(patched) if patched == (report.class <= Class::Review) => {}
        Ok(_) => wrong.push("patched although the report forbids it".into()),
        Err(error) => wrong.push(format!("not patched: {error}")),
    }
    play(&mut live, "after", &case.after, &mut wrong);
    (report, wrong)
}

fn play(live: &mut Live, when: &str, calls: &[Call], wrong: &mut Vec<String>) {
    for Call { call, with, answers } in calls {
        match live.call_numbers(call, with) {
            Ok(found) if answers.is_none() || found == *answers => {}
            found => wrong.push(format!("{when}: {call}{with:?} must answer {answers:?}, gives {found:?}")),
        }
    }
}

/// The report as it is kept: the compiler's own sources without its commit and lines, which change with every compiler.
fn kept(report: &Report) -> String {
    let mut text = String::new();
    for line in report.to_string().lines() {
        let line = match line.find("/rustc/").map(|at| (at, at + "/rustc/".len() + COMMIT_DIGITS)) {
            Some((start, end)) if line.len() > end => {
                let path = &line[end..];
                let path =
                    path.rsplit_once(':').filter(|(_, line)| line.parse::<u32>().is_ok()).map_or(path, |(p, _)| p);
                format!("{}/rustc{path}", &line[..start])
            }
            _ => line.to_owned(),
        };
        writeln!(text, "{}", line.trim_end()).unwrap();
    }
    text
}

const COMMIT_DIGITS: usize = 40;

#[test]
fn every_pair_gets_its_report() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = String::new();
    let cases = cases();
    assert!(!cases.is_empty());
    for (name, case) in &cases {
        let Ok((report, mut problems)) = catch_unwind(|| run(case)) else {
            writeln!(wrong, "{name} ({}): panics, see above", case.about).unwrap();
            continue;
        };
        let file = folder().join(name).join("report.txt");
        let found = kept(&report);
        if bless {
            fs::write(&file, &found).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        if expected != found {
            problems.push(format!("report.txt differs (BLESS=1 rewrites it); found:\n{found}"));
        }
        for problem in problems {
            writeln!(wrong, "{name} ({}): {problem}", case.about).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_code_has_a_case_named_after_it() {
    let cases = cases();
    for code in Code::ALL {
        let named = |(name, case): &&(String, Case)| {
            name.split_once('-').is_some_and(|(first, _)| first == code.as_str()) && case.codes.contains(code)
        };
        let of_code = cases.iter().filter(named).count();
        assert!(of_code > 0 || std::env::var_os("TICKSWAP_CORPUS_ONLY").is_some(), "no case `{code}-...` shows {code}");
    }
    for (name, case) in &cases {
        let code = name.split_once('-').and_then(|(code, slug)| (!slug.is_empty()).then(|| code.parse::<Code>()));
        match code {
            Some(Ok(code)) => assert!(case.codes.contains(&code), "{name} does not show {code}"),
            _ => assert!(name.starts_with("identical-"), "{name} is not named CODE-slug"),
        }
        let worst = case.codes.iter().map(|code| code.class()).max();
        assert!(worst.is_none_or(|worst| worst == case.class), "{name}: the codes make {worst:?}");
        assert!(case.about.ends_with('.'), "{name}: `about` is a sentence");
    }
}

#[test]
fn reports_name_no_machine() {
    let home = std::env::var("HOME").unwrap_or_default();
    let here = env!("CARGO_MANIFEST_DIR");
    for (name, _) in cases() {
        let report = fs::read_to_string(folder().join(&name).join("report.txt")).unwrap_or_default();
        for part in [here, home.as_str(), "/home/", "/Users/", "target/", "\\", "registry/src"] {
            assert!(part.len() < 2 || !report.contains(part), "{name}: the report holds `{part}`");
        }
    }
}

#[test]
fn the_compilers_commit_and_lines_are_left_out() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let at = |line| format!("    core::f   /rustc/{commit}/library/core/src/option.rs:{line}");
    let finding = |line| {
        let position = tickswap_linker::compare::SourcePosition {
            file: format!("/rustc/{commit}/library/core/src/option.rs"),
            line,
        };
        verify::Finding::new(Code::B1, "core::f").at(Some(position))
    };
    assert!(Report::new(vec![finding(7)]).to_string().contains(at(7).trim_start().split("   ").next().unwrap()));
    let (one, other) = (kept(&Report::new(vec![finding(7)])), kept(&Report::new(vec![finding(19)])));
    assert_eq!(one, other);
    assert!(one.contains("/rustc/library/core/src/option.rs\n"), "{one}");
}
