//! Live state of any size, for measurements and soak runs: real pages, changed every update, under a checksum.

use arena_api::ReservedState;

/// 64-bit words in one block of a mebibyte.
const WORDS: usize = 1024 * 1024 / 8;

#[derive(Default)]
pub(crate) struct Ballast {
    blocks: Vec<Box<[u64]>>,
    /// Kept while words change; [`Ballast::check`] compares it with the words.
    checksum: u64,
}

impl Ballast {
    /// Adds that many mebibytes and writes to every word of them.
    pub(crate) fn grow(&mut self, mebibytes: u32) {
        for _ in 0..mebibytes {
            let number = self.blocks.len() as u64;
            let block: Box<[u64]> = (0..WORDS as u64).map(|index| scramble(number << 32 | index)).collect();
            self.checksum = self.checksum.wrapping_add(checksum(self.blocks.len(), &block));
            self.blocks.push(block);
        }
    }

    /// Changes one word, another one each time.
    pub(crate) fn touch(&mut self, turn: u64) {
        let count = self.blocks.len();
        if count == 0 {
            return;
        }
        let number = (scramble(turn) % count as u64) as usize;
        let index = (scramble(turn ^ 0x5555) % WORDS as u64) as usize;
        let word = &mut self.blocks[number][index];
        let before = weigh(number, index, *word);
        *word = word.wrapping_add(scramble(turn));
        let after = weigh(number, index, *word);
        self.checksum = self.checksum.wrapping_sub(before).wrapping_add(after);
    }

    /// Reads every word again.
    pub(crate) fn check(&self) -> ReservedState {
        let found =
            self.blocks.iter().enumerate().map(|(number, block)| checksum(number, block)).fold(0, u64::wrapping_add);
        ReservedState { mebibytes: self.blocks.len() as u32, expected: self.checksum, found }
    }
}

fn checksum(number: usize, block: &[u64]) -> u64 {
    block.iter().enumerate().map(|(index, &word)| weigh(number, index, word)).fold(0, u64::wrapping_add)
}

/// A word's share of the checksum depends on its place, so that words that trade places are seen.
fn weigh(number: usize, index: usize, word: u64) -> u64 {
    scramble(word ^ ((number as u64) << 32 | index as u64).rotate_left(17))
}

/// The finaliser of SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
fn scramble(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
