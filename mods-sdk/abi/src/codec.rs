//! The wire format: bincode 2, standard configuration (little endian, variable-length integers), over serde.
//! The only module that names bincode; everything else encodes and decodes through it.
//!
//! Decoding reads foreign bytes: it never panics, and takes all of the bytes or none.

use bincode::{
    config::{Configuration, Limit, LittleEndian, Varint},
    enc::write::Writer,
    error::{DecodeError, EncodeError},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{ScalarError, limits::CALL_BYTES_MAX};

/// Appends the encoding of `value` to `bytes`. On an error `bytes` is as long as before.
///
/// Allocates only what `bytes` lacks in capacity.
pub fn encode<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), CodecError> {
    let start = bytes.len();
    let writer = BoundedWriter { bytes, start };
    bincode::serde::encode_into_writer(value, writer, CONFIGURATION).map_err(|error| {
        bytes.truncate(start);
        match error {
            EncodeError::UnexpectedEnd => CodecError::TooLarge { limit: CALL_BYTES_MAX },
            other => CodecError::Encode(other.to_string()),
        }
    })
}

/// The value that `bytes` encode, all of them.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, used) = bincode::serde::decode_from_slice(bytes, CONFIGURATION).map_err(|error| match error {
        DecodeError::LimitExceeded => CodecError::TooLarge { limit: CALL_BYTES_MAX },
        other => CodecError::Decode { length: bytes.len(), reason: other.to_string() },
    })?;
    if used != bytes.len() {
        return Err(CodecError::Trailing { used, length: bytes.len() });
    }
    Ok(value)
}

/// What can go wrong between a value and its bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The encoding is, or claims to be, larger than a call may carry.
    #[error("a call carries at most {limit} bytes of arguments or answer; split the value over several calls")]
    TooLarge {
        /// [`CALL_BYTES_MAX`].
        limit: usize,
    },
    /// The value cannot be written in a format that does not describe itself.
    #[error("the value cannot be encoded: {0}")]
    Encode(String),
    /// The bytes are no encoding of the type.
    #[error("{length} bytes do not decode as the expected type: {reason}")]
    Decode {
        /// How many bytes there were.
        length: usize,
        /// What the format says.
        reason: String,
    },
    /// The bytes hold more than the value.
    #[error(
        "expected a value of {used} bytes, found {length} bytes: both sides were built against different contracts"
    )]
    Trailing {
        /// How many bytes the value took.
        used: usize,
        /// How many bytes there were.
        length: usize,
    },
    /// A scalar is out of its type's range.
    #[error(transparent)]
    Scalar(#[from] ScalarError),
    /// Scalars where bytes were expected, the reverse, or the wrong number of scalars.
    #[error("expected {expected}, found {found}")]
    Passing {
        /// The form that the contract settles.
        expected: &'static str,
        /// The form that arrived.
        found: String,
    },
}

const CONFIGURATION: Configuration<LittleEndian, Varint, Limit<CALL_BYTES_MAX>> =
    bincode::config::standard().with_limit::<CALL_BYTES_MAX>();

/// bincode bounds what it decodes; this bounds what it encodes.
struct BoundedWriter<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
}

impl Writer for BoundedWriter<'_> {
    fn write(&mut self, piece: &[u8]) -> Result<(), EncodeError> {
        let written = self.bytes.len() - self.start;
        if piece.len() > CALL_BYTES_MAX - written {
            return Err(EncodeError::UnexpectedEnd);
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::{BTreeMap, HashMap};

    use super::*;

    fn bytes_of<T: Serialize>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(value, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn values_survive() {
        type Value = (u64, String, Option<Vec<i8>>, HashMap<String, char>);
        let value: Value = (u64::MAX, "ünï".to_owned(), Some(vec![-1, 0, 1]), HashMap::from([("k".to_owned(), 'v')]));
        assert_eq!(decode::<Value>(&bytes_of(&value)), Ok(value));
    }

    #[test]
    fn borrowed_and_owned_text_have_one_encoding() {
        assert_eq!(bytes_of(&(7_u8, "text")), bytes_of(&(7_u8, "text".to_owned())));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        let mut bytes = bytes_of(&1_u32);
        bytes.push(0);
        let error = decode::<u32>(&bytes).unwrap_err();
        assert_eq!(error, CodecError::Trailing { used: 1, length: 2 });
    }

    #[test]
    fn every_truncation_and_bit_flip_is_an_answer_not_a_panic() {
        type Value = (Vec<String>, BTreeMap<u16, Result<bool, char>>, Option<f64>);
        let value: Value = (vec!["a".into(), "bc".into()], BTreeMap::from([(3, Ok(true)), (900, Err('x'))]), Some(0.5));
        let bytes = bytes_of(&value);
        for length in 0..bytes.len() {
            assert!(decode::<Value>(&bytes[..length]).is_err());
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = decode::<Value>(&damaged);
        }
    }

    #[test]
    fn a_claimed_length_beyond_the_limit_is_refused_before_it_is_allocated() {
        let huge = bytes_of(&u64::MAX);
        assert!(decode::<String>(&huge).is_err());
        assert!(decode::<Vec<u64>>(&huge).is_err());
    }

    #[test]
    fn too_large_a_value_leaves_the_buffer_as_it_was() {
        let mut bytes = vec![1, 2, 3];
        let error = encode(&vec![0_u8; CALL_BYTES_MAX], &mut bytes).unwrap_err();
        assert!(matches!(error, CodecError::TooLarge { .. }));
        assert_eq!(bytes, [1, 2, 3]);
    }
}
