//! The mod's side of a call, for generated code and the SDK. Compiled for wasm32 only.
//!
//! Values are encoded into one reusable buffer, so that a call in the steady state does not allocate.
//! A value that does not decode here means that server and mod disagree although their fingerprints
//! agree: that is a defect, and the mod panics with what was expected and found.

mod buffer;
mod imports;

use core::fmt::{self, Write};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Scalar, codec};

pub use imports::{log, panic};

/// Makes the buffer at least `length` bytes long and returns its address. Behind the export `tickswap_buffer`.
pub fn reserve(length: u32) -> u32 {
    let mut bytes = buffer::take();
    if bytes.len() < length as usize {
        bytes.resize(length as usize, 0);
    }
    buffer::put_back(bytes)
}

/// The arguments of a hook, which the server left in the first `length` bytes of the buffer.
pub fn arguments<T: DeserializeOwned>(length: u32) -> T {
    let bytes = buffer::take();
    let Some(encoded) = bytes.get(..length as usize) else {
        panic!("the server passed {length} bytes of arguments, but reserved a buffer of {}", bytes.len());
    };
    let decoded = codec::decode(encoded);
    buffer::put_back(bytes);
    match decoded {
        Ok(arguments) => arguments,
        Err(error) => panic!("the arguments of a hook do not fit its signature: {error}"),
    }
}

/// A scalar argument of a hook, or the scalar answer of a query.
#[inline]
pub fn scalar<T: Scalar>(wire: T::Wire) -> T {
    match T::from_wire(wire) {
        Ok(value) => value,
        Err(error) => panic!("the server passed a bad scalar: {error}"),
    }
}

/// Leaves the answer of a hook in the buffer: address in the upper half, length in the lower.
pub fn answer<T: Serialize>(value: &T) -> u64 {
    let bytes = encoded(value);
    let length = bytes.len() as u64;
    u64::from(buffer::put_back(bytes)) << 32 | length
}

/// Calls a host function with encoded arguments: `call` gets their address and length.
pub fn with_arguments<T: Serialize, R>(value: &T, call: impl FnOnce(u32, u32) -> R) -> R {
    let bytes = encoded(value);
    let result = call(buffer::address_of(&bytes), bytes.len() as u32);
    buffer::put_back(bytes);
    result
}

/// The encoded answer of a query, of which the server told the length.
pub fn take_answer<T: DeserializeOwned>(length: u32) -> T {
    imports::take_answer(reserve(length));
    arguments(length)
}

/// Calls `sink` with the formatted text, which is built in the buffer.
pub fn with_text(text: fmt::Arguments<'_>, sink: impl FnOnce(&str)) {
    if let Some(text) = text.as_str() {
        return sink(text);
    }
    let mut bytes = buffer::take();
    bytes.clear();
    let mut writer = TextWriter(bytes);
    // A `Display` that fails leaves what it wrote so far, which is the most there is to tell.
    let _ = writer.write_fmt(text);
    sink(core::str::from_utf8(&writer.0).unwrap_or_default());
    buffer::put_back(writer.0);
}

struct TextWriter(Vec<u8>);

impl Write for TextWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = buffer::take();
    bytes.clear();
    if let Err(error) = codec::encode(value, &mut bytes) {
        panic!("a value cannot be passed to the server: {error}");
    }
    bytes
}
