//! Goal: what reaches further than function bodies waits for somebody, all mods of a submission together, and is judged anew
//! when they approve; nothing else lets it in.

use tickswap::{Class, Code, ControlError, Limits, SubmissionId, SubmissionState};
use tickswap_tests::fixtures::edited;

use crate::server::{PATIENCE, Server, done, name, probe, refusals, second, version};

/// The probe with another version and a static of this type, which somebody has to approve.
fn with_static(number: u32, of: &str) -> Vec<u8> {
    let added = format!(
        "        static ADDED: std::sync::atomic::{of} = std::sync::atomic::{of}::new(0);\n        ADDED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);\n        a.wrapping_add(u64::from(b))"
    );
    edited(
        "probe",
        &[
            ("VERSION: u32 = 1;", &format!("VERSION: u32 = {number};")),
            ("        a.wrapping_add(u64::from(b))", &added),
        ],
    )
}

fn waiting(server: &Server, mods: &[(&str, Vec<u8>)]) -> SubmissionId {
    let id = server.submit(mods);
    let state = server.control.wait(id, PATIENCE);
    assert!(matches!(state, SubmissionState::AwaitingApproval { .. }), "{state}");
    assert!(state.is_settled() && !state.is_final() && !state.is_success());
    id
}

#[test]
fn a_reviewed_mod_and_its_companion_wait_together_and_go_live_together() {
    let server = Server::of_both();
    let mut world = server.world("eu-1");
    let id = waiting(&server, &[("probe", with_static(2, "AtomicU64")), ("second", second(2))]);
    let state = server.control.submission(id);
    let SubmissionState::AwaitingApproval { reports } = &state else { panic!("{state}") };
    let classes: Vec<_> = reports.iter().map(|found| (found.mod_name.as_str(), found.report.class)).collect();
    assert_eq!(classes, [("probe", Class::Review), ("second", Class::Exempt)]);
    assert_eq!(reports[0].report.of(Code::R3).count(), 1, "{state}");
    let shown = state.to_string();
    assert!(
        shown.contains("waits for approval") && shown.contains("R3  static added") && shown.contains("ADDED"),
        "{shown}"
    );
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<SubmissionState>(&json).unwrap(), state);
    assert_eq!((version(&mut world, "probe"), version(&mut world, "second")), (1, 1), "nothing is live before");

    server.control.approve(id, "ada").unwrap();
    let mods = done(server.finish(&mut world, id));
    assert_eq!((version(&mut world, "probe"), version(&mut world, "second")), (2, 2));
    let by: Vec<_> = mods.iter().map(|prepared| prepared.approved_by.as_deref()).collect();
    assert_eq!(by, [Some("ada"), None], "only one of them needed it");
    assert_eq!(mods[0].report.class, Class::Review);
    assert_eq!(server.control.approve(id, "ada").unwrap_err(), ControlError::NotWaiting { id });
}

#[test]
fn what_is_rejected_never_loads_and_says_who_and_why() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let id = waiting(&server, &[("probe", with_static(2, "AtomicU64"))]);
    for (by, why) in [("", "no"), ("ada", ""), ("ada", &*"x".repeat(tickswap::limits::APPROVAL_TEXT_BYTES_MAX + 1))] {
        let error = server.control.reject(id, by, why).unwrap_err();
        assert!(error.to_string().contains("APPROVAL_TEXT_BYTES_MAX"), "{error}");
    }
    assert!(matches!(server.control.approve(id, ""), Err(ControlError::Text { .. })));
    server.control.reject(id, "ada", "no statics before the tournament").unwrap();
    let state = server.control.submission(id);
    assert_eq!(state.to_string(), "rejected by ada: no statics before the tournament");
    assert!(state.is_final() && !state.is_success());
    assert_eq!(server.control.approve(id, "bob").unwrap_err(), ControlError::NotWaiting { id });
    assert_eq!(
        server.control.reject(SubmissionId(99), "a", "b"),
        Err(ControlError::NotWaiting { id: SubmissionId(99) })
    );
    assert_eq!(version(&mut world, "probe"), 1);
    server.patch(&mut world, &[("probe", probe(3))]);
    assert_eq!(version(&mut world, "probe"), 3);
}

#[test]
fn approval_does_not_cover_what_appeared_since() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let id = waiting(&server, &[("probe", with_static(2, "AtomicU64"))]);
    // Meanwhile a version that awards nothing goes live, so that the waiting one newly uses a host function.
    let silent = edited(
        "probe",
        &[("VERSION: u32 = 1;", "VERSION: u32 = 4;"), ("        probe_host::award(PlayerId(7), points);\n", "")],
    );
    server.patch(&mut world, &[("probe", silent)]);
    server.control.approve(id, "ada").unwrap();
    let text = refusals(server.finish(&mut world, id));
    assert!(text.contains("R2") && text.contains("award"), "{text}");
    assert_eq!(version(&mut world, "probe"), 4);
    // Nor can any approval let in what came to need a migration.
    let id = waiting(&server, &[("probe", with_static(5, "AtomicU64"))]);
    let other = waiting(&server, &[("probe", with_static(6, "AtomicU32"))]);
    server.control.approve(other, "ada").unwrap();
    done(server.finish(&mut world, other));
    server.control.approve(id, "ada").unwrap();
    let state = server.finish(&mut world, id);
    let SubmissionState::Refused { reasons } = &state else { panic!("{state}") };
    let report = reasons[0].report.as_ref().unwrap();
    assert_eq!((report.class, report.of(Code::M3).count()), (Class::Migration, 1), "{state}");
    assert_eq!(version(&mut world, "probe"), 6);
}

#[test]
fn what_needs_migration_is_refused_with_its_report() {
    let server = Server::of_probe();
    let _world = server.world("eu-1");
    let grown = edited("probe", &[("    total: u64,\n    log", "    total: u64,\n    added: [u64; 4],\n    log")]);
    let state = server.control.wait(server.submit(&[("probe", grown)]), PATIENCE);
    let SubmissionState::Refused { reasons } = &state else { panic!("{state}") };
    let report = reasons[0].report.as_ref().unwrap();
    assert_eq!(report.class, Class::Migration);
    assert!(report.of(Code::M1).any(|finding| finding.item == "probe::Probe"), "{report}");
    assert_eq!(reasons[0].reason, report.summary);
    let status = server.control.status();
    assert!(matches!(status.submissions[0].state, SubmissionState::Done { .. }), "the first version went live");
}

#[test]
fn few_submissions_wait_and_the_oldest_makes_room() {
    let mut limits = Limits::default();
    limits.approvals_waiting = 1;
    let server = Server::with(|builder| builder.limits(limits));
    server.load(&[("probe", probe(1))]);
    let first = waiting(&server, &[("probe", with_static(2, "AtomicU64"))]);
    let newer = waiting(&server, &[("probe", with_static(3, "AtomicU64"))]);
    let dropped = server.control.submission(first).to_string();
    assert!(dropped.contains("approvals_waiting") && dropped.contains("submit it again"), "{dropped}");
    assert_eq!(server.control.approve(first, "ada").unwrap_err(), ControlError::NotWaiting { id: first });
    server.control.approve(newer, "ada").unwrap();
    assert!(server.control.wait(newer, PATIENCE).is_success());
}

#[test]
fn the_files_that_wait_have_a_limit() {
    let mut limits = Limits::default();
    limits.approval_bytes = with_static(2, "AtomicU64").len() - 1;
    let server = Server::with(|builder| builder.limits(limits));
    server.load(&[("probe", probe(1))]);
    let state = server.control.wait(server.submit(&[("probe", with_static(2, "AtomicU64"))]), PATIENCE);
    assert!(matches!(&state, SubmissionState::Dropped { reason } if reason.contains("approval_bytes")), "{state}");
    assert_eq!(server.control.status().mods[0].mod_name, name("probe"));
}

#[test]
fn kept_reports_are_short_and_say_so() {
    let mut limits = Limits::default();
    limits.report_findings = 1;
    let server = Server::with(|builder| builder.limits(limits));
    server.load(&[("probe", probe(1))]);
    let id = waiting(&server, &[("probe", with_static(2, "AtomicU64"))]);
    let SubmissionState::AwaitingApproval { reports } = server.control.submission(id) else { panic!() };
    let report = &reports[0].report;
    assert!(report.findings.len() == 1 && report.left_out > 0 && report.findings[0].code == Code::R3, "{report}");
    assert!(report.to_string().contains("more findings were not kept"), "{report}");
    server.control.approve(id, "ada").unwrap();
    assert!(server.control.wait(id, PATIENCE).is_success(), "what is approved is the whole report");
}
