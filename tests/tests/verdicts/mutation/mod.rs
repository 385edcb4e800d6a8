//! Goal: no edit of state or contract ever passes as an edit of function bodies. Method: fixtures are edited by operators that
//! know what their edit implies, compiled, and the verdict is held against it; what passes is run over live state beside a
//! world that ran the new code from the start.
//!
//! A run takes a sample, chosen by a seed. `TICKSWAP_MUTANTS=all` (or a number) takes more, `TICKSWAP_MUTANTS_SEED` another
//! sample, `TICKSWAP_MUTANTS_ONLY` those whose description holds a text.

mod bodies;
mod items;
mod mutant;
mod scripts;

use std::collections::BTreeMap;
use std::time::Instant;

use mutant::{Expected, Mutant, Source};
use scripts::Compared;
use tickswap_linker::verify::{Class, Code, Report};
use tickswap_linker::{GenerationId, Residents, compare, image, link, verify};
use tickswap_tests::fixtures::build;

use crate::random::Random;

const FIXTURES: &[&str] = &["zoo", "numbered", "marvels", "skirmish"];

/// Mutants of an ordinary run. Each takes about a second to compile.
const SAMPLE: usize = 40;

/// Functions that a change of one body may be reported for: itself, those it is inlined into, and what LLVM arranges
/// otherwise around it.
const NAMED_MAX: usize = 16;

/// All mutants of all fixtures, by operator.
fn all() -> BTreeMap<&'static str, Vec<Mutant>> {
    let mut all: BTreeMap<&'static str, Vec<Mutant>> = BTreeMap::new();
    for fixture in FIXTURES {
        let sources = Source::all(fixture);
        let bodies = sources.iter().flat_map(bodies::mutants);
        for mutant in bodies.chain(items::mutants(&sources)) {
            all.entry(mutant.operator).or_default().push(mutant);
        }
    }
    all
}

/// Every operator in turn gives one of its mutants, until there are none.
fn in_turn(mut all: BTreeMap<&'static str, Vec<Mutant>>, seed: u64) -> Vec<Mutant> {
    let mut random = Random::new(seed);
    let mut order = Vec::new();
    while !all.is_empty() {
        for mutants in all.values_mut() {
            order.push(mutants.swap_remove(random.next(mutants.len())));
        }
        all.retain(|_, mutants| !mutants.is_empty());
    }
    order
}

/// The verdict on `new` over `old`, as a server would give it.
fn report(old: &[u8], new: &[u8]) -> Report {
    let mut residents = Residents::new();
    let first = compare::compare(&residents, None, image::read(old).unwrap());
    link::place(&mut residents, verify::judge(first).permit().unwrap()).unwrap();
    match image::read(new) {
        Ok(image) => {
            let comparison = compare::compare(&residents, Some(GenerationId::new(1)), image);
            verify::judge(comparison).report().clone()
        }
        Err(error) => Report::from(&error),
    }
}

/// What is wrong with a verdict, if anything.
fn wrong_verdict(expected: &Expected, new: &[u8], report: &Report) -> Option<String> {
    let class = report.class;
    match expected {
        Expected::DropAdded(of) if class < Class::Migration && drops(new, of) => {
            Some(format!("passes as {class} although `{of}` has a `Drop` now"))
        }
        Expected::AtLeast(least) if class < *least => Some(format!("passes as {class}, must be at least: {least}")),
        Expected::AtMost(most) if class > *most => Some(format!("is {class}, must be at most: {most}")),
        Expected::Body { at_most, .. } if class > *at_most && !is_doubt(report) => {
            Some(format!("is {class}, must be at most: {at_most}"))
        }
        Expected::Body { function, stands_alone, .. } => {
            let changed: Vec<_> = report.of(Code::B1).map(|finding| finding.item.as_str()).collect();
            let is_named = |item: &&str| item.contains(function.as_str());
            if changed.len() > NAMED_MAX {
                return Some(format!("{} functions are said to have changed: {changed:?}", changed.len()));
            }
            // An edit may compile to the same code, or to none.
            let is_missing = *stands_alone && !changed.is_empty() && !changed.iter().any(is_named);
            is_missing.then(|| format!("`{function}` is not among the changed: {changed:?}"))
        }
        _ => None,
    }
}

/// Whether all that stands in the way is a body that was not seen to change, only not proved unchanged: the functions it is
/// inlined into all changed for another reason. A false alarm, but what is not proved is not exempt.
fn is_doubt(report: &Report) -> bool {
    let mut far = report.at_least(Class::Review);
    far.all(|finding| finding.code == Code::R5 && finding.summary.contains("cannot be proved unchanged"))
}

/// Whether the module has code of `impl Drop` for a type, by itself or inlined: then its debug information has its symbol.
fn drops(module: &[u8], of: &str) -> bool {
    let own = format!("{}{of}", of.len());
    let texts = module.split(|byte| *byte == 0).filter_map(|bytes| std::str::from_utf8(bytes).ok());
    texts.into_iter().any(|text| text.starts_with("_R") && text.contains(&own) && text.ends_with("4drop4Drop4drop"))
}

/// How a mutant fared.
enum Outcome {
    DoesNotCompile,
    Right(Class, Option<Compared>),
    Wrong(String),
}

fn try_mutant(mutant: &Mutant) -> Outcome {
    let Ok(new) = mutant.to_fixture().try_build() else { return Outcome::DoesNotCompile };
    let old = build(mutant.fixture);
    let report = report(&old, &new);
    if let Some(wrong) = wrong_verdict(&mutant.expected, &new, &report) {
        return Outcome::Wrong(format!("{wrong}\n{report}"));
    }
    let compared = (report.class == Class::Exempt).then(|| scripts::compare(mutant.fixture, &old, &new));
    match compared {
        Some(Compared::Disagree(wrong)) => Outcome::Wrong(format!("{wrong}\n{report}")),
        compared => Outcome::Right(report.class, compared),
    }
}

#[test]
fn no_edit_gets_a_verdict_that_it_must_not_have() {
    let variable = |name: &str| std::env::var(name).ok();
    let seed = variable("TICKSWAP_MUTANTS_SEED").and_then(|text| text.parse().ok()).unwrap_or(1);
    let count = match variable("TICKSWAP_MUTANTS") {
        Some(text) if text == "all" => usize::MAX,
        text => text.and_then(|text| text.parse().ok()).unwrap_or(SAMPLE),
    };
    let only = variable("TICKSWAP_MUTANTS_ONLY").unwrap_or_default();
    let (mut tried, mut broken) = (0, 0);
    let mut tally: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut compared: BTreeMap<Compared, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for mutant in in_turn(all(), seed) {
        let title = format!("{} {} in {}", mutant.fixture, mutant.operator, mutant.what);
        if tried == count || !title.contains(&only) {
            continue;
        }
        let began = Instant::now();
        match try_mutant(&mutant) {
            Outcome::DoesNotCompile => broken += 1,
            Outcome::Right(class, ran) => {
                tried += 1;
                if let Some(ran) = ran {
                    *compared.entry(ran).or_default() += 1;
                }
                let doubted = matches!(&mutant.expected, Expected::Body { at_most, .. } if class > *at_most);
                let doubt = if doubted { ", not proved" } else { "" };
                *tally.entry((mutant.operator, format!("{class}{doubt}"))).or_default() += 1;
            }
            Outcome::Wrong(why) => {
                tried += 1;
                eprintln!("WRONG {title}: {why}\n");
                wrong.push(format!("{title}: {}", why.lines().next().unwrap_or_default()));
            }
        }
        if count > SAMPLE {
            eprintln!(
                "{tried} tried, {broken} do not compile, {} wrong, {:.1?}: {title}",
                wrong.len(),
                began.elapsed()
            );
        }
    }
    for ((operator, class), count) in &tally {
        eprintln!("{operator}: {count} {class}");
    }
    eprintln!("{tried} mutants with seed {seed}, {broken} more do not compile");
    eprintln!("of those that are exempt, patched worlds and ones that ran the new code from the start: {compared:?}");
    assert!(tried >= count.min(SAMPLE) || !only.is_empty(), "{tried} mutants compile");
    assert!(
        compared.contains_key(&Compared::Agree) || !only.is_empty(),
        "nothing was compared over state: {compared:?}"
    );
    assert!(wrong.is_empty(), "{} of {tried} with seed {seed}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn operators_make_sources_that_parse_and_differ() {
    let all = all();
    assert!(all.len() >= 25, "{:?}", all.keys());
    for mutant in all.values().flatten() {
        assert!(!mutant.files.is_empty(), "{}", mutant.what);
        for (path, text) in &mutant.files {
            assert!(syn::parse_file(text).is_ok(), "{} {}: {}\n{text}", mutant.operator, mutant.what, path.display());
        }
    }
}

#[test]
fn a_verdict_that_is_too_mild_is_found() {
    // The suite itself: what would be wrong is called wrong.
    let exempt = Report::new(Vec::new());
    assert!(wrong_verdict(&Expected::AtLeast(Class::Migration), &[], &exempt).is_some());
    assert!(wrong_verdict(&Expected::AtMost(Class::Exempt), &[], &exempt).is_none());
    let finding = |code: Code, item: &str| verify::Finding::new(code, item);
    let moved = Report::new(vec![finding(Code::M1, "a::B")]);
    assert!(wrong_verdict(&Expected::AtMost(Class::Exempt), &[], &moved).is_some());
    let body = |at_most| Expected::Body { function: "act".into(), stands_alone: true, at_most };
    assert!(wrong_verdict(&body(Class::Exempt), &[], &moved).is_some());
    assert!(wrong_verdict(&body(Class::Exempt), &[], &Report::new(vec![finding(Code::B1, "a.other")])).is_some());
    assert!(wrong_verdict(&body(Class::Exempt), &[], &Report::new(vec![finding(Code::B1, "a.act")])).is_none());
    let many = (0..=NAMED_MAX).map(|number| finding(Code::B1, &format!("a.act{number}"))).collect();
    assert!(wrong_verdict(&body(Class::Exempt), &[], &Report::new(many)).is_some());
    // Doubt is allowed, a change that was seen is not.
    let doubt = finding(Code::R5, "a.hash").summary("body that live data relies on cannot be proved unchanged");
    let acts = finding(Code::B1, "a.act");
    assert!(wrong_verdict(&body(Class::Exempt), &[], &Report::new(vec![acts.clone(), doubt])).is_none());
    assert!(wrong_verdict(&body(Class::Exempt), &[], &Report::new(vec![acts, finding(Code::R5, "a.hash")])).is_some());
}
