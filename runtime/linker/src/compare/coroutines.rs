//! Coroutines that live state may be suspended in, reached by functions that are not named after them: through an
//! associated type, say. Slots keep the old bodies only of what is named after a changed coroutine; these functions
//! would resume the old state in the new body.
//!
//! Likewise types that hold an environment which only their debug name shows.

use super::CandidateFacts;
use super::difference::Difference;
use super::linkage::Linkage;
use super::reliance::Graph;
use super::work::{ENTRY, Work};
use crate::image::ModImage;
use crate::image::debug::{FunctionKind, Name, is_transient};
use crate::residents::{Coroutines, Resident, Residents};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What taking down one function that resumes a coroutine costs, its memory included.
const RESUMED_STEPS: usize = 4 * ENTRY;

/// Every coroutine of the mod's own crates, and the functions that resume it.
pub(super) fn facts(
    image: &ModImage,
    graph: &Graph<'_>,
    linkage: &Linkage<'_>,
    names: &[Option<Arc<str>>],
    work: &Work,
) -> Coroutines {
    let known = known_names(image, names);
    let mut coroutines = Coroutines::new();
    let mut symbols: HashMap<&str, Arc<str>> = HashMap::new();
    let environments = OnceCell::new();
    let mut by_function: HashMap<u32, BTreeSet<Arc<str>>> = HashMap::new();
    for (symbol, function) in &linkage.image().debug.functions {
        let FunctionKind::Coroutine { environment } = &function.kind else { continue };
        let name = linkage.plain(symbol);
        symbols.insert(symbol, name.clone());
        let own = graph.by_name.get(&name).into_iter().flatten();
        let coroutine = coroutines.entry(name.clone()).or_default();
        coroutine.may_live |= environment.as_ref().is_none_or(|environment| {
            environments.get_or_init(|| Environments::new(image)).may_live(environment, work)
        });
        for function in own {
            coroutine.own.extend(image.body(*function).map(|body| body.code));
            by_function.entry(*function).or_default().insert(name.clone());
        }
    }
    let mut resumes = |coroutine: &Arc<str>, function: u32| {
        let (Some(found), Some(body)) = (coroutines.get_mut(coroutine), image.body(function)) else { return };
        for name in known.get(&function).into_iter().flatten() {
            if !work.spend(RESUMED_STEPS) {
                break;
            }
            found.resumed_by.entry(name.clone()).or_default().insert(body.code);
        }
    };
    for (into, functions) in &linkage.image().debug.inlined {
        for name in functions.keys().filter_map(|symbol| symbols.get(&**symbol)) {
            for function in graph.by_name.get(&linkage.plain(into)).into_iter().flatten() {
                resumes(name, *function);
            }
        }
    }
    for (caller, calls) in &graph.calls {
        for coroutine in calls.iter().filter_map(|(_, called)| by_function.get(called)).flatten() {
            resumes(coroutine, *caller);
        }
    }
    coroutines
}

fn known_names(image: &ModImage, names: &[Option<Arc<str>>]) -> HashMap<u32, BTreeSet<Arc<str>>> {
    let mut known: HashMap<u32, BTreeSet<Arc<str>>> = HashMap::new();
    for (index, _, function) in image.function_symbols() {
        known.entry(function).or_default().extend(names[index].clone());
    }
    known
}

/// Types around the environments of coroutines.
struct Environments<'a> {
    image: &'a ModImage,
    /// Types whose name may mention an environment, and the objects among them.
    transient: Vec<&'a Name>,
    objects: Vec<&'a str>,
    /// Types that have an environment as a field.
    held_by: HashMap<&'a str, BTreeSet<&'a Name>>,
}

impl<'a> Environments<'a> {
    fn new(image: &'a ModImage) -> Self {
        let transient = image.debug.types.keys().filter(|name| is_transient(name)).collect();
        let objects = image.debug.vtables.iter().filter_map(|vtable| vtable.concrete_type.as_deref());
        let mut held_by: HashMap<&str, BTreeSet<&Name>> = HashMap::new();
        for (name, layouts) in &image.debug.types {
            for layout in layouts {
                let contents = layout.variants.iter().filter_map(|variant| variant.content.as_ref());
                let fields = layout.fields.iter().chain(contents).map(|field| &field.type_name);
                for field in fields.filter(|field| is_transient(field) && *field != name) {
                    held_by.entry(field).or_default().insert(name);
                }
            }
        }
        Self { image, transient, objects: objects.filter(|name| is_transient(name)).collect(), held_by }
    }

    /// Whether something besides references on the stack is made of a coroutine: a box, a list, an object.
    fn may_live(&self, environment: &'a Name, work: &Work) -> bool {
        const ON_THE_STACK: [&str; 8] = [
            "&",
            "*",
            "core::pin::Pin<&",
            "core::mem::",
            "core::option::Option<",
            "core::task::",
            "core::ops::",
            "core::future::",
        ];
        let (mut seen, mut waiting) = (BTreeSet::from([environment]), vec![environment]);
        while let Some(environment) = waiting.pop() {
            if self.objects.iter().any(|name| work.contains(name, environment)) {
                return true;
            }
            let variant = format!("{environment}::");
            let mentioning = self.transient.iter().copied().filter(|name| work.contains(name, environment));
            let holding = self.held_by.get(&**environment).into_iter().flatten().copied();
            for name in mentioning.chain(holding).filter(|name| !name.starts_with(&variant) && *name != environment) {
                // The environment that it is awaited or captured in, and that one's states: what of it lives decides.
                if let Some(outer) = environment_of(self.image, name) {
                    if seen.insert(outer) {
                        waiting.push(outer);
                    }
                } else if !ON_THE_STACK.iter().any(|prefix| name.starts_with(prefix)) {
                    return true;
                }
            }
        }
        false
    }
}

/// The environment that a type is, or is a state of.
fn environment_of<'a>(image: &'a ModImage, name: &'a Name) -> Option<&'a Name> {
    let is_environment = |name: &str| {
        let last = name.rsplit("::").next().unwrap_or(name);
        last.starts_with('{') && last.contains("_env#") && last.ends_with('}')
    };
    if is_environment(name) {
        return Some(name);
    }
    let (parent, _) = name.rsplit_once("::")?;
    is_environment(parent).then(|| image.debug.types.get_key_value(parent).map(|(parent, _)| parent)).flatten()
}

pub(super) fn compare(
    image: &ModImage,
    facts: &CandidateFacts,
    residents: &Residents,
    outgrown: &[BTreeSet<Name>],
    differences: &mut Vec<Difference>,
) {
    let mut held: BTreeMap<&str, String> = BTreeMap::new();
    for (resident, outgrown) in residents.generations.iter().zip(outgrown) {
        for (name, was) in resident.coroutines.iter().filter(|(_, was)| was.may_live) {
            let is = facts.coroutines.get(name);
            let both = is.is_some_and(|is| !was.own.is_empty() && !is.own.is_empty());
            if both && is.is_some_and(|is| is.own == was.own) {
                continue;
            }
            for (function, code) in &was.resumed_by {
                let Some(bodies) = facts.functions.get(function) else { continue };
                // Called by name, its new body runs whether or not the caller changed.
                if both || bodies.iter().map(|body| body.code).collect::<BTreeSet<_>>() != *code {
                    held.entry(function).or_insert_with(|| name.to_string());
                }
            }
        }
        hidden_types(image, facts, resident, outgrown, &mut held);
    }
    let found = held.into_iter();
    differences
        .extend(found.map(|(item, environment)| Difference::EnvironmentHeld { item: item.to_owned(), environment }));
}

/// Functions that a resident has under the same name, and that take a type that is laid out otherwise because of an
/// environment in it. Those named after the environment have another name now.
fn hidden_types<'a>(
    image: &ModImage,
    facts: &'a CandidateFacts,
    resident: &Resident,
    outgrown: &BTreeSet<Name>,
    held: &mut BTreeMap<&'a str, String>,
) {
    if outgrown.is_empty() {
        return;
    }
    for (index, symbol, _) in image.function_symbols() {
        let (Some(name), Some(function)) = (&facts.names[index], image.debug.function(&symbol.name)) else { continue };
        if !resident.functions.contains_key(name) {
            continue;
        }
        let parameters = function.signatures.iter().flat_map(|signature| &signature.parameters);
        if let Some(found) = parameters.into_iter().find(|name| is_transient(name) && outgrown.contains(*name)) {
            held.entry(name).or_insert_with(|| found.to_string());
        }
    }
}
