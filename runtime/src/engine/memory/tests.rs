//! Goal: after `roll_back` a memory is, byte for byte and in size, what it was at `begin`; after `commit` what was written.
//! Method: a module that stores, fills and grows, over each mechanism, against a plain vector.
#![allow(clippy::unwrap_used)]

use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Instruction as I,
    MemArg, MemoryType, Module, TypeSection, ValType,
};
use wasmtime::{Config, Engine, Instance, Memory, Store, TypedFunc};

use super::*;
use crate::engine::shell;

const PAGE: usize = 65_536;
const START: usize = 1024 * PAGE;

/// A memory of 64 MiB as a mod has it, and code that changes it.
struct Rig {
    store: Store<()>,
    memory: Memory,
    undo: Undo,
    store_byte: TypedFunc<(u32, u32), ()>,
    fill: TypedFunc<(u32, u32, u32), ()>,
    grow: TypedFunc<u32, i32>,
}

impl Rig {
    fn new(mechanism: UndoMechanism) -> Self {
        let mut config = Config::new();
        config.memory_may_move(false);
        let memories = Memories::new(mechanism, &mut config);
        let engine = Engine::new(&config).unwrap();
        Self::in_engine(&engine, &memories)
    }

    fn in_engine(engine: &Engine, memories: &Memories) -> Self {
        let mut store = Store::new(engine, ());
        let shell = wasmtime::Module::new(engine, shell::bytes(256 << 20).unwrap()).unwrap();
        let shell = Instance::new(&mut store, &shell, &[]).unwrap();
        let memory = shell.get_memory(&mut store, shell::MEMORY).unwrap();
        let mut undo = memories.undo_of(memory, &mut store);
        let code = wasmtime::Module::new(engine, code()).unwrap();
        let code = Instance::new(&mut store, &code, &[memory.into()]).unwrap();
        undo.arm(true);
        Self {
            store_byte: code.get_typed_func(&mut store, "store").unwrap(),
            fill: code.get_typed_func(&mut store, "fill").unwrap(),
            grow: code.get_typed_func(&mut store, "grow").unwrap(),
            store,
            memory,
            undo,
        }
    }

    fn begin(&mut self) {
        assert!(self.undo.begin(self.memory.data(&self.store), START));
    }

    fn roll_back(&mut self) {
        assert!(self.undo.roll_back(self.memory, &mut self.store));
        self.memory.grow(&mut self.store, 0).unwrap();
    }

    fn set(&mut self, address: usize, value: u8) {
        let _running = self.undo.running();
        self.store_byte.call(&mut self.store, (address as u32, u32::from(value))).unwrap();
    }

    fn fill(&mut self, address: usize, value: u8, length: usize) {
        let _running = self.undo.running();
        self.fill.call(&mut self.store, (address as u32, u32::from(value), length as u32)).unwrap();
    }

    fn grow(&mut self, pages: u32) {
        assert!(self.grow.call(&mut self.store, pages).unwrap() > 0);
    }

    fn write(&mut self, address: usize, bytes: &[u8]) {
        assert!(self.undo.touch(address..address + bytes.len()));
        self.memory.write(&mut self.store, address, bytes).unwrap();
    }

    fn data(&self) -> &[u8] {
        self.memory.data(&self.store)
    }
}

fn code() -> Vec<u8> {
    let i32 = ValType::I32;
    let mut types = TypeSection::new();
    types.ty().function([i32, i32], []);
    types.ty().function([i32, i32, i32], []);
    types.ty().function([i32], [i32]);
    let mut imports = ImportSection::new();
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("", "", EntityType::Memory(memory));
    let mut functions = FunctionSection::new();
    functions.function(0).function(1).function(2);
    let mut exports = ExportSection::new();
    for (index, name) in (0..).zip(["store", "fill", "grow"]) {
        exports.export(name, ExportKind::Func, index);
    }
    let at = MemArg { offset: 0, align: 0, memory_index: 0 };
    let bodies: [&[I<'_>]; 3] = [
        &[I::LocalGet(0), I::LocalGet(1), I::I32Store8(at)],
        &[I::LocalGet(0), I::LocalGet(1), I::LocalGet(2), I::MemoryFill(0)],
        &[I::LocalGet(0), I::MemoryGrow(0)],
    ];
    let mut code = CodeSection::new();
    for body in bodies {
        let mut function = Function::new([]);
        for instruction in body {
            function.instruction(instruction);
        }
        function.instruction(&I::End);
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&exports).section(&code);
    module.finish()
}

fn each(check: impl Fn(Rig)) {
    for mechanism in [UndoMechanism::Automatic, UndoMechanism::WriteProtection, UndoMechanism::Copy] {
        check(Rig::new(mechanism));
    }
}

#[test]
fn linux_protects_and_can_be_told_to_copy() {
    let is_protected = |mechanism| !matches!(Rig::new(mechanism).undo.0, Mechanism::Copy(_));
    let expected = cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));
    assert_eq!(is_protected(UndoMechanism::Automatic), expected);
    assert!(!is_protected(UndoMechanism::Copy));
}

#[test]
fn writes_are_kept_by_commit_and_undone_by_roll_back() {
    each(|mut rig| {
        for round in 1..20_u8 {
            rig.begin();
            rig.set(70_000, round);
            rig.undo.commit();
            rig.begin();
            rig.set(70_000, 99);
            rig.set(5, 99);
            rig.write(200_000, b"from outside");
            rig.fill(300_000, 7, 200_000);
            assert_eq!((rig.data()[70_000], rig.data()[5]), (99, 99));
            rig.roll_back();
            assert_eq!((rig.data()[70_000], rig.data()[5]), (round, 0));
            assert!(rig.data()[200_000..600_000].iter().all(|byte| *byte == 0));
        }
    });
}

#[test]
fn growth_in_an_undone_transaction_is_undone() {
    let mut rig = Rig::new(UndoMechanism::Automatic);
    for round in 1..5 {
        rig.begin();
        rig.grow(3);
        rig.fill(START - 10, 1, 3 * PAGE);
        rig.roll_back();
        assert_eq!(rig.data().len(), START);
        assert!(rig.data()[START - 10..].iter().all(|byte| *byte == 0));
        let beyond = rig.store_byte.call(&mut rig.store, (START as u32, 1));
        assert!(beyond.is_err(), "round {round}: the pages are gone for the mod's code, too");
    }
    rig.begin();
    rig.grow(3);
    assert!(rig.data()[START..].iter().all(|byte| *byte == 0), "pages that come again are zeros");
    rig.set(START, 4);
    rig.undo.commit();
    rig.begin();
    rig.set(START, 5);
    rig.roll_back();
    assert_eq!((rig.data().len(), rig.data()[START]), (START + 3 * PAGE, 4));
}

#[test]
fn a_copy_leaves_growth_as_zeros() {
    let mut rig = Rig::new(UndoMechanism::Copy);
    rig.begin();
    rig.grow(1);
    rig.fill(START - 10, 1, 20);
    rig.roll_back();
    assert!(rig.data()[START - 10..].iter().all(|byte| *byte == 0));
}

#[test]
fn a_read_beyond_the_end_still_traps_within_and_without_a_transaction() {
    each(|mut rig| {
        assert!(rig.store_byte.call(&mut rig.store, (u32::MAX, 1)).is_err());
        rig.begin();
        assert!(rig.store_byte.call(&mut rig.store, (u32::MAX, 1)).is_err());
        rig.set(1, 1);
        rig.roll_back();
        assert_eq!(rig.data()[1], 0);
    });
}

#[test]
fn what_is_written_outside_of_transactions_is_kept() {
    each(|mut rig| {
        rig.set(9, 1);
        rig.write(100_000, &[2; 9000]);
        rig.begin();
        rig.set(9, 3);
        rig.set(100_001, 3);
        rig.roll_back();
        assert_eq!((rig.data()[9], rig.data()[100_001]), (1, 2));
        rig.undo.arm(false);
        rig.set(9, 4);
        rig.undo.arm(true);
        rig.begin();
        rig.set(9, 5);
        rig.roll_back();
        assert_eq!(rig.data()[9], 4);
    });
}

#[test]
fn ending_twice_and_beginning_twice_do_no_harm() {
    each(|mut rig| {
        rig.begin();
        rig.set(9, 1);
        rig.undo.commit();
        rig.undo.commit();
        rig.begin();
        rig.begin();
        rig.set(9, 2);
        rig.roll_back();
        rig.roll_back();
        assert_eq!(rig.data()[9], 1);
    });
}

#[test]
fn many_memories_do_not_disturb_each_other() {
    let mut config = Config::new();
    config.memory_may_move(false);
    let memories = Memories::new(UndoMechanism::Automatic, &mut config);
    let engine = Engine::new(&config).unwrap();
    let mut rigs: Vec<Rig> = (0..50).map(|_| Rig::in_engine(&engine, &memories)).collect();
    for (number, rig) in (0..).zip(&mut rigs) {
        rig.begin();
        rig.set(4096 * usize::from(number), number);
    }
    // Half of them go in the middle of a transaction.
    rigs.truncate(25);
    let threads = rigs.into_iter().enumerate().map(|(number, mut rig)| {
        std::thread::spawn(move || {
            rig.set(8, 1);
            if number % 2 == 0 {
                rig.undo.commit()
            } else {
                rig.roll_back()
            }
            (rig.data()[8], rig.data()[4096 * number])
        })
    });
    let threads: Vec<_> = threads.collect();
    for (number, thread) in threads.into_iter().enumerate() {
        let expected = if number == 0 {
            (1, 0)
        } else if number % 2 == 0 {
            (1, number as u8)
        } else {
            (0, 0)
        };
        assert_eq!(thread.join().unwrap(), expected, "memory {number}");
    }
}

/// A small generator (xorshift): the same seed gives the same test.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn random_transactions_agree_with_a_plain_vector() {
    for seed in 1..=3 {
        each(|mut rig| {
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ seed);
            // Stack and data lie below, the heap above: pages are protected in different ways.
            rig.grow(40);
            let mut model = rig.data().to_vec();
            for transaction in 0..120 {
                let mut undo: Vec<(usize, Vec<u8>)> = Vec::new();
                let length_before = model.len();
                rig.begin();
                for _ in 0..random.below(40) {
                    // Most addresses come from a small part, as in a game; some from everywhere.
                    let address = match random.below(8) {
                        0 => random.below(model.len()),
                        1 => START + random.below(model.len() - START),
                        2..=4 => START + random.below(40 * 4096),
                        _ => random.below(40 * 4096),
                    };
                    let value = random.below(256) as u8;
                    let length = random.below(20_000).min(model.len() - address);
                    undo.push((address, model[address..(address + length.max(1)).min(model.len())].to_vec()));
                    match random.below(30) {
                        0 => {
                            rig.grow(1);
                            model.resize(model.len() + PAGE, 0);
                        }
                        1..=4 => {
                            rig.fill(address, value, length);
                            model[address..address + length].fill(value);
                        }
                        5..=6 => {
                            rig.write(address, &vec![value; length]);
                            model[address..address + length].fill(value);
                        }
                        _ => {
                            rig.set(address, value);
                            model[address] = value;
                        }
                    }
                }
                if random.below(3) == 0 {
                    rig.roll_back();
                    undo.iter().rev().for_each(|(at, old)| model[*at..at + old.len()].copy_from_slice(old));
                    model.truncate(length_before);
                    // A copy cannot take growth back.
                    model.resize(rig.data().len(), 0);
                } else {
                    rig.undo.commit();
                }
                // The whole is compared now and then, the busy part always.
                let compared = if transaction % 20 == 19 { model.len() } else { 60 * 4096 };
                assert!(rig.data()[..compared] == model[..compared], "seed {seed}, transaction {transaction}");
                assert!(rig.data()[START..] == model[START..], "seed {seed}, transaction {transaction}");
                assert_eq!(rig.data().len(), model.len(), "seed {seed}, transaction {transaction}");
            }
        });
    }
}
