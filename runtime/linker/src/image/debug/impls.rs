//! Names for impl blocks. Debug information calls them `{impl#N}`, by their order in the module, so every name with
//! such a part would shift when a block is inserted before it. Symbols of a block's members spell out what the block
//! implements for what; here the one is replaced by the other: `<a::Foo as a::Bar>`.
//!
//! A symbol gives an instance of a generic block, and which instances exist may differ between two builds. Its
//! parameters must not be part of the name, so what they stand for (debug information's name of the member lists it) is
//! replaced by `_`. A parameter that stands for a type which the block also mentions by itself gives a `_` too many:
//! the instance with the fewest holes tells the truth.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::error::DebugProblem;
use super::records::Records;
use super::sections::Budget;
use crate::image::name::{SymbolName, V0Name, parse};

/// What is known about the impl blocks of one mod.
pub(super) struct ImplNames {
    /// By scope, `module::{impl#N}`.
    known: HashMap<String, Best>,
    /// Bytes of the longest scope.
    longest: usize,
    /// What looking at symbols may still cost.
    budget: Budget,
    /// What may still be kept of them.
    memory: Budget,
}

/// The best description of a block so far.
struct Best {
    /// Lower is better: holes not found, then holes, then the text.
    rank: (usize, usize, String),
    heads: String,
    home: Option<u64>,
    /// Two crates of one name have a block of this number: nothing can be said.
    ambiguous: bool,
}

/// Rank of a description from a symbol that does not tell the block's parameters.
const UNKNOWN: usize = usize::MAX;

impl ImplNames {
    /// Learns from the symbols that debug information mentions. `budget` bounds the text looked at, `memory` what is kept of
    /// it; blocks beyond stay numbered.
    pub(super) fn learn(records: &Records<'_>, budget: Budget, memory: Budget) -> Self {
        let mut names = Self { known: HashMap::new(), longest: 0, budget, memory };
        let mut seen = HashSet::new();
        // Units with types first; the many functions of the standard library's line tables only if a type needs them.
        for with_types in [true, false] {
            if !with_types && !names.misses_any(records) {
                break;
            }
            for function in &records.functions {
                let unit_has_types = records.units.get(function.unit).is_some_and(|unit| unit.has_types);
                if unit_has_types != with_types {
                    continue;
                }
                let Some(symbol) = function.linkage_name.filter(|symbol| seen.insert(*symbol)) else {
                    continue;
                };
                if names.budget.take(symbol.len()).is_err() {
                    return names;
                }
                if let SymbolName::V0(name) = parse(symbol)
                    && names.learn_symbol(&name, function.name.unwrap_or_default()).is_err()
                {
                    return names;
                }
            }
        }
        names
    }

    /// Whether a type's name has an impl block of which nothing is known yet.
    fn misses_any(&self, records: &Records<'_>) -> bool {
        let mut budget = self.budget;
        let mut misses = |text: &str| self.rewrite(text, &mut budget).is_ok_and(|text| text.contains(MARK));
        records.types.iter().any(|record| {
            record.name.is_some_and(&mut misses)
                // The scope's own text is enough, as a block is a scope.
                || misses(records.scopes.path(record.scope))
        })
    }

    fn learn_symbol(&mut self, name: &V0Name, debug_name: &str) -> Result<(), DebugProblem> {
        let member = name.root().impl_member();
        for block in name.impl_blocks() {
            let (holes, certain) = match member {
                Some((parent, own)) if parent == block => {
                    let mut arguments = arguments(debug_name);
                    let parameters = arguments.len().saturating_sub(own);
                    arguments.truncate(parameters);
                    (arguments, true)
                }
                _ => (Vec::new(), false),
            };
            let Some(found) = block.impl_block(&holes) else {
                continue;
            };
            // A short symbol may mention many blocks, each of them long.
            self.budget.take(found.cost)?;
            let missing = if certain { holes.len() - found.holes_found } else { UNKNOWN };
            let rank = (missing, found.text.matches('_').count(), found.text);
            let home = block.home_crate().and_then(|(_, hash)| crate::image::name::crate_hash(hash));
            match self.known.get_mut(&found.scope) {
                None => {
                    self.memory.take(found.scope.len() + rank.2.len() + found.heads.len())?;
                    self.longest = self.longest.max(found.scope.len());
                    self.known.insert(found.scope, Best { rank, heads: found.heads, home, ambiguous: false });
                }
                Some(best) => {
                    best.ambiguous |= best.home != home;
                    if rank < best.rank {
                        best.rank = rank;
                        best.heads = found.heads;
                    }
                }
            }
        }
        Ok(())
    }

    /// The name with every impl block replaced that is known. What is left of `{impl#N}` is numbered.
    pub(super) fn rewrite<'n>(&self, name: &'n str, budget: &mut Budget) -> Result<Cow<'n, str>, DebugProblem> {
        if !name.contains(MARK) {
            return Ok(Cow::Borrowed(name));
        }
        let mut output = String::with_capacity(name.len());
        let (mut done, mut from, mut path_start) = (0, 0, 0);
        while let Some(found) = name[from..].find(MARK).map(|at| from + at) {
            let Some(end) = name[found..].find('}').map(|at| found + at + 1) else {
                break;
            };
            // The scope reaches back to where the path begins.
            if let Some((at, other)) = name[from..found].char_indices().rfind(|(_, character)| !is_path(*character)) {
                path_start = from + at + other.len_utf8();
            }
            from = end;
            let start = path_start.max(done);
            let scope = name.get(start..end).filter(|scope| scope.len() <= self.longest);
            budget.take(scope.map_or(0, str::len))?;
            if let Some(text) = scope.and_then(|scope| self.text(scope)) {
                budget.take(text.len())?;
                output.push_str(&name[done..start]);
                output.push_str(text);
                done = end;
            }
        }
        output.push_str(&name[done..]);
        Ok(Cow::Owned(output))
    }

    fn text(&self, scope: &str) -> Option<&str> {
        let best = self.known.get(scope).filter(|best| !best.ambiguous)?;
        Some(if best.rank.0 == 0 { &best.rank.2 } else { &best.heads })
    }
}

const MARK: &str = "{impl#";

fn is_path(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | ':' | '{' | '}' | '#') || !character.is_ascii()
}

/// The generic arguments at the end of a name in debug information.
pub(super) fn arguments(name: &str) -> Vec<&str> {
    let path = without_arguments(name);
    let Some(inner) = name[path.len()..].strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let (mut depth, mut start, mut previous) = (0usize, 0, 0);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'<' | b'(' | b'[' | b'{' => depth += 1,
            // The arrow of a function type.
            b'>' if previous == b'-' => {}
            b'>' | b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                all.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        previous = byte;
    }
    all.push(inner[start..].trim());
    all
}

/// The name up to the generic arguments at its end.
pub(super) fn without_arguments(name: &str) -> &str {
    if !name.ends_with('>') {
        return name;
    }
    let bytes = name.as_bytes();
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate().rev() {
        match byte {
            b'>' if at > 0 && bytes[at - 1] == b'-' => {}
            b'>' => depth += 1,
            b'<' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return if at == 0 { name } else { &name[..at] };
                }
            }
            _ => {}
        }
    }
    name
}
