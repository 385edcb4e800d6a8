//! Scalars that cross the boundary as core wasm values instead of encoded bytes.
//!
//! The macros decide by the written name of a type; this trait does the conversion, so a type that
//! merely shadows such a name does not compile instead of being misread.

use crate::PlayerId;

/// The core wasm type that carries a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScalarType {
    /// `bool`, `char`, and integers up to 32 bits; signed ones are sign-extended to 32 bits.
    I32,
    /// `u64`, `i64` and [`PlayerId`].
    I64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
}

/// A wasm value that is no value of the Rust type it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a value of type {expected}, found the wasm value {found:#x}")]
pub struct ScalarError {
    /// The Rust type that was expected.
    pub expected: &'static str,
    /// The bits that were found, zero-extended.
    pub found: u64,
}

/// A type that travels as one core wasm value.
pub trait Scalar: Copy {
    /// The wasm value as Rust's `extern "C"` spells it: `u32`, `u64`, `f32` or `f64`.
    type Wire: Copy;

    /// The wasm type of `Wire`.
    const TYPE: ScalarType;

    /// The value as wasm carries it.
    fn to_wire(self) -> Self::Wire;

    /// The value a wasm value stands for, if it stands for one.
    fn from_wire(wire: Self::Wire) -> Result<Self, ScalarError>;

    /// The value's bits, zero-extended to 64: the form in which the host side passes scalars on.
    fn to_bits(self) -> u64;

    /// The reverse of [`Scalar::to_bits`]. Bits above the wasm type's width are an error.
    fn from_bits(bits: u64) -> Result<Self, ScalarError>;
}

macro_rules! narrow_scalars {
    ($($type:ty, $signed_to_wire:expr, $from_wire:expr;)*) => {$(
        impl Scalar for $type {
            type Wire = u32;
            const TYPE: ScalarType = ScalarType::I32;

            #[inline]
            fn to_wire(self) -> u32 {
                let convert: fn($type) -> u32 = $signed_to_wire;
                convert(self)
            }

            #[inline]
            fn from_wire(wire: u32) -> Result<Self, ScalarError> {
                let convert: fn(u32) -> Option<$type> = $from_wire;
                convert(wire).ok_or(ScalarError { expected: stringify!($type), found: u64::from(wire) })
            }

            #[inline]
            fn to_bits(self) -> u64 {
                u64::from(self.to_wire())
            }

            #[inline]
            fn from_bits(bits: u64) -> Result<Self, ScalarError> {
                let wire = u32::try_from(bits)
                    .map_err(|_| ScalarError { expected: stringify!($type), found: bits })?;
                Self::from_wire(wire)
            }
        }
    )*};
}

narrow_scalars! {
    bool, u32::from, |wire| match wire { 0 => Some(false), 1 => Some(true), _ => None };
    char, u32::from, char::from_u32;
    u8, u32::from, |wire| u8::try_from(wire).ok();
    u16, u32::from, |wire| u16::try_from(wire).ok();
    u32, |value| value, Some;
    i8, |value| i32::from(value).cast_unsigned(), |wire| i8::try_from(wire.cast_signed()).ok();
    i16, |value| i32::from(value).cast_unsigned(), |wire| i16::try_from(wire.cast_signed()).ok();
    i32, i32::cast_unsigned, |wire| Some(wire.cast_signed());
}

macro_rules! wide_scalars {
    ($($type:ty, $to:expr, $from:expr;)*) => {$(
        impl Scalar for $type {
            type Wire = u64;
            const TYPE: ScalarType = ScalarType::I64;

            #[inline]
            fn to_wire(self) -> u64 {
                let convert: fn($type) -> u64 = $to;
                convert(self)
            }

            #[inline]
            fn from_wire(wire: u64) -> Result<Self, ScalarError> {
                let convert: fn(u64) -> $type = $from;
                Ok(convert(wire))
            }

            #[inline]
            fn to_bits(self) -> u64 {
                self.to_wire()
            }

            #[inline]
            fn from_bits(bits: u64) -> Result<Self, ScalarError> {
                Self::from_wire(bits)
            }
        }
    )*};
}

wide_scalars! {
    u64, |value| value, |wire| wire;
    i64, i64::cast_unsigned, u64::cast_signed;
    PlayerId, |player| player.0, PlayerId;
}

macro_rules! float_scalars {
    ($($type:ident, $wasm:ident, $bits:ty;)*) => {$(
        impl Scalar for $type {
            type Wire = $type;
            const TYPE: ScalarType = ScalarType::$wasm;

            #[inline]
            fn to_wire(self) -> $type {
                self
            }

            #[inline]
            fn from_wire(wire: $type) -> Result<Self, ScalarError> {
                Ok(wire)
            }

            #[inline]
            fn to_bits(self) -> u64 {
                u64::from($type::to_bits(self))
            }

            #[inline]
            fn from_bits(bits: u64) -> Result<Self, ScalarError> {
                <$bits>::try_from(bits)
                    .map($type::from_bits)
                    .map_err(|_| ScalarError { expected: stringify!($type), found: bits })
            }
        }
    )*};
}

float_scalars! {
    f32, F32, u32;
    f64, F64, u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives<T: Scalar + PartialEq + core::fmt::Debug>(value: T) {
        assert_eq!(T::from_bits(value.to_bits()), Ok(value));
        assert_eq!(T::from_wire(value.to_wire()), Ok(value));
    }

    #[test]
    fn every_scalar_survives_both_forms() {
        survives(true);
        survives('\u{10ffff}');
        survives(u8::MAX);
        survives(i8::MIN);
        survives(i16::MIN);
        survives(i32::MIN);
        survives(u64::MAX);
        survives(i64::MIN);
        survives(PlayerId(7));
        survives(-0.5_f32);
        survives(f64::MAX);
    }

    #[test]
    fn a_signed_value_is_extended_to_32_bits_and_no_further() {
        assert_eq!((-1_i8).to_bits(), 0xffff_ffff);
    }

    #[test]
    fn values_outside_the_type_are_refused() {
        assert!(bool::from_wire(2).is_err());
        assert!(char::from_wire(0xd800).is_err());
        assert!(u8::from_wire(256).is_err());
        assert!(i8::from_wire(128).is_err());
        assert!(u32::from_bits(1 << 32).is_err());
        assert!(<f32 as Scalar>::from_bits(1 << 32).is_err());
    }
}
