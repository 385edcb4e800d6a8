//! Which types may cross the boundary: the trait, and the standard types that have it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    hash::{BuildHasher, Hash},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{PlayerId, shape::Shape};

/// A type that hooks and host functions may take and return: serde, plus a structure known at compile time.
///
/// Derive it beside serde's traits: `#[derive(Serialize, Deserialize, Payload)]`. Payload types own
/// what they hold and do not contain themselves, not even behind a `Box` or `Vec`; the compiler reports
/// such a type as a cycle.
///
/// `usize` and `isize` are no payload, since they differ between server and mod:
///
/// ```compile_fail,E0277
/// #[derive(serde::Serialize, serde::Deserialize, tickswap_abi::Payload)]
/// struct Sized {
///     size: usize,
/// }
/// ```
///
/// A list whose elements take no bytes could claim any length in a few bytes, so it is none either:
///
/// ```compile_fail,E0080
/// const _: u64 = <Vec<()> as tickswap_abi::Payload>::FINGERPRINT;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the boundary between server and mod",
    label = "no payload type",
    note = "derive it: `#[derive(serde::Serialize, serde::Deserialize, tickswap_abi::Payload)]`",
    note = "`usize` and `isize` differ between server and mod: write `u32` or `u64`"
)]
pub trait Payload: Serialize + DeserializeOwned {
    /// The type's structure.
    const SHAPE: &'static Shape;

    /// Hash of the structure.
    const FINGERPRINT: u64 = Self::SHAPE.fingerprint();
}

macro_rules! plain {
    ($($type:ty)*) => {$(
        impl Payload for $type {
            const SHAPE: &'static Shape = &Shape::Plain(stringify!($type));
        }
    )*};
}

plain! { () bool char u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 String PlayerId Duration }

impl<T: Payload> Payload for Box<T> {
    const SHAPE: &'static Shape = T::SHAPE;
}

impl<T: Payload> Payload for Option<T> {
    const SHAPE: &'static Shape = &Shape::Container { name: "Option", arguments: &[T::SHAPE] };
}

impl<T: Payload, E: Payload> Payload for Result<T, E> {
    const SHAPE: &'static Shape = &Shape::Container { name: "Result", arguments: &[T::SHAPE, E::SHAPE] };
}

impl<T: Payload, const LENGTH: usize> Payload for [T; LENGTH]
where
    [T; LENGTH]: Serialize + DeserializeOwned,
{
    const SHAPE: &'static Shape = &Shape::Array { element: T::SHAPE, length: LENGTH };
}

macro_rules! lists {
    ($($name:ident<T $(, $hasher:ident)?> $(where T: $($bound:ident),+)?;)*) => {$(
        impl<T: Payload $($(+ $bound)+)? $(, $hasher: BuildHasher + Default)?> Payload
            for $name<T $(, $hasher)?>
        {
            const SHAPE: &'static Shape = {
                assert!(
                    T::SHAPE.occupies_bytes(),
                    "the elements of a list must take room on the wire: send a count instead"
                );
                &Shape::Container { name: stringify!($name), arguments: &[T::SHAPE] }
            };
        }
    )*};
}

lists! {
    Vec<T>;
    VecDeque<T>;
    BTreeSet<T> where T: Ord;
    HashSet<T, S> where T: Eq, Hash;
}

macro_rules! maps {
    ($($name:ident<K $(, $hasher:ident)?> where K: $($bound:ident),+;)*) => {$(
        impl<K: Payload $(+ $bound)+, V: Payload $(, $hasher: BuildHasher + Default)?> Payload
            for $name<K, V $(, $hasher)?>
        {
            const SHAPE: &'static Shape = {
                assert!(
                    K::SHAPE.occupies_bytes(),
                    "the keys of a map must take room on the wire"
                );
                &Shape::Container { name: stringify!($name), arguments: &[K::SHAPE, V::SHAPE] }
            };
        }
    )*};
}

maps! {
    BTreeMap<K> where K: Ord;
    HashMap<K, S> where K: Eq, Hash;
}

macro_rules! tuples {
    ($($($part:ident)+;)*) => {$(
        impl<$($part: Payload),+> Payload for ($($part,)+) {
            const SHAPE: &'static Shape = &Shape::Tuple(&[$($part::SHAPE),+]);
        }
    )*};
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
    A B C D E F G H I;
    A B C D E F G H I J;
    A B C D E F G H I J K;
    A B C D E F G H I J K L;
}
