//! Refusals of the module macro.

#[tickswap_abi::hooks]
pub trait ShopHooks {
    fn call(&mut self);
}

#[derive(Default)]
struct Shop<T>(T);

#[tickswap_sdk::module]
impl<T> ShopHooks for Shop<T> {
    fn call(&mut self) {}
}

#[derive(Default)]
struct Inherent;

#[tickswap_sdk::module]
impl Inherent {
    fn call(&mut self) {}
}

#[derive(Default)]
struct Misspelt;

#[tickswap_sdk::module(persistent)]
impl ShopHooks for Misspelt {
    fn call(&mut self) {}
}

fn main() {}
