//! The stable codes of findings and the classes they belong to. `runtime/VERDICTS.md` explains each code; a code that was
//! published keeps its meaning for ever.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How far a finding reaches, from nothing to what must not be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The same file.
    Identical,
    /// Only the implementation inside functions: patched without review.
    Exempt,
    /// Can be patched safely, but reaches further than bodies: somebody has to approve.
    Review,
    /// State would have to be carried over by save and restore.
    Migration,
    /// Cannot be proved safe or breaks the contract.
    Refused,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identical => "identical",
            Self::Exempt => "exempt",
            Self::Review => "needs review",
            Self::Migration => "needs migration",
            Self::Refused => "refused",
        })
    }
}

macro_rules! codes {
    ($($name:ident $class:ident $title:literal,)*) => {
        /// What a finding is about. Stable: codes are added, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code, in the order of the documentation: least far-reaching class first.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// How far findings of this code reach.
            pub fn class(self) -> Class {
                match self {
                    $(Self::$name => Class::$class,)*
                }
            }

            /// What the code says, in a few words.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }

            /// The code as it is written: `M1`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

codes! {
    B1 Exempt "body changed",
    B2 Exempt "private function added",
    B3 Exempt "private function removed",
    B4 Exempt "read-only data changed",
    B5 Exempt "type that only new code uses",
    B6 Exempt "closure cannot be matched, live ones keep their old body",
    B7 Exempt "source positions moved",
    B8 Exempt "static of the standard library first used",
    B9 Exempt "log line added, changed or moved",
    R1 Review "optional hook added",
    R2 Review "host function newly used",
    R3 Review "static added",
    R4 Review "initial value of a static changed",
    R5 Review "body that live data relies on changed",
    R6 Review "dependency changed",
    R7 Review "signature of an address-taken function changed",
    R8 Review "body of a coroutine changed",
    M1 Migration "fields of a type changed",
    M2 Migration "variants of an enum changed",
    M3 Migration "type of a static changed",
    M4 Migration "static removed",
    M5 Migration "compiler, target features or code-generation options changed",
    M6 Migration "shape of a vtable changed",
    M7 Migration "type identities changed",
    M8 Migration "global allocator changed",
    X1 Refused "hook removed",
    X2 Refused "signature of a hook changed",
    X3 Refused "contract differs",
    X4 Refused "import that the server does not offer",
    X5 Refused "what a proof needs is missing from the file",
    X6 Refused "code that runs at start",
    X7 Refused "memory or table of its own",
    X8 Refused "malformed or beyond a limit",
    X9 Refused "identity cannot be proved",
    X10 Refused "not built by Tickswap's recipe",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a verdict code such as M1, found `{found}`; runtime/VERDICTS.md lists them")]
pub struct UnknownCode {
    /// The text, shortened where it is long.
    pub found: String,
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let known = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        known.ok_or_else(|| UnknownCode { found: text.chars().take(16).collect() })
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_written_and_has_its_class_and_page() {
        for code in Code::ALL {
            assert_eq!(code.to_string().parse(), Ok(*code));
            let class = match &code.as_str()[..1] {
                "B" => Class::Exempt,
                "R" => Class::Review,
                "M" => Class::Migration,
                "X" => Class::Refused,
                other => panic!("{other}"),
            };
            assert_eq!(code.class(), class, "{code}");
            assert!(!code.title().is_empty());
        }
        let pages = include_str!("../../../VERDICTS.md");
        for code in Code::ALL {
            let heading = format!("\n### {code} {}\n", code.title());
            let page =
                pages.split_once(&heading).unwrap_or_else(|| panic!("runtime/VERDICTS.md has no section `{heading}`"));
            let page = page.1.split("\n### ").next().unwrap();
            assert!(
                page.contains("**Remedy:**") && page.contains("```"),
                "the section of {code} lacks an example or remedy"
            );
        }
        assert_eq!(pages.matches("\n### ").count(), Code::ALL.len(), "a section of no code");
        assert_eq!(Code::ALL.len(), 9 + 8 + 8 + 10);
        assert_eq!("m1".parse::<Code>().unwrap_err().found, "m1");
        assert!(UnknownCode { found: "Z9".into() }.to_string().contains("`Z9`"));
    }
}
