//! From records of variables to statics and vtables.

use super::attributes::Location;
use super::error::{DebugError, DebugProblem};
use super::facts::{Name, StaticVariable, VtableVariable};
use super::functions::RawPosition;
use super::lines::Files;
use super::records::{Records, VariableRecord};
use super::sections::Sections;
use super::types::{Names, Shapes};

/// How rustc names a vtable's variable at the end.
const VTABLE: &str = "::{vtable}";

/// A static whose file is still to be looked up.
type Unplaced = (StaticVariable, Option<RawPosition>);

/// All statics.
pub(super) fn statics(names: &mut Names<'_, '_>, shapes: &Shapes) -> Result<Vec<Unplaced>, DebugError> {
    let records = names.records;
    let mut all = Vec::new();
    for record in &records.variables {
        // A declaration comes with a definition elsewhere.
        if record.declaration || is_vtable(record) {
            continue;
        }
        let fail = |problem: DebugProblem| problem.at_entry(record.offset);
        let origin = match record.origin {
            Some(offset) => Some(
                records
                    .variable_at(offset)
                    .ok_or(DebugProblem::Dangling { expected: "variable", target: offset })
                    .map_err(fail)?,
            ),
            None => None,
        };
        let named = origin.filter(|_| record.name.is_none()).unwrap_or(record);
        let Some(name) = named.name else { continue };
        let symbol = record.linkage_name.or(named.linkage_name).unwrap_or(name);
        let type_ = record.type_.or(named.type_);
        let variable = StaticVariable {
            linkage_name: names.share_symbol(symbol).map_err(fail)?,
            qualified_name: names.qualified(named.scope, name).map_err(fail)?,
            location: record.location.unwrap_or(Location::Absent),
            type_name: type_.map(|type_| names.type_at(type_)).transpose().map_err(fail)?,
            type_size: match type_ {
                Some(type_) => names.size_at(type_).map_err(fail)?,
                None => None,
            },
            type_shape: match type_ {
                Some(type_) => names.shape_at(type_, shapes).map_err(fail)?,
                None => None,
            },
            position: None,
        };
        let position = named.file.zip(named.line).map(|(file, line)| RawPosition { unit: named.unit, file, line });
        all.push((variable, position));
    }
    Ok(all)
}

/// Looks the positions' files up.
pub(super) fn place<'a>(
    statics: Vec<Unplaced>,
    files: &mut Files,
    sections: &mut Sections<'a>,
    records: &Records<'a>,
) -> Result<Vec<StaticVariable>, DebugError> {
    let mut all = Vec::with_capacity(statics.len());
    for (mut variable, raw) in statics {
        if let Some(raw) = raw {
            variable.position = raw.position(files, sections, records)?;
        }
        all.push(variable);
    }
    Ok(all)
}

/// All vtables.
pub(super) fn vtables(names: &mut Names<'_, '_>) -> Result<Vec<VtableVariable>, DebugError> {
    let records = names.records;
    let mut all = Vec::new();
    for record in records.variables.iter().filter(|record| is_vtable(record)) {
        all.push(vtable(names, record).map_err(|problem| problem.at_entry(record.offset))?);
    }
    Ok(all)
}

fn vtable(names: &mut Names<'_, '_>, record: &VariableRecord<'_>) -> Result<VtableVariable, DebugProblem> {
    let records = names.records;
    let raw_name = record.name.unwrap_or_default();
    let dangling = |target| DebugProblem::Dangling { expected: "type", target };
    let type_ = match record.type_ {
        Some(offset) => records.types.get(records.type_at(offset).ok_or(dangling(offset))?),
        None => None,
    };
    let concrete = type_.and_then(|type_| type_.containing);
    let mut entries = Vec::new();
    for field in type_.iter().flat_map(|type_| &type_.fields) {
        // Many vtables may have one type.
        names.budget.take(size_of::<(Name, u64)>())?;
        entries.push((names.share(field.name.unwrap_or_default())?, field.offset));
    }
    let name = names.share(raw_name)?;
    let concrete_type = concrete.map(|offset| names.type_at(offset)).transpose()?;
    let trait_name = match trait_of(&name, concrete_type.as_deref()) {
        Some(text) => Some(names.share(text)?),
        None => None,
    };
    Ok(VtableVariable {
        concrete_size: match concrete {
            Some(offset) => names.size_at(offset)?,
            None => None,
        },
        concrete_type,
        trait_name,
        location: record.location.unwrap_or(Location::Absent),
        size: type_.and_then(|type_| type_.size),
        entries,
        name,
    })
}

/// `Trait` of `<T as Trait>::{vtable}`; `T` may itself hold ` as `.
fn trait_of<'n>(name: &'n str, concrete: Option<&str>) -> Option<&'n str> {
    let inner = name.strip_prefix('<')?.strip_suffix(VTABLE)?.strip_suffix('>')?;
    let after = match concrete.and_then(|concrete| inner.strip_prefix(concrete)) {
        Some(after) => after.strip_prefix(" as ")?,
        None => inner.split_once(" as ")?.1,
    };
    (after != "_").then_some(after)
}

fn is_vtable(record: &VariableRecord<'_>) -> bool {
    record.name.is_some_and(|name| name.ends_with(VTABLE))
}
