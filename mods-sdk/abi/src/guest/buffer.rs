//! The one reusable buffer of a mod, through which everything travels that is no scalar.
//!
//! It is a plain named static: its address is part of what a patch keeps.

use std::cell::UnsafeCell;

struct Buffer(UnsafeCell<Vec<u8>>);

// SAFETY: wasm32-unknown-unknown without the atomics feature has one thread, and the server runs one
// hook of a memory at a time.
unsafe impl Sync for Buffer {}

static TICKSWAP_BUFFER: Buffer = Buffer(UnsafeCell::new(Vec::new()));

/// Takes the buffer out. Code that runs until it is put back, such as a `Serialize` impl that logs, finds an
/// empty one: slower by an allocation, never wrong.
pub(super) fn take() -> Vec<u8> {
    // SAFETY: the only references to the content live inside this function and `put_back`, neither of
    // which runs other code meanwhile.
    core::mem::take(unsafe { &mut *TICKSWAP_BUFFER.0.get() })
}

/// Puts the buffer back and returns the address of its bytes, valid until it is taken again.
pub(super) fn put_back(bytes: Vec<u8>) -> u32 {
    // SAFETY: as in `take`; dropping the replaced bytes runs the allocator only.
    let place = unsafe { &mut *TICKSWAP_BUFFER.0.get() };
    *place = bytes;
    address_of(place)
}

/// An address as the server sees it.
pub(super) fn address_of(bytes: &[u8]) -> u32 {
    bytes.as_ptr() as u32
}
