//! Refusals of hooks traits and of arguments.

#[tickswap_abi::hooks]
pub trait Generic<T> {
    fn call(&mut self, value: u32);
}

#[tickswap_abi::hooks]
pub trait Derived: Clone {
    fn call(&mut self, value: super::Value);
}

#[tickswap_abi::hooks(persist)]
pub trait Misspelt {
    fn call(&mut self);
}

fn main() {}
