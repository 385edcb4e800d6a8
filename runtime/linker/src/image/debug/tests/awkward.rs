//! A mod with one of everything that debug information finds hard. Compiled for wasm32-unknown-unknown by the tests.
#![allow(dead_code, static_mut_refs, private_interfaces)]
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Point { x: i16, y: i64, tag: u8 }
pub struct Pair<A, B>(A, B);
pub struct Grid<const W: usize, const H: usize> { cells: [[u8; W]; H] }
pub union Either { whole: u64, halves: [u32; 2] }
pub enum Plain { A = 3, B = 7, C = -2 }
pub enum Niche { Some(&'static Point), None }
pub enum Nested { One(Option<bool>), Two, Three }
pub enum Shape { Circle { radius: f32 }, Square(f32), Text(String), Nothing }
#[repr(u128)]
pub enum Huge { Small = 1, Large(u8) = u128::MAX - 5 }

pub trait Base { fn base(&self, by: u32) -> u32; }
pub trait Derived: Base { fn derived(&mut self, _: &Point, _: (u32, f64)) -> Option<String>; fn generic<T>(&self, _t: T) -> u32 where Self: Sized { 1 } fn provided(&self) -> u64 { 9 } }
impl Base for Point { fn base(&self, by: u32) -> u32 { static CALLS: AtomicU32 = AtomicU32::new(0); CALLS.fetch_add(by, Ordering::Relaxed); self.tag as u32 + by } }
impl Derived for Point { fn derived(&mut self, p: &Point, (a, b): (u32, f64)) -> Option<String> { self.y += p.y + a as i64 + b as i64; Some(format!("{}", self.y)) } }
impl<T: Base> Base for Pair<T, T> { fn base(&self, by: u32) -> u32 { struct Local { seen: u32 } static LOCAL: Mutex<Option<Local>> = Mutex::new(None); *LOCAL.lock().unwrap() = Some(Local { seen: by }); self.0.base(by) + self.1.base(by) } }
impl Drop for Shape { fn drop(&mut self) { DROPPED.set(DROPPED.get() + 1); } }

thread_local! {
    static DROPPED: Cell<u32> = const { Cell::new(0) };
    static LAZY: RefCell<HashMap<u32, Shape>> = RefCell::new(HashMap::new());
}
static COUNTER: AtomicU32 = AtomicU32::new(5);
static OBJECTS: Mutex<Vec<Box<dyn Derived + Send>>> = Mutex::new(Vec::new());
static CALLBACKS: Mutex<Vec<Box<dyn Fn(u32, &Point) -> u32 + Send>>> = Mutex::new(Vec::new());
static FUTURES: Mutex<Vec<Box<dyn Future<Output = u32> + Send>>> = Mutex::new(Vec::new());
static mut POINTERS: [Option<fn(&mut String, u8) -> Shape>; 3] = [None; 3];
static mut SCALARS: Option<fn(f32, f64, u64, i8)> = None;
static mut GRID: Grid<3, 2> = Grid { cells: [[0; 3]; 2] };
static mut HUGE: Huge = Huge::Small;
static mut EITHER: Either = Either { whole: 1 };
static mut NICHE: Niche = Niche::None;
static mut NESTED: Nested = Nested::Two;
static mut PLAIN: Plain = Plain::A;
#[unsafe(no_mangle)] pub static mut EXPORTED: u16 = 1;

macro_rules! count { () => {{ static COUNT: AtomicU32 = AtomicU32::new(0); COUNT.fetch_add(1, Ordering::Relaxed) }}; }
#[inline(never)] fn twice() -> u32 { count!() + 2 * count!() }

#[inline(never)] fn first(text: &mut String, with: u8) -> Shape { text.push(with as char); Shape::Text(text.clone()) }
#[inline(never)] fn second(_: &mut String, _unused: u8) -> Shape { Shape::Circle { radius: 2.0 } }
#[inline(never)] fn scalars(_: f32, _b: f64, _: u64, _d: i8) { COUNTER.fetch_add(1, Ordering::Relaxed); }
async fn waits(x: &u32) -> u32 { let y = *x; std::future::ready(()).await; y + 1 }

#[cfg(inserted)]
impl Clone for Point { fn clone(&self) -> Self { static CLONES: AtomicU32 = AtomicU32::new(0); CLONES.fetch_add(1, Ordering::Relaxed); Point { ..*self } } }

impl Default for Point { fn default() -> Self { let extra = COUNTER.load(Ordering::Relaxed); CALLBACKS.lock().unwrap().push(Box::new(move |a, p| { static IN_CLOSURE: AtomicU32 = AtomicU32::new(0); IN_CLOSURE.fetch_add(a, Ordering::Relaxed) + p.tag as u32 + extra })); Point { x: 1, y: 2, tag: 3 } } }

#[unsafe(no_mangle)] pub extern "C" fn run(n: u32) -> u32 {
    let point = Point::default();
    #[cfg(inserted)] let point = point.clone();
    unsafe {
        POINTERS = [Some(first), Some(second), None];
        SCALARS = Some(scalars);
        GRID.cells[(n % 2) as usize][(n % 3) as usize] = 4;
        HUGE = Huge::Large(n as u8);
        EITHER.whole = n as u64;
        NICHE = Niche::Some(Box::leak(Box::new(Point::default())));
        NESTED = Nested::One(Some(n > 3));
        PLAIN = if n > 2 { Plain::B } else { Plain::C };
        EXPORTED += n as u16;
    }
    OBJECTS.lock().unwrap().push(Box::new(point));
    let pair: Box<dyn Base> = Box::new(Pair(Point { x: 1, y: n as i64, tag: 2 }, Point { x: 1, y: 2, tag: n as u8 }));
    FUTURES.lock().unwrap().push(Box::new(async move { waits(&n).await }));
    let mut total = pair.base(n) + twice();
    let add = |by: u32| { let deeper = |more: u32| COUNTER.fetch_add(more + by, Ordering::Relaxed); deeper(by) + deeper(n) };
    total += add(1) + add(n);
    LAZY.with_borrow_mut(|map| { map.insert(n, Shape::Square(1.0)); map.insert(2, Shape::Nothing); total += map.len() as u32; });
    let mut text = String::new();
    for pointer in unsafe { POINTERS }.into_iter().flatten() { if let Shape::Text(_) = pointer(&mut text, 65) { total += 1; } }
    if let Some(pointer) = unsafe { SCALARS } { pointer(1.0, n as f64, n as u64, 3); }
    for object in OBJECTS.lock().unwrap().iter_mut() { total += object.derived(&Point { x: 0, y: 1, tag: 1 }, (n, 0.5)).map_or(0, |s| s.len() as u32) + object.base(n) + object.provided() as u32; }
    for callback in CALLBACKS.lock().unwrap().iter() { total += callback(n, &Point { x: 0, y: 1, tag: 1 }); }
    let any: Box<dyn Any> = Box::new(total as u64);
    total + any.is::<u64>() as u32 + unsafe { GRID.cells[0][0] as u32 + match NICHE { Niche::Some(p) => p.x as u32, Niche::None => 0 } + EITHER.halves[0] + match HUGE { Huge::Small => 0, Huge::Large(x) => x as u32 } + match NESTED { Nested::One(Some(true)) => 1, Nested::One(_) => 2, _ => 3 } + match PLAIN { Plain::A => 1, Plain::B => 2, Plain::C => 5 } }
}
