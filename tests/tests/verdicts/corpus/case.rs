//! One case of the corpus: what its `case.toml` may say, and how the modules it speaks of are made.
//! `tests/corpus/README.md` explains the format.

use serde::Deserialize;
use tickswap_linker::verify::{Class, Code};
use tickswap_tests::fixtures::Fixture;

/// A case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What is shown, in a sentence.
    pub(crate) about: String,
    /// Folder in `tests/fixtures`.
    #[serde(default = "ledger")]
    pub(crate) fixture: String,
    pub(crate) class: Class,
    /// Codes that the report must have: all that are more than exempt, and of the others those that the case is about.
    pub(crate) codes: Vec<Code>,
    /// The versions that ran, in order; the fixture as it stands where none are given.
    #[serde(default)]
    pub(crate) live: Vec<Version>,
    /// Which of them runs now, from 1; the last where nothing is said.
    pub(crate) runs: Option<usize>,
    pub(crate) candidate: Version,
    /// Calls of the live version, before the swap.
    #[serde(default)]
    pub(crate) before: Vec<Call>,
    /// Calls after it: of the candidate where it could be patched, of what runs on where not.
    #[serde(default)]
    pub(crate) after: Vec<Call>,
}

/// A version of the fixture.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Version {
    /// Old text and new text.
    edits: Vec<(String, String)>,
    features: Vec<String>,
    /// Flags for rustc beyond the recipe.
    flags: Vec<String>,
    /// Flags of the recipe that are left out: all that hold one of these texts.
    without_flags: Vec<String>,
    /// Built in another folder.
    elsewhere: bool,
    /// What is done to the finished file.
    by_hand: Option<ByHand>,
}

/// Changes of a finished file, for what no compiler makes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ByHand {
    /// Only so many bytes are kept.
    Cut(usize),
    /// A custom section of this name is added at the end, with one byte.
    Section(String),
    /// A text in the debug information's strings becomes another of the same length.
    DebugText((String, String)),
}

/// A call of an exported function with numbers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    pub(crate) call: String,
    #[serde(default)]
    pub(crate) with: Vec<i64>,
    /// What it must answer, where it answers.
    pub(crate) answers: Option<i64>,
}

fn ledger() -> String {
    "ledger".into()
}

impl Version {
    /// The finished module.
    pub(crate) fn module(&self, fixture: &str) -> Vec<u8> {
        let mut built = Fixture::new(fixture);
        for (old, new) in &self.edits {
            built = built.edit(old, new);
        }
        for feature in &self.features {
            built = built.feature(feature);
        }
        for flag in &self.flags {
            built = built.rustc_arg(flag);
        }
        for part in &self.without_flags {
            built = built.without_flag(part);
        }
        if self.elsewhere {
            built = built.elsewhere();
        }
        let mut module = built.build();
        match &self.by_hand {
            Some(ByHand::Cut(length)) => module.truncate(*length),
            Some(ByHand::Section(name)) => {
                // Section 0, its length, the length of its name, the name, one byte (core specification, custom sections).
                let name_length = u8::try_from(name.len()).ok().filter(|length| *length < 100).unwrap();
                module.extend([0, name_length + 2, name_length]);
                module.extend(name.as_bytes());
                module.push(1);
            }
            Some(ByHand::DebugText((old, new))) => {
                assert_eq!(old.len(), new.len());
                let payloads = wasmparser::Parser::new(0).parse_all(&module).map(Result::unwrap);
                let strings = payloads.into_iter().find_map(|payload| match payload {
                    wasmparser::Payload::CustomSection(section) if section.name() == ".debug_str" => {
                        Some(section.range())
                    }
                    _ => None,
                });
                let range = strings.unwrap();
                let places = module[range.clone()].windows(old.len()).enumerate();
                let places: Vec<_> = places.filter(|(_, text)| *text == old.as_bytes()).map(|(at, _)| at).collect();
                assert!(!places.is_empty(), "`{old}` is not in .debug_str");
                for at in places {
                    module[range.start + at..][..new.len()].copy_from_slice(new.as_bytes());
                }
            }
            None => {}
        }
        module
    }
}
