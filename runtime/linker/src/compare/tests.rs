//! Goal: two files made so that comparing them would take the square of their size end in a refusal that names the limit, and
//! nothing panics. Method: modules with debug information written by hand; one of the costly things alone is sound. What
//! reading refuses already is tested with `image`.

use super::{Comparison, Difference, compare};
use crate::image::debug::tests::craft::{self, Craft, Value};
use crate::image::read;
use crate::residents::{Resident, Residents};
use crate::verify::{Class, Code, judge};
use std::collections::BTreeSet;
use std::sync::Arc;
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, DataSymbolDefinition, ElementSection, Elements, Encode,
    EntityType, Function, FunctionSection, ImportSection, LinkingSection, MemoryType, Module, SymbolTable, TypeSection,
};

/// Where the data of a module begins.
const DATA: u32 = 4096;

/// A module of one empty function, this much data without relocations, and this debug information.
pub(crate) fn module(data_bytes: usize, debug: &Craft) -> Vec<u8> {
    with_functions(&["f"], data_bytes, debug)
}

/// The same with functions of these names, whose addresses the first one takes in order.
pub(crate) fn with_functions(names: &[&str], data_bytes: usize, debug: &Craft) -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    module.section(&types);
    let mut imports = ImportSection::new();
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("env", "memory", EntityType::Memory(memory));
    module.section(&imports);
    let mut functions = FunctionSection::new();
    names.iter().for_each(|_| {
        functions.function(0);
    });
    module.section(&functions);
    if names.len() > 1 {
        let all: Vec<u32> = (0..names.len() as u32).collect();
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(1), Elements::Functions(all.into()));
        module.section(&elements);
    }
    let mut code = CodeSection::new();
    // Its size, no locals, then `i32.const` of five bytes and `drop` for each address.
    let addresses = if names.len() > 1 { names.len() } else { 0 };
    let mut first = vec![0];
    let mut relocations = Vec::new();
    for index in 0..addresses as u8 {
        // After the section's count and the body's size, a byte each.
        relocations.extend([1, first.len() as u8 + 3, index]);
        first.extend([0x41, 0x80, 0x80, 0x80, 0x80, 0, 0x1a]);
    }
    first.push(0x0b);
    code.raw(&first);
    for _ in 1..names.len() {
        let mut body = Function::new([]);
        body.instructions().end();
        code.function(&body);
    }
    module.section(&code);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(DATA as i32), vec![7; data_bytes]);
    module.section(&data);
    let mut symbols = SymbolTable::new();
    for (index, name) in (0..).zip(names) {
        symbols.function(SymbolTable::WASM_SYM_EXPORTED, index, Some(name));
    }
    let all = DataSymbolDefinition { index: 0, offset: 0, size: data_bytes as u32 };
    symbols.data(SymbolTable::WASM_SYM_BINDING_LOCAL, "alloc_1", Some(all));
    let mut table = Vec::new();
    LinkingSection::new().symbol_table(&symbols).encode(&mut table);
    const HEAD: &[u8] = b"linking\x02";
    let after = table.windows(HEAD.len()).position(|bytes| bytes == HEAD).unwrap() + HEAD.len();
    // The names of segments: one, not aligned, without flags.
    let name = b".rodata.alloc_1";
    let mut linking = vec![2, 5, name.len() as u8 + 4, 1, name.len() as u8];
    linking.extend(name);
    linking.extend([0, 0]);
    linking.extend(&table[after..]);
    module.section(&CustomSection { name: "linking".into(), data: linking.into() });
    // The section of the code, and how many fields are relocated; that none is has to be said too.
    let mut relocated = vec![if addresses > 0 { 4 } else { 3 }, addresses as u8];
    relocated.extend(relocations);
    module.section(&CustomSection { name: "reloc.CODE".into(), data: relocated.into() });
    for (name, content) in debug.sections() {
        module.section(&CustomSection { name: name.into(), data: content.into() });
    }
    module.finish()
}

/// Vtables of these places and sizes, all of one type and trait.
fn vtables(places: impl Iterator<Item = (u32, u64)>) -> Craft {
    let mut craft = Craft::new();
    let structure = craft.kind(craft::STRUCTURE, false, &[craft::NAME, craft::SIZE]);
    let shape = craft.kind(craft::STRUCTURE, false, &[craft::NAME, craft::SIZE, craft::CONTAINING]);
    let variable = craft.kind(craft::VARIABLE, false, &[craft::NAME, craft::TYPE, craft::LOCATION]);
    let of = craft.entry(structure, &[Value::Text("a::S"), Value::Long(4)]);
    let (shape_name, name) = (craft.text("vtable"), craft.text("<a::S as a::Draw>::{vtable}"));
    for (address, size) in places {
        let shape = craft.entry(shape, &[Value::Known(shape_name), Value::Long(size), Value::Number(of)]);
        craft.entry(variable, &[Value::Known(name), Value::Number(shape), Value::At(address)]);
    }
    craft.end();
    craft
}

fn compared(bytes: &[u8]) -> Comparison {
    compare(&Residents::new(), None, read(bytes).unwrap())
}

/// Names of the limits that comparing reached.
fn limits_of(comparison: &Comparison) -> Vec<&str> {
    let differences = comparison.differences().iter();
    differences
        .filter_map(|difference| match difference {
            Difference::LimitReached { limit_name, .. } => Some(limit_name.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_vtable_is_read_as_far_as_there_is_data() {
    const BYTES: usize = 64;
    let sizes = |sizes: &[u64]| {
        let places = sizes.iter().map(|size| (DATA + 16, *size));
        let comparison = compared(&module(BYTES, &vtables(places)));
        assert_eq!(limits_of(&comparison), [""; 0]);
        comparison.facts.vtables.iter().map(|vtable| vtable.shape.entries.len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&[12, 48, 49, 1 << 32, u64::MAX - 3, u64::MAX]), [3, 12]);
}

#[test]
fn vtables_that_share_their_bytes_are_bounded() {
    const BYTES: u32 = 40_000;
    let each = |count: u32| (0..count).map(|n| (DATA + n * 4, u64::from(BYTES - n * 4)));
    assert_eq!(limits_of(&compared(&module(BYTES as usize, &vtables(each(1))))), [""; 0]);
    let comparison = compared(&module(BYTES as usize, &vtables(each(5000))));
    assert_eq!(limits_of(&comparison), ["VTABLE_BYTES_FACTOR"]);
    let words: usize = comparison.facts.vtables.iter().map(|vtable| vtable.shape.entries.len()).sum();
    assert!(words <= BYTES as usize / 2, "{words} words were read");
    let verdict = judge(comparison);
    assert_eq!(verdict.class(), Class::Refused);
    let told = verdict.report().of(Code::X8).next().unwrap().to_string();
    assert!(told.contains("VTABLE_BYTES_FACTOR") && told.contains("To do:"), "{told}");
}

#[test]
fn vtables_that_are_the_same_bytes_are_compared_for_a_bounded_time() {
    const BYTES: u32 = 40_000;
    let known = |comparison: &Comparison| {
        let shapes = comparison.facts.vtable_shapes().map(|(key, shape)| (key, BTreeSet::from([shape])));
        let mut residents = Residents::new();
        residents.vtables.extend(shapes);
        // As if it had been linked.
        residents.generations.push(Resident::default());
        residents
    };
    let one = module(BYTES as usize, &vtables([(DATA, u64::from(BYTES))].into_iter()));
    let residents = known(&compared(&one));
    assert_eq!(limits_of(&compare(&residents, None, read(&one).unwrap())), [""; 0]);
    let many = module(BYTES as usize, &vtables((0..500).map(|_| (DATA, u64::from(BYTES)))));
    assert_eq!(limits_of(&compare(&residents, None, read(&many).unwrap())), ["COMPARE_STEPS_FACTOR"]);
    let comparison = compared(&many);
    let vtables = &comparison.facts.vtables;
    assert!(vtables.iter().all(|vtable| Arc::ptr_eq(&vtable.shape, &vtables[0].shape)), "their words are kept once");
}

#[test]
fn functions_of_one_plain_name_are_refused_where_pointers_lead_to_them() {
    let mut debug = Craft::new();
    debug.end();
    let of = |names: &[&str]| judge(compared(&with_functions(names, 16, &debug)));
    assert!(of(&["f", "g", "h"]).report().of(Code::X9).next().is_none());
    // Local functions of two C files.
    let verdict = of(&["f", "helper", "helper"]);
    assert_eq!(verdict.class(), Class::Refused);
    let told: Vec<_> = verdict.report().of(Code::X9).map(|finding| finding.item.clone()).collect();
    assert_eq!(told, ["helper"]);
}
