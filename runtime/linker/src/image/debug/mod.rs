//! Debug information of a mod: types and their layouts, statics, functions and their signatures, vtables. Reads DWARF 4
//! and 5 as rustc writes it for WebAssembly, from the custom sections of the final module. Ties nothing to symbols or
//! bytes of the module and judges nothing; see the design's "Facts from real binaries" for what the facts mean.
//!
//! The way: `collect` reads the entries once into `records`; `impls` learns from the symbols what `{impl#N}` stands for;
//! `types`, `functions` and `statics` follow the references and give everything its name. Whatever the bytes, that ends
//! in facts or in an error that names section and offset, within the limits in `limits.rs`.

mod attributes;
mod collect;
mod error;
mod facts;
mod functions;
mod impls;
mod inlined;
mod lines;
mod records;
mod sections;
mod statics;
#[cfg(test)]
pub(crate) mod tests;
mod types;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use error::DebugError;
pub(crate) use facts::{
    CrateIdentity, DebugFacts, DebugLevel, DiscriminantValues, Field, FunctionFacts, FunctionKind, Location, Name,
    Position, StaticVariable, TypeKind, TypeLayout, Variant, is_transient,
};
#[cfg(test)]
pub(crate) use facts::{Signature, is_numbered};
use impls::ImplNames;
use lines::Files;
use records::Records;
use sections::Sections;
use types::Names;

/// Reads the facts. `section` gives a custom section's content by its name (`.debug_info` and so on); of those that
/// are missing nothing is known, which is not an error here.
pub(crate) fn read<'a>(section: impl Fn(&str) -> Option<&'a [u8]>) -> Result<DebugFacts, DebugError> {
    let mut sections = Sections::new(section);
    let records = collect::collect(&mut sections)?;
    let impls = ImplNames::learn(&records, sections.reading.whole(), sections.memory.whole());
    let mut names = Names::new(&records, impls, &mut sections.memory, &mut sections.reading);
    let types = names.layouts()?;
    let functions = functions::functions(&mut names, &types)?;
    let shapes = names.shapes(&types)?;
    let statics = statics::statics(&mut names, &shapes)?;
    let vtables = statics::vtables(&mut names)?;
    let crates = crates(&records);
    let (inlined, ranged) = inlined::inlined(&mut names, &crates)?;
    drop(names);
    let mut files = Files::default();
    let functions = functions.place(&mut files, &mut sections, &records)?;
    let variables = statics::place(statics, &mut files, &mut sections, &records)?;
    let inlined = inlined::place(inlined, ranged, &mut sections, &records)?;
    Ok(DebugFacts { types, variables, functions, inlined, vtables, crates, producers: producers(&records) })
}

fn producers(records: &Records<'_>) -> BTreeSet<String> {
    records.units.iter().filter_map(|unit| unit.producer.map(str::to_owned)).collect()
}

/// rustc names its units `src/lib.rs/@/name.hash-cgu.0`, with the stable crate id in hexadecimal.
fn crates(records: &Records<'_>) -> BTreeMap<CrateIdentity, DebugLevel> {
    let mut crates = BTreeMap::new();
    for unit in &records.units {
        let identity = unit.name.and_then(|name| {
            let (_, unit) = name.rsplit_once("/@/")?;
            let (name, rest) = unit.split_once('.')?;
            let (hash, _) = rest.split_once('-')?;
            Some(CrateIdentity { name: name.into(), hash: u64::from_str_radix(hash, 16).ok()? })
        });
        if let Some(identity) = identity {
            let level = if unit.has_types { DebugLevel::Full } else { DebugLevel::Lines };
            let known = crates.entry(identity).or_insert(level);
            *known = (*known).max(level);
        }
    }
    crates
}
