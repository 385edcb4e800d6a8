//! The contract check: a matching section is accepted, and everything else is told, all at once.

use tickswap_abi::{Disagreement, HookRef, limits::SECTION_BYTES_MAX};

use crate::game::{contract, game_hooks, game_host};

fn hook_lines() -> Vec<String> {
    let hooks = game_hooks::INTERFACE.hooks.iter();
    hooks
        .map(|hook| {
            let (name, fingerprint, signature) = (hook.name, hook.fingerprint, hook.signature);
            format!("hooks GameHooks {name} {fingerprint:016x} {signature}\n")
        })
        .collect()
}

fn host_lines() -> Vec<String> {
    let functions = game_host::INTERFACE.functions.iter();
    functions
        .map(|host| {
            let (name, fingerprint, signature) = (host.name, host.fingerprint, host.signature);
            format!("host GameHost {name} {fingerprint:016x} {signature}\n")
        })
        .collect()
}

fn disagreements(section: &str) -> Vec<Disagreement> {
    let mismatch = contract().check_section(section.as_bytes()).unwrap_err();
    assert!(!mismatch.disagreements.is_empty());
    mismatch.disagreements
}

#[test]
fn a_mod_of_the_same_contract_fits_in_any_order_of_lines() {
    let mut lines = [hook_lines(), host_lines()].concat();
    lines.reverse();
    let declared = contract().check_section(lines.concat().as_bytes()).unwrap();
    assert_eq!(declared.iter().count(), game_hooks::INTERFACE.hooks.len());
    assert!(declared.declares_host_function("GameHost", "say"));
    assert!(!declared.declares_host_function("GameHost", "shout"));
}

#[test]
fn an_optional_hook_may_be_missing_and_a_required_one_may_not() {
    let optional = HookRef { interface: &game_hooks::INTERFACE, index: 4 };
    let mut lines = hook_lines();
    lines.pop();
    let declared = contract().check_section(lines.concat().as_bytes()).unwrap();
    assert!(!declared.contains(optional));

    lines.remove(1);
    assert!(matches!(disagreements(&lines.concat())[..], [Disagreement::Missing { hook: "update", .. }]));
}

#[test]
fn every_disagreement_is_told_at_once_with_both_signatures() {
    let mut lines = hook_lines();
    lines[1] = "hooks GameHooks update 0000000000000001 fn update(&mut self, dt: f64)\n".into();
    lines.push("hooks GameHooks gone 0000000000000002 fn gone(&mut self)\n".into());
    lines.push("host GameHost say 0000000000000003 fn say(&mut self, text: Text)\n".into());
    lines.push("host Other ask 0000000000000004 fn ask(&self)\n".into());
    lines.push(lines[0].clone());
    lines.push("nonsense\n".into());
    lines.push("hooks GameHooks joined +00000000000000f fn joined(&self)\n".into());
    let mismatch = contract().check_section(lines.concat().as_bytes()).unwrap_err();
    assert_eq!(mismatch.disagreements.len(), 7);
    let message = mismatch.to_string();
    for part in [
        "fn update(&mut self, dt: f32)",
        "fn update(&mut self, dt: f64)",
        "fn gone(&mut self)",
        "fn say(&mut self, text: String)",
        "fn say(&mut self, text: Text)",
        "Other::ask",
        "declared twice",
        "nonsense",
    ] {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
}

#[test]
fn a_section_that_says_nothing_or_too_much_is_refused() {
    assert!(matches!(disagreements("")[..], [Disagreement::NoHooks]));
    let huge = "x".repeat(SECTION_BYTES_MAX + 1);
    assert!(matches!(disagreements(&huge)[..], [Disagreement::SectionTooLarge { .. }]));
}

#[test]
fn damaged_sections_are_answers_and_never_panics() {
    let good = [hook_lines(), host_lines()].concat().concat().into_bytes();
    for index in 0..good.len() {
        let _ = contract().check_section(&good[..index]);
        let mut damaged = good.clone();
        damaged[index] ^= 0x81;
        let _ = contract().check_section(&damaged);
    }
}
