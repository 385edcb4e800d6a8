//! Goal: what is beyond a limit of `tickswap_linker::limits` is an error that names the limit, at once. Method: modules written
//! by hand that are sound but for one number; one below the limit shows that the test can fail.

use tickswap_linker::image::{Problem, ReadError, read};
use tickswap_linker::limits;
use tickswap_linker::verify::{Code, Report};
use wasm_encoder::{
    CodeSection, ConstExpr, CustomSection, DataSection, Encode, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, ImportSection, LinkingSection, MemoryType, Module, RawSection, SymbolTable, TypeSection, ValType,
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

/// A module with imports and functions of one type, symbols for the functions, and sections behind it.
fn sized(parameters: usize, imports: u32, functions: u32, more: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function(vec![ValType::I32; parameters], []);
    module.section(&types);
    let mut import_section = ImportSection::new();
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    import_section.import("env", "memory", EntityType::Memory(memory));
    for _ in 0..imports {
        import_section.import("", "", EntityType::Function(0));
    }
    module.section(&import_section);
    let (mut section, mut code, mut symbols) = (FunctionSection::new(), CodeSection::new(), SymbolTable::new());
    for index in 0..functions {
        section.function(0);
        let mut body = Function::new([]);
        body.instructions().end();
        code.function(&body);
        symbols.function(SymbolTable::WASM_SYM_EXPORTED, imports + index, Some("f"));
    }
    module.section(&section);
    module.section(&code);
    module.section(LinkingSection::new().symbol_table(&symbols));
    // Nothing is relocated, which has to be said: of section 3, code, no entry.
    module.section(&CustomSection { name: "reloc.CODE".into(), data: [3, 0].as_slice().into() });
    module.section(&CustomSection { name: ".debug_info".into(), data: [].as_slice().into() });
    for (name, content) in more {
        module.section(&CustomSection { name: (*name).into(), data: content.into() });
    }
    module.finish()
}

#[test]
fn imports_and_exports_are_counted() {
    let at_limit = sized(1000, limits::IMPORTS_MAX, 1, &[]);
    assert!(read(&at_limit).is_ok(), "{:?}", read(&at_limit).err());
    assert_eq!(limit_of(&sized(0, limits::IMPORTS_MAX + 1, 1, &[])), Some("IMPORTS_MAX"));
    let exports = |count: u32| {
        let mut module = Module::new();
        let mut exports = ExportSection::new();
        for index in 0..count {
            exports.export(&index.to_string(), ExportKind::Func, 0);
        }
        module.section(&exports);
        module.finish()
    };
    assert_eq!(limit_of(&exports(limits::EXPORTS_MAX)), None);
    assert_eq!(limit_of(&exports(limits::EXPORTS_MAX + 1)), Some("EXPORTS_MAX"));
}

#[test]
fn functions_that_share_a_long_signature_are_bounded() {
    assert!(read(&sized(1000, 0, 100, &[])).is_ok());
    let many = sized(1000, 0, 5000, &[]);
    assert!(many.len() < 100_000);
    assert_eq!(limit_of(&many), Some("FACTS_WEIGHT_FACTOR"));
}

#[test]
fn symbols_that_share_the_name_of_an_import_are_bounded() {
    let with = |count: u32| {
        let mut symbols = SymbolTable::new();
        for _ in 0..count {
            symbols.function(SymbolTable::WASM_SYM_UNDEFINED, 0, None);
        }
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut imports = ImportSection::new();
        let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        imports.import("env", "memory", EntityType::Memory(memory));
        imports.import("World", &"x".repeat(10_000), EntityType::Function(0));
        module.section(&imports);
        module.section(LinkingSection::new().symbol_table(&symbols));
        module.section(&CustomSection { name: ".debug_info".into(), data: [].as_slice().into() });
        module.finish()
    };
    assert!(read(&with(1)).is_ok(), "{:?}", read(&with(1)).err());
    assert_eq!(limit_of(&with(5000)), Some("CANDIDATE_BYTES_MAX"));
}

#[test]
fn a_message_does_not_repeat_what_is_long() {
    // Producers: one field of a name that is none.
    let mut content = vec![1, 0xe0, 0xd4, 0x03];
    content.extend(vec![b'x'; 60_000]);
    let error = read(&sized(0, 0, 1, &[("producers", content)])).unwrap_err().to_string();
    assert!(error.contains("malformed WebAssembly") && error.len() < 1000, "{} bytes", error.len());
}

#[test]
fn data_symbols_that_share_bytes_are_bounded() {
    let with = |count: u32| {
        let mut symbols = SymbolTable::new();
        for index in 0..count {
            let all = wasm_encoder::DataSymbolDefinition { index: 0, offset: 0, size: 1000 };
            symbols.data(SymbolTable::WASM_SYM_BINDING_LOCAL, &format!("alloc_{index}"), Some(all));
        }
        let mut module = Module::new();
        let mut imports = ImportSection::new();
        let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        imports.import("env", "memory", EntityType::Memory(memory));
        module.section(&imports);
        let mut data = DataSection::new();
        data.active(0, &ConstExpr::i32_const(4096), vec![7; 1000]);
        module.section(&data);
        module.section(&linking(&symbols, &[(".rodata.alloc_0", 0)]));
        // Of section 1, data, no relocation.
        module.section(&CustomSection { name: "reloc.DATA".into(), data: [1, 0].as_slice().into() });
        module.section(&CustomSection { name: ".debug_info".into(), data: [].as_slice().into() });
        module.finish()
    };
    assert!(read(&with(2)).is_ok(), "{:?}", read(&with(2)).err());
    assert_eq!(limit_of(&with(3)), Some("SYMBOL_BYTES_FACTOR"));
}

#[test]
fn data_segments_are_aligned_and_apart() {
    let with = |second: i32, alignment_log2: u8| {
        let mut module = Module::new();
        let mut imports = ImportSection::new();
        let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        imports.import("env", "memory", EntityType::Memory(memory));
        module.section(&imports);
        let (mut data, mut symbols) = (DataSection::new(), SymbolTable::new());
        for (index, address) in [4096, second].into_iter().enumerate() {
            data.active(0, &ConstExpr::i32_const(address), vec![7; 16]);
            let all = wasm_encoder::DataSymbolDefinition { index: index as u32, offset: 0, size: 16 };
            symbols.data(SymbolTable::WASM_SYM_BINDING_LOCAL, &format!("alloc_{index}"), Some(all));
        }
        module.section(&data);
        module.section(&linking(&symbols, &[(".rodata.alloc_0", alignment_log2), (".rodata.alloc_1", 0)]));
        module.section(&CustomSection { name: "reloc.DATA".into(), data: [1, 0].as_slice().into() });
        module.section(&CustomSection { name: ".debug_info".into(), data: [].as_slice().into() });
        read(&module.finish()).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(with(4112, limits::SEGMENT_ALIGNMENT_LOG2_MAX as u8), Ok(()));
    let error = with(4112, limits::SEGMENT_ALIGNMENT_LOG2_MAX as u8 + 1).unwrap_err();
    assert!(error.contains("wants an alignment of 2^17 bytes"), "{error}");
    let error = with(4111, 0).unwrap_err();
    assert!(error.contains("`.rodata.alloc_0` and `.rodata.alloc_1` share addresses"), "{error}");
}

/// A linking section with the names and alignments of data segments.
fn linking(symbols: &SymbolTable, segments: &[(&str, u8)]) -> CustomSection<'static> {
    let mut table = Vec::new();
    LinkingSection::new().symbol_table(symbols).encode(&mut table);
    const HEAD: &[u8] = b"linking\x02";
    let after = table.windows(HEAD.len()).position(|bytes| bytes == HEAD).unwrap() + HEAD.len();
    let mut names = vec![segments.len() as u8];
    for (name, alignment_log2) in segments {
        names.push(name.len() as u8);
        names.extend(name.as_bytes());
        names.extend([*alignment_log2, 0]);
    }
    let mut content = vec![2, 5, names.len() as u8];
    content.extend(names);
    content.extend(&table[after..]);
    CustomSection { name: "linking".into(), data: content.into() }
}

#[test]
fn relocations_are_counted_before_they_are_read() {
    let with = |count: usize| {
        // Of section 3, code: so many entries, of which none follows.
        let mut content = vec![3];
        let mut rest = count;
        while rest >= 0x80 {
            content.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        content.push(rest as u8);
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        module.section(ImportSection::new().import("env", "f", EntityType::Function(0)));
        let mut functions = FunctionSection::new();
        functions.function(0);
        module.section(&functions);
        let mut code = CodeSection::new();
        let mut body = Function::new([]);
        body.instructions().end();
        code.function(&body);
        module.section(&code);
        module.section(&CustomSection { name: "reloc.CODE".into(), data: content.into() });
        module.finish()
    };
    assert_eq!(limit_of(&with(limits::RELOCATIONS_MAX + 1)), Some("RELOCATIONS_MAX"));
    assert!(matches!(read(&with(limits::RELOCATIONS_MAX)).unwrap_err(), ReadError::Malformed { .. }));
}

#[test]
fn a_file_beyond_the_limit_is_not_looked_at() {
    let mut bytes = vec![0; limits::CANDIDATE_BYTES_MAX + 1];
    bytes[..8].copy_from_slice(b"\0asm\x01\0\0\0");
    assert_eq!(limit_of(&bytes), Some("CANDIDATE_BYTES_MAX"));
    bytes.pop();
    assert_eq!(limit_of(&bytes), None);
}
