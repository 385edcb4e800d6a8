//! Goal: a few bytes of debug information that stand for very much end in an error that names the limit. Method: entries
//! written by hand that refer to one long thing again and again. Each would take time or memory in proportion to the square
//! of its size; one of them alone is sound.

use super::craft::{self, Craft, Value};
use crate::image::debug::DebugFacts;
use crate::limits;

/// How often the long thing is referred to.
const MANY: u32 = 3000;

/// Letters of a name that is too long to be used so often.
fn long() -> String {
    "x".repeat(60_000)
}

/// Reads what `write` makes of one reference, which is sound, and of many, which go beyond the limit.
#[track_caller]
fn is_bounded(limit: &str, write: impl Fn(&mut Craft, u32)) {
    let craft = |count| {
        let mut craft = Craft::new();
        write(&mut craft, count);
        craft.end();
        craft.read()
    };
    let _: DebugFacts = craft(1).unwrap();
    let error = craft(MANY).unwrap_err();
    assert!(error.to_string().contains(limit) && error.to_string().contains("more than the limit"), "{error}");
    assert!(error.section.starts_with(".debug_"));
}

#[test]
fn types_in_a_scope_of_a_long_name() {
    is_bounded("bytes of names", |craft, count| {
        let scope = craft.kind(craft::NAMESPACE, true, &[craft::NAME]);
        let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME]);
        craft.entry(scope, &[Value::Text(&long())]);
        let name = craft.text("S");
        for _ in 0..count {
            craft.entry(structure, &[Value::Known(name)]);
        }
        craft.end();
    });
}

#[test]
fn types_in_a_type_of_a_long_name() {
    is_bounded("bytes of names", |craft, count| {
        let outer = craft.kind(craft::STRUCTURE, true, &[craft::NAME]);
        let inner = craft.kind(craft::STRUCTURE, false, &[]);
        craft.entry(outer, &[Value::Text(&long())]);
        for _ in 0..count {
            craft.entry(inner, &[]);
        }
        craft.end();
    });
}

#[test]
fn copies_of_a_function_of_a_long_name() {
    is_bounded("bytes of names", |craft, count| {
        let whole = craft.kind(craft::FUNCTION, false, &[craft::NAME, craft::LINKAGE]);
        let copy = craft.kind(craft::FUNCTION, false, &[craft::ORIGIN, craft::LOW, craft::HIGH]);
        let of = craft.entry(whole, &[Value::Text("f"), Value::Text(&long())]);
        for n in 0..count {
            craft.entry(copy, &[Value::Number(of), Value::Number(n * 8), Value::Number(4)]);
        }
    });
}

#[test]
fn parameters_and_fields_of_a_type_of_a_long_name() {
    for tag in [craft::FUNCTION, craft::STRUCTURE] {
        is_bounded("bytes of names", |craft, count| {
            let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME]);
            let outer = craft.kind(tag, true, &[craft::NAME]);
            let part = craft.kind(
                if tag == craft::FUNCTION { craft::PARAMETER } else { craft::MEMBER },
                false,
                &[craft::TYPE],
            );
            let of = craft.entry(structure, &[Value::Text(&long())]);
            craft.entry(outer, &[Value::Text("f")]);
            for _ in 0..count {
                craft.entry(part, &[Value::Number(of)]);
            }
            craft.end();
        });
    }
}

#[test]
fn calls_of_a_function_of_a_long_name() {
    is_bounded("bytes of names", |craft, count| {
        let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME]);
        let whole = craft.kind(craft::FUNCTION, false, &[craft::NAME, craft::LINKAGE]);
        let caller = craft.kind(craft::FUNCTION, true, &[craft::NAME, craft::LINKAGE, craft::LOW, craft::HIGH]);
        let call = craft.kind(craft::INLINED, false, &[craft::ORIGIN]);
        // The crate has full debug information.
        craft.entry(structure, &[Value::Text("S")]);
        let symbol = format!("_RNvC1a60000_{}", long());
        let of = craft.entry(whole, &[Value::Text("f"), Value::Text(&symbol)]);
        craft.entry(caller, &[Value::Text("g"), Value::Text("_RNvC1a1g"), Value::Number(8), Value::Number(8)]);
        for _ in 0..count {
            craft.entry(call, &[Value::Number(of)]);
        }
        craft.end();
    });
}

#[test]
fn calls_that_share_a_list_of_ranges() {
    is_bounded("bytes of names", |craft, count| {
        let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME]);
        let whole = craft.kind(craft::FUNCTION, false, &[craft::NAME, craft::LINKAGE]);
        let caller = craft.kind(craft::FUNCTION, true, &[craft::NAME, craft::LINKAGE, craft::LOW, craft::HIGH]);
        let call = craft.kind(craft::INLINED, false, &[craft::ORIGIN, craft::RANGES]);
        craft.entry(structure, &[Value::Text("S")]);
        let symbol = "_RNvXC1aNtC1a1SNtNtC4core3cmp9PartialEq2eq";
        let of = craft.entry(whole, &[Value::Text("eq"), Value::Text(symbol)]);
        craft.entry(caller, &[Value::Text("g"), Value::Text("_RNvC1a1g"), Value::Number(8), Value::Number(8)]);
        for _ in 0..count {
            craft.entry(call, &[Value::Number(of), Value::Number(0)]);
        }
        craft.end();
        // Entries that choose a base address, and give no range.
        (0..10_000u32).for_each(|n| craft.ranges.extend([u32::MAX.to_le_bytes(), n.to_le_bytes()].concat()));
        craft.ranges.extend([0; 8]);
    });
}

#[test]
fn impl_blocks_of_a_long_type() {
    is_bounded("bytes of names", |craft, count| {
        let whole = craft.kind(craft::FUNCTION, false, &[craft::NAME, craft::LINKAGE]);
        let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME]);
        let symbol = format!("_RNvMC1aNtC1a60000_{}3new", long());
        craft.entry(whole, &[Value::Text("new"), Value::Text(&symbol)]);
        let name = format!("S<{}>", "a::{impl#0}, ".repeat(count as usize));
        craft.entry(structure, &[Value::Text(&name)]);
    });
}

#[test]
fn statics_that_reach_a_large_ambiguous_type() {
    is_bounded("bytes of names", |craft, count| {
        let small = craft.kind(craft::STRUCTURE, false, &[craft::NAME, craft::SIZE]);
        let outer = craft.kind(craft::STRUCTURE, true, &[craft::NAME]);
        let member = craft.kind(craft::MEMBER, false, &[craft::TYPE]);
        let variable = craft.kind(craft::VARIABLE, false, &[craft::NAME, craft::TYPE]);
        let of = craft.entry(small, &[Value::Text("S"), Value::Long(4)]);
        craft.entry(small, &[Value::Text("S"), Value::Long(8)]);
        let all = craft.entry(outer, &[Value::Text("A")]);
        for _ in 0..3000 {
            craft.entry(member, &[Value::Number(of)]);
        }
        craft.end();
        let name = craft.text("V");
        for _ in 0..count {
            craft.entry(variable, &[Value::Known(name), Value::Number(all)]);
        }
    });
}

#[test]
fn vtables_that_share_a_large_type() {
    is_bounded("bytes of facts", |craft, count| {
        let table = craft.kind(craft::STRUCTURE, true, &[craft::NAME]);
        let member = craft.kind(craft::MEMBER, false, &[]);
        let variable = craft.kind(craft::VARIABLE, false, &[craft::NAME, craft::TYPE]);
        let of = craft.entry(table, &[Value::Text("vtable")]);
        for _ in 0..3000 {
            craft.entry(member, &[]);
        }
        craft.end();
        let name = craft.text("<S as T>::{vtable}");
        for _ in 0..count {
            craft.entry(variable, &[Value::Known(name), Value::Number(of)]);
        }
    });
}

#[test]
fn arrays_of_many_dimensions() {
    is_bounded("dimensions of an array", |craft, count| {
        let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME, craft::SIZE]);
        let array = craft.kind(craft::ARRAY, true, &[craft::TYPE]);
        let dimension = craft.kind(craft::SUBRANGE, false, &[craft::COUNT]);
        let of = craft.entry(structure, &[Value::Text("S"), Value::Long(4)]);
        craft.entry(array, &[Value::Number(of)]);
        for _ in 0..count {
            craft.entry(dimension, &[Value::Byte(1)]);
        }
        craft.end();
    });
}

#[test]
fn entries_nested_deeply() {
    is_bounded("nested entries", |craft, count| {
        let whole = craft.kind(craft::FUNCTION, true, &[craft::NAME]);
        let block = craft.kind(craft::BLOCK, true, &[]);
        craft.entry(whole, &[Value::Text("f")]);
        for _ in 0..count * 2 {
            craft.entry(block, &[]);
        }
        (0..=count * 2).for_each(|_| craft.end());
    });
}

#[test]
fn calls_nested_as_deeply_as_may_be_are_read() {
    let mut craft = Craft::new();
    let whole = craft.kind(craft::FUNCTION, true, &[craft::NAME, craft::LINKAGE, craft::LOW, craft::HIGH]);
    let call = craft.kind(craft::INLINED, true, &[craft::ORIGIN]);
    let values = [Value::Text("f"), Value::Text("_RNvC1a1f"), Value::Number(8), Value::Number(8)];
    let of = craft.entry(whole, &values);
    let depth = limits::DEBUG_DEPTH - 3;
    for _ in 0..depth {
        craft.entry(call, &[Value::Number(of)]);
    }
    (0..depth + 2).for_each(|_| craft.end());
    assert_eq!(craft.read().unwrap().functions.len(), 1);
}

#[test]
fn references_in_a_circle() {
    let mut craft = Craft::new();
    let whole = craft.kind(craft::FUNCTION, false, &[craft::ORIGIN, craft::LOW, craft::HIGH]);
    let of = craft.info.len() as u32;
    craft.entry(whole, &[Value::Number(of), Value::Number(8), Value::Number(8)]);
    craft.end();
    let error = craft.read().unwrap_err();
    assert_eq!((error.section, error.offset), (".debug_info", of as usize), "{error}");
}

#[test]
fn tables_of_abbreviations_beyond_the_limit() {
    let with = |bytes: usize| {
        let mut craft = Craft::new();
        craft.end();
        // Each another kind, and none of them is used.
        let mut code = 1000u32;
        while craft.abbreviations.len() < bytes {
            let leb = [code as u8 | 0x80, (code >> 7) as u8 | 0x80, (code >> 14) as u8 | 0x80, (code >> 21) as u8];
            craft.abbreviations.extend(leb);
            craft.abbreviations.extend([craft::STRUCTURE, 0]);
            (0..60).for_each(|_| craft.abbreviations.extend([craft::NAME.0, craft::NAME.1]));
            craft.abbreviations.extend([0, 0]);
            code += 1;
        }
        craft.read()
    };
    assert!(with(1000).is_ok());
    let error = with(limits::DEBUG_ABBREVIATION_BYTES + 1000).unwrap_err();
    assert!(error.to_string().contains("bytes of abbreviations"), "{error}");
}

#[test]
fn units_that_take_more_than_their_bytes() {
    let mut craft = Craft::new();
    craft.end();
    // Units of nothing but a root without attributes.
    let root = craft.kind(0x11, false, &[]);
    let mut sections = craft.sections();
    for _ in 0..200_000 {
        sections[0].1.extend([8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, root]);
    }
    let error = crate::image::debug::read(|name| {
        sections.iter().find(|(other, _)| *other == name).map(|(_, content)| content.as_slice())
    });
    assert!(error.unwrap_err().to_string().contains("bytes of facts"));
}

#[test]
fn types_without_names_nested_deeply() {
    let nested = |depth: usize| {
        let mut craft = Craft::new();
        let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME]);
        let pointer = craft.kind(craft::POINTER, false, &[craft::TYPE]);
        // The outermost is read first: each points to the one behind it.
        let mut next = craft.info.len() as u32;
        for _ in 0..depth {
            next += 5;
            craft.entry(pointer, &[Value::Number(next)]);
        }
        craft.entry(structure, &[Value::Text("S")]);
        craft.end();
        craft.read()
    };
    assert!(nested(limits::DEBUG_TYPE_DEPTH).is_ok());
    let error = nested(limits::DEBUG_TYPE_DEPTH + 1).unwrap_err();
    assert!(error.to_string().contains("nested unnamed types"), "{error}");
}

#[test]
fn entries_of_very_many_attributes() {
    let with = |count: usize| {
        let mut craft = Craft::new();
        let structure = craft.kind(craft::STRUCTURE, false, &vec![craft::DECLARED; count]);
        craft.entry(structure, &[]);
        craft.end();
        craft.read()
    };
    assert!(with(limits::DEBUG_ATTRIBUTES).is_ok());
    let error = with(limits::DEBUG_ATTRIBUTES + 1).unwrap_err();
    assert!(error.to_string().contains("attributes of an entry"), "{error}");
    assert_eq!(error.section, ".debug_abbrev");
}

#[test]
fn line_programs_with_long_lists_of_files() {
    let with = |bytes: usize| {
        let mut craft = Craft::new();
        let unit = craft.kind(craft::UNIT, true, &[craft::LINES]);
        let function =
            craft.kind(craft::FUNCTION, false, &[craft::NAME, craft::FILE, craft::LINE, craft::LOW, craft::HIGH]);
        craft.end();
        let start = craft.info.len();
        craft.info.extend([0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4]);
        craft.entry(unit, &[Value::Number(0)]);
        let place = [Value::Text("f"), Value::Byte(1), Value::Byte(7), Value::Number(8), Value::Number(8)];
        craft.entry(function, &place);
        craft.end();
        let length = (craft.info.len() - start - 4) as u32;
        craft.info[start..start + 4].copy_from_slice(&length.to_le_bytes());
        // Version 4: how instructions are written, no folders, then files of one letter.
        let mut header = vec![1, 1, 1, 0xfb, 14, 1, 0];
        while header.len() < bytes {
            header.extend([b'a', 0, 0, 0, 0]);
        }
        header.push(0);
        let mut lines = (header.len() as u32 + 6).to_le_bytes().to_vec();
        lines.extend([4, 0]);
        lines.extend((header.len() as u32).to_le_bytes());
        lines.extend(header);
        craft.lines = lines;
        // The first unit ends before the second begins.
        craft.first_unit = Some(start);
        craft.read()
    };
    let facts = with(100).unwrap();
    assert_eq!(facts.functions["f"].position.as_ref().unwrap().line, 7);
    let error = with(limits::DEBUG_LINE_HEADER_BYTES + 10).unwrap_err();
    assert_eq!(error.section, ".debug_line");
    assert!(error.to_string().contains("bytes of file lists"), "{error}");
}
