//! Gives new code the addresses of the data that is already there, and writes the module that an engine compiles.
//!
//! Mutable statics keep their addresses, unchanged read-only data too, everything else gets fresh space. Table slots are
//! names. The module that comes out touches no memory when it is instantiated; the host writes the image.

mod data;
mod draft;
mod emit;
mod error;
mod patch;
#[cfg(test)]
mod tests;
mod types;

pub use error::PlaceError;

use crate::compare::Comparison;
use crate::image::Body;
use crate::image::debug::is_transient;
use crate::image::name_table::without_tags;
use crate::residents::{CanonicalGroups, Resident, Residents, StaticFacts};
use crate::verify::Permit;
use crate::{GenerationId, PieceId, SlotIndex, limits};
use draft::Draft;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Name of the import module from which a linked module takes memory, stack pointer and table.
pub const SHELL_MODULE: &str = "tickswap.shell";
/// Import name of the memory.
pub const SHELL_MEMORY: &str = "memory";
/// Import name of the mutable 32-bit stack pointer.
pub const SHELL_STACK_POINTER: &str = "stack_pointer";
/// Import name of the generation's own function table.
pub const SHELL_TABLE: &str = "table";

/// A generation ready to be compiled: the module, its complete data image, and its table slots.
#[derive(Debug, Clone)]
pub struct Linked {
    /// The new generation.
    pub generation: GenerationId,
    /// The generation it replaces, `None` for the first.
    pub base: Option<GenerationId>,
    /// A core module that imports memory, stack pointer and table from [`SHELL_MODULE`] and exports functions only.
    pub module: Vec<u8>,
    /// The complete data image, bound and fresh pieces, ordered by address.
    pub pieces: Vec<Piece>,
    /// Table indices that the module's own element segments fill, ascending.
    pub slots: Vec<SlotIndex>,
    /// Entries a table needs to hold every slot given out so far.
    pub table_size: u32,
    /// Bytes of stack below the first piece.
    pub stack_size: u32,
    /// First free address after every piece of every generation.
    pub image_end: u32,
    /// What linking did.
    pub report: LinkReport,
}

/// A run of bytes of the data image.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Unique per mod and process: a world writes each id at most once.
    pub id: PieceId,
    /// Address in the mod's memory.
    pub address: u32,
    /// Initial bytes, relocated.
    pub bytes: Arc<[u8]>,
    /// Whether this generation introduced it.
    pub fresh: bool,
}

/// What linking did, in numbers and names for logs and tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LinkReport {
    /// Relocated fields in code and data.
    pub relocations: usize,
    /// Mutable statics bound to addresses of residents.
    pub statics_bound: usize,
    /// Mutable statics in fresh space.
    pub statics_fresh: usize,
    /// Read-only pieces bound to unchanged bytes of residents.
    pub read_only_bound: usize,
    /// Read-only pieces in fresh space.
    pub read_only_fresh: usize,
    /// Bytes of the image area that this generation took.
    pub fresh_bytes: u32,
    /// Table slots that existed before.
    pub slots_bound: usize,
    /// Table slots given out.
    pub slots_fresh: usize,
    /// Functions whose body differs from the version replaced, added ones included, by name.
    pub functions_touched: Vec<String>,
}

/// Links a permitted candidate into the address space of its residents and makes it one of them.
///
/// # Errors
///
/// [`PlaceError`] when a limit is reached or the file contradicts itself; `residents` is unchanged then.
pub fn place(residents: &mut Residents, permit: Permit) -> Result<Linked, PlaceError> {
    let comparison = permit.comparison;
    if residents.generation_count() >= limits::GENERATIONS_MAX {
        return Err(PlaceError::BeyondLimit {
            what: "the number of generations of this mod",
            limit_name: "GENERATIONS_MAX",
            limit: limits::GENERATIONS_MAX,
        });
    }
    let mut draft = Draft::new(residents, &comparison)?;
    let data = data::place(&comparison, &mut draft)?;
    let module = emit::module(&comparison, &draft, &data)?;
    let mut report = draft.report();
    report.relocations = comparison.image.code_relocations.len() + comparison.image.data_relocations.len();
    report.functions_touched = functions_touched(&comparison);
    let own = draft.own_slots();
    let admission = draft.finish();
    let generation = residents.next_generation();
    let base = comparison.base;
    residents.admit(admission, comparison);
    Ok(Linked {
        generation,
        base,
        module,
        pieces: data.pieces,
        slots: own,
        table_size: residents.table_size(),
        stack_size: residents.stack_size,
        image_end: residents.next_address,
        report,
    })
}

fn functions_touched(comparison: &Comparison) -> Vec<String> {
    use crate::compare::Difference::{FunctionAdded, FunctionChanged};
    let touched = comparison.differences.iter().filter_map(|difference| match difference {
        FunctionChanged { item, .. } | FunctionAdded { item, .. } => Some(without_tags(item).into_owned()),
        _ => None,
    });
    touched.collect()
}

impl Residents {
    fn admit(&mut self, admission: draft::Admission, comparison: Comparison) {
        let Comparison { image, base, facts, .. } = comparison;
        self.statics.extend(admission.statics);
        if let Some(types) = admission.function_types {
            self.function_types = types;
        }
        self.slots.extend(admission.slots);
        self.read_only.extend(admission.read_only);
        self.next_address = admission.next_address;
        self.next_piece = admission.next_piece;
        self.stack_size = admission.stack_size;
        let positions = crate::compare::positions(&image, &facts.names);
        let positions = positions.into_iter().map(|(name, position)| (self.share(name), position.clone())).collect();
        for (key, shape) in facts.vtable_shapes() {
            self.vtables.entry(key).or_default().insert(shape);
        }
        let mut transient_types = BTreeMap::new();
        for (name, layouts) in image.debug.types {
            if is_transient(&name) {
                let known = base.and_then(|base| self.resident(base)?.transient_types.get(&name));
                let layouts = known.filter(|known| ***known == layouts).cloned().unwrap_or_else(|| Arc::new(layouts));
                transient_types.insert(self.share(name), layouts);
            } else {
                self.types.entry(name).or_insert_with(|| Arc::new(layouts));
            }
        }
        let statics: BTreeMap<Arc<str>, StaticFacts> =
            facts.statics.into_iter().map(|(name, (_, facts))| (name, facts)).collect();
        let functions = self.share_bodies(base, facts.functions);
        let groups = self.share_groups(facts.groups);
        self.generations.push(Resident {
            base,
            functions,
            positions,
            groups,
            statics,
            read_only: facts.read_only,
            exports: image.exports,
            imports: image.imports,
            toolchain: image.toolchain,
            crates: image.names.crates,
            allocator: facts.allocator,
            custom: image.custom,
            libraries: facts.libraries,
            relied: facts.relied,
            coroutines: facts.coroutines,
            identified: facts.identified,
            uses_type_ids: facts.uses_type_ids,
            keyed: facts.keyed,
            drops: facts.drops.into_keys().collect(),
            transient_types,
            file: Some(facts.file),
        });
    }
    /// Most functions of a generation are those of the one it replaced: they share names and bodies.
    fn share_bodies(
        &mut self,
        base: Option<GenerationId>,
        functions: BTreeMap<Arc<str>, BTreeSet<Body>>,
    ) -> BTreeMap<Arc<str>, Arc<BTreeSet<Body>>> {
        let shared = functions.into_iter().map(|(name, bodies)| {
            let name = self.share(name);
            let known = base.and_then(|base| self.resident(base)?.functions.get(&name));
            let bodies = known.filter(|known| ***known == bodies).cloned().unwrap_or_else(|| Arc::new(bodies));
            (name, bodies)
        });
        shared.collect()
    }

    fn share_groups(&mut self, mut groups: CanonicalGroups) -> CanonicalGroups {
        for member in groups.values_mut().flat_map(BTreeMap::values_mut) {
            member.member.description = self.share(member.member.description.clone());
        }
        groups
    }
}
