//! What is known of every generation of one mod that ever lived in this process.
//!
//! Live state may come from any of them, rolled back ones included, so nothing here is ever forgotten: names keep their
//! addresses and slots, types keep their layouts. Addresses and slots are given out per mod and process, not per world.

use crate::image::debug::{Position, TypeLayout};
use crate::image::name_table::Member;
use crate::image::{Body, Fingerprint, FunctionExport, FunctionImport, FunctionType};
use crate::{GenerationId, PieceId, SlotIndex};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Every generation of one mod that was ever linked in this process, and the addresses and slots they own.
#[derive(Debug, Default)]
pub struct Residents {
    pub(crate) generations: Vec<Resident>,
    /// Mutable statics by identity.
    pub(crate) statics: HashMap<Arc<str>, BoundStatic>,
    /// Table slots by slot identity: name and source signature.
    pub(crate) slots: HashMap<Arc<str>, SlotIndex>,
    /// Read-only data by name (empty for anonymous data) and final bytes.
    pub(crate) read_only: HashMap<ReadOnlyKey, PlacedPiece>,
    /// Layouts by qualified type name, over all generations.
    pub(crate) types: BTreeMap<Arc<str>, Arc<BTreeSet<TypeLayout>>>,
    /// Vtables by concrete type and trait; several where several types have one name.
    pub(crate) vtables: HashMap<VtableKey, BTreeSet<Arc<VtableShape>>>,
    /// Function types of linked modules, in the order that all of them keep.
    pub(crate) function_types: Vec<FunctionType>,
    /// Address after the last piece placed; 0 before the first generation.
    pub(crate) next_address: u32,
    pub(crate) next_piece: u32,
    /// Stack of the first generation, in bytes: all generations share it.
    pub(crate) stack_size: u32,
    /// Texts that generations share. Most names are the same in all of them.
    pub(crate) texts: HashSet<Arc<str>>,
}

impl Residents {
    /// No generation yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many generations were linked.
    pub fn generation_count(&self) -> u32 {
        self.generations.len() as u32
    }

    /// For every generation in order the one it replaced, as [`crate::lineage::lenders`] takes it.
    pub fn bases(&self) -> Vec<Option<GenerationId>> {
        self.generations.iter().map(|resident| resident.base).collect()
    }

    /// Table entries given out so far, the null entry 0 included.
    pub fn table_size(&self) -> u32 {
        self.slots.len() as u32 + 1
    }

    /// First free address of the image area.
    pub fn image_end(&self) -> u32 {
        self.next_address
    }

    /// The one copy of a text that all generations share.
    pub(crate) fn share(&mut self, text: Arc<str>) -> Arc<str> {
        match self.texts.get(&text) {
            Some(shared) => shared.clone(),
            None => {
                self.texts.insert(text.clone());
                text
            }
        }
    }

    pub(crate) fn resident(&self, generation: GenerationId) -> Option<&Resident> {
        self.generations.get(generation.index())
    }

    /// The generation that is linked next.
    pub(crate) fn next_generation(&self) -> GenerationId {
        GenerationId::new(self.generation_count() + 1)
    }
}

/// One generation, as far as later ones are compared with it.
#[derive(Debug, Default)]
pub(crate) struct Resident {
    pub(crate) base: Option<GenerationId>,
    /// Bodies by function name; copies of one function are one name with several bodies.
    pub(crate) functions: BTreeMap<Arc<str>, Arc<BTreeSet<Body>>>,
    /// Where functions stand in the source, by name.
    pub(crate) positions: HashMap<Arc<str>, Position>,
    pub(crate) groups: CanonicalGroups,
    pub(crate) statics: BTreeMap<Arc<str>, StaticFacts>,
    /// Content of named read-only data, modulo relocation.
    pub(crate) read_only: BTreeMap<Arc<str>, Fingerprint>,
    pub(crate) exports: Vec<FunctionExport>,
    pub(crate) imports: Vec<FunctionImport>,
    pub(crate) toolchain: Vec<String>,
    pub(crate) crates: BTreeMap<String, BTreeSet<String>>,
    /// What allocating leads to: functions with their code.
    pub(crate) allocator: Vec<(Arc<str>, BTreeSet<Fingerprint>)>,
    pub(crate) custom: BTreeMap<String, Vec<u8>>,
    /// Layouts of types that hold environments of closures and coroutines. They go with these, not with their names.
    pub(crate) transient_types: BTreeMap<Arc<str>, Arc<BTreeSet<TypeLayout>>>,
    /// Functions of crates without debug information of their own.
    pub(crate) libraries: BTreeSet<Arc<str>>,
    /// Bodies that containers rely on, by name without tags.
    pub(crate) relied: Relied,
    pub(crate) coroutines: Coroutines,
    /// Numbered items whose type identity is asked for, and how they are known.
    pub(crate) identified: BTreeMap<Arc<str>, Arc<str>>,
    /// Whether any sign of type identities was found.
    pub(crate) uses_type_ids: bool,
    /// Types that state may be found by.
    pub(crate) keyed: BTreeSet<Arc<str>>,
    /// Types with an `impl Drop` that is used.
    pub(crate) drops: BTreeSet<Arc<str>>,
    /// Fingerprint of the whole file: the same bytes again are the same version.
    pub(crate) file: Option<Fingerprint>,
}

/// By name the bodies that containers rely on.
pub(crate) type Relied = BTreeMap<Arc<str>, Reliance>;

/// What is known of one body that containers rely on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reliance {
    /// The type that it hashes or compares.
    pub(crate) self_type: Arc<str>,
    /// Its own copies; empty where it is inlined everywhere.
    pub(crate) own: BTreeSet<Fingerprint>,
    /// Functions into which it is inlined.
    pub(crate) holders: BTreeMap<Arc<str>, Holder>,
    /// Functions of the mod's own crates that it leads to, with what stands for the code of all their copies.
    pub(crate) reached: BTreeMap<Arc<str>, Fingerprint>,
}

/// A function into which such a body is inlined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) code: Arc<BTreeSet<Fingerprint>>,
    /// A library's code calls the body in there.
    pub(crate) by_library: bool,
}

/// Coroutines by name without tags.
pub(crate) type Coroutines = BTreeMap<Arc<str>, Coroutine>;

/// What is known of one coroutine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Coroutine {
    /// Copies of its body; empty where it is inlined everywhere.
    pub(crate) own: BTreeSet<Fingerprint>,
    /// Functions that call the body or have it inlined, with their code.
    pub(crate) resumed_by: BTreeMap<Arc<str>, BTreeSet<Fingerprint>>,
    /// Whether live state may hold a suspended one.
    pub(crate) may_live: bool,
}

/// Groups of numbered items by parent as known in this process, namespace and name.
pub(crate) type CanonicalGroups = HashMap<CanonicalKey, BTreeMap<u64, ResidentMember>>;

/// Parent as known in this process, namespace and name.
pub(crate) type CanonicalKey = (Arc<str>, char, Arc<str>);

/// A numbered item of a resident with the generation that introduced it.
#[derive(Debug, Clone)]
pub(crate) struct ResidentMember {
    pub(crate) member: Member,
    pub(crate) bodies: BTreeSet<Body>,
    pub(crate) evidence: Arc<Evidence>,
    pub(crate) introduced: GenerationId,
}

/// What is named after a numbered item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// Code of the functions whose name mentions it.
    pub(crate) relatives: BTreeMap<Arc<str>, BTreeSet<Fingerprint>>,
    /// Mutable statics whose name mentions it, with the functions that use them.
    pub(crate) statics: BTreeMap<Arc<str>, BTreeSet<StaticUser>>,
}

/// A function whose code refers to a static.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StaticUser {
    pub(crate) name: Arc<str>,
    pub(crate) code: Option<Fingerprint>,
    /// Whether the function's own name mentions the group: it moves with the static.
    pub(crate) is_inside: bool,
}

/// What is known of a mutable static.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaticFacts {
    pub(crate) size: u32,
    pub(crate) alignment: u32,
    pub(crate) proof: StaticProof,
    pub(crate) initial: Fingerprint,
    /// Comes with the compiler: the standard library and what it is made of.
    pub(crate) is_standard: bool,
    /// Belongs to one log line and is no state: another one in its place is as good.
    pub(crate) is_call_site: bool,
}

/// What proves that a symbol's bytes are what the source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StaticProof {
    /// Debug information names one plain address, the symbol's, and a type of the symbol's size.
    Type(Arc<str>),
    /// A crate compiled without debug information of its own: the same symbol, crate hash included, is the same static.
    SameBinary(Arc<str>),
    /// Neither, and why.
    Unproved(String),
}

/// Where a mutable static lives for ever.
#[derive(Debug, Clone)]
pub(crate) struct BoundStatic {
    pub(crate) address: u32,
    pub(crate) size: u32,
    pub(crate) alignment: u32,
    pub(crate) piece: PieceId,
}

/// Named read-only data is one thing per name and content, anonymous data per content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ReadOnlyKey {
    pub(crate) name: Arc<str>,
    pub(crate) bytes: Arc<[u8]>,
}

/// Where a run of read-only bytes stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlacedPiece {
    pub(crate) address: u32,
    pub(crate) piece: PieceId,
}

/// Concrete type and trait.
pub(crate) type VtableKey = (Arc<str>, Arc<str>);

/// The entries of a vtable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VtableShape {
    pub(crate) entries: Vec<VtableEntry>,
}

/// One word of a vtable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum VtableEntry {
    /// A function by slot identity.
    Function(Arc<str>),
    /// Size, alignment, or 0 for an absent drop glue or method.
    Number(u32),
    /// A pointer to data, such as a supertrait's vtable.
    Data,
}
