//! Every limit of the linker, with its unit and the reason for its value. Nothing else lives here.

/// Bytes of the image area `[0, 64 MiB)`: the stack and every generation's data. The heap begins where it ends.
pub const IMAGE_AREA_BYTES: u32 = 64 << 20;

/// Bytes of a WebAssembly page (core specification, memory instances).
pub const WASM_PAGE_BYTES: u32 = 65_536;

/// Pages a mod's memory has before its heap grows: exactly the image area.
pub const IMAGE_AREA_PAGES: u32 = IMAGE_AREA_BYTES / WASM_PAGE_BYTES;

/// Bytes of a candidate file, debug information included. rapier3d with all debug information needs 57 MB.
pub const CANDIDATE_BYTES_MAX: usize = 256 << 20;

/// Functions of one module. The largest mods seen have some ten thousand.
pub const FUNCTIONS_MAX: u32 = 1_000_000;

/// Entries of the linking section's symbol table.
pub const SYMBOLS_MAX: u32 = 4_000_000;

/// Bytes of all data symbols together, those that several share counted for each, as a multiple of all data. Merged strings
/// share some; the worst of the mods measured has 1.0 times.
pub const SYMBOL_BYTES_FACTOR: u64 = 2;

/// Functions that a module imports. Mods import some ten.
pub const IMPORTS_MAX: u32 = 10_000;

/// Functions that a module exports. Mods export a hook or ten.
pub const EXPORTS_MAX: u32 = 10_000;

/// Relocations of the code and data sections together.
pub const RELOCATIONS_MAX: usize = 16_000_000;

/// Entries of the function table over all generations of a mod.
pub const TABLE_SLOTS_MAX: u32 = 1_000_000;

/// Problems of one file that are told one by one; of the rest only the number is.
pub(crate) const PROBLEMS_KEPT: usize = 100;

/// Alignment of a data segment as a power of two: 2^16 bytes. More would waste the image area.
pub const SEGMENT_ALIGNMENT_LOG2_MAX: u32 = 16;

/// Generations of one mod in one process.
pub const GENERATIONS_MAX: u32 = 100_000;

/// Function types whose positions all generations of a mod keep. A large mod has some hundreds. Beyond it a generation's types
/// stand in its own order, and more of its functions are compiled again.
pub const FUNCTION_TYPES_KEPT_MAX: usize = 10_000;

/// Bytes kept free below the first piece of data so that address 0 is never that of an object.
pub const NULL_GUARD_BYTES: u32 = 1024;

/// Nesting of a v0 symbol name, in the symbol and in what its back references expand to.
pub(crate) const NAME_DEPTH: usize = 512;

/// Bytes of one symbol name; a longer one is treated as plain text.
pub(crate) const NAME_SYMBOL_BYTES: usize = 64 << 10;

/// Bytes of an identifier in punycode that is decoded; a longer one is kept as it is. rustc-demangle has the same limit for
/// letters.
pub(crate) const NAME_PUNYCODE_BYTES: usize = 512;

/// Bytes that rendering a symbol name may take once its back references are expanded.
pub(crate) const NAME_EXPANDED_BYTES: usize = 1 << 20;

/// Bytes of all symbol names written out, each counted once for every level of nesting, as a multiple of the file's
/// size. The worst of the mods measured has 7 times its size.
pub(crate) const NAMES_WEIGHT_FACTOR: usize = 64;

/// Bytes that they may come to however small the file is.
pub(crate) const NAMES_WEIGHT_MIN: usize = 16 << 20;

/// Bytes of all layouts, signatures and places of functions written out, as a multiple of the file's size. The worst of the
/// mods measured has 0.2 times its size.
pub const FACTS_WEIGHT_FACTOR: usize = 8;

/// Bytes that they may come to however small the file is.
pub const FACTS_WEIGHT_MIN: usize = 8 << 20;

/// Anonymous data that points to anonymous data, when bodies are compared.
pub(crate) const DATA_DEPTH: usize = 128;

/// Nesting of entries in `.debug_info`; inlined calls nest deepest.
pub(crate) const DEBUG_DEPTH: usize = 4096;

/// Nesting of unnamed types (arrays of arrays, functions that take functions).
pub(crate) const DEBUG_TYPE_DEPTH: usize = 128;

/// Dimensions of an array's type. Rust writes arrays of arrays instead.
pub(crate) const DEBUG_ARRAY_DIMENSIONS: usize = 32;

/// Bytes of all tables of abbreviations; kept, they take some twenty times as much. rapier3d has 1 MB.
pub(crate) const DEBUG_ABBREVIATION_BYTES: usize = 16 << 20;

/// Attributes one kind of entry may have: an entry may take one byte and still cost this many steps.
pub(crate) const DEBUG_ATTRIBUTES: usize = 64;

/// Bytes of the file and directory lists of one unit's line program.
pub(crate) const DEBUG_LINE_HEADER_BYTES: usize = 2 << 20;

/// Bytes that the facts may take, as a multiple of all debug sections' size: entries may be a byte short, and names
/// may share their bytes.
pub(crate) const DEBUG_MEMORY_FACTOR: usize = 8;

/// Bytes of names that may be read, looked up and compared, one by one, as a multiple of all debug sections' size: many
/// entries name the same. The worst of the mods measured has 2.3 times.
pub(crate) const DEBUG_READING_FACTOR: usize = 16;

/// Bytes that both may come to however small the sections are.
pub(crate) const DEBUG_BYTES_MIN: usize = 1 << 20;

/// Steps of comparing that do not simply grow with the files: pairs of things held against each other, names searched in
/// texts, calls followed. Per byte of the candidate; a step takes about a nanosecond. The mods measured take less than 0.1.
pub const COMPARE_STEPS_FACTOR: usize = 64;

/// Steps that comparing may take however small the candidate is.
pub const COMPARE_STEPS_MIN: usize = 64 << 20;

/// Bytes of all vtables that debug information names, as a multiple of the bytes of all data: they may share bytes, though
/// those of rustc do not.
pub(crate) const VTABLE_BYTES_FACTOR: usize = 2;

/// Times that the names of symbols are matched anew because an environment holds one that was found to be another. After
/// that all environments count as changed.
pub(crate) const IDENTITY_ROUNDS: usize = 16;

/// Names or entries that one finding tells one by one; of the rest only the number is.
pub(crate) const NAMES_TOLD: usize = 100;

const _: () = assert!(IMAGE_AREA_BYTES.is_multiple_of(WASM_PAGE_BYTES));
const _: () = assert!(NULL_GUARD_BYTES < WASM_PAGE_BYTES);
