//! Changes sound modules into bytes that nearly are some: knows sections, their lengths, LEB numbers, offsets of debug
//! information and mangled names. What is done with the bytes is `tests/fuzz/targets.rs`.

use std::ops::Range;

use crate::random::Random;

/// A section as it lies in a module.
#[derive(Clone)]
struct Section {
    id: u8,
    name: String,
    content: Vec<u8>,
}

/// Numbers at which readers break, as padded LEBs.
const LEBS: &[&[u8]] = &[
    &[0],
    &[1],
    &[0x7f],
    &[0x80, 0x80, 0x80, 0x80, 0],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x78],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
];

/// What mangled names are made of: paths, types, generic arguments, back references.
const MANGLED: &[u8] = b"BB_INMXYKCRTDPGLSs_E0_1_Cs_h";

/// Some bytes made of `seeds`.
pub(super) fn mutate(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let seed = &seeds[random.next(seeds.len())];
    let mut sections = split(seed);
    if sections.is_empty() {
        return seed[..random.next(seed.len() + 1)].to_vec();
    }
    for _ in 0..=random.next(4) {
        if sections.is_empty() {
            break;
        }
        match random.next(14) {
            0 => drop(sections.remove(random.next(sections.len()))),
            1 => {
                let copy = sections[random.next(sections.len())].clone();
                sections.insert(random.next(sections.len() + 1), copy);
            }
            2 => {
                let (one, other) = (random.next(sections.len()), random.next(sections.len()));
                sections.swap(one, other);
            }
            3 => {
                let others = split(&seeds[random.next(seeds.len())]);
                let index = random.next(sections.len());
                let section = &mut sections[index];
                if let Some(other) = others.iter().find(|other| (other.id, &other.name) == (section.id, &section.name))
                {
                    section.content = splice(&section.content, &other.content, random);
                }
            }
            4..=6 => {
                let debug: Vec<_> = sections.iter_mut().filter(|section| section.name.starts_with(".debug_")).collect();
                if let Some(section) = pick(debug, random) {
                    offset(&mut section.content, random);
                }
            }
            7 => {
                let named = |section: &&mut Section| section.name == ".debug_str" || section.name == "linking";
                if let Some(section) = pick(sections.iter_mut().filter(named).collect(), random) {
                    name(&mut section.content, random);
                }
            }
            _ => {
                let index = random.next(sections.len());
                content(&mut sections[index].content, random);
            }
        }
    }
    let mut bytes = seed[..seed.len().min(8)].to_vec();
    sections.iter().for_each(|section| write(section, &mut bytes));
    if random.next(12) == 0 {
        bytes.truncate(random.next(bytes.len() + 1));
    }
    bytes
}

fn pick<'a>(mut sections: Vec<&'a mut Section>, random: &mut Random) -> Option<&'a mut Section> {
    if sections.is_empty() { None } else { Some(sections.swap_remove(random.next(sections.len()))) }
}

/// One byte, a number, a run: anywhere, but more often near the start, where counts and headers are.
fn content(content: &mut Vec<u8>, random: &mut Random) {
    if content.is_empty() {
        content.push(random.next(256) as u8);
        return;
    }
    let reach = if random.next(3) == 0 { content.len().min(48) } else { content.len() };
    let at = random.next(reach);
    match random.next(6) {
        0 => content[at] = random.next(256) as u8,
        1 => content[at] ^= 1 << random.next(8),
        2 => {
            let leb = LEBS[random.next(LEBS.len())];
            let end = (at + leb.len()).min(content.len());
            // In place of what is there, or between.
            let place = if random.next(2) == 0 { at..end } else { at..at };
            content.splice(place, leb.iter().copied());
        }
        3 => content.truncate(at),
        4 => {
            let (byte, count) = (content[at], 1 + random.next(2000));
            content.splice(at..at, std::iter::repeat_n(byte, count));
        }
        _ => {
            let end = (at + random.next(64)).min(content.len());
            content.drain(at..end);
        }
    }
}

/// Four bytes that may be an offset become another.
fn offset(content: &mut [u8], random: &mut Random) {
    let Some(places) = content.len().checked_sub(3) else { return };
    let at = random.next(places);
    let value = match random.next(8) {
        0 => 0,
        1 => u32::MAX,
        2 => 0x7fff_ffff,
        3 => content.len() as u32,
        4 => content.len() as u32 - 1,
        5 => at as u32,
        6 => random.next(content.len()) as u32,
        _ => {
            let other = random.next(places);
            u32::from_le_bytes([content[other], content[other + 1], content[other + 2], content[other + 3]])
        }
    };
    content[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Letters of a mangled name become others.
fn name(content: &mut [u8], random: &mut Random) {
    let starts: Vec<usize> =
        content.windows(2).enumerate().filter(|(_, two)| *two == b"_R").map(|(at, _)| at).collect();
    if starts.is_empty() {
        return;
    }
    let start = starts[random.next(starts.len())] + 2;
    for _ in 0..=random.next(6) {
        if let Some(letter) = content.get_mut(start + random.next(40)) {
            *letter = MANGLED[random.next(MANGLED.len())];
        }
    }
}

fn splice(one: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let head = &one[..random.next(one.len() + 1)];
    [head, &other[random.next(other.len() + 1)..]].concat()
}

/// The sections of a sound module; none of anything else.
fn split(bytes: &[u8]) -> Vec<Section> {
    let mut sections = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        let Ok(payload) = payload else { return Vec::new() };
        let name = match &payload {
            wasmparser::Payload::CustomSection(section) => section.name().to_owned(),
            _ => String::new(),
        };
        if let Some((id, range)) = payload.as_section() {
            let content: Range<usize> = range;
            sections.push(Section { id, name, content: bytes[content].to_vec() });
        }
    }
    sections
}

fn write(section: &Section, bytes: &mut Vec<u8>) {
    bytes.push(section.id);
    let mut length = section.content.len();
    loop {
        let byte = (length & 0x7f) as u8;
        length >>= 7;
        bytes.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    bytes.extend(&section.content);
}

#[test]
fn a_module_taken_apart_and_put_together_again_is_the_same_one() {
    let live = super::targets::LIVE;
    let sections = split(live);
    assert!(sections.iter().any(|section| section.name == ".debug_info") && sections.len() > 10);
    let mut bytes = live[..8].to_vec();
    sections.iter().for_each(|section| write(section, &mut bytes));
    // A length may have been padded; what it says is the same.
    assert_eq!(split(&bytes).len(), sections.len());
    assert!(bytes.len() <= live.len());
    super::targets::read(&bytes);
    assert!(super::targets::compare(&bytes) > 0, "it is still sound");
}
