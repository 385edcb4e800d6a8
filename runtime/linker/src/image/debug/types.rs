//! From records of types to names and layouts. Every type gets one complete name, whatever it is; the names that rustc
//! gives are complete already (`&mut a::B<u8>`), those it leaves out (arrays) are made here in Rust's own syntax.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::error::{DebugError, DebugProblem};
use super::facts::{DiscriminantValues, Field, Name, TypeKind, TypeLayout, Variant};
use super::impls::ImplNames;
use super::records::{MemberRecord, Records, TypeRecord};
use super::sections::Budget;
use crate::limits::{DEBUG_ARRAY_DIMENSIONS, DEBUG_TYPE_DEPTH};

/// Bytes of an address: mods are 32-bit.
const ADDRESS_BYTES: u64 = 4;

/// What looking at one type or field once more costs, in bytes of names.
const SHAPE_STEP: usize = 32;

/// Gives names to types and to all else.
pub(super) struct Names<'r, 'a> {
    pub(super) records: &'r Records<'a>,
    impls: ImplNames,
    /// By index of the type's record.
    of_types: Vec<Option<Name>>,
    shared: HashSet<Name>,
    rewritten: HashMap<Name, Name>,
    /// What the names may still cost in memory.
    pub(super) budget: &'r mut Budget,
    /// What may still be done with names: each costs as many bytes whenever it is looked up or compared.
    pub(super) reading: &'r mut Budget,
}

/// Which types the name alone does not tell apart.
pub(super) struct Shapes {
    /// Records whose name has several layouts.
    ambiguous: HashSet<usize>,
    /// Those and all that hold or point to one.
    reaching: HashSet<usize>,
}

impl<'r, 'a> Names<'r, 'a> {
    pub(super) fn new(
        records: &'r Records<'a>,
        impls: ImplNames,
        budget: &'r mut Budget,
        reading: &'r mut Budget,
    ) -> Self {
        let of_types = vec![None; records.types.len()];
        Self { records, impls, of_types, shared: HashSet::new(), rewritten: HashMap::new(), budget, reading }
    }

    /// One copy of each text, with impl blocks named.
    pub(super) fn share(&mut self, text: &str) -> Result<Name, DebugProblem> {
        if text.contains("{impl#") {
            self.reading.take(text.len())?;
            if let Some(known) = self.rewritten.get(text) {
                return Ok(Arc::clone(known));
            }
            let name = self.impls.rewrite(text, self.reading)?.into_owned();
            let name = self.share_as_is(&name)?;
            self.budget.take(text.len())?;
            self.rewritten.insert(Arc::from(text), Arc::clone(&name));
            return Ok(name);
        }
        self.share_as_is(text)
    }

    /// One copy of each symbol; they are the module's own spelling and stay as they are.
    pub(super) fn share_symbol(&mut self, symbol: &str) -> Result<Name, DebugProblem> {
        self.share_as_is(symbol)
    }

    fn share_as_is(&mut self, text: &str) -> Result<Name, DebugProblem> {
        self.reading.take(text.len())?;
        if let Some(known) = self.shared.get(text) {
            return Ok(Arc::clone(known));
        }
        self.budget.take(text.len())?;
        let name: Name = Arc::from(text);
        self.shared.insert(Arc::clone(&name));
        Ok(name)
    }

    /// The full name of something in a scope.
    pub(super) fn qualified(&mut self, scope: usize, name: &str) -> Result<Name, DebugProblem> {
        let text = self.records.scopes.qualify(scope, name);
        self.share(&text)
    }

    /// The name of the type at an offset.
    pub(super) fn type_at(&mut self, offset: usize) -> Result<Name, DebugProblem> {
        let index = self.index(offset)?;
        self.type_name(index, 0)
    }

    fn index(&self, offset: usize) -> Result<usize, DebugProblem> {
        self.records.type_at(offset).ok_or(DebugProblem::Dangling { expected: "type", target: offset })
    }

    fn type_name(&mut self, index: usize, depth: usize) -> Result<Name, DebugProblem> {
        if let Some(Some(known)) = self.of_types.get(index) {
            return Ok(Arc::clone(known));
        }
        if depth > DEBUG_TYPE_DEPTH {
            return Err(DebugProblem::Limit { what: "nested unnamed types", limit: DEBUG_TYPE_DEPTH });
        }
        let records = self.records;
        let record = &records.types[index];
        let name = match (record.name, record.tag) {
            // Their names are complete wherever they stand.
            (Some(name), gimli::DW_TAG_pointer_type | gimli::DW_TAG_base_type | gimli::DW_TAG_subroutine_type) => {
                self.share(name)?
            }
            (Some(name), _) => self.qualified(record.scope, name)?,
            (None, _) => {
                let text = self.unnamed(record, depth)?;
                self.share(&text)?
            }
        };
        if let Some(slot) = self.of_types.get_mut(index) {
            *slot = Some(Arc::clone(&name));
        }
        Ok(name)
    }

    fn inner(&mut self, offset: Option<usize>, depth: usize) -> Result<Name, DebugProblem> {
        match offset {
            Some(offset) => {
                let index = self.index(offset)?;
                self.type_name(index, depth + 1)
            }
            None => self.share("()"),
        }
    }

    fn unnamed(&mut self, record: &TypeRecord<'a>, depth: usize) -> Result<String, DebugProblem> {
        let text = match record.tag {
            gimli::DW_TAG_array_type => {
                let mut text = self.inner(record.target, depth)?.to_string();
                // The last dimension is the innermost.
                check_dimensions(record)?;
                for count in record.counts.iter().rev() {
                    text = match count {
                        Some(count) => format!("[{text}; {count}]"),
                        None => format!("[{text}]"),
                    };
                    self.budget.take(text.len())?;
                }
                text
            }
            gimli::DW_TAG_subroutine_type => {
                let mut parameters = Vec::new();
                for parameter in &record.parameters {
                    let parameter = self.inner(*parameter, depth)?;
                    self.budget.take(parameter.len())?;
                    parameters.push(parameter);
                }
                let parameters = parameters.join(", ");
                // Not `fn(..)`, which is the pointer to it.
                match record.target {
                    Some(_) => format!("code fn({parameters}) -> {}", self.inner(record.target, depth)?),
                    None => format!("code fn({parameters})"),
                }
            }
            gimli::DW_TAG_pointer_type => format!("* {}", self.inner(record.target, depth)?),
            // C has types without names; Rust has none.
            gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_enumeration_type => {
                self.records.scopes.qualify(record.scope, "{unnamed}")
            }
            tag => {
                let tag = tag.static_string().unwrap_or("DW_TAG").trim_start_matches("DW_TAG_");
                format!("{tag} {}", self.inner(record.target, depth)?)
            }
        };
        self.budget.take(text.len())?;
        Ok(text)
    }

    /// Bytes of a value of the type at `offset`.
    pub(super) fn size_at(&self, offset: usize) -> Result<Option<u64>, DebugProblem> {
        let mut factor = 1u64;
        let mut at = offset;
        // Arrays and typedefs only, and each step leads to another record.
        for _ in 0..DEBUG_TYPE_DEPTH {
            let record = &self.records.types[self.index(at)?];
            if let Some(size) = record.size {
                return Ok(size.checked_mul(factor));
            }
            match record.tag {
                gimli::DW_TAG_pointer_type => return Ok(ADDRESS_BYTES.checked_mul(factor)),
                gimli::DW_TAG_array_type => {
                    check_dimensions(record)?;
                    for count in &record.counts {
                        let Some(product) = count.and_then(|count| factor.checked_mul(count)) else {
                            return Ok(None);
                        };
                        factor = product;
                    }
                }
                gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_enumeration_type => {
                    return Ok(None);
                }
                _ => {}
            }
            let Some(target) = record.target else {
                return Ok(None);
            };
            at = target;
        }
        Err(DebugProblem::Cycle)
    }

    /// For types that reach a name with several layouts, what tells these apart: the name alone does not say which is
    /// meant. `types` are all layouts.
    pub(super) fn shapes(&mut self, types: &BTreeMap<Name, BTreeSet<TypeLayout>>) -> Result<Shapes, DebugError> {
        let records = self.records;
        let mut holders: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut waiting = Vec::new();
        let mut ambiguous = HashSet::new();
        for (index, record) in records.types.iter().enumerate().filter(|(_, record)| !record.declaration) {
            let fail = |problem: DebugProblem| problem.at_entry(record.offset);
            let name = self.type_name(index, 0).map_err(fail)?;
            if types.get(&name).is_some_and(|layouts| layouts.len() > 1) {
                ambiguous.insert(index);
                waiting.push(index);
            }
            for part in self.parts(record).map_err(fail)? {
                holders.entry(part).or_default().push(index);
            }
        }
        let mut reaching: HashSet<usize> = ambiguous.clone();
        while let Some(part) = waiting.pop() {
            for holder in holders.get(&part).into_iter().flatten() {
                if reaching.insert(*holder) {
                    waiting.push(*holder);
                }
            }
        }
        Ok(Shapes { ambiguous, reaching })
    }

    /// The shape of the type at an offset; `None` where its name says all.
    pub(super) fn shape_at(&mut self, offset: usize, shapes: &Shapes) -> Result<Option<u64>, DebugProblem> {
        let start = self.index(offset)?;
        if !shapes.reaching.contains(&start) {
            return Ok(None);
        }
        let records = self.records;
        let mut hasher = DefaultHasher::new();
        // Types are numbered as they are met, so that which of them stands where counts too.
        let mut seen = HashMap::from([(start, 0)]);
        let mut waiting = vec![start];
        while let Some(index) = waiting.pop() {
            let record = &records.types[index];
            // Every static may reach the same types.
            self.reading.take(SHAPE_STEP * (1 + record.fields.len() + record.variants.len()))?;
            if shapes.ambiguous.contains(&index) {
                self.layout(record)?.hash(&mut hasher);
            }
            for part in self.parts(record)? {
                if shapes.reaching.contains(&part) {
                    let next = seen.len();
                    let number = *seen.entry(part).or_insert(next);
                    number.hash(&mut hasher);
                    if number == next {
                        waiting.push(part);
                    }
                }
            }
        }
        Ok(Some(hasher.finish()))
    }

    /// The records of the types that a type is made of or points to, in the order of the source.
    fn parts(&self, record: &TypeRecord<'a>) -> Result<Vec<usize>, DebugProblem> {
        let discriminant = record.discriminant.as_ref().and_then(|(_, member)| member.as_ref());
        let contents = record.variants.iter().filter_map(|variant| variant.content.first());
        let members = record.fields.iter().chain(contents).chain(discriminant);
        members.filter_map(|member| member.type_).chain(record.target).map(|offset| self.index(offset)).collect()
    }

    /// Every defined type.
    pub(super) fn layouts(&mut self) -> Result<BTreeMap<Name, BTreeSet<TypeLayout>>, DebugError> {
        let mut types: BTreeMap<Name, BTreeSet<TypeLayout>> = BTreeMap::new();
        let records = self.records;
        for (index, record) in records.types.iter().enumerate().filter(|(_, record)| !record.declaration) {
            let fail = |problem: DebugProblem| problem.at_entry(record.offset);
            let name = self.type_name(index, 0).map_err(fail)?;
            let layout = self.layout(record).map_err(fail)?;
            types.entry(name).or_default().insert(layout);
        }
        Ok(types)
    }

    fn layout(&mut self, record: &TypeRecord<'a>) -> Result<TypeLayout, DebugProblem> {
        let kind = match record.tag {
            gimli::DW_TAG_structure_type | gimli::DW_TAG_class_type => TypeKind::Struct,
            gimli::DW_TAG_union_type => TypeKind::Union,
            gimli::DW_TAG_enumeration_type => TypeKind::Enumeration(self.target(record)?),
            gimli::DW_TAG_base_type => TypeKind::Base(record.encoding.unwrap_or(0)),
            gimli::DW_TAG_pointer_type => TypeKind::Pointer(self.target(record)?),
            gimli::DW_TAG_array_type => {
                let element = self.inner(record.target, 0)?;
                let count = record.counts.iter().try_fold(1u64, |all, count| all.checked_mul((*count)?));
                TypeKind::Array(element, count)
            }
            tag => TypeKind::Other(tag.0, self.target(record)?),
        };
        let mut fields = Vec::with_capacity(record.fields.len());
        for field in &record.fields {
            fields.push(self.field(field)?);
        }
        let mut variants = Vec::with_capacity(record.variants.len() + record.enumerators.len());
        for variant in &record.variants {
            let content = variant.content.first().map(|content| self.field(content)).transpose()?;
            let values = match (variant.value, variant.values) {
                (Some(value), _) => DiscriminantValues::One(value),
                (None, Some(list)) => DiscriminantValues::List(list.into()),
                (None, None) => DiscriminantValues::AllOthers,
            };
            let name = match &content {
                Some(content) => Arc::clone(&content.name),
                None => self.share("")?,
            };
            variants.push(Variant { name, values, content });
        }
        for (name, value) in &record.enumerators {
            let values = value.map_or(DiscriminantValues::AllOthers, DiscriminantValues::One);
            variants.push(Variant { name: self.share(name)?, values, content: None });
        }
        let discriminant = match &record.discriminant {
            Some((_, Some(member))) => Some(self.field(member)?),
            _ => None,
        };
        let size = self.size_at(record.offset)?;
        Ok(TypeLayout { kind, size, alignment: record.alignment, fields, variants, discriminant })
    }

    fn target(&mut self, record: &TypeRecord<'a>) -> Result<Option<Name>, DebugProblem> {
        record.target.map(|target| self.type_at(target)).transpose()
    }

    fn field(&mut self, member: &MemberRecord<'a>) -> Result<Field, DebugProblem> {
        let type_name = self.inner(member.type_, 0)?;
        // Layouts of one name are compared.
        self.reading.take(type_name.len())?;
        Ok(Field { name: self.share(member.name.unwrap_or_default())?, type_name, offset: member.offset })
    }
}

/// Every use of the type goes through them.
fn check_dimensions(record: &TypeRecord<'_>) -> Result<(), DebugProblem> {
    if record.counts.len() > DEBUG_ARRAY_DIMENSIONS {
        return Err(DebugProblem::Limit { what: "dimensions of an array", limit: DEBUG_ARRAY_DIMENSIONS });
    }
    Ok(())
}
