//! Goal: in the steady state neither hook calls, effects, queries nor ticks allocate, but for values that their caller is
//! given to own. Method: an allocator that counts, in a
//! binary of its own so that nothing else counts along.

#![allow(clippy::unwrap_used, missing_docs)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use probe_api::probe_hooks::Caller;
use probe_api::{PlayerId, ProbeHost, probe_host};
use tickswap::{ModName, Runtime, Tick, World};
use tickswap_tests::fixtures::build;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator unchanged; counting touches a thread local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Host;

impl ProbeHost for Host {
    fn online(&self) -> u32 {
        3
    }

    fn name_of(&self, _player: PlayerId) -> String {
        String::new()
    }

    fn rename(&mut self, _host: String, _answer: u32) {}

    fn award(&mut self, _player: PlayerId, _points: u32) {}

    fn say(&mut self, _text: String) {}
}

/// Index of `say` in its trait: it carries a text, which whoever takes it owns.
const SAY: usize = 4;

fn runtime() -> Runtime {
    let runtime = Runtime::builder().contract(probe_api::contract()).build().unwrap();
    let mods = ["probe", "second"].map(|name| (ModName::try_from(name).unwrap(), build(name)));
    let submission = runtime.control().submit(mods.to_vec()).unwrap();
    assert!(runtime.control().wait(submission, Duration::from_secs(300)).is_success());
    runtime
}

fn another(runtime: &Runtime, name: &str) -> World {
    runtime.create_world(name, vec![probe_host::answering(Host)]).unwrap()
}

/// Allocations of this thread while `step` runs, after it ran often enough that every buffer has its size.
fn allocations(mut step: impl FnMut()) -> u64 {
    (0..100).for_each(|_| step());
    let before = ALLOCATIONS.get();
    (0..100).for_each(|_| step());
    ALLOCATIONS.get() - before
}

#[test]
fn the_steady_state_allocates_nothing() {
    assert!(allocations(|| drop(std::hint::black_box(Box::new(1)))) == 100, "the allocator counts");
    let runtime = runtime();
    let mut world = another(&runtime, "eu-1");
    assert_eq!(allocations(|| drop(world.tick(|_| Ok(())).unwrap())), 0, "an empty tick");
    let scalars = allocations(|| {
        let done = world.tick(|tick| {
            tick.probe().bump(1)?;
            tick.for_player(PlayerId(1)).probe().bump(1)?;
            tick.probe().of("probe").add(1, 2)?;
            Ok(tick.probe().add(1, 2)?.len())
        });
        assert_eq!(done.unwrap().value, 2);
    });
    assert_eq!(scalars, 0, "scalar hooks on all mods, one mod, for a player");
    let effects = allocations(|| {
        assert_eq!(world.tick(|tick| tick.probe().tell(1)).unwrap().effects.len(), 3);
    });
    assert_eq!(effects, 0, "effects");
    let body = probe_api::Body { id: 1, ..Default::default() };
    let encoded = allocations(|| drop(world.tick(|tick| tick.probe().of("probe").advance(body)).unwrap()));
    assert_eq!(encoded, 0, "an encoded value of fixed size");
    // What a hook answers belongs to its caller: one allocation for a text or a list, and none beside.
    let query = |tick: &mut Tick<'_>| tick.probe().of("probe").ask(PlayerId(1));
    let queries = allocations(|| assert_eq!(world.tick(query).unwrap().queries.len(), 2));
    assert_eq!(queries, 100, "queries, scalar and encoded");
    let mut lists = vec![vec![7_u8; 4096]; 200].into_iter();
    let bytes = allocations(|| {
        let list = lists.next().unwrap();
        drop(world.tick(|tick| tick.probe().of("probe").echo(list.clone())).unwrap());
    });
    assert_eq!(bytes, 200, "the list that is passed, and the one that is answered");
    let applied = allocations(|| {
        let done = world.tick(|tick| tick.probe().tell(1)).unwrap();
        for effect in done.effects.iter().filter(|effect| effect.function != SAY) {
            probe_host::apply(&effect, &mut Host).unwrap();
        }
    });
    assert_eq!(applied, 0, "effects of scalars, applied");
    let mut worlds = [1, 2, 3].map(|number| another(&runtime, &format!("world {number}")));
    let several = allocations(|| {
        for world in &mut worlds {
            drop(world.tick(|tick| tick.probe().bump(1)).unwrap());
            drop(world.tick(|tick| tick.probe().tell(1)).unwrap());
            world.idle(Instant::now());
        }
    });
    assert_eq!(several, 0, "several worlds in turn, with time between ticks");
}
