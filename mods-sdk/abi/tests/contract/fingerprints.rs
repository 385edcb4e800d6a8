//! Fingerprints follow structure: every change of it is seen, and another spelling of it is not.

use tickswap_abi::Payload;

macro_rules! versions {
    ($($version:ident { $($item:item)* })*) => {$(
        mod $version {
            #[allow(unused_imports)]
            use serde::{Deserialize, Serialize};
            #[allow(unused_imports)]
            use tickswap_abi::{Payload, PlayerId};

            $(
                #[derive(Serialize, Deserialize, Payload)]
                $item
            )*
        }
    )*};
}

versions! {
    original { pub struct Value { pub first: u32, pub second: u32 } }
    same { pub struct Value { first: ::core::primitive::u32, second: Box<u32> } }
    renamed_field { pub struct Value { first: u32, other: u32 } }
    reordered { pub struct Value { second: u32, first: u32 } }
    retyped { pub struct Value { first: u32, second: i32 } }
    grown { pub struct Value { first: u32, second: u32, third: u32 } }
    by_position { pub struct Value(u32, u32); }
    renamed_type { pub struct Other { first: u32, second: u32 } }
    skipping { pub struct Value { #[serde(skip)] first: u32, second: u32 } }
    nested {
        pub struct Value { first: Inner, second: u32 }
        pub struct Inner { deep: u8 }
    }
    nested_retyped {
        pub struct Value { first: Inner, second: u32 }
        pub struct Inner { deep: u16 }
    }
    choice { pub enum Value { First(u32), Second { second: u32 }, Third } }
    choice_reordered { pub enum Value { Second { second: u32 }, First(u32), Third } }
    choice_retyped { pub enum Value { First(u64), Second { second: u32 }, Third } }
    empty { pub struct Value; }
}

#[test]
fn every_change_of_structure_changes_the_fingerprint() {
    let all = [
        original::Value::FINGERPRINT,
        renamed_field::Value::FINGERPRINT,
        reordered::Value::FINGERPRINT,
        retyped::Value::FINGERPRINT,
        grown::Value::FINGERPRINT,
        by_position::Value::FINGERPRINT,
        renamed_type::Other::FINGERPRINT,
        skipping::Value::FINGERPRINT,
        nested::Value::FINGERPRINT,
        nested_retyped::Value::FINGERPRINT,
        choice::Value::FINGERPRINT,
        choice_reordered::Value::FINGERPRINT,
        choice_retyped::Value::FINGERPRINT,
        empty::Value::FINGERPRINT,
        <(u32, u32)>::FINGERPRINT,
        <[u32; 2]>::FINGERPRINT,
        Vec::<u32>::FINGERPRINT,
    ];
    for (index, fingerprint) in all.iter().enumerate() {
        assert!(!all[..index].contains(fingerprint), "number {index}");
    }
}

#[test]
fn another_spelling_of_the_same_structure_keeps_it() {
    assert_eq!(original::Value::FINGERPRINT, same::Value::FINGERPRINT);
}

mod signatures {
    type Count = u32;

    #[tickswap_abi::hooks]
    pub trait Hooks {
        fn named(&mut self, amount: u32);
        fn aliased(&mut self, amount: Count);
    }

    /// An alias of a scalar travels encoded, so the two must not pass for one another.
    #[test]
    fn a_scalar_and_its_alias_differ_in_passing() {
        let hooks = hooks::INTERFACE.hooks;
        assert_ne!(hooks[0].parameters, hooks[1].parameters);
    }

    mod before {
        use crate::tickswap;

        #[tickswap::hooks(crate = crate::tickswap)]
        pub trait Hooks {
            fn call(&mut self, amount: u32, price: u32);
        }
    }

    mod after {
        use crate::tickswap;

        #[tickswap::hooks(crate = crate::tickswap)]
        pub trait Hooks {
            fn call(&mut self, price: u32, amount: u32);
        }
    }

    mod aliased {
        use super::Count;

        #[tickswap_abi::hooks]
        pub trait Hooks {
            fn call(&mut self, amount: Count, price: u32);
        }
    }

    #[test]
    fn parameters_that_trade_places_or_passing_change_the_fingerprint() {
        let [before, after, aliased] = [
            before::hooks::INTERFACE.hooks[0].fingerprint,
            after::hooks::INTERFACE.hooks[0].fingerprint,
            aliased::hooks::INTERFACE.hooks[0].fingerprint,
        ];
        assert!(before != after && before != aliased && after != aliased);
    }
}
