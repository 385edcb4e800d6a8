//! Goal: whatever the bytes, reading ends in facts or in an error with its place, soon. Method: real debug information
//! with bytes changed, cut off, or made to lie in ways that are known to cost much.

use proptest::prelude::*;

use super::{PROFILES, compile};
use crate::image::debug::{DebugError, DebugFacts, read};

const SECTIONS: &[&str] = &[
    ".debug_info",
    ".debug_abbrev",
    ".debug_str",
    ".debug_line",
    ".debug_line_str",
    ".debug_str_offsets",
    ".debug_addr",
];

/// Reads the fixture with one section replaced.
fn with(profile: &[&str], section: &str, content: &[u8]) -> Result<DebugFacts, DebugError> {
    let fixture = compile(profile);
    read(|name| if name == section { Some(content) } else { fixture.section(name) })
}

#[test]
fn nothing_is_known_without_sections() {
    let facts = read(|_| None).unwrap();
    assert!(facts.types.is_empty() && facts.functions.is_empty());
}

#[test]
fn what_is_cut_off_is_an_error_with_its_place() {
    let fixture = compile(PROFILES[0]);
    let info = fixture.section(".debug_info").unwrap();
    let error = with(PROFILES[0], ".debug_info", &info[..info.len() / 3]).unwrap_err();
    assert_eq!(error.section, ".debug_info");
    let error = with(PROFILES[0], ".debug_abbrev", &[]).unwrap_err();
    assert_eq!(error.section, ".debug_abbrev");
    let strings = fixture.section(".debug_str").unwrap();
    let error = with(PROFILES[0], ".debug_str", &strings[..strings.len() / 2]).unwrap_err();
    assert!(error.offset > 0, "{error}");
    assert!(error.to_string().contains("build the mod anew"), "{error}");
}

#[test]
fn names_that_share_their_bytes_are_bounded() {
    // One string without an end but the last byte: each of thousands of names is nearly all of it.
    let length = compile(PROFILES[0]).section(".debug_str").unwrap().len();
    let mut strings = vec![b'a'; length];
    strings[length - 1] = 0;
    let error = with(PROFILES[0], ".debug_str", &strings).unwrap_err();
    assert!(error.to_string().contains("more than the limit"), "{error}");
}

#[test]
fn a_type_that_contains_itself_is_refused_or_read() {
    // An array of itself: unit, and below it one array type whose element is at its own offset.
    let abbreviations = [1, 0x11, 1, 0, 0, 2, 0x01, 0, 0x49, 0x13, 0, 0, 0];
    let unit = [4, 0, 0, 0, 0, 0, 4, 1, 2, 12, 0, 0, 0, 0];
    let mut info = (unit.len() as u32).to_le_bytes().to_vec();
    info.extend(unit);
    let error = read(|name| match name {
        ".debug_info" => Some(&info[..]),
        ".debug_abbrev" => Some(&abbreviations[..]),
        _ => None,
    })
    .unwrap_err();
    assert_eq!((error.section, error.offset), (".debug_info", 12), "{error}");
}

#[test]
fn entries_that_cost_more_than_their_bytes_are_bounded() {
    // A unit of nothing but types, each a single byte.
    let abbreviations = [1, 0x11, 1, 0, 0, 2, 0x13, 0, 0, 0, 0];
    let mut unit = vec![4, 0, 0, 0, 0, 0, 4, 1];
    unit.resize(1 << 20, 2);
    let mut info = (unit.len() as u32).to_le_bytes().to_vec();
    info.extend(unit);
    let error = read(|name| match name {
        ".debug_info" => Some(&info[..]),
        ".debug_abbrev" => Some(&abbreviations[..]),
        _ => None,
    })
    .unwrap_err();
    assert!(error.to_string().contains("bytes of facts"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(
        dwarf_5 in any::<bool>(),
        section in prop::sample::select(SECTIONS),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        early in any::<bool>(),
    ) {
        let profile = PROFILES[if dwarf_5 { 3 } else { 0 }];
        let mut content = compile(profile).section(section).unwrap_or_default().to_vec();
        if !content.is_empty() {
            for (at, byte) in changes {
                // The first unit is the mod's own, with all the types.
                let reach = if early { content.len().min(8192) } else { content.len() };
                let at = at.index(reach);
                content[at] = byte;
            }
            if let Some(cut) = cut {
                let cut = cut.index(content.len());
                content.truncate(cut);
            }
        }
        if let Err(error) = with(profile, section, &content) {
            prop_assert!(error.section.starts_with(".debug_"));
        }
    }
}
