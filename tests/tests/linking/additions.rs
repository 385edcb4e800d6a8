//! New code of kinds that the running version has none of: other parts of the standard library, new types, traits, generic
//! instances and local items. Whatever is inside functions passes by itself.

use tickswap_tests::fixtures::{build, edited};
use tickswap_tests::live::Live;

/// Code at the start of a tick.
const INSIDE: &[&str] = &[
    "let ratio = self.units.len() as f64 / 7.0; self.journal.note(Event::Fallen { name: format!(\"{ratio:.3} {ratio:e}\"), tick: 0 });",
    "let shared = std::rc::Rc::new(RefCell::new(vec![1u8])); let other = shared.clone(); other.borrow_mut().push(2); assert_eq!(shared.borrow().len(), 2);",
    "let parsed: Result<i64, Box<dyn std::error::Error>> = \"17x\".parse::<i64>().map_err(Into::into); assert!(parsed.is_err_and(|error| error.to_string().len() > 3));",
    "let mut heap = std::collections::BinaryHeap::from([3u64, 9, 4]); heap.push(self.tick); assert!(heap.pop() >= Some(9));",
    "let any: Box<dyn std::any::Any> = Box::new(self.tick); assert_eq!(any.downcast_ref::<u64>(), Some(&self.tick));",
    "let text: String = \"zwölf Boxkämpfer\".chars().rev().filter(|c| c.is_alphabetic()).flat_map(char::to_uppercase).collect(); assert!(text.contains('Ö'));",
    "let set: std::collections::BTreeSet<(i32, String)> = self.units.values().map(|unit| (unit.health, unit.name.clone())).collect(); assert_eq!(set.len(), self.units.len());",
    "struct Local { left: u32 } impl Iterator for Local { type Item = u32; fn next(&mut self) -> Option<u32> { self.left = self.left.checked_sub(1)?; Some(self.left) } } assert_eq!(Local { left: 4 }.step_by(2).sum::<u32>(), 4);",
    "trait Shout { fn shout(&self) -> String; } impl Shout for u64 { fn shout(&self) -> String { format!(\"{self}!\") } } impl Shout for String { fn shout(&self) -> String { self.to_uppercase() } } let all: [Box<dyn Shout>; 2] = [Box::new(1u64), Box::new(String::from(\"a\"))]; assert_eq!(all.iter().map(|one| one.shout()).collect::<String>(), \"1!A\");",
    "enum Step { Wait(u8), Go { far: f32 }, Stop } let steps = [Step::Wait(1), Step::Go { far: 2.0 }, Step::Stop]; let sum: f32 = steps.iter().map(|step| match step { Step::Wait(n) => f32::from(*n), Step::Go { far } => *far, Step::Stop => 0.5 }).sum(); assert_eq!(sum, 3.5);",
    "const fn table() -> [u16; 64] { let mut table = [0; 64]; let mut i = 0; while i < 64 { table[i] = (i * i) as u16; i += 1; } table } static SQUARES: [u16; 64] = table(); assert_eq!(SQUARES[(self.tick % 64) as usize] as u64, (self.tick % 64).pow(2));",
    "let words = \"one two three\".split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(\"-\"); assert_eq!(words.replace('-', \"\").len(), 11);",
    "fn apply<F: Fn(i64) -> i64>(times: u32, act: F) -> i64 { (0..times).fold(1, |value, _| act(value)) } assert_eq!(apply(3, |x| x * 3) + apply(2, |x| x + 1), 30);",
    "let boxed: Vec<Box<dyn Fn(u64) -> Box<dyn Fn(u64) -> u64>>> = vec![Box::new(|a| Box::new(move |b| a + b)), Box::new(|a| Box::new(move |b| a * b))]; assert_eq!(boxed.iter().map(|make| make(3)(4)).sum::<u64>(), 19);",
    "let sum: i64 = self.scores.values().copied().chain(std::iter::once(1)).zip(1i64..).map(|(a, b)| a.wrapping_mul(b)).max().unwrap_or(0); std::hint::black_box(sum);",
    "let mut sorted: Vec<&Unit> = self.units.values().collect(); sorted.sort_unstable_by(|a, b| b.health.cmp(&a.health).then(a.name.cmp(&b.name))); std::hint::black_box(&sorted);",
    "let cow: std::borrow::Cow<'_, str> = String::from_utf8_lossy(&[72, 105, 255]); assert_eq!(cow.len(), 5);",
    "let shared: std::sync::Arc<std::sync::Mutex<Vec<u32>>> = Default::default(); shared.lock().unwrap().push(1); assert_eq!(std::sync::Arc::strong_count(&shared), 1);",
    "let json = format!(\"{:?} {:#?}\", self.orders, self.units.values().next()); std::hint::black_box(json.len());",
    "#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)] struct Tally { hits: u32, names: Vec<String> } let mut tallies: HashMap<Tally, Tally> = HashMap::new(); tallies.insert(Tally::default(), Tally { hits: 1, names: vec![\"x\".into()] }); assert_eq!(format!(\"{tallies:?}\").len(), 63);",
];

/// Items beside the others, used by code in functions.
const BESIDE: &[(&str, &str)] = &[
    (
        "impl std::fmt::Display for Order {\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {\n        write!(f, \"order {self:?}\")\n    }\n}\n",
        "std::hint::black_box(Order::Nothing.to_string());",
    ),
    (
        "impl PartialOrd for Order {\n    fn partial_cmp(&self, _: &Self) -> Option<std::cmp::Ordering> {\n        None\n    }\n}\n",
        "assert!(!(Order::Nothing < Order::Nothing));",
    ),
    (
        "mod weather {\n    #[derive(Debug, Default)]\n    pub struct Weather {\n        pub rain: f32,\n    }\n    impl Drop for Weather {\n        fn drop(&mut self) {\n            std::hint::black_box(self.rain);\n        }\n    }\n}\n",
        "let weather: Box<weather::Weather> = Box::default(); std::hint::black_box(&weather);",
    ),
    (
        "impl Rule for Order {\n    fn winner(&self, _: &BTreeMap<UnitId, Unit>, _: u64) -> Option<Side> {\n        None\n    }\n}\n",
        "let rule: Box<dyn Rule> = Box::new(Order::Nothing); assert_eq!(rule.title(), \"a rule\");",
    ),
    (
        "macro_rules! twice {\n    ($e:expr) => {{\n        fn inner(x: u64) -> u64 {\n            x + $e\n        }\n        inner(1) + inner(2)\n    }};\n}\n",
        "assert_eq!(twice!(1) + twice!(2), 12);",
    ),
];

#[test]
fn new_code_of_every_kind_passes_and_leaves_the_game_as_it_was() {
    let mut live = Live::new();
    live.patch(&build("skirmish")).unwrap_or_else(|error| panic!("{error}"));
    (0..20u32).for_each(|number| {
        live.call::<_, u32>("spawn", (number % 2, number / 2));
    });
    live.call::<_, u64>("advance", 4u32);
    let mut wrong = String::new();
    let all = INSIDE.iter().map(|inside| ("", *inside)).chain(BESIDE.iter().copied());
    for (beside, inside) in all {
        let inside = format!("self.tick += 1;\n        {{ {inside} }}");
        let beside = format!("{beside}struct LastStanding;");
        let next = edited("skirmish", &[("self.tick += 1;", &inside), ("struct LastStanding;", &beside)]);
        match live.patch(&next) {
            Ok(_) => {
                live.call::<_, u64>("advance", 2u32);
            }
            Err(error) => wrong += &format!("{beside}\n{inside}\n    {error}\n"),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(live.call::<_, u64>("lines", ()) > 100);
}
