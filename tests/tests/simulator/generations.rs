//! The code that comes and goes: generations of two mods, some of which fault, and what each does in the model's words.

use tickswap_tests::fixtures::edited;

/// The mods, in the server's order.
pub(crate) const MODS: [&str; 2] = ["probe", "second"];

/// An input that every generation faults at.
pub(crate) const HAZARD: u32 = 9_999;

/// When a generation faults, beside at [`HAZARD`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// At every input.
    Always,
    /// At multiples of five, after it has changed its state and grown its memory.
    Fives,
    /// In certain states, after it has changed them.
    States,
}

/// Generations of each mod by number, from 1. New worlds start with the last.
pub(crate) const GENERATIONS: [&[Flaw]; 2] = [
    &[Flaw::None, Flaw::Always, Flaw::Fives, Flaw::States, Flaw::None],
    &[Flaw::None, Flaw::Fives, Flaw::States, Flaw::None],
];

/// What an input does to a mod's total; `None` is a fault. The same as [`code`].
pub(crate) fn apply(flaw: Flaw, generation: u32, total: u64, amount: u32) -> Option<u64> {
    let faults = amount == HAZARD
        || match flaw {
            Flaw::None => false,
            Flaw::Always => true,
            Flaw::Fives => amount.is_multiple_of(5),
            Flaw::States => total % 11 == 3,
        };
    (!faults).then(|| total.rotate_left(7) ^ u64::from(amount) ^ (u64::from(generation) << 40))
}

fn code(flaw: Flaw, generation: u32) -> String {
    let flaw = match flaw {
        Flaw::None => "",
        Flaw::Always => "self.total += 1; if std::hint::black_box(true) { panic!(\"always\") }",
        Flaw::Fives => {
            "if amount % 5 == 0 {
                self.total = 77;
                self.reserved.push(vec![3; 300_000]);
                core::arch::wasm32::unreachable()
            }"
        }
        Flaw::States => {
            "if self.total % 11 == 3 {
                self.total += 1;
                self.reserved.clear();
                panic!(\"in state {}\", self.total)
            }"
        }
    };
    format!(
        "if amount == {HAZARD} {{ self.reserved.push(vec![1; 100]); panic!(\"hazard\") }}
        {flaw}
        self.total = self.total.rotate_left(7) ^ u64::from(amount) ^ ({generation}_u64 << 40);"
    )
}

/// The module of a generation of the mod at a position.
pub(crate) fn module(position: usize, generation: u32, flaw: Flaw) -> Vec<u8> {
    let old = ["self.total += u64::from(amount * VERSION);", "self.total += u64::from(amount);"][position];
    // Both begin at 0; the fixture's own `Default` asks the server.
    let start = ("total: u64::from(probe_host::online())", "total: 0");
    let code = code(flaw, generation);
    let edits: &[(&str, &str)] = if position == 0 { &[(old, &code)] } else { &[(old, &code), start] };
    edited(MODS[position], edits)
}
