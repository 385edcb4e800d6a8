//! Goal: a symbol beyond a limit is plain text, and one at the limit is read. Method: symbols that nest, or are long, by count.

use super::identity;
use crate::image::name::{SymbolName, parse};
use crate::limits::{NAME_DEPTH, NAME_PUNYCODE_BYTES, NAME_SYMBOL_BYTES};

fn is_read(symbol: &str) -> bool {
    matches!(parse(symbol), SymbolName::V0(_))
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("_RINvC1a1f{}mE", "R".repeat(depth));
    assert!(is_read(&nested(NAME_DEPTH - 3)));
    assert!(!is_read(&nested(NAME_DEPTH)));
    // Far more than any stack could hold.
    assert!(!is_read(&nested(NAME_SYMBOL_BYTES - 100)));
    let scopes = |depth: usize| format!("_R{}C1a{}", "Nv".repeat(depth), "1f".repeat(depth));
    assert!(is_read(&scopes(NAME_DEPTH - 3)));
    assert!(!is_read(&scopes(NAME_DEPTH)));
}

#[test]
fn length_is_bounded() {
    let long = |length: usize| format!("_RNvC1a{length}_{}", "x".repeat(length));
    assert!(is_read(&long(NAME_SYMBOL_BYTES - 20)));
    assert!(!is_read(&long(NAME_SYMBOL_BYTES)));
}

#[test]
fn long_identifiers_stay_in_punycode() {
    // Each insertion is one letter, and moves all that stand behind it.
    let inserted = |length: usize| format!("_RNvC1au{length}_{}", "a".repeat(length));
    let short = identity(&inserted(NAME_PUNYCODE_BYTES));
    assert!(short.starts_with("a.\u{80}"), "{short}");
    let long = identity(&inserted(NAME_PUNYCODE_BYTES + 1));
    assert_eq!(long, format!("a.u'{}", "a".repeat(NAME_PUNYCODE_BYTES + 1)));
}
