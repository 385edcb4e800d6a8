//! Every limit of this crate.

/// Nesting of a v0 symbol name, in the symbol and in what its back references expand to.
pub(crate) const NAME_DEPTH: usize = 512;
/// Bytes of one symbol name; a longer one is treated as plain text.
pub(crate) const NAME_SYMBOL_BYTES: usize = 64 << 10;
/// Bytes that rendering a symbol name may take once its back references are expanded.
pub(crate) const NAME_EXPANDED_BYTES: usize = 1 << 20;

/// Nesting of entries in `.debug_info`; inlined calls nest deepest.
pub(crate) const DEBUG_DEPTH: usize = 4096;
/// Nesting of unnamed types (arrays of arrays, functions that take functions).
pub(crate) const DEBUG_TYPE_DEPTH: usize = 128;
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
