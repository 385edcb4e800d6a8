//! What a mod says of itself in its contract section: the hooks it offers and the host functions it was built against. The
//! server holds it against its own contract; here two versions are held against each other, and against what they import.
//!
//! A line is `hooks TRAIT METHOD FINGERPRINT SIGNATURE`, or `host ...` in the same form.

use super::difference::Difference;
use crate::image::ModImage;
use crate::residents::Resident;
use std::collections::{BTreeMap, BTreeSet};

const SECTION: &str = "tickswap.contract";
/// Sections that the SDK writes.
const OWN_SECTIONS: &str = "tickswap.";
/// Import module of the runtime's own functions, which no contract lists.
const RUNTIME_MODULE: &str = "tickswap";

/// What the lines say: kind, trait and function, with fingerprint and signature.
type Lines<'a> = BTreeMap<(&'a str, &'a str, &'a str), (&'a str, &'a str)>;

fn lines(section: &[u8]) -> Option<Lines<'_>> {
    let mut all = Lines::new();
    for line in std::str::from_utf8(section).ok()?.lines().filter(|line| !line.is_empty()) {
        let mut words = line.splitn(5, ' ');
        let kind = words.next().filter(|kind| matches!(*kind, "hooks" | "host"))?;
        let key = (kind, words.next()?, words.next()?);
        all.insert(key, (words.next()?, words.next()?));
    }
    Some(all)
}

/// Imports that the candidate's own contract section does not name: no contract offers them.
pub(super) fn undeclared_imports(image: &ModImage, differences: &mut Vec<Difference>) {
    let Some(lines) = image.custom.get(SECTION).and_then(|section| lines(section)) else { return };
    for import in image.imports.iter().filter(|import| import.module != RUNTIME_MODULE) {
        if !lines.contains_key(&("host", import.module.as_str(), import.name.as_str())) {
            differences.push(Difference::ImportUndeclared {
                item: format!("{}.{}", import.module, import.name),
                is: import.signature.to_string(),
            });
        }
    }
}

/// Compares what two versions say. Answers the exports of hooks about which something was found.
pub(super) fn compare(image: &ModImage, resident: &Resident, differences: &mut Vec<Difference>) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    let sections: BTreeSet<&String> = image.custom.keys().chain(resident.custom.keys()).collect();
    for section in sections {
        let (was, is) = (resident.custom.get(section), image.custom.get(section));
        if was == is {
            continue;
        }
        match (was.and_then(|was| lines(was)), is.and_then(|is| lines(is))) {
            (Some(was), Some(is)) if section == SECTION => compare_lines(&was, &is, differences, &mut told),
            _ => differences.push(Difference::DescriptionChanged {
                item: section.clone(),
                is_own: section.starts_with(OWN_SECTIONS),
            }),
        }
    }
    told
}

fn compare_lines(was: &Lines<'_>, is: &Lines<'_>, differences: &mut Vec<Difference>, told: &mut BTreeSet<String>) {
    for (key @ (kind, interface, function), (fingerprint, signature)) in is {
        let item = format!("{interface}::{function}");
        let is = (*signature).to_owned();
        let old = was.get(key);
        if old.is_some_and(|(known, _)| known == fingerprint) {
            continue;
        }
        differences.push(match (*kind, old) {
            ("hooks", None) => Difference::HookAdded { item, is },
            ("hooks", Some((_, was))) => Difference::HookChanged { item, was: (*was).to_owned(), is },
            // That more is offered changes nothing; what is used of it shows as an import.
            (_, None) => continue,
            (_, Some((_, was))) => Difference::HostFunctionChanged { item, was: (*was).to_owned(), is },
        });
        told.insert(export(interface, function));
    }
    for ((kind, interface, function), (_, signature)) in was.iter().filter(|(key, _)| !is.contains_key(*key)) {
        if *kind == "hooks" {
            let item = format!("{interface}::{function}");
            differences.push(Difference::HookRemoved { item, was: (*signature).to_owned() });
            told.insert(export(interface, function));
        }
    }
}

/// The export under which the SDK offers a hook.
fn export(interface: &str, function: &str) -> String {
    format!("tickswap_hook__{interface}__{function}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(was: &str, is: &str) -> Vec<Difference> {
        let (mut differences, mut told) = (Vec::new(), BTreeSet::new());
        let parsed = |text| lines(text).unwrap_or_default();
        compare_lines(&parsed(was.as_bytes()), &parsed(is.as_bytes()), &mut differences, &mut told);
        differences
    }

    #[test]
    fn lines_tell_what_came_went_and_changed() {
        let was = "hooks Arena tick 00 fn tick(u32)\nhooks Arena join 01 fn join()\nhost World spawn 02 fn spawn(u8)";
        let is = "hooks Arena tick 09 fn tick(u64)\nhooks Arena leave 03 fn leave()\nhost World spawn 05 fn spawn(u16)";
        let (item, signature) = (|name: &str| format!("Arena::{name}"), |text: &str| text.to_owned());
        assert_eq!(
            found(was, is),
            [
                Difference::HookAdded { item: item("leave"), is: signature("fn leave()") },
                Difference::HookChanged {
                    item: item("tick"),
                    was: signature("fn tick(u32)"),
                    is: signature("fn tick(u64)")
                },
                Difference::HostFunctionChanged {
                    item: "World::spawn".into(),
                    was: signature("fn spawn(u8)"),
                    is: signature("fn spawn(u16)")
                },
                Difference::HookRemoved { item: item("join"), was: signature("fn join()") },
            ]
        );
        assert_eq!(found(was, was), []);
        assert_eq!(found(was, &format!("{was}\nhost World despawn 07 fn despawn()")), []);
    }

    #[test]
    fn a_section_that_is_no_contract_is_not_read_as_one() {
        assert!(lines(b"hooks Arena tick").is_none());
        assert!(lines(b"somewhat Arena tick 00 fn()").is_none());
        assert!(lines(b"\xff").is_none());
    }
}
