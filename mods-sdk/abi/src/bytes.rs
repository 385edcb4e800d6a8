//! `Vec<u8>` in one piece. On the wire it is what serde makes of a `Vec<u8>`, byte by byte; here it is copied at once.
//!
//! Generated code uses this for parameters and results that are written `Vec<u8>`. Bytes inside of other types go serde's way.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// Encodes as the `Vec<u8>` it borrows from.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

/// Decodes what a `Vec<u8>` was encoded as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBytes(pub Vec<u8>);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de> Deserialize<'de> for OwnedBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor).map(Self)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::codec::{CodecError, decode, encode};
    use crate::limits::CALL_BYTES_MAX;

    fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(value, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn both_ways_read_and_write_the_same_bytes() {
        for length in [0, 1, 250, 251, 300, 65_535, 65_536, 100_000] {
            let list: Vec<u8> = (0..length).map(|byte: u32| byte as u8).collect();
            let wire = encoded(&(7_u32, &list));
            assert_eq!(encoded(&(7_u32, Bytes(&list))), wire);
            assert_eq!(decode::<(u32, OwnedBytes)>(&wire), Ok((7, OwnedBytes(list.clone()))));
            assert_eq!(decode::<(u32, Vec<u8>)>(&wire), Ok((7, list)));
        }
    }

    #[test]
    fn a_length_beyond_what_is_there_is_refused() {
        let wire = encoded(&vec![1_u8; 300]);
        assert!((0..wire.len()).all(|length| decode::<OwnedBytes>(&wire[..length]).is_err()));
        let claimed = encoded(&u64::MAX);
        assert!(decode::<OwnedBytes>(&claimed).is_err());
    }

    #[test]
    fn the_limit_of_a_call_holds_for_bytes_as_well() {
        let error = encode(&Bytes(&vec![0; CALL_BYTES_MAX]), &mut Vec::new()).unwrap_err();
        assert_eq!(error, CodecError::TooLarge { limit: CALL_BYTES_MAX });
    }
}
