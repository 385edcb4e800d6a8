//! What the macros refuse, and what they say about it. `TRYBUILD=overwrite` rewrites the expected messages.

#[test]
fn refusals_say_why() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/refusals/accepted.rs");
    cases.compile_fail("tests/refusals/host_trait.rs");
    cases.compile_fail("tests/refusals/hooks_trait.rs");
    cases.compile_fail("tests/refusals/payload.rs");
    cases.compile_fail("tests/refusals/module.rs");
}
