//! The names of one file: rendered without crate hashes, and the groups of numbered items that order alone tells apart.
//!
//! A closure is known only by its place among its parent's closures, and what a macro makes several times only by a
//! counter. Such items form groups; whether a group is the same as in another version is decided by `compare`.

use super::bodies::Fingerprinter;
use super::debug::{DebugFacts, FunctionFacts, FunctionKind, Name};
use super::error::ReadError;
use super::module::{Symbol, SymbolTarget};
use super::name::{NameResolver, NumberedItem, SymbolName, V0Name, parse, without_llvm_suffix};
use crate::limits::{NAMES_WEIGHT_FACTOR, NAMES_WEIGHT_MIN};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Opens and closes the tag that `compare` adds to a numbered item. Neither character can occur in a Rust path.
pub(crate) const TAG_OPEN: char = '\u{2039}';
pub(crate) const TAG_CLOSE: char = '\u{203a}';

/// Parent (as named in this file), namespace and name of a group of numbered items.
pub(crate) type GroupKey = (Arc<str>, char, Arc<str>);

/// What distinguishes a member of a group besides its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Member {
    /// Kind and signature as text; empty where nothing is known of the member itself.
    pub(crate) description: Arc<str>,
    /// Layout of the environment as text, for closures and coroutines.
    pub(crate) captures: Arc<str>,
    pub(crate) is_coroutine: bool,
    pub(crate) is_static: bool,
    /// Name of the environment type of a closure or coroutine.
    pub(crate) environment: Option<Name>,
    /// Defined functions that are copies of this member.
    pub(crate) functions: BTreeSet<u32>,
    /// Functions whose name mentions this member: itself, what is inside it, what is generic over it.
    pub(crate) relatives: BTreeSet<u32>,
    /// Symbols of data whose name mentions this member.
    pub(crate) data: BTreeSet<u32>,
}

/// Parsed names of all symbols, and the groups of numbered items among them and among what debug information names.
#[derive(Debug)]
pub(crate) struct NameTable {
    parsed: Vec<Option<SymbolName>>,
    /// Crate names that stand for several crates: their hashes are part of identities.
    ambiguous_crates: BTreeSet<String>,
    /// Every crate named, with its hashes.
    pub(crate) crates: BTreeMap<String, BTreeSet<String>>,
    pub(crate) groups: BTreeMap<GroupKey, BTreeMap<u64, Member>>,
    /// Names and namespaces of all groups.
    numbered: HashMap<Arc<str>, BTreeSet<char>>,
}

impl NameTable {
    /// # Errors
    ///
    /// [`ReadError::BeyondLimit`] if names say far more than the file has bytes.
    pub(crate) fn new(symbols: &[Symbol], debug: &DebugFacts, file_bytes: usize) -> Result<Self, ReadError> {
        let parsed: Vec<_> =
            symbols.iter().map(|symbol| (!is_anonymous(&symbol.name)).then(|| parse(&symbol.name))).collect();
        let others = others(symbols, debug);
        let names = parsed.iter().flatten().chain(others.iter().map(|(_, name)| name));
        check_weight(names.filter_map(v0), file_bytes)?;
        let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in parsed.iter().flatten().filter_map(v0) {
            for (crate_name, hash) in name.crates() {
                if !crates.get(&*crate_name).is_some_and(|hashes| hashes.contains(hash)) {
                    crates.entry(crate_name.into_owned()).or_default().insert(hash.to_owned());
                }
            }
        }
        let ambiguous_crates = crates.iter().filter(|(_, hashes)| hashes.len() > 1).map(|(name, _)| name.clone());
        let ambiguous_crates = ambiguous_crates.collect();
        let mut table = Self { ambiguous_crates, parsed, crates, groups: BTreeMap::new(), numbered: HashMap::new() };
        table.collect_groups(symbols, debug, &others);
        Ok(table)
    }

    /// The name of every symbol as numbered in this file; `None` for anonymous data and symbols that are not code or data.
    pub(crate) fn provisional(&self, symbols: &[Symbol]) -> Vec<Option<Arc<str>>> {
        let mut plain = Plain { ambiguous: &self.ambiguous_crates };
        (0..symbols.len()).map(|index| self.render(index, &symbols[index], &mut plain)).collect()
    }

    /// The name of a symbol with numbered items named by `resolver`.
    pub(crate) fn render(&self, index: usize, symbol: &Symbol, resolver: &mut dyn NameResolver) -> Option<Arc<str>> {
        if matches!(symbol.target, SymbolTarget::Global(_) | SymbolTarget::Other) {
            return None;
        }
        Some(match self.parsed.get(index)?.as_ref()? {
            // What LLVM splits or clones is another thing than the whole.
            SymbolName::V0(name) => Arc::from(name.render(resolver) + name.suffix().unwrap_or_default()),
            SymbolName::Plain(name) => Arc::from(name.as_str()),
        })
    }

    /// The name of what debug information calls by this linkage name, as [`NameTable::provisional`] names symbols.
    pub(crate) fn plain(&self, linkage: &str) -> Arc<str> {
        match parse(linkage) {
            SymbolName::V0(name) => {
                let mut plain = Plain { ambiguous: &self.ambiguous_crates };
                Arc::from(name.render(&mut plain) + name.suffix().unwrap_or_default())
            }
            SymbolName::Plain(name) => Arc::from(name.as_str()),
        }
    }

    pub(crate) fn parsed(&self, index: usize) -> Option<&SymbolName> {
        self.parsed.get(index)?.as_ref()
    }

    pub(crate) fn is_ambiguous(&self, crate_name: &str) -> bool {
        self.ambiguous_crates.contains(crate_name)
    }

    /// Whether items of this name may be members of a group. Most are not, and looking for their group would cost more.
    pub(crate) fn may_be_grouped(&self, item: &NumberedItem<'_>) -> bool {
        self.numbered.get(&*item.name).is_some_and(|namespaces| namespaces.contains(&item.namespace))
    }

    fn collect_groups(&mut self, symbols: &[Symbol], debug: &DebugFacts, others: &[(&str, SymbolName)]) {
        let all = || self.parsed.iter().flatten().chain(others.iter().map(|(_, name)| name)).filter_map(v0);
        // One member numbered 0 of an ordinary name is no group: its name alone tells it apart.
        let mut keys = Keys { ambiguous: &self.ambiguous_crates, found: BTreeSet::new() };
        for name in all().filter(|name| name.mentioned().any(|item| tells_a_group(&item))) {
            name.render(&mut keys);
        }
        let keys = keys.found;
        for (_, namespace, name) in &keys {
            self.numbered.entry(name.clone()).or_default().insert(*namespace);
        }
        let mut collector =
            Collector { ambiguous: &self.ambiguous_crates, keys: &keys, last: None, mentioned: BTreeSet::new() };
        let statics = debug.variables.iter().map(|variable| &*variable.linkage_name).collect();
        let mut members = Members { debug, statics, found: BTreeMap::new() };
        for ((symbol, name), index) in symbols.iter().zip(&self.parsed).zip(0..) {
            if let Some(name) = name.as_ref().and_then(v0).filter(|name| self.mentions_numbered(name)) {
                members.note(&mut collector, name, &symbol.name, Some((index, symbol.target)));
            }
        }
        for (linkage, name) in others {
            if let Some(name) = v0(name).filter(|name| self.mentions_numbered(name)) {
                members.note(&mut collector, name, linkage, None);
            }
        }
        self.groups = members.found;
    }

    fn mentions_numbered(&self, name: &V0Name) -> bool {
        name.mentioned().any(|item| self.may_be_grouped(&item))
    }
}

/// Names that debug information alone has: what was inlined everywhere. In order, so that a file always reads the same.
fn others<'a>(symbols: &[Symbol], debug: &'a DebugFacts) -> Vec<(&'a str, SymbolName)> {
    let known: HashSet<_> = symbols.iter().map(|symbol| without_llvm_suffix(&symbol.name)).collect();
    let functions = debug.functions.keys().map(|name| &**name);
    let statics = debug.variables.iter().map(|variable| &*variable.linkage_name);
    let names: BTreeSet<&str> = functions.chain(statics).filter(|name| !known.contains(*name)).collect();
    names.into_iter().map(|name| (name, parse(name))).collect()
}

/// Back references make short names long, and every level of a name is rendered by itself.
fn check_weight<'a>(names: impl Iterator<Item = &'a V0Name>, file_bytes: usize) -> Result<(), ReadError> {
    let limit = NAMES_WEIGHT_MIN.saturating_add(file_bytes.saturating_mul(NAMES_WEIGHT_FACTOR));
    let found = names.fold(0usize, |sum, name| sum.saturating_add(name.weight()));
    if found > limit {
        let (found, limit) = (found as u64, limit as u64);
        return Err(ReadError::BeyondLimit {
            what: "bytes of symbol names, written out",
            found,
            limit_name: "NAMES_WEIGHT_FACTOR",
            limit,
        });
    }
    Ok(())
}

fn v0(name: &SymbolName) -> Option<&V0Name> {
    match name {
        SymbolName::V0(name) => Some(name),
        SymbolName::Plain(_) => None,
    }
}

/// The members of all groups, while they are being gathered.
struct Members<'a> {
    debug: &'a DebugFacts,
    /// Linkage names of all statics.
    statics: HashSet<&'a str>,
    found: BTreeMap<GroupKey, BTreeMap<u64, Member>>,
}

impl Members<'_> {
    fn of(&mut self, (key, number): &Numbered) -> &mut Member {
        // Cloning a key is cheap, but not where it is known already.
        if !self.found.contains_key(key) {
            self.found.insert(key.clone(), BTreeMap::new());
        }
        self.found.entry(key.clone()).or_default().entry(*number).or_default()
    }

    /// Takes down whom a name mentions; `symbol` is the one it belongs to, if any.
    fn note(
        &mut self,
        collector: &mut Collector<'_>,
        name: &V0Name,
        linkage: &str,
        symbol: Option<(u32, SymbolTarget)>,
    ) {
        let rendered = name.render(collector);
        let last = collector.last.take();
        for mentioned in std::mem::take(&mut collector.mentioned) {
            let member = self.of(&mentioned);
            match symbol {
                Some((_, SymbolTarget::Function(function))) => drop(member.relatives.insert(function)),
                Some((index, SymbolTarget::Data { .. })) => drop(member.data.insert(index)),
                _ => {}
            }
        }
        // Only the item that the symbol itself is can be described by what is known of the symbol, not one that its
        // generic arguments mention.
        let Some((key, number)) = last else { return };
        let item = NumberedItem { namespace: key.1, name: key.2.as_ref().into(), disambiguator: number };
        if rendered.strip_prefix(&*key.0) != Some(&item.text_as_is()) {
            return;
        }
        let (debug, is_static) = (self.debug, self.statics.contains(linkage));
        let member = self.of(&(key, number));
        if let Some(function) = debug.function(linkage) {
            member.is_coroutine |= matches!(function.kind, FunctionKind::Coroutine { .. });
            member.environment = member.environment.take().or_else(|| environment(function).cloned());
            member.description = short(&(&function.kind, &function.signatures));
            let layouts = environment(function).and_then(|name| debug.types.get(name));
            member.captures = layouts.map(|layouts| short(layouts)).unwrap_or_default();
        }
        match symbol.map(|(_, target)| target) {
            Some(SymbolTarget::Function(index)) => {
                member.functions.insert(index);
            }
            Some(SymbolTarget::Data { size, .. }) => {
                member.is_static = true;
                if member.description.is_empty() {
                    member.description = format!("static of {size} bytes").into();
                }
            }
            _ => member.is_static |= is_static,
        }
    }
}

/// Stands for what is compared but never shown: written out it may be long.
fn short(what: &impl std::fmt::Debug) -> Arc<str> {
    let mut fingerprinter = Fingerprinter::new();
    fingerprinter.add(format!("{what:?}").as_bytes());
    format!("{:?}", fingerprinter.finish()).into()
}

/// Whether data of this symbol name is matched by content only: LLVM and rustc make such names up per build.
pub(crate) fn is_anonymous(name: &str) -> bool {
    const MADE_UP: [&str; 7] = [".L", "anon.", "alloc_", "str.", "switch.table.", "vtable.", "__unnamed_"];
    name.is_empty() || MADE_UP.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether an item of this number makes its name one of a group: closures always do, others if they are not the first.
fn tells_a_group(item: &NumberedItem<'_>) -> bool {
    match item.namespace {
        'S' => false,
        'C' => true,
        _ => item.disambiguator > 0,
    }
}

/// The text of an item with the tag of the generation that introduced it.
pub(crate) fn tagged(item: &NumberedItem<'_>, introduced: crate::GenerationId) -> String {
    format!("{}{TAG_OPEN}{introduced}{TAG_CLOSE}", item.text_as_is())
}

/// Removes tags: what is left is the name as numbered in the file.
pub(crate) fn without_tags(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(TAG_OPEN) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(TAG_OPEN) {
        plain.push_str(&rest[..open]);
        let after = &rest[open..];
        rest = after.find(TAG_CLOSE).map_or("", |close| &after[close + TAG_CLOSE.len_utf8()..]);
    }
    plain.push_str(rest);
    plain.into()
}

fn environment(function: &FunctionFacts) -> Option<&Name> {
    match &function.kind {
        FunctionKind::Closure { environment } | FunctionKind::Coroutine { environment } => environment.as_ref(),
        FunctionKind::Function => None,
    }
}

struct Plain<'a> {
    ambiguous: &'a BTreeSet<String>,
}

impl NameResolver for Plain<'_> {
    fn keep_crate_hash(&mut self, name: &str, _hash: &str) -> bool {
        self.ambiguous.contains(name)
    }

    fn item(&mut self, _parent: &str, item: &NumberedItem<'_>) -> String {
        item.text_as_is()
    }
}

/// Finds out which groups there are.
struct Keys<'a> {
    ambiguous: &'a BTreeSet<String>,
    found: BTreeSet<GroupKey>,
}

impl NameResolver for Keys<'_> {
    fn keep_crate_hash(&mut self, name: &str, _hash: &str) -> bool {
        self.ambiguous.contains(name)
    }

    fn item(&mut self, parent: &str, item: &NumberedItem<'_>) -> String {
        if tells_a_group(item) {
            self.found.insert((Arc::from(parent), item.namespace, Arc::from(&*item.name)));
        }
        item.text_as_is()
    }
}

/// A member of a group.
type Numbered = (GroupKey, u64);

/// Finds out which members of groups a name mentions.
struct Collector<'a> {
    ambiguous: &'a BTreeSet<String>,
    keys: &'a BTreeSet<GroupKey>,
    /// The last item of the name being rendered, if it is a member.
    last: Option<Numbered>,
    /// Every member that the name being rendered mentions.
    mentioned: BTreeSet<Numbered>,
}

impl NameResolver for Collector<'_> {
    fn keep_crate_hash(&mut self, name: &str, _hash: &str) -> bool {
        self.ambiguous.contains(name)
    }

    fn item(&mut self, parent: &str, item: &NumberedItem<'_>) -> String {
        let key: GroupKey = (Arc::from(parent), item.namespace, Arc::from(&*item.name));
        self.last = self.keys.get(&key).map(|key| (key.clone(), item.disambiguator));
        self.mentioned.extend(self.last.clone());
        item.text_as_is()
    }
}
