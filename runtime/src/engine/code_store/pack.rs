//! Many small values in one file: the functions that one compilation added.

use std::sync::Arc;

/// A compiled function: Cranelift's key and its serialized code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// A digest of the function before it was compiled, and of the compiler and its flags.
    pub(crate) key: Box<[u8]>,
    /// What it was compiled to.
    pub(crate) code: Arc<[u8]>,
}

/// Lengths and bytes, one function after the other.
pub(super) fn encode(functions: &[Function]) -> Vec<u8> {
    let size = functions.iter().map(|function| 16 + function.key.len() + function.code.len()).sum();
    let mut bytes = Vec::with_capacity(size);
    for Function { key, code } in functions {
        for part in [&key[..], &code[..]] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

/// The reverse of [`encode`]; `None` if it is something else.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Vec<Function>> {
    let mut functions = Vec::new();
    while !bytes.is_empty() {
        let (key, code) = (part(&mut bytes)?, part(&mut bytes)?);
        functions.push(Function { key: key.into(), code: code.into() });
    }
    Some(functions)
}

fn part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (part, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}
