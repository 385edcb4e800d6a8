//! A contract, a mod and a second hooks trait that are all right, so that the refusals prove something.

use std::collections::BTreeMap;

use tickswap_abi::{Payload, PlayerId};

#[derive(serde::Serialize, serde::Deserialize, Payload)]
pub struct Deal<T> {
    pub prices: BTreeMap<u16, T>,
    #[serde(skip)]
    pub scratch: usize,
}

#[tickswap_abi::hooks]
pub trait ShopHooks {
    /// Documented.
    fn deal(&mut self, player: PlayerId, deal: Deal<(f32, char)>) -> Result<(), String>;
    #[optional]
    fn closing(&self) -> u64;
}

#[tickswap_abi::hooks]
pub trait ClockHooks {
    fn tick(&mut self);
}

#[derive(Default)]
struct Shop(u64);

#[tickswap_sdk::module]
impl ShopHooks for Shop {
    fn deal(&mut self, player: PlayerId, deal: Deal<(f32, char)>) -> Result<(), String> {
        tickswap_sdk::info!("{player} offers {} prices", deal.prices.len());
        Ok(())
    }
}

#[tickswap_sdk::module(extra)]
impl ClockHooks for Shop {
    fn tick(&mut self) {
        self.0 += 1;
    }
}

fn main() {
    let mut shop = Shop::default();
    shop.tick();
    let prices = BTreeMap::new();
    assert!(shop.deal(PlayerId(1), Deal { prices, scratch: 0 }).is_ok());
    assert_eq!(shop_hooks::INTERFACE.hooks.len(), 2);
}
