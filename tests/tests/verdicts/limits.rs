//! Goal: what is beyond a limit of `tickswap_linker::limits` is an error that names the limit, at once. Method: modules written
//! by hand that are sound but for one number; one below the limit shows that the test can fail.

use tickswap_linker::image::{Problem, ReadError, read};
use tickswap_linker::limits;
use tickswap_linker::verify::{Code, Report};
use wasm_encoder::{
    CodeSection, CustomSection, EntityType, Function, FunctionSection, ImportSection, LinkingSection, MemoryType,
    Module, RawSection, SymbolTable, TypeSection,
};

/// A module of one empty function with these symbols.
fn module(symbols: &SymbolTable) -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], []);
    module.section(&types);
    let mut imports = ImportSection::new();
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("env", "memory", EntityType::Memory(memory));
    module.section(&imports);
    let mut functions = FunctionSection::new();
    functions.function(0);
    module.section(&functions);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().end();
    code.function(&body);
    module.section(&code);
    module.section(LinkingSection::new().symbol_table(symbols));
    module.section(&CustomSection { name: ".debug_info".into(), data: [].as_slice().into() });
    module.finish()
}

fn limit_of(bytes: &[u8]) -> Option<&'static str> {
    match read(bytes) {
        Err(ReadError::BeyondLimit { limit_name, found, limit, .. }) => {
            assert!(found > limit);
            Some(limit_name)
        }
        _ => None,
    }
}

/// A symbol of some hundred letters whose text, written out, doubles with every level: each argument is a pair of the one before.
fn doubling(levels: usize, name: char) -> String {
    let mut text = format!("INvC1a1{name}");
    let mut last = text.len();
    text.push_str("TmmE");
    for _ in 0..levels {
        let back = format!("B{}", base_62(last));
        last = text.len();
        text.push_str(&format!("T{back}{back}E"));
    }
    format!("_R{text}E")
}

/// A number as v0 mangling writes it.
fn base_62(number: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let Some(mut rest) = number.checked_sub(1) else { return "_".into() };
    let mut digits = vec!['_'];
    loop {
        digits.push(char::from(DIGITS[rest % 62]));
        rest /= 62;
        if rest == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[test]
fn short_names_that_say_much_are_bounded_together() {
    let with = |names: &[char]| {
        let mut symbols = SymbolTable::new();
        names.iter().for_each(|name| {
            symbols.function(SymbolTable::WASM_SYM_EXPORTED, 0, Some(&doubling(12, *name)));
        });
        module(&symbols)
    };
    let few = with(&['f']);
    assert!(few.len() < 1000 && read(&few).is_ok(), "{:?}", read(&few).err());
    let many: Vec<char> = ('a'..='z').collect();
    assert_eq!(limit_of(&with(&many)), Some("NAMES_WEIGHT_FACTOR"));
}

#[test]
fn of_many_problems_the_first_are_told_and_the_rest_counted() {
    let with = |count: u32| {
        let mut symbols = SymbolTable::new();
        for index in 0..count {
            let nowhere = wasm_encoder::DataSymbolDefinition { index, offset: 0, size: 4 };
            symbols.data(0, &format!("static{index}"), Some(nowhere));
        }
        match read(&module(&symbols)) {
            Err(ReadError::NotLinkable(problems)) => problems.0,
            other => panic!("{other:?}"),
        }
    };
    let (few, many) = (with(100), with(5000));
    assert_eq!(few.len(), 100);
    assert!(!few.iter().any(|problem| matches!(problem, Problem::More { .. })));
    assert_eq!(many.len(), 101);
    assert_eq!(many.last(), Some(&Problem::More { count: 4900 }));
    let report = Report::from(
        &read(&{
            let mut symbols = SymbolTable::new();
            symbols.data(0, "lost", Some(wasm_encoder::DataSymbolDefinition { index: 7, offset: 0, size: 4 }));
            module(&symbols)
        })
        .unwrap_err(),
    );
    assert!(report.of(Code::X5).any(|finding| finding.item.contains("lost")), "{report}");
}

#[test]
fn counts_beyond_a_limit_are_refused_before_they_are_read() {
    let counted = |id: u8, count: u32| {
        let mut content = Vec::new();
        let mut rest = count;
        while rest >= 0x80 {
            content.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        content.push(rest as u8);
        // The first entry, and no more.
        content.push(0);
        let mut module = Module::new();
        module.section(&RawSection { id, data: &content });
        module.finish()
    };
    const FUNCTIONS: u8 = 3;
    assert_eq!(limit_of(&counted(FUNCTIONS, limits::FUNCTIONS_MAX + 1)), Some("FUNCTIONS_MAX"));
    let at_limit = read(&counted(FUNCTIONS, limits::FUNCTIONS_MAX)).unwrap_err();
    assert!(matches!(at_limit, ReadError::Malformed { .. }), "{at_limit}");

    let symbols = |count: u32| {
        let mut table = vec![2];
        let mut subsection = vec![8];
        let content = [
            (count & 0x7f) as u8 | 0x80,
            (count >> 7) as u8 | 0x80,
            (count >> 14) as u8 | 0x80,
            (count >> 21) as u8 & 0x7f,
        ];
        subsection.push(content.len() as u8);
        subsection.extend(content);
        table.extend(subsection);
        let mut module = Module::new();
        module.section(&CustomSection { name: "linking".into(), data: table.into() });
        module.finish()
    };
    assert_eq!(limit_of(&symbols(limits::SYMBOLS_MAX + 1)), Some("SYMBOLS_MAX"));
    assert!(matches!(read(&symbols(limits::SYMBOLS_MAX)).unwrap_err(), ReadError::Malformed { .. }));
}

#[test]
fn a_file_beyond_the_limit_is_not_looked_at() {
    let mut bytes = vec![0; limits::CANDIDATE_BYTES_MAX + 1];
    bytes[..8].copy_from_slice(b"\0asm\x01\0\0\0");
    assert_eq!(limit_of(&bytes), Some("CANDIDATE_BYTES_MAX"));
    bytes.pop();
    assert_eq!(limit_of(&bytes), None);
}
