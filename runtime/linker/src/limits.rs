//! Every limit of this crate.

/// Nesting of a v0 symbol name, in the symbol and in what its back references expand to.
pub(crate) const NAME_DEPTH: usize = 512;
/// Bytes of one symbol name; a longer one is treated as plain text.
pub(crate) const NAME_SYMBOL_BYTES: usize = 64 << 10;
/// Bytes that rendering a symbol name may take once its back references are expanded.
pub(crate) const NAME_EXPANDED_BYTES: usize = 1 << 20;
