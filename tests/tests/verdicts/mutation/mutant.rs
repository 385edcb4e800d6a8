//! A changed fixture and what the change implies. Making them is for `bodies.rs` and `items.rs`.

use std::ops::Range;
use std::path::PathBuf;

use tickswap_linker::verify::Class;
use tickswap_tests::fixtures::Fixture;

/// What must hold of the verdict on a mutant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The inside of a function: exempt, or up to `at_most` where more hangs on the function than its callers.
    Body {
        /// Name of the function.
        function: String,
        /// It is code of its own in every build, so that its change is reported under its own name.
        stands_alone: bool,
        at_most: Class,
    },
    /// Nothing that changes what a function does.
    AtMost(Class),
    /// State or contract: must never pass more easily than this.
    AtLeast(Class),
    /// The same if any code of the mutant drops a value of the type by itself; a type that nothing drops has no drop.
    DropAdded(String),
    /// Whatever the verdict; only what runs after the swap is looked at.
    Anything,
}

/// One change of one fixture.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    pub(crate) fixture: &'static str,
    /// Which kind of change.
    pub(crate) operator: &'static str,
    /// Where and what, for people.
    pub(crate) what: String,
    /// The files that differ.
    pub(crate) files: Vec<(PathBuf, String)>,
    pub(crate) expected: Expected,
}

impl Mutant {
    /// The fixture with the change.
    pub(crate) fn to_fixture(&self) -> Fixture {
        let fixture = Fixture::new(self.fixture);
        self.files.iter().fold(fixture, |fixture, (path, content)| fixture.file(path, content))
    }
}

/// One source file of a fixture, parsed.
pub(crate) struct Source {
    pub(crate) fixture: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) tree: syn::File,
}

/// Texts that replace what stands at ranges of a file.
pub(crate) type Edits = Vec<(Range<usize>, String)>;

impl Source {
    /// All sources of a fixture.
    pub(crate) fn all(fixture: &'static str) -> Vec<Self> {
        let parsed = |(path, text): (PathBuf, String)| {
            let tree = syn::parse_file(&text).unwrap_or_else(|error| panic!("{fixture}/{}: {error}", path.display()));
            Self { fixture, path, text, tree }
        };
        Fixture::new(fixture).sources().into_iter().map(parsed).collect()
    }

    /// The file with edits.
    pub(crate) fn edited(&self, mut edits: Edits) -> String {
        edits.sort_by_key(|(range, _)| range.start);
        let mut text = self.text.clone();
        for (range, new) in edits.into_iter().rev() {
            text.replace_range(range, &new);
        }
        text
    }

    /// A mutant in which this file has edits.
    pub(crate) fn mutant(&self, operator: &'static str, what: &str, edits: Edits, expected: Expected) -> Mutant {
        let line = edits.iter().map(|(range, _)| self.text[..range.start].matches('\n').count() + 1).min().unwrap_or(0);
        Mutant {
            fixture: self.fixture,
            operator,
            what: format!("{}:{line}: {what}", self.path.display()),
            files: vec![(self.path.clone(), self.edited(edits))],
            expected,
        }
    }
}

/// The bytes of a part of the file.
pub(crate) fn range(part: &impl syn::spanned::Spanned) -> Range<usize> {
    part.span().byte_range()
}

/// An insertion.
pub(crate) fn insert(at: usize, text: impl Into<String>) -> (Range<usize>, String) {
    (at..at, text.into())
}
