//! Laws of codes, findings and reports, whatever they say, and of comparing a module with itself.

use proptest::prelude::*;
use tickswap_linker::compare::SourcePosition;
use tickswap_linker::verify::{Class, Code, Finding, Mark, Report};
use tickswap_tests::fixtures::build;
use tickswap_tests::live::Live;

fn code() -> impl Strategy<Value = Code> {
    prop::sample::select(Code::ALL)
}

fn finding() -> impl Strategy<Value = Finding> {
    let at = prop::option::of(("[a-z/.]{1,20}", any::<u32>()));
    let mark = prop::option::of(prop::collection::vec("\\PC{0,12}", 0..3));
    (code(), "\\PC{0,24}", at, "\\PC{0,24}", prop::collection::vec("\\PC{0,24}", 0..4), mark).prop_map(
        |(code, item, at, change, details, mark)| {
            let at = at.map(|(file, line)| SourcePosition { file, line });
            let finding = Finding::new(code, item).at(at).change(change).mark(mark.map(Mark::InlinedFrom));
            details.into_iter().fold(finding, Finding::detail)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_code_is_read_as_it_is_written_and_nothing_else_is(code in code(), text in "\\PC{0,6}") {
        prop_assert_eq!(code.to_string().parse::<Code>(), Ok(code));
        prop_assert_eq!(serde_json::from_value::<Code>(serde_json::to_value(code).unwrap()).unwrap(), code);
        let is_code = Code::ALL.iter().any(|code| code.as_str() == text);
        prop_assert_eq!(text.parse::<Code>().is_ok(), is_code);
    }

    #[test]
    fn a_finding_more_never_makes_a_report_milder(findings in prop::collection::vec(finding(), 0..6), more in finding()) {
        let before = Report::new(findings.clone());
        let after = Report::new([findings, vec![more.clone()]].concat());
        prop_assert!(after.class >= before.class);
        prop_assert!(after.class >= more.code.class());
        prop_assert!(after.findings.contains(&more));
    }

    #[test]
    fn the_order_of_findings_does_not_matter(findings in prop::collection::vec(finding(), 0..6)) {
        let mut reversed = findings.clone();
        reversed.reverse();
        let (one, other) = (Report::new(findings), Report::new(reversed));
        prop_assert_eq!((one.class, &one.summary), (other.class, &other.summary));
        let classes: Vec<Class> = one.findings.iter().map(|finding| finding.code.class()).collect();
        prop_assert!(classes.windows(2).all(|pair| pair[0] >= pair[1]), "worst first");
    }

    #[test]
    fn a_report_survives_json_and_says_in_spans_what_it_says_in_text(findings in prop::collection::vec(finding(), 0..6)) {
        let report = Report::new(findings);
        let text = serde_json::to_string(&report).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Report>(&text).unwrap(), &report);
        let spans: String = report.spans().iter().map(|span| span.text.as_str()).collect();
        prop_assert_eq!(spans, report.to_string());
        // Whoever approved exactly this has nothing more to approve.
        prop_assert_eq!(report.beyond(&report).count(), 0);
    }
}

#[test]
fn a_module_compared_with_itself_is_identical_and_reports_are_deterministic() {
    let names = ["ledger", "zoo", "numbered", "marvels", "broken", "skirmish"];
    for name in names {
        let mut live = Live::new();
        let module = build(name);
        live.patch(&module).unwrap_or_else(|error| panic!("{name}: {error}"));
        let report = live.report_on(&module);
        assert_eq!(report.class, Class::Identical, "{name}: {report}");
        for other in names {
            let candidate = build(other);
            assert_eq!(live.report_on(&candidate), live.report_on(&candidate), "{name} and {other}");
        }
    }
}
