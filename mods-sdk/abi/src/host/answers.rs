//! Answers of hooks and queries, raw and decoded.

use std::ops::Deref;

use serde::{Serialize, de::DeserializeOwned};
use smallvec::SmallVec;

use super::mod_name::ModName;
use crate::{
    Scalar,
    codec::{self, CodecError},
};

/// An answer as it crossed the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawAnswer<'a> {
    /// The function has no result.
    Nothing,
    /// The bit pattern of a scalar, zero-extended to 64 bits.
    Scalar(u64),
    /// An encoded value.
    Encoded(&'a [u8]),
}

impl RawAnswer<'_> {
    /// The scalar it carries.
    #[inline]
    pub fn scalar<T: Scalar>(self) -> Result<T, CodecError> {
        match self {
            Self::Scalar(bits) => Ok(T::from_bits(bits)?),
            other => Err(other.unexpected("a scalar answer")),
        }
    }

    /// The encoded value it carries.
    pub fn decode<T: DeserializeOwned>(self) -> Result<T, CodecError> {
        match self {
            Self::Encoded(bytes) => codec::decode(bytes),
            other => Err(other.unexpected("an encoded answer")),
        }
    }

    #[cold]
    fn unexpected(self, expected: &'static str) -> CodecError {
        let found = match self {
            Self::Nothing => "no answer".to_owned(),
            Self::Scalar(_) => "a scalar answer".to_owned(),
            Self::Encoded(bytes) => format!("an encoded answer of {} bytes", bytes.len()),
        };
        CodecError::Passing { expected, found }
    }
}

/// Where a query's answer is put. Reused from call to call, so that answering does not allocate.
#[derive(Clone, Debug, Default)]
pub struct AnswerBuffer {
    bytes: Vec<u8>,
    form: Form,
}

#[derive(Clone, Copy, Debug, Default)]
enum Form {
    #[default]
    Nothing,
    Scalar(u64),
    Encoded,
}

impl AnswerBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the answer and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.form = Form::Nothing;
    }

    /// Answers with a scalar.
    pub fn put_scalar<T: Scalar>(&mut self, value: T) {
        self.form = Form::Scalar(value.to_bits());
    }

    /// Answers with an encoded value.
    pub fn put_encoded<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        self.clear();
        codec::encode(value, &mut self.bytes)?;
        self.form = Form::Encoded;
        Ok(())
    }

    /// The answer that was put last.
    pub fn answer(&self) -> RawAnswer<'_> {
        match self.form {
            Form::Nothing => RawAnswer::Nothing,
            Form::Scalar(bits) => RawAnswer::Scalar(bits),
            Form::Encoded => RawAnswer::Encoded(&self.bytes),
        }
    }
}

/// The answers of all mods to one hook, in the server's order of mods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers<T>(SmallVec<[(ModName, T); 2]>);

impl<T> Answers<T> {
    /// No answers yet.
    pub fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Adds the answer of one mod.
    pub fn push(&mut self, mod_name: ModName, answer: T) {
        self.0.push((mod_name, answer));
    }

    /// The answer of one mod.
    pub fn of(&self, mod_name: &str) -> Option<&T> {
        self.0.iter().find(|(name, _)| name == mod_name).map(|(_, answer)| answer)
    }
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Deref for Answers<T> {
    type Target = [(ModName, T)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<T> IntoIterator for Answers<T> {
    type Item = (ModName, T);
    type IntoIter = smallvec::IntoIter<[(ModName, T); 2]>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Answers<T> {
    type Item = &'a (ModName, T);
    type IntoIter = std::slice::Iter<'a, (ModName, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
