//! Every refusal of a host trait, told in one go.

#[tickswap_abi::host]
pub trait ShopHost {
    fn withdraw(&mut self, amount: u32) -> bool;
    fn count(&self, index: usize) -> Vec<isize>;
    fn say(&mut self, text: &str);
    fn label(&self) -> &'static str;
    fn store<T>(&mut self, value: T);
    async fn load(&self) -> u32;
    fn run(&mut self, code: Box<dyn Fn()>);
    fn each(&mut self, values: impl Iterator<Item = u32>);
    fn consume(self);
    fn unbound(number: u32);
    fn finished(&self) -> u32 {
        0
    }
    #[optional]
    fn maybe(&self);
    #[cfg(test)]
    fn sometimes(&self);
    fn tuple(&mut self, (left, right): (u32, u32));
    const LIMIT: u32;
}

fn main() {}
