//! What debug information says about a mod, as values: no DWARF in here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

pub(crate) use super::attributes::Location;

/// A name, shared by all facts that mention it.
pub(crate) type Name = Arc<str>;

/// All facts of one mod.
#[derive(Debug, Default)]
pub(crate) struct DebugFacts {
    /// Every defined type by qualified name. A name may have several layouts: two types `S` in two blocks of one
    /// function, generics over such.
    pub(crate) types: BTreeMap<Name, BTreeSet<TypeLayout>>,
    /// Every variable that is not local, vtables excepted, in the order of the debug information.
    pub(crate) variables: Vec<StaticVariable>,
    /// Functions by linkage name, or by their own where that is the linkage name (`no_mangle`).
    /// [`DebugFacts::function`] looks a symbol up.
    pub(crate) functions: HashMap<Name, FunctionFacts>,
    /// By symbol of a function with code, the functions of crates with full debug information that were inlined into it.
    pub(crate) inlined: BTreeMap<Name, BTreeMap<Name, InlinedUse>>,
    /// The vtables made in crates with full debug information.
    pub(crate) vtables: Vec<VtableVariable>,
    /// What each crate was compiled with. A crate that is missing has none at all.
    pub(crate) crates: BTreeMap<CrateIdentity, DebugLevel>,
    /// `DW_AT_producer` of every unit.
    pub(crate) producers: BTreeSet<String>,
}

/// A crate as rustc's compile units name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CrateIdentity {
    pub(crate) name: Name,
    /// The crate's stable identity, the number which v0 names give in base 62.
    pub(crate) hash: u64,
}

/// How much debug information a crate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DebugLevel {
    /// Names of functions and positions; no type, variable or parameter was found.
    Lines,
    /// Types and variables.
    Full,
}

/// One layout of a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TypeLayout {
    pub(crate) kind: TypeKind,
    /// Bytes. A type without any (`str`, `[T]`) has none.
    pub(crate) size: Option<u64>,
    /// Bytes; rustc tells it for structs, enums and unions.
    pub(crate) alignment: Option<u64>,
    /// In the order of the source.
    pub(crate) fields: Vec<Field>,
    /// Of an enum with fields, or the enumerators of one without.
    pub(crate) variants: Vec<Variant>,
    /// What tells the variants apart; an enum of one variant has none.
    pub(crate) discriminant: Option<Field>,
}

/// What kind of type it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TypeKind {
    /// Struct, tuple, wide pointer, environment, or an enum (which has variants).
    Struct,
    Union,
    /// Enum without fields; the type of its numbers.
    Enumeration(Option<Name>),
    /// Number, `bool`, `char`, `()`; DWARF's encoding of it.
    Base(u64),
    /// Thin pointer, reference, box or function pointer; what it points to.
    Pointer(Option<Name>),
    /// Element and count; `None` where no count is known.
    Array(Name, Option<u64>),
    /// Something else that DWARF names, by its tag (a function type, a typedef), and what it is made of.
    Other(u16, Option<Name>),
}

/// A field of a struct or variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Field {
    /// `__0`, `__1` in tuples.
    pub(crate) name: Name,
    pub(crate) type_name: Name,
    /// Bytes from the start of the type.
    pub(crate) offset: u64,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Variant {
    pub(crate) name: Name,
    /// Which values of the discriminant mean it.
    pub(crate) values: DiscriminantValues,
    /// Its fields' layout: a type of its own, named `Enum::Variant`. None without fields in DWARF's `enumeration_type`.
    pub(crate) content: Option<Field>,
}

/// Values of a discriminant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum DiscriminantValues {
    /// Every value that no other variant has.
    AllOthers,
    /// This value (a 128-bit one taken bit by bit).
    One(i128),
    /// Several, in DWARF's encoding (`DW_AT_discr_list`).
    List(Box<[u8]>),
}

/// A static.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StaticVariable {
    /// Its symbol, without the `.llvm.<digits>` that the symbol table may have.
    pub(crate) linkage_name: Name,
    pub(crate) qualified_name: Name,
    pub(crate) location: Location,
    /// `None` if the variable has no type, which rustc does not write.
    pub(crate) type_name: Option<Name>,
    pub(crate) type_size: Option<u64>,
    /// Where the type's name, or that of a type within it, stands for several layouts: which of them are meant.
    pub(crate) type_shape: Option<u64>,
    pub(crate) position: Option<Position>,
}

/// Where something stands in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Position {
    /// As the compiler was given it; relative ones are joined to the compiler's folder.
    pub(crate) file: Name,
    /// From 1; 0 is unknown.
    pub(crate) line: u64,
}

/// A function, closure body or coroutine body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionFacts {
    /// Module path and name with generic arguments.
    pub(crate) qualified_name: Name,
    /// Signatures told by entries with code: one, unless two copies disagree or the mod has two functions of this name.
    /// Empty where no copy has code, or only line tables are known: such a function's signature is unknown.
    pub(crate) signatures: BTreeSet<Signature>,
    /// Signatures told by entries for inlined calls. Not to be relied on: where rustc's own inliner was at work they miss
    /// parameters, or have the type of what was passed (`&mut T` for `&T`).
    pub(crate) inlined_signatures: BTreeSet<Signature>,
    pub(crate) position: Option<Position>,
    /// Where its code lies, in bytes from the start of the code section's content. Empty for functions that are inlined
    /// everywhere.
    pub(crate) ranges: Vec<Range<u32>>,
    pub(crate) kind: FunctionKind,
}

/// How a function was inlined into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InlinedUse {
    /// Containers rely on what it does: it belongs to an `impl` of `Hash`, `Ord` and such.
    pub(crate) is_relied_on: bool,
    /// Of such a one: somewhere in there, a library's code calls it.
    pub(crate) by_library: bool,
    /// Of such a one: where its code lies, in bytes from the start of the code section's content. `None` where that cannot be told.
    pub(crate) ranges: Option<Vec<Range<u32>>>,
}

impl Default for InlinedUse {
    fn default() -> Self {
        Self { is_relied_on: false, by_library: false, ranges: Some(Vec::new()) }
    }
}

/// Types in source terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<Name>,
    /// `None` for `()`.
    pub(crate) result: Option<Name>,
}

/// What kind of function it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FunctionKind {
    Function,
    /// With the type of its captures, if one of that name exists.
    Closure {
        environment: Option<Name>,
    },
    /// An async block or function, generator or async closure body.
    Coroutine {
        environment: Option<Name>,
    },
}

/// A vtable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VtableVariable {
    /// Its whole name, `<T as Trait>::{vtable}`.
    pub(crate) name: Name,
    /// `T`, as types are named elsewhere.
    pub(crate) concrete_type: Option<Name>,
    /// Bytes of `T`.
    pub(crate) concrete_size: Option<u64>,
    /// `None` for a vtable of no trait with methods (`dyn Send`).
    pub(crate) trait_name: Option<Name>,
    pub(crate) location: Location,
    /// Bytes of the vtable.
    pub(crate) size: Option<u64>,
    /// `drop_in_place`, `size`, `align`, `__method3` and so on.
    pub(crate) entries: Vec<(Name, u64)>,
}

impl DebugFacts {
    /// The function of a symbol as the symbol table has it, which may carry LLVM's `.llvm.<digits>`.
    pub(crate) fn function(&self, symbol: &str) -> Option<&FunctionFacts> {
        self.functions.get(&*crate::image::name::without_llvm_suffix(symbol))
    }

    /// How much debug information a crate has, by the name and disambiguator text of a symbol.
    pub(crate) fn level_of(&self, name: &str, disambiguator: &str) -> Option<DebugLevel> {
        let hash = crate::image::name::crate_hash(disambiguator)?;
        self.crates.get(&CrateIdentity { name: name.into(), hash }).copied()
    }
}

/// Whether a type's name is the compiler's making, or generic over such: it holds an environment of a closure or
/// coroutine, or something else in braces. No type that an author wrote has braces in its name, numbered impl blocks
/// (`{impl#3}`) and unhashable constants excepted.
pub(crate) fn is_transient(name: &str) -> bool {
    let mut rest = name;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if !rest.starts_with("impl#") && !rest.starts_with("CONST#") {
            return true;
        }
    }
    false
}

/// Whether a name still holds the number of an impl block, which shifts when another is inserted before it.
#[cfg(test)]
pub(crate) fn is_numbered(name: &str) -> bool {
    name.contains("{impl#")
}
