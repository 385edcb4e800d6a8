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

/// Bytes of all data symbols together, those that several share counted for each: twice the image area.
pub(crate) const SYMBOL_BYTES_MAX: u64 = 2 * IMAGE_AREA_BYTES as u64;

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

/// Bytes that rendering a symbol name may take once its back references are expanded.
pub(crate) const NAME_EXPANDED_BYTES: usize = 1 << 20;

/// Bytes of all symbol names written out, each counted once for every level of nesting, as a multiple of the file's
/// size. The worst of the mods measured has 7 times its size.
pub(crate) const NAMES_WEIGHT_FACTOR: usize = 64;

/// Bytes that they may come to however small the file is.
pub(crate) const NAMES_WEIGHT_MIN: usize = 16 << 20;

/// Anonymous data that points to anonymous data, when bodies are compared.
pub(crate) const DATA_DEPTH: usize = 128;

/// Nesting of entries in `.debug_info`; inlined calls nest deepest.
pub(crate) const DEBUG_DEPTH: usize = 4096;

/// Nesting of unnamed types (arrays of arrays, functions that take functions).
pub(crate) const DEBUG_TYPE_DEPTH: usize = 128;

/// Types visited, over all statics, to tell types apart that share a name.
pub(crate) const DEBUG_SHAPE_STEPS: usize = 16 << 20;

/// Attributes one kind of entry may have: an entry may take one byte and still cost this many steps.
pub(crate) const DEBUG_ATTRIBUTES: usize = 64;

/// Bytes of the file and directory lists of one unit's line program.
pub(crate) const DEBUG_LINE_HEADER_BYTES: usize = 2 << 20;

/// Bytes that the facts may take, as a multiple of all debug sections' size: entries may be a byte short, and names
/// may share their bytes.
pub(crate) const DEBUG_MEMORY_FACTOR: usize = 8;

/// Bytes of names that may be read, one by one, as a multiple of all debug sections' size: many entries name the same.
pub(crate) const DEBUG_READING_FACTOR: usize = 64;

/// Bytes that both may come to however small the sections are.
pub(crate) const DEBUG_BYTES_MIN: usize = 1 << 20;

/// Calls and types followed to tell what live data relies on and what a coroutine is held by, over one file. What is not
/// followed counts as changed.
pub(crate) const RELIANCE_STEPS: usize = 64 << 20;

const _: () = assert!(IMAGE_AREA_BYTES.is_multiple_of(WASM_PAGE_BYTES));
const _: () = assert!(NULL_GUARD_BYTES < WASM_PAGE_BYTES);
