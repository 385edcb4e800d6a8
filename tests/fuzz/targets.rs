//! What is done with bytes of any kind, by the test run on stable (`tests/tests/verdicts/fuzz`) and by cargo-fuzz
//! (`fuzz_targets`). Both only bring the bytes. What does not hold panics.

use tickswap_linker::verify::{Class, Report};
use tickswap_linker::{GenerationId, Residents, compare, image, link, verify};

/// A sound module, which the bytes are compared with.
pub(crate) const LIVE: &[u8] = include_bytes!("corpus/plain.wasm");

/// A report is for people: it stays readable whatever the file holds.
const REPORT_BYTES_MAX: usize = 1 << 20;

/// Reads. An error tells where or what, and is a report that refuses.
pub(crate) fn read(bytes: &[u8]) {
    if let Err(error) = image::read(bytes) {
        let text = error.to_string();
        assert!(!text.is_empty() && text.len() < REPORT_BYTES_MAX, "{} bytes of error", text.len());
        let report = Report::from(&error);
        assert_eq!(report.class, Class::Refused);
        assert!(!report.findings.is_empty() && report.to_string().len() < REPORT_BYTES_MAX);
    }
}

/// Reads, compares with a live module, judges and, where that is allowed, links. The same bytes get the same report. Answers
/// how far they came: 0 not read, 1 refused, 2 patched.
pub(crate) fn compare(bytes: &[u8]) -> usize {
    let Ok(first) = image::read(bytes) else {
        return 0;
    };
    let Ok(second) = image::read(bytes) else { panic!("read once and not again") };
    let (mut residents, running) = live();
    let verdict = verify::judge(compare::compare(&residents, running, first));
    let again = verify::judge(compare::compare(&residents, running, second));
    let report = verdict.report().clone();
    assert_eq!(&report, again.report(), "two reports on the same bytes");
    assert!(report.to_string().len() < REPORT_BYTES_MAX);
    let worst = report.findings.iter().map(|finding| finding.code.class()).max();
    assert!(worst.is_none_or(|worst| worst == report.class), "the worst decides");
    match verdict.approve(&report) {
        Ok(permit) => {
            assert!(report.class <= Class::Review, "nothing beyond a review is approved");
            let _ = link::place(&mut residents, permit);
            2
        }
        Err(_) => {
            assert!(report.class > Class::Review, "what was seen is approved");
            1
        }
    }
}

/// The live module alone, running.
fn live() -> (Residents, Option<GenerationId>) {
    let mut residents = Residents::new();
    let image = image::read(LIVE).unwrap_or_else(|error| panic!("{error}"));
    let verdict = verify::judge(compare::compare(&residents, None, image));
    let permit = verdict.permit().unwrap_or_else(|refusal| panic!("{refusal}"));
    let linked = link::place(&mut residents, permit).unwrap_or_else(|error| panic!("{error}"));
    (residents, Some(linked.generation))
}
