//! Findings that follow from more than one fact: bodies that live data relies on, signatures of address-taken functions,
//! `Drop`, environments hidden in types, what explains what. The codes of plain differences are the corpus' business.

use tickswap_linker::verify::{Class, Code, Mark, Report};
use tickswap_tests::fixtures::edited;
use tickswap_tests::live::Live;

/// Keys of every kind, beside what the fixture has.
const KEYS: &str = r#"
#[path = "../../shared/proof.rs"]
mod proof;

#[derive(Clone, Copy)]
pub struct Key {
    realm: u32,
    id: u32,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.realm == other.realm && self.id == other.id
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        self.realm.hash(hasher);
        self.id.hash(hasher);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    Calm,
    Angry,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rank(u32, u32);

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        normal(self.0).cmp(&normal(other.0)).then(self.1.cmp(&other.1))
    }
}

#[inline(never)]
fn normal(value: u32) -> u32 {
    std::hint::black_box(value) * 2
}

#[derive(Default)]
pub struct Bag {
    keys: HashMap<Key, u32>,
    ranks: std::collections::BTreeMap<Rank, u32>,
    moods: Vec<Mood>,
}

pub struct Token(u32);

static BAG: Mutex<Option<Bag>> = Mutex::new(None);
static TOKENS: Mutex<Vec<Token>> = Mutex::new(Vec::new());

#[unsafe(no_mangle)]
pub extern "C" fn keep(realm: u32, id: u32, value: u32) -> u32 {
    TOKENS.lock().unwrap().push(Token(value));
    let mut bag = BAG.lock().unwrap();
    let bag = bag.get_or_insert_default();
    bag.keys.insert(Key { realm, id }, value);
    bag.ranks.insert(Rank(realm, id), value);
    bag.moods.push(if value > 3 { Mood::Angry } else { Mood::Calm });
    bag.moods.iter().filter(|mood| **mood == Mood::Calm).count() as u32
}

#[unsafe(no_mangle)]
pub extern "C" fn find(realm: u32, id: u32) -> u32 {
    let bag = BAG.lock().unwrap();
    let Some(bag) = bag.as_ref() else { return 0 };
    let key = bag.keys.get(&Key { realm, id }).copied().unwrap_or(1000);
    let rank = bag.ranks.get(&Rank(realm, id)).copied().unwrap_or(1000);
    key + rank * 10 + scale(key)
}

#[inline(never)]
fn scale(key: u32) -> u32 {
    std::hint::black_box(key) * 100
}

struct Plain;
"#;

const FIXTURE: &str = "struct Plain;\n";

fn with(edits: &[(&str, &str)]) -> Vec<u8> {
    let mut all = vec![(FIXTURE, KEYS)];
    all.extend(edits);
    edited("counter", &all)
}

fn start() -> Live {
    let mut live = Live::new();
    live.patch(&with(&[])).unwrap_or_else(|error| panic!("{error}"));
    (1..=9u32).for_each(|id| {
        live.call::<_, u32>("keep", (id % 3, id, id));
    });
    live
}

fn items(report: &Report, code: Code) -> Vec<&str> {
    report.of(code).map(|finding| finding.item.as_str()).collect()
}

#[test]
fn edits_beside_keys_are_exempt_and_name_what_was_touched() {
    let mut live = start();
    for (edits, touched) in [
        (&[("key + rank * 10 +", "key + rank * 11 +")][..], "find"),
        (&[("if value > 3", "if value > 4")], "keep"),
        (&[("std::hint::black_box(key) * 100", "std::hint::black_box(key) * 101")], "scale"),
        (&[("**mood == Mood::Calm", "**mood != Mood::Calm")], "keep"),
    ] {
        let report = live.report_on(&with(edits));
        assert_eq!(report.class, Class::Exempt, "{report}");
        assert!(report.summary.starts_with("1 function changed"), "{report}");
        let named: Vec<_> = report.of(Code::B1).filter(|finding| finding.mark.is_none()).collect();
        assert!(named.len() == 1 && named[0].item.contains(touched), "{report}");
        let at = named[0].at.as_ref().map(|at| at.file.ends_with("src/lib.rs") && at.line > 1);
        assert_eq!(at, Some(true), "{report}");
        live.patch(&with(edits)).unwrap_or_else(|error| panic!("{error}"));
        live.patch(&with(&[])).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_changed_hash_eq_or_ord_needs_review_also_where_it_is_inlined() {
    let mut live = start();
    for (edits, expected) in [
        (&[("        self.realm.hash(hasher);\n", "")][..], "Key as core::hash::Hash>::hash"),
        (
            &[("self.realm == other.realm && self.id == other.id", "self.id == other.id")],
            "Key as core::cmp::PartialEq>::eq",
        ),
        (
            &[("self.realm == other.realm && self.id == other.id", "{ let _ = other; true }")],
            "Key as core::cmp::PartialEq>::eq",
        ),
        (
            &[(
                "normal(self.0).cmp(&normal(other.0)).then(self.1.cmp(&other.1))",
                "normal(other.0).cmp(&normal(self.0)).then(self.1.cmp(&other.1))",
            )],
            "Rank as core::cmp::",
        ),
        // Not the body itself, but what it calls.
        (&[("std::hint::black_box(value) * 2", "std::hint::black_box(value) % 7")], "Rank as core::cmp::"),
        // A derive in the place of the body.
        (
            &[
                ("#[derive(Clone, Copy)]\npub struct Key", "#[derive(Clone, Copy, Hash)]\npub struct Key"),
                (
                    "impl std::hash::Hash for Key {\n    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {\n        self.realm.hash(hasher);\n        self.id.hash(hasher);\n    }\n}\n",
                    "",
                ),
                ("    realm: u32,\n    id: u32,\n}", "    realm: u32,\n    id: u32,\n}//"),
            ],
            "",
        ),
    ] {
        let report = live.report_on(&with(edits));
        let found = items(&report, Code::R5);
        assert_eq!(found.is_empty(), expected.is_empty(), "{edits:?}\n{report}");
        assert!(found.iter().all(|_| report.class == Class::Review), "{report}");
        assert!(expected.is_empty() || found.iter().any(|item| item.contains(expected)), "{edits:?}\n{report}");
    }
    let refused = live.patch(&with(&[("        self.realm.hash(hasher);\n", "")])).unwrap_err().to_string();
    assert!(refused.contains("R5") && refused.contains("found, or sorted"), "{refused}");
}

#[test]
fn a_hash_of_a_rolled_back_generation_binds_later_ones() {
    let mut live = start();
    let first = tickswap_linker::GenerationId::new(1);
    let other = with(&[("        self.realm.hash(hasher);\n", "")]);
    live.patch_approved(&other).unwrap_or_else(|error| panic!("{error}"));
    // What was approved on the way is not asked again.
    let later = with(&[("        self.realm.hash(hasher);\n", ""), ("key + rank * 10 +", "key + rank * 11 +")]);
    assert_eq!(live.report_on(&later).class, Class::Exempt, "{}", live.report_on(&later));
    live.activate(first);
    let report = live.report_on(&with(&[("key + rank * 10 +", "key + rank * 12 +")]));
    assert!(!items(&report, Code::R5).is_empty(), "keys of the rolled back generation live on: {report}");
}

#[test]
fn a_function_whose_address_is_taken_needs_review_for_another_signature() {
    let mut live = start();
    live.call::<_, ()>("start", 3u64);
    let report = live.report_on(&with(&[
        (".unwrap_or(step)", ".unwrap_or(|count| step(count as i64) as u64)"),
        ("fn step(count: u64) -> u64 {\n    count + 1", "fn step(count: i64) -> i64 {\n    count + 1"),
        ("Some(step)", "Some(|count| std::hint::black_box(step as fn(i64) -> i64)(count as i64) as u64)"),
    ]));
    assert_eq!(items(&report, Code::R7), ["counter::step"], "{report}");
    let finding = report.of(Code::R7).next().unwrap();
    assert!(finding.details.iter().any(|line| line == "- fn(u64) -> u64"), "{report}");
    assert!(finding.details.iter().any(|line| line == "+ fn(i64) -> i64"), "{report}");
}

#[test]
fn a_drop_that_comes_or_goes_is_told_although_no_vtable_shows_it() {
    let dropping = (
        "TOKENS.lock().unwrap().push(Token(value));",
        "TOKENS.lock().unwrap().extend([Token(value), Token(1)]);\n    TOKENS.lock().unwrap().pop();",
    );
    let token = "pub struct Token(u32);";
    let drop = format!(
        "{token}\nimpl Drop for Token {{\n    fn drop(&mut self) {{\n        CALLS.fetch_add(self.0, Ordering::Relaxed);\n    }}\n}}"
    );
    let added = with(&[dropping, (token, &drop)]);
    let mut live = Live::new();
    live.patch(&with(&[])).unwrap_or_else(|error| panic!("{error}"));
    // New code that drops what was never dropped before has no such impl to call.
    live.patch(&with(&[dropping])).unwrap_or_else(|error| panic!("{error}"));
    let report = live.report_on(&added);
    assert_eq!(items(&report, Code::M6), ["counter::Token"], "{report}");
    assert!(live.patch_approved(&added).unwrap_err().to_string().contains("`Drop` added"));
    let mut live = Live::new();
    live.patch(&added).unwrap_or_else(|error| panic!("{error}"));
    let report = live.report_on(&with(&[dropping]));
    assert!(report.of(Code::M6).any(|finding| finding.summary.contains("`Drop` removed")), "{report}");
}

#[test]
fn a_changed_type_is_named_with_its_fields_and_what_holds_it_follows() {
    let live = start();
    let report = live.report_on(&with(&[
        ("    moods: Vec<Mood>,\n}", "    moods: Vec<Mood>,\n    luck: u64,\n}"),
        ("bag.moods.push(", "bag.luck += 1;\n    bag.moods.push("),
    ]));
    let touched: Vec<_> = report.of(Code::M1).filter(|finding| finding.mark.is_none()).collect();
    assert_eq!(touched.len(), 1, "{report}");
    assert_eq!((touched[0].item.as_str(), touched[0].summary.as_str()), ("counter::Bag", "field added to a live type"));
    assert!(touched[0].details.iter().any(|line| line.starts_with("+ luck: u64   at ")), "{report}");
    assert!(touched[0].change.starts_with("size ") && touched[0].change.contains(" -> "), "{report}");
    assert!(report.of(Code::M1).any(|finding| matches!(&finding.mark, Some(Mark::Holds(types)) if !types.is_empty())));
    assert!(report.summary.contains("1 type changed") && report.summary.ends_with("needs migration"), "{report}");
    assert_eq!(report.findings[0].item, "counter::Bag", "what was touched comes first");

    let report = live.report_on(&with(&[
        ("    Calm,\n    Angry,\n", "    Sad,\n    Calm,\n    Angry,\n"),
        ("{ Mood::Angry } else", "{ Mood::Angry } else if value == 2 { Mood::Sad } else"),
    ]));
    let finding = report.of(Code::M2).next().unwrap_or_else(|| panic!("{report}"));
    assert_eq!(finding.item, "counter::Mood", "{report}");
    assert!(finding.details.contains(&"+ Sad = 0".to_owned()), "{report}");
    assert!(finding.details.contains(&"~ Calm = 0 -> 1".to_owned()), "{report}");
}

#[test]
fn what_was_inlined_into_others_explains_them() {
    let inlined = [
        (
            "#[inline(never)]\nfn scale",
            "#[inline]\npub fn shared(key: u32) -> u32 {\n    std::hint::black_box(key * 3) + 1\n}\n\n#[unsafe(no_mangle)]\npub extern \"C\" fn shares(key: u32) -> u32 {\n    let call: fn(u32) -> u32 = std::hint::black_box(shared);\n    call(key)\n}\n\n#[inline(never)]\nfn scale",
        ),
        ("std::hint::black_box(key) * 100", "shared(std::hint::black_box(key)) * 100"),
    ];
    let mut live = Live::new();
    live.patch(&with(&inlined)).unwrap_or_else(|error| panic!("{error}"));
    let report = live.report_on(&with(&[inlined.as_slice(), &[("black_box(key * 3)", "black_box(key * 5)")]].concat()));
    let mark =
        |item: &str| report.of(Code::B1).find(|finding| finding.item == item).map(|finding| finding.mark.clone());
    assert_eq!(mark("counter::shared"), Some(None), "{report}");
    assert_eq!(mark("counter::scale"), Some(Some(Mark::InlinedFrom(vec!["counter::shared".into()]))), "{report}");
    assert_eq!(report.summary, "1 function changed: exempt", "{report}");
}

#[test]
fn a_suspended_coroutine_behind_an_associated_type_goes_on_as_it_began() {
    let hidden = (
        FIXTURE,
        r#"
#[path = "../../shared/proof.rs"]
mod proof;

pub trait Job {
    type Work: Future<Output = u32>;
    fn begin(self) -> Self::Work;
}

pub struct Of<F>(F);

impl<F: FnOnce(u32) -> W, W: Future<Output = u32>> Job for Of<F> {
    type Work = W;
    fn begin(self) -> W {
        (self.0)(7)
    }
}

pub trait Run {
    fn run(&mut self) -> u32;
}

/// Names the job, but not what it waits in.
pub struct Runner<J: Job> {
    work: std::pin::Pin<Box<J::Work>>,
}

impl<J: Job> Run for Runner<J> {
    #[inline(never)]
    fn run(&mut self) -> u32 {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match self.work.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => 0,
        }
    }
}

pub struct Pause(bool);

impl Future for Pause {
    type Output = ();
    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if std::mem::replace(&mut self.0, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    }
}

async fn wait(value: u32) -> u32 {
    let before = std::hint::black_box(value) + 1;
    Pause(false).await;
    before * 10 + value
}

thread_local! {
    static JOBS: RefCell<Vec<Box<dyn Run>>> = const { RefCell::new(Vec::new()) };
}

fn runner<J: Job<Work: 'static> + 'static>(job: J) -> Box<dyn Run> {
    Box::new(Runner::<J> { work: Box::pin(job.begin()) })
}

#[unsafe(no_mangle)]
pub extern "C" fn begin() {
    JOBS.with_borrow_mut(|jobs| jobs.push(runner(Of(wait))));
}

#[unsafe(no_mangle)]
pub extern "C" fn run() -> u32 {
    JOBS.with_borrow_mut(|jobs| jobs.iter_mut().map(|job| job.run()).sum())
}

struct Plain;
"#,
    );
    let mut live = Live::new();
    live.patch(&edited("counter", &[hidden])).unwrap_or_else(|error| panic!("{error}"));
    live.call::<_, ()>("begin", ());
    assert_eq!(live.call::<_, u32>("run", ()), 0);
    // What was computed before the pause is kept in another form.
    let next = edited(
        "counter",
        &[hidden, ("(value) + 1;", "(value) + 100;"), ("before * 10 + value", "(before - 99) * 10 + value")],
    );
    let report = live.report_on(&next);
    assert_eq!(
        items(&report, Code::M1),
        ["<counter::Runner<counter::Of<counter::wait>> as counter::Run>::run"],
        "{report}"
    );
    live.patch_approved(&next).unwrap_err();
    assert_eq!(live.call::<_, u32>("run", ()), 87, "the suspended one goes on as it began");
    // What does not touch the coroutine is exempt.
    let beside = edited("counter", &[hidden, ("count * self.weight", "count * self.weight + 1")]);
    live.patch(&beside).unwrap_or_else(|error| panic!("{error}"));
    // Captures that change place behind the same name.
    let held = edited(
        "counter",
        &[
            hidden,
            (
                "async fn wait(value: u32) -> u32 {\n",
                "async fn wait(value: u32) -> u32 {\n    let wide = std::hint::black_box(u64::from(value));\n",
            ),
            ("before * 10 + value", "before * 10 + value + wide as u32 * 0"),
        ],
    );
    assert!(live.report_on(&held).class >= Class::Migration, "{}", live.report_on(&held));
}

#[test]
fn a_closure_whose_type_identity_is_kept_although_it_became_another_is_told() {
    let mut live = Live::new();
    live.patch(&edited("broken", &[])).unwrap_or_else(|error| panic!("{error}"));
    let captures_more = edited(
        "broken",
        &[(
            "    remember(move |x| x * 10 + value)",
            "    let more = u64::from(value) << 40;\n    remember(move |x| x * 10 + (more >> 40) as u32)",
        )],
    );
    let report = live.report_on(&captures_more);
    assert!(items(&report, Code::M7).iter().any(|item| item.contains("remember_closure")), "{report}");
    let body_only =
        edited("broken", &[("    remember(move |x| x * 10 + value)", "    remember(move |x| x * 20 + value)")]);
    let report = live.report_on(&body_only);
    assert_eq!(report.class, Class::Exempt, "{report}");
}
