//! What the tests of the whole share: fixtures compiled at run time, and checks of the repository's tidiness.
//!
//! The tests themselves live in `tests/`.

pub mod fixtures;
pub mod tidy;
