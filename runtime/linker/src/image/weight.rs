//! What a file's facts come to where they are written out one by one: signatures, layouts, places. In debug information all
//! of these are references to names, so that a few bytes may stand for a long text; each is added up here before any is made.

use super::ModImage;
use super::debug::{DebugFacts, Field, FunctionFacts, FunctionKind, TypeKind, TypeLayout};
use super::error::ReadError;
use super::sections::within;
use crate::limits::{FACTS_WEIGHT_FACTOR, FACTS_WEIGHT_MIN};
use std::collections::{BTreeSet, HashMap};

/// Bytes that each name takes besides its own: separators, and what is kept for it.
const EACH: usize = 16;

/// The sum so far.
pub(super) struct Weight {
    sum: usize,
    limit: usize,
}

impl Weight {
    pub(super) fn new(file_bytes: usize) -> Self {
        Self { sum: 0, limit: FACTS_WEIGHT_MIN.saturating_add(file_bytes.saturating_mul(FACTS_WEIGHT_FACTOR)) }
    }

    fn add(&mut self, bytes: usize) -> Result<(), ReadError> {
        self.sum = self.sum.saturating_add(bytes);
        within("bytes of facts, written out", self.sum as u64, "FACTS_WEIGHT_FACTOR", self.limit as u64)
    }

    /// Layouts of types, signatures and environments of functions.
    pub(super) fn add_debug(&mut self, debug: &DebugFacts) -> Result<(), ReadError> {
        let mut of_types: HashMap<&str, usize> = HashMap::new();
        for (name, layouts) in &debug.types {
            let weight = of_layouts(layouts);
            self.add(weight)?;
            of_types.insert(name, weight);
        }
        for function in debug.functions.values() {
            let environment = match &function.kind {
                FunctionKind::Closure { environment } | FunctionKind::Coroutine { environment } => {
                    environment.as_deref()
                }
                FunctionKind::Function => None,
            };
            let environment = environment.and_then(|name| of_types.get(name)).copied().unwrap_or(0);
            self.add(environment.saturating_add(of_function(function)))?;
        }
        Ok(())
    }

    /// Names, signatures and places of the functions that symbols speak of.
    pub(super) fn add_slots(&mut self, image: &ModImage) -> Result<(), ReadError> {
        let mut by_type: HashMap<u32, usize> = HashMap::new();
        for (index, symbol, function) in image.function_symbols() {
            let name = image.provisional[index].as_ref().map_or(0, |name| name.len());
            let signature = match image.debug.function(&symbol.name) {
                Some(facts) => of_function(facts),
                None => {
                    let of_type = || image.function_type(function).map_or(0, |ty| ty.to_string().len());
                    *by_type.entry(image.type_index(function).unwrap_or(u32::MAX)).or_insert_with(of_type)
                }
            };
            self.add(name.saturating_add(signature))?;
        }
        Ok(())
    }
}

fn of_function(facts: &FunctionFacts) -> usize {
    let names = facts.signatures.iter().flat_map(|signature| signature.parameters.iter().chain(&signature.result));
    let position = facts.position.as_ref().map_or(0, |position| position.file.len());
    names.map(|name| name.len() + EACH).fold(position, usize::saturating_add)
}

fn of_layouts(layouts: &BTreeSet<TypeLayout>) -> usize {
    layouts.iter().map(of_layout).fold(0, usize::saturating_add)
}

fn of_layout(layout: &TypeLayout) -> usize {
    let target = match &layout.kind {
        TypeKind::Pointer(target) | TypeKind::Enumeration(target) | TypeKind::Other(_, target) => target.as_ref(),
        TypeKind::Array(element, _) => Some(element),
        TypeKind::Struct | TypeKind::Union | TypeKind::Base(_) => None,
    };
    let contents = layout.variants.iter().filter_map(|variant| variant.content.as_ref());
    let fields = layout.fields.iter().chain(contents).chain(&layout.discriminant);
    let field = |field: &Field| field.name.len() + field.type_name.len() + EACH;
    let variants = layout.variants.iter().map(|variant| variant.name.len() + EACH);
    let all = fields.map(field).chain(variants).chain(target.map(|target| target.len() + EACH));
    all.fold(0, usize::saturating_add)
}
