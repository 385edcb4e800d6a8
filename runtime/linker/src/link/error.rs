//! Why a candidate that may be linked could not be.

use thiserror::Error;

/// Why placing a candidate failed. The residents are as they were.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The image area is full.
    #[error(
        "the image area is full: {needed} more bytes are needed, {free} of IMAGE_AREA_BYTES ({limit}) are free; restart the world, or let its state migrate, to begin with an empty area"
    )]
    ImageAreaFull {
        /// Bytes that the candidate needs in fresh space.
        needed: u32,
        /// Bytes left.
        free: u32,
        /// The limit in bytes.
        limit: u32,
    },
    /// More table slots or generations than the limit.
    #[error("{what} would exceed {limit_name} ({limit}); restart the server to begin with generation 1")]
    BeyondLimit {
        /// What was counted.
        what: &'static str,
        /// Name of the constant.
        limit_name: &'static str,
        /// Its value.
        limit: u32,
    },
    /// Code refers to an address that the static linker makes up and that has no meaning here.
    #[error(
        "the mod refers to `{symbol}`, which has no meaning in a live image; expected `__heap_base`, `__heap_end` or `__data_end` at most"
    )]
    UnknownAbsolute {
        /// The symbol.
        symbol: String,
    },
    /// A relocated address left the 32-bit address space.
    #[error(
        "the address of `{symbol}` plus {addend} is outside the 32-bit address space; build the mod again, the file is inconsistent"
    )]
    AddressOverflow {
        /// The symbol.
        symbol: String,
        /// What is added to its address.
        addend: i64,
    },
    /// The file contradicts itself in a way that reading did not find.
    #[error("the file is inconsistent: {0}; build the mod again")]
    Inconsistent(String),
}
