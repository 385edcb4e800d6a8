//! What one pass over `.debug_info` writes down: entries with references still as offsets. Records lie in the order of
//! their offsets, so that a reference is found by binary search.

use std::collections::HashMap;

use gimli::DwTag;

use super::attributes::{Attributes, High, Location};
use super::error::DebugProblem;
use super::sections::Budget;

/// Everything collected.
#[derive(Default)]
pub(super) struct Records<'a> {
    pub(super) units: Vec<UnitRecord<'a>>,
    pub(super) types: Vec<TypeRecord<'a>>,
    pub(super) functions: Vec<FunctionRecord<'a>>,
    /// Theirs, close together: they are searched for every inlined call.
    pub(super) function_offsets: Vec<usize>,
    pub(super) variables: Vec<VariableRecord<'a>>,
    pub(super) inlines: Vec<InlineRecord>,
    pub(super) scopes: Scopes<'a>,
}

/// One compile unit.
pub(super) struct UnitRecord<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) producer: Option<&'a str>,
    pub(super) directory: Option<&'a str>,
    pub(super) line_program: Option<usize>,
    pub(super) encoding: super::sections::UnitEncoding,
    /// To which its lists of ranges are relative.
    pub(super) low: u64,
    /// It has types, parameters or variables: more than line tables.
    pub(super) has_types: bool,
}

/// A type.
pub(super) struct TypeRecord<'a> {
    pub(super) offset: usize,
    pub(super) tag: DwTag,
    pub(super) scope: ScopeId,
    pub(super) name: Option<&'a str>,
    pub(super) size: Option<u64>,
    pub(super) alignment: Option<u64>,
    pub(super) encoding: Option<u64>,
    pub(super) declaration: bool,
    /// Pointee, element, underlying type, result.
    pub(super) target: Option<usize>,
    /// For the type of a vtable: the concrete type.
    pub(super) containing: Option<usize>,
    pub(super) fields: Vec<MemberRecord<'a>>,
    pub(super) variants: Vec<VariantRecord<'a>>,
    /// Offset of the member that tells the variants apart, and that member.
    pub(super) discriminant: Option<(usize, Option<MemberRecord<'a>>)>,
    pub(super) enumerators: Vec<(&'a str, Option<i128>)>,
    pub(super) counts: Vec<Option<u64>>,
    /// Of a function type.
    pub(super) parameters: Vec<Option<usize>>,
}

/// A field.
pub(super) struct MemberRecord<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) type_: Option<usize>,
    pub(super) offset: u64,
}

/// One variant of an enum.
pub(super) struct VariantRecord<'a> {
    pub(super) value: Option<i128>,
    pub(super) values: Option<&'a [u8]>,
    pub(super) content: Vec<MemberRecord<'a>>,
}

/// A function, in any of the forms it takes: definition, declaration, abstract instance, out-of-line instance.
pub(super) struct FunctionRecord<'a> {
    pub(super) offset: usize,
    pub(super) unit: usize,
    pub(super) scope: ScopeId,
    pub(super) name: Option<&'a str>,
    pub(super) linkage_name: Option<&'a str>,
    pub(super) origin: Option<usize>,
    pub(super) result: Option<usize>,
    /// Types of the parameters that tell it themselves.
    pub(super) parameters: Vec<usize>,
    pub(super) low: Option<u64>,
    pub(super) high: Option<High>,
    pub(super) file: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) declaration: bool,
}

/// A call that was inlined.
pub(super) struct InlineRecord {
    pub(super) offset: usize,
    pub(super) unit: usize,
    /// Index of the function whose code it is in.
    pub(super) function: usize,
    /// Index of the inlined call it is in, if it is in one.
    pub(super) parent: Option<usize>,
    /// Offset of the function that was called.
    pub(super) origin: usize,
    pub(super) range: Option<(u64, High)>,
    /// Offset of its list of ranges.
    pub(super) list: Option<usize>,
}

/// A variable that is not local.
pub(super) struct VariableRecord<'a> {
    pub(super) offset: usize,
    pub(super) unit: usize,
    pub(super) scope: ScopeId,
    pub(super) name: Option<&'a str>,
    pub(super) linkage_name: Option<&'a str>,
    pub(super) origin: Option<usize>,
    pub(super) type_: Option<usize>,
    pub(super) location: Option<Location>,
    pub(super) file: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) declaration: bool,
}

impl<'a> TypeRecord<'a> {
    pub(super) fn new(offset: usize, tag: DwTag, scope: ScopeId, attributes: &Attributes<'a>) -> Self {
        Self {
            offset,
            tag,
            scope,
            name: attributes.name,
            size: attributes.size,
            alignment: attributes.alignment,
            encoding: attributes.encoding,
            declaration: attributes.declaration,
            target: attributes.type_,
            containing: attributes.containing_type,
            fields: Vec::new(),
            variants: Vec::new(),
            discriminant: None,
            enumerators: Vec::new(),
            counts: Vec::new(),
            parameters: Vec::new(),
        }
    }
}

impl<'a> FunctionRecord<'a> {
    pub(super) fn new(offset: usize, unit: usize, scope: ScopeId, attributes: &Attributes<'a>) -> Self {
        Self {
            offset,
            unit,
            scope,
            name: attributes.name,
            linkage_name: attributes.linkage_name,
            origin: attributes.origin,
            result: attributes.type_,
            parameters: Vec::new(),
            low: attributes.low,
            high: attributes.high,
            file: attributes.file,
            line: attributes.line,
            declaration: attributes.declaration,
        }
    }
}

impl<'a> VariableRecord<'a> {
    pub(super) fn new(offset: usize, unit: usize, scope: ScopeId, attributes: &Attributes<'a>) -> Self {
        Self {
            offset,
            unit,
            scope,
            name: attributes.name,
            linkage_name: attributes.linkage_name,
            origin: attributes.origin,
            type_: attributes.type_,
            location: attributes.location,
            file: attributes.file,
            line: attributes.line,
            declaration: attributes.declaration,
        }
    }
}

impl<'a> Records<'a> {
    /// The type at `offset`.
    pub(super) fn type_at(&self, offset: usize) -> Option<usize> {
        self.types.binary_search_by_key(&offset, |record| record.offset).ok()
    }

    /// The function at `offset`.
    pub(super) fn function_at(&self, offset: usize) -> Option<&FunctionRecord<'a>> {
        self.functions.get(self.function_index(offset)?)
    }

    /// The index of the function at `offset`.
    pub(super) fn function_index(&self, offset: usize) -> Option<usize> {
        self.function_offsets.binary_search(&offset).ok()
    }

    /// The variable at `offset`.
    pub(super) fn variable_at(&self, offset: usize) -> Option<&VariableRecord<'a>> {
        let index = self.variables.binary_search_by_key(&offset, |record| record.offset).ok()?;
        self.variables.get(index)
    }
}

/// A path of namespaces (and types and functions, where something is nested in them).
pub(super) type ScopeId = usize;

/// The paths.
pub(super) struct Scopes<'a> {
    paths: Vec<String>,
    known: HashMap<(ScopeId, &'a str), ScopeId>,
}

impl Default for Scopes<'_> {
    fn default() -> Self {
        Self { paths: vec![String::new()], known: HashMap::new() }
    }
}

impl<'a> Scopes<'a> {
    /// Outside of everything.
    pub(super) const ROOT: ScopeId = 0;

    /// The path `parent::name`.
    pub(super) fn inside(
        &mut self,
        parent: ScopeId,
        name: &'a str,
        budget: &mut Budget,
    ) -> Result<ScopeId, DebugProblem> {
        if let Some(known) = self.known.get(&(parent, name)) {
            return Ok(*known);
        }
        let path = self.qualify(parent, name);
        budget.take(path.len())?;
        let id = self.paths.len();
        self.paths.push(path);
        self.known.insert((parent, name), id);
        Ok(id)
    }

    /// The full name of `name` in `scope`.
    pub(super) fn qualify(&self, scope: ScopeId, name: &str) -> String {
        match self.path(scope) {
            "" => name.to_owned(),
            path => format!("{path}::{name}"),
        }
    }

    pub(super) fn path(&self, scope: ScopeId) -> &str {
        self.paths.get(scope).map_or("", String::as_str)
    }
}
