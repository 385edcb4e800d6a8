//! The one pass over `.debug_info`: picks out the entries that matter and writes them down as records. References are
//! not followed here.

use gimli::{DwTag, LittleEndian, UnitHeader};

use super::attributes::Attributes;
use super::error::{DebugError, DebugProblem, INFO};
use super::impls::without_arguments;
use super::records::{
    FunctionRecord, InlineRecord, MemberRecord, Records, ScopeId, Scopes, TypeRecord, UnitRecord, VariableRecord,
    VariantRecord,
};
use super::sections::{Sections, Slice, UnitEncoding};
use crate::limits::DEBUG_DEPTH;

/// Reads all units.
pub(super) fn collect<'a>(sections: &mut Sections<'a>) -> Result<Records<'a>, DebugError> {
    let mut collector = Collector { sections, records: Records::default(), frames: Vec::new() };
    let mut units = gimli::DebugInfo::new(collector.sections.info, LittleEndian).units();
    let mut after = 0;
    while let Some(header) = units.next().map_err(|error| DebugProblem::from(error).at(INFO, after))? {
        let start = header.offset().0;
        after = start.saturating_add(header.length_including_self());
        collector.unit(start, &header)?;
    }
    Ok(collector.records)
}

/// An entry whose children are being read.
#[derive(Clone, Copy)]
struct Frame {
    kind: FrameKind,
    /// Where named things inside belong.
    scope: ScopeId,
    /// Index of the function whose code this is, and of the innermost inlined call in it.
    code: Option<(usize, Option<usize>)>,
}

#[derive(Clone, Copy)]
enum FrameKind {
    /// Unit or namespace.
    Scope,
    /// The type with this index.
    Type(usize),
    VariantPart(usize),
    Variant(usize),
    /// The function with this index.
    Function(usize),
    /// Blocks and inlined calls inside of functions, and all else.
    Other,
}

/// What stands at the top of a unit.
const OUTSIDE: Frame = Frame { kind: FrameKind::Other, scope: Scopes::ROOT, code: None };

struct Collector<'s, 'a> {
    sections: &'s mut Sections<'a>,
    records: Records<'a>,
    frames: Vec<Frame>,
}

/// One entry with its place.
struct Entry<'a> {
    offset: usize,
    tag: DwTag,
    attributes: Attributes<'a>,
    parent: Frame,
}

impl<'a> Collector<'_, 'a> {
    fn unit(&mut self, start: usize, header: &UnitHeader<Slice<'a>>) -> Result<(), DebugError> {
        let abbreviations = self.sections.abbreviations(header.debug_abbrev_offset().0)?;
        let mut encoding = UnitEncoding::without_bases(header);
        let mut entries =
            header.entries_raw(&abbreviations, None).map_err(|error| DebugProblem::from(error).at_entry(start))?;
        self.frames.clear();
        let unit = self.records.units.len();
        while !entries.is_empty() {
            let offset = start.saturating_add(entries.next_offset().0);
            let fail = |problem: DebugProblem| problem.at_entry(offset);
            let depth = entries.next_depth();
            let abbreviation = match entries.read_abbreviation() {
                Ok(Some(abbreviation)) => abbreviation,
                Ok(None) => continue,
                Err(error) => return Err(fail(error.into())),
            };
            let depth = usize::try_from(depth).unwrap_or(0).min(self.frames.len());
            if depth >= DEBUG_DEPTH {
                return Err(fail(DebugProblem::Limit { what: "nested entries", limit: DEBUG_DEPTH }));
            }
            self.frames.truncate(depth);
            let parent = self.frames.last().copied().unwrap_or(OUTSIDE);
            let tag = abbreviation.tag();
            let is_root = depth == 0;
            let has = |name| abbreviation.attributes().iter().any(|attribute| attribute.name() == name);
            let wanted = is_root || is_wanted(tag, parent.kind, || has(gimli::DW_AT_linkage_name));
            let mut frame = Frame { kind: FrameKind::Other, ..parent };
            if wanted {
                if is_root {
                    // The bases come after the name in the same entry, and the name needs them.
                    encoding = UnitEncoding::of(header, &abbreviations).map_err(fail)?;
                }
                let mut attributes = Attributes::default();
                for specification in abbreviation.attributes() {
                    let attribute = entries.read_attribute(*specification).map_err(|error| fail(error.into()))?;
                    let name = attribute.name();
                    let value = match name {
                        // Their sign is in the form, which `value` drops.
                        gimli::DW_AT_discr_value | gimli::DW_AT_const_value | gimli::DW_AT_discr_list => {
                            attribute.raw_value()
                        }
                        _ => attribute.value(),
                    };
                    attributes.take(self.sections, &encoding, start, name, value).map_err(fail)?;
                }
                frame = if is_root {
                    self.sections.memory.take(size_of::<UnitRecord<'_>>()).map_err(fail)?;
                    self.begin_unit(&attributes, encoding)
                } else {
                    self.entry(unit, Entry { offset, tag, attributes, parent }).map_err(fail)?
                };
            } else {
                entries.skip_attributes(abbreviation.attributes()).map_err(|error| fail(error.into()))?;
            }
            if abbreviation.has_children() {
                self.frames.push(frame);
            }
        }
        Ok(())
    }

    fn begin_unit(&mut self, attributes: &Attributes<'a>, encoding: UnitEncoding) -> Frame {
        self.records.units.push(UnitRecord {
            name: attributes.name,
            producer: attributes.producer,
            directory: attributes.directory,
            line_program: attributes.line_program,
            encoding,
            low: attributes.low.unwrap_or(0),
            has_types: false,
        });
        Frame { kind: FrameKind::Scope, ..OUTSIDE }
    }

    /// Writes an entry down and says what its children belong to.
    fn entry(&mut self, unit: usize, entry: Entry<'a>) -> Result<Frame, DebugProblem> {
        let parent = entry.parent;
        let other = Frame { kind: FrameKind::Other, ..parent };
        if !matches!(entry.tag, gimli::DW_TAG_namespace | gimli::DW_TAG_subprogram | gimli::DW_TAG_inlined_subroutine)
            && let Some(unit) = self.records.units.get_mut(unit)
        {
            unit.has_types = true;
        }
        match entry.tag {
            gimli::DW_TAG_namespace => {
                let name = entry.attributes.name.unwrap_or("{unnamed}");
                Ok(Frame { kind: FrameKind::Scope, scope: self.scope(parent, name)?, code: None })
            }
            gimli::DW_TAG_subprogram => {
                let scope = self.place_of(parent)?;
                let record = FunctionRecord::new(entry.offset, unit, scope, &entry.attributes);
                self.sections.memory.take(size_of_val(&record) + size_of_val(&record.offset))?;
                self.records.function_offsets.push(record.offset);
                self.records.functions.push(record);
                let index = self.records.functions.len() - 1;
                Ok(Frame { kind: FrameKind::Function(index), scope, code: Some((index, None)) })
            }
            gimli::DW_TAG_inlined_subroutine => {
                let (Some((function, inside)), Some(origin)) = (parent.code, entry.attributes.origin) else {
                    return Ok(other);
                };
                let record = InlineRecord {
                    offset: entry.offset,
                    unit,
                    function,
                    parent: inside,
                    origin,
                    range: entry.attributes.low.zip(entry.attributes.high),
                    list: entry.attributes.ranges,
                };
                self.sections.memory.take(size_of_val(&record))?;
                self.records.inlines.push(record);
                Ok(Frame { code: Some((function, Some(self.records.inlines.len() - 1))), ..other })
            }
            gimli::DW_TAG_variable => {
                let scope = self.place_of(parent)?;
                let record = VariableRecord::new(entry.offset, unit, scope, &entry.attributes);
                self.sections.memory.take(size_of_val(&record))?;
                self.records.variables.push(record);
                Ok(other)
            }
            gimli::DW_TAG_formal_parameter => {
                self.sections.memory.take(size_of::<Option<usize>>())?;
                match parent.kind {
                    FrameKind::Function(index) => {
                        let function = self.records.functions.get_mut(index);
                        if let (Some(function), Some(type_)) = (function, entry.attributes.type_) {
                            function.parameters.push(type_);
                        }
                    }
                    FrameKind::Type(index) => {
                        if let Some(record) = self.records.types.get_mut(index) {
                            record.parameters.push(entry.attributes.type_);
                        }
                    }
                    _ => {}
                }
                Ok(other)
            }
            gimli::DW_TAG_member
            | gimli::DW_TAG_enumerator
            | gimli::DW_TAG_subrange_type
            | gimli::DW_TAG_variant_part
            | gimli::DW_TAG_variant => {
                self.sections.memory.take(size_of::<VariantRecord<'_>>())?;
                Ok(self.part(entry))
            }
            _ => {
                let scope = self.place_of(parent)?;
                let record = TypeRecord::new(entry.offset, entry.tag, scope, &entry.attributes);
                self.sections.memory.take(size_of_val(&record))?;
                self.records.types.push(record);
                Ok(Frame { kind: FrameKind::Type(self.records.types.len() - 1), scope, code: None })
            }
        }
    }

    fn scope(&mut self, parent: Frame, name: &'a str) -> Result<ScopeId, DebugProblem> {
        let outer = self.scope_of(parent)?;
        self.records.scopes.inside(outer, name, &mut self.sections.memory)
    }

    /// Where a named thing in `frame` belongs. Its full name will be made of the path.
    fn place_of(&mut self, frame: Frame) -> Result<ScopeId, DebugProblem> {
        let scope = self.scope_of(frame)?;
        self.sections.reading.take(self.records.scopes.path(scope).len())?;
        Ok(scope)
    }

    /// Where a named thing in `frame` belongs. The paths of types and functions are made only if something is in them.
    fn scope_of(&mut self, frame: Frame) -> Result<ScopeId, DebugProblem> {
        let name = match frame.kind {
            FrameKind::Type(index) => self.records.types.get(index).and_then(|record| record.name),
            FrameKind::Function(index) => {
                self.records.functions.get(index).and_then(|record| record.name).map(without_arguments)
            }
            _ => None,
        };
        match name {
            Some(name) => {
                self.sections.reading.take(name.len())?;
                self.records.scopes.inside(frame.scope, name, &mut self.sections.memory)
            }
            None => Ok(frame.scope),
        }
    }

    /// A part of the type it stands in.
    fn part(&mut self, entry: Entry<'a>) -> Frame {
        let Entry { offset, tag, attributes, parent } = entry;
        let frame = |kind| Frame { kind, ..parent };
        let (FrameKind::Type(index) | FrameKind::VariantPart(index) | FrameKind::Variant(index)) = parent.kind else {
            return frame(FrameKind::Other);
        };
        let Some(record) = self.records.types.get_mut(index) else {
            return frame(FrameKind::Other);
        };
        match tag {
            gimli::DW_TAG_variant_part => {
                record.discriminant = attributes.discriminant.map(|discriminant| (discriminant, None));
                return frame(FrameKind::VariantPart(index));
            }
            gimli::DW_TAG_variant => {
                record.variants.push(VariantRecord {
                    value: attributes.value,
                    values: attributes.values,
                    content: Vec::new(),
                });
                return frame(FrameKind::Variant(index));
            }
            gimli::DW_TAG_enumerator => {
                record.enumerators.push((attributes.name.unwrap_or_default(), attributes.value));
            }
            gimli::DW_TAG_subrange_type => record.counts.push(attributes.count),
            _ => {
                let member = MemberRecord {
                    name: attributes.name,
                    type_: attributes.type_,
                    offset: attributes.offset.unwrap_or(0),
                };
                match (&mut record.discriminant, parent.kind) {
                    (Some((at, slot)), FrameKind::VariantPart(_)) if *at == offset => *slot = Some(member),
                    (_, FrameKind::Variant(_)) => {
                        if let Some(variant) = record.variants.last_mut() {
                            variant.content.push(member);
                        }
                    }
                    _ => record.fields.push(member),
                }
            }
        }
        frame(FrameKind::Other)
    }
}

/// Whether an entry is read at all: most are local variables and their blocks.
fn is_wanted(tag: DwTag, parent: FrameKind, has_linkage_name: impl Fn() -> bool) -> bool {
    match tag {
        gimli::DW_TAG_namespace
        | gimli::DW_TAG_subprogram
        | gimli::DW_TAG_inlined_subroutine
        | gimli::DW_TAG_structure_type
        | gimli::DW_TAG_class_type
        | gimli::DW_TAG_union_type
        | gimli::DW_TAG_enumeration_type
        | gimli::DW_TAG_base_type
        | gimli::DW_TAG_unspecified_type
        | gimli::DW_TAG_pointer_type
        | gimli::DW_TAG_reference_type
        | gimli::DW_TAG_rvalue_reference_type
        | gimli::DW_TAG_array_type
        | gimli::DW_TAG_subroutine_type
        | gimli::DW_TAG_typedef
        | gimli::DW_TAG_const_type
        | gimli::DW_TAG_volatile_type
        | gimli::DW_TAG_restrict_type
        | gimli::DW_TAG_atomic_type
        | gimli::DW_TAG_member
        | gimli::DW_TAG_enumerator
        | gimli::DW_TAG_subrange_type
        | gimli::DW_TAG_variant_part
        | gimli::DW_TAG_variant => true,
        gimli::DW_TAG_formal_parameter => {
            matches!(parent, FrameKind::Function(_) | FrameKind::Type(_))
        }
        // A local variable has no linkage name; statics lie in namespaces.
        gimli::DW_TAG_variable => matches!(parent, FrameKind::Scope | FrameKind::Type(_)) || has_linkage_name(),
        _ => false,
    }
}
