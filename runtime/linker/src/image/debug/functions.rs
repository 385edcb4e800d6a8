//! From records of functions to one set of facts per symbol. A function has up to three entries in each unit (declared
//! in its type, abstract for inlining, out of line) which refer to each other, and generic copies in other units.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::attributes::{High, TOMBSTONE};
use super::error::{DebugError, DebugProblem};
use super::facts::{FunctionFacts, FunctionKind, Name, Position, Signature, TypeLayout};
use super::lines::Files;
use super::records::{FunctionRecord, Records};
use super::sections::Sections;
use super::types::Names;

/// Entries that may stand between a function and the one that names it: out of line, abstract, declared.
const ORIGINS: usize = 4;

/// A position before its file is looked up.
#[derive(Clone, Copy)]
pub(super) struct RawPosition {
    pub(super) unit: usize,
    pub(super) file: u64,
    pub(super) line: u64,
}

/// All functions, and where they stand.
pub(super) struct Functions {
    facts: HashMap<Name, FunctionFacts>,
    positions: HashMap<Name, RawPosition>,
}

/// What the entries of one function say together.
pub(super) struct Whole<'r, 'a> {
    /// The entry that has the name.
    pub(super) named: &'r FunctionRecord<'a>,
    parameters: &'r [usize],
    result: Option<usize>,
    position: Option<RawPosition>,
}

/// Facts of all functions by symbol.
pub(super) fn functions(
    names: &mut Names<'_, '_>,
    types: &std::collections::BTreeMap<Name, BTreeSet<TypeLayout>>,
) -> Result<Functions, DebugError> {
    let records = names.records;
    let mut functions: HashMap<Name, FunctionFacts> = HashMap::new();
    let mut positions = HashMap::new();
    for record in &records.functions {
        let fail = |problem: DebugProblem| problem.at_entry(record.offset);
        let whole = whole(records, record).map_err(fail)?;
        let range = range(record);
        let has_types = records.units.get(record.unit).is_some_and(|unit| unit.has_types);
        // Tens of thousands of these in the standard library's line tables, and they say nothing.
        if !has_types && range.is_none() {
            continue;
        }
        let Some(symbol) = whole.named.linkage_name.or(whole.named.name) else {
            continue;
        };
        let symbol = names.share_symbol(symbol).map_err(fail)?;
        if !functions.contains_key(&symbol) {
            let name = whole.named.name.unwrap_or_default();
            let qualified_name = names.qualified(whole.named.scope, name).map_err(fail)?;
            let kind = kind(&qualified_name, types);
            functions.insert(
                Arc::clone(&symbol),
                FunctionFacts {
                    qualified_name,
                    signatures: BTreeSet::new(),
                    inlined_signatures: BTreeSet::new(),
                    position: None,
                    ranges: Vec::new(),
                    kind,
                },
            );
        }
        let Some(facts) = functions.get_mut(&symbol) else {
            continue;
        };
        if let Some(position) = whole.position {
            positions.entry(Arc::clone(&symbol)).or_insert(position);
        }
        let has_code = range.is_some();
        facts.ranges.extend(range);
        // A declaration in a type has no parameters, and a unit of line tables has none anywhere.
        if has_types && !record.declaration {
            let signature = signature(names, &whole).map_err(fail)?;
            let signatures = if has_code { &mut facts.signatures } else { &mut facts.inlined_signatures };
            signatures.insert(signature);
        }
    }
    Ok(Functions { facts: functions, positions })
}

impl Functions {
    /// Looks the positions' files up.
    pub(super) fn place<'a>(
        mut self,
        files: &mut Files,
        sections: &mut Sections<'a>,
        records: &Records<'a>,
    ) -> Result<HashMap<Name, FunctionFacts>, DebugError> {
        for (symbol, facts) in &mut self.facts {
            if let Some(raw) = self.positions.get(symbol) {
                facts.position = raw.position(files, sections, records)?;
            }
        }
        Ok(self.facts)
    }
}

impl RawPosition {
    /// With its file's name.
    pub(super) fn position<'a>(
        self,
        files: &mut Files,
        sections: &mut Sections<'a>,
        records: &Records<'a>,
    ) -> Result<Option<Position>, DebugError> {
        let Some(unit) = records.units.get(self.unit) else {
            return Ok(None);
        };
        let file = files.path(sections, unit, self.file)?;
        Ok(file.map(|file| Position { file, line: self.line }))
    }
}

/// Follows the references of an entry. Parameters and result are those of the first entry that has any.
pub(super) fn whole<'r, 'a>(
    records: &'r Records<'a>,
    record: &'r FunctionRecord<'a>,
) -> Result<Whole<'r, 'a>, DebugProblem> {
    let mut whole = Whole { named: record, parameters: &[], result: None, position: None };
    let mut at = record;
    for _ in 0..ORIGINS {
        if whole.named.linkage_name.is_none() && (at.linkage_name.is_some() || whole.named.name.is_none()) {
            whole.named = at;
        }
        if whole.parameters.is_empty() {
            whole.parameters = &at.parameters;
        }
        whole.result = whole.result.or(at.result);
        if whole.position.is_none()
            && let (Some(file), Some(line)) = (at.file, at.line)
        {
            whole.position = Some(RawPosition { unit: at.unit, file, line });
        }
        let Some(origin) = at.origin else {
            return Ok(whole);
        };
        at = records.function_at(origin).ok_or(DebugProblem::Dangling { expected: "function", target: origin })?;
    }
    Err(DebugProblem::Cycle)
}

fn signature(names: &mut Names<'_, '_>, whole: &Whole<'_, '_>) -> Result<Signature, DebugProblem> {
    let mut parameters = Vec::with_capacity(whole.parameters.len());
    for parameter in whole.parameters {
        let parameter = names.type_at(*parameter)?;
        // Signatures of one function are compared.
        names.reading.take(parameter.len())?;
        parameters.push(parameter);
    }
    let result = whole.result.map(|result| names.type_at(result)).transpose()?;
    Ok(Signature { parameters, result: result.filter(|result| &**result != "()") })
}

fn range(record: &FunctionRecord<'_>) -> Option<std::ops::Range<u32>> {
    let low = record.low.filter(|low| *low != TOMBSTONE)?;
    let high = match record.high? {
        High::Address(address) => address,
        High::Length(length) => low.checked_add(length)?,
    };
    let range = u32::try_from(low).ok()?..u32::try_from(high).ok()?;
    (!range.is_empty()).then_some(range)
}

/// rustc names bodies in braces: `{closure#0}`, `{async_fn#0}`; their captures' type is called the same with `_env`.
fn kind(qualified_name: &str, types: &std::collections::BTreeMap<Name, BTreeSet<TypeLayout>>) -> FunctionKind {
    // The last segment may have generic arguments, with braces of their own, after it.
    let last = super::impls::without_arguments(qualified_name).rfind("::").map(|at| at + 2);
    let Some(start) = last.filter(|at| qualified_name[*at..].starts_with('{')) else {
        return FunctionKind::Function;
    };
    let name = &qualified_name[start + 1..];
    let Some(number) = name.find('#') else {
        return FunctionKind::Function;
    };
    let what = &name[..number];
    let environment = format!("{}{{{what}_env{}", &qualified_name[..start], &name[number..]);
    let environment = types.get_key_value(environment.as_str()).map(|(name, _)| Arc::clone(name));
    match what {
        "closure" => FunctionKind::Closure { environment },
        "impl" | "constant" | "constructor" | "vtable" => FunctionKind::Function,
        _ => FunctionKind::Coroutine { environment },
    }
}
