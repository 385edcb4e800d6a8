//! The names of one file: rendered without crate hashes, and the groups of numbered items that order alone tells apart.
//!
//! A closure is known only by its place among its parent's closures, and what a macro makes several times only by a
//! counter. Such items form groups; whether a group is the same as in another version is decided by `compare`.

use super::debug::{DebugFacts, FunctionFacts, FunctionKind, Name};
use super::module::{Symbol, SymbolTarget};
use super::name::{NameResolver, NumberedItem, SymbolName, parse};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
}

impl NameTable {
    pub(crate) fn new(symbols: &[Symbol], debug: &DebugFacts) -> Self {
        let parsed: Vec<_> =
            symbols.iter().map(|symbol| (!is_anonymous(&symbol.name)).then(|| parse(&symbol.name))).collect();
        let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in parsed.iter().flatten() {
            if let SymbolName::V0(name) = name {
                for (crate_name, hash) in name.crates() {
                    crates.entry(crate_name.into_owned()).or_default().insert(hash.to_owned());
                }
            }
        }
        let ambiguous_crates = crates.iter().filter(|(_, hashes)| hashes.len() > 1).map(|(name, _)| name.clone());
        let mut table = Self { ambiguous_crates: ambiguous_crates.collect(), parsed, crates, groups: BTreeMap::new() };
        table.collect_groups(symbols, debug);
        table
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

    fn collect_groups(&mut self, symbols: &[Symbol], debug: &DebugFacts) {
        let mut collector = Collector {
            ambiguous: &self.ambiguous_crates,
            groups: BTreeMap::new(),
            last: None,
            mentioned: BTreeSet::new(),
        };
        let mut members: HashMap<(GroupKey, u64), Member> = HashMap::new();
        let static_names: BTreeSet<&str> = debug.variables.iter().map(|variable| &*variable.linkage_name).collect();
        let mut note =
            |collector: &mut Collector<'_>, name: &SymbolName, linkage: &str, symbol: Option<(u32, SymbolTarget)>| {
                let SymbolName::V0(name) = name else { return };
                collector.last = None;
                collector.mentioned.clear();
                let rendered = name.render(collector);
                for mentioned in &collector.mentioned {
                    let member = members.entry(mentioned.clone()).or_default();
                    match symbol {
                        Some((_, SymbolTarget::Function(function))) => drop(member.relatives.insert(function)),
                        Some((index, SymbolTarget::Data { .. })) => drop(member.data.insert(index)),
                        _ => {}
                    }
                }
                // Only the item that the symbol itself is can be described by what is known of the symbol, not one that its
                // generic arguments mention.
                let Some((key, number)) = collector.last.take() else { return };
                let item = NumberedItem { namespace: key.1, name: key.2.as_ref().into(), disambiguator: number };
                if rendered.strip_prefix(&*key.0) != Some(&item.text_as_is()) {
                    return;
                }
                let last = (key, number);
                let member = members.entry(last).or_default();
                if let Some(function) = debug.function(linkage) {
                    member.is_coroutine |= matches!(function.kind, FunctionKind::Coroutine { .. });
                    member.environment = member.environment.take().or_else(|| environment(function).cloned());
                    member.description = format!("{:?} {:?}", function.kind, function.signatures).into();
                    let layouts = environment(function).and_then(|name| debug.types.get(name));
                    member.captures = layouts.map(|layouts| format!("{layouts:?}")).unwrap_or_default().into();
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
                    _ => member.is_static |= static_names.contains(linkage),
                }
            };
        for ((symbol, name), index) in symbols.iter().zip(&self.parsed).zip(0..) {
            if let Some(name) = name {
                note(&mut collector, name, &symbol.name, Some((index, symbol.target)));
            }
        }
        for linkage in debug.functions.keys().map(|name| &**name).chain(static_names.iter().copied()) {
            note(&mut collector, &parse(linkage), linkage, None);
        }
        let mut groups = collector.groups;
        // One member numbered 0 of an ordinary name is no group: its name alone tells it apart.
        groups.retain(|(_, namespace, _), numbers| {
            is_always_numbered(*namespace) || numbers.len() > 1 || numbers.iter().any(|number| *number > 0)
        });
        self.groups = groups
            .into_iter()
            .map(|(key, numbers)| {
                let group = numbers
                    .into_iter()
                    .map(|number| (number, members.remove(&(key.clone(), number)).unwrap_or_default()));
                let group = group.collect();
                (key, group)
            })
            .collect();
    }
}

/// Whether data of this symbol name is matched by content only: LLVM and rustc make such names up per build.
pub(crate) fn is_anonymous(name: &str) -> bool {
    const MADE_UP: [&str; 7] = [".L", "anon.", "alloc_", "str.", "switch.table.", "vtable.", "__unnamed_"];
    name.is_empty() || MADE_UP.iter().any(|prefix| name.starts_with(prefix))
}

fn is_always_numbered(namespace: char) -> bool {
    namespace == 'C'
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

struct Collector<'a> {
    ambiguous: &'a BTreeSet<String>,
    groups: BTreeMap<GroupKey, BTreeSet<u64>>,
    last: Option<(GroupKey, u64)>,
    /// Every item that the name being rendered mentions.
    mentioned: BTreeSet<(GroupKey, u64)>,
}

impl NameResolver for Collector<'_> {
    fn keep_crate_hash(&mut self, name: &str, _hash: &str) -> bool {
        self.ambiguous.contains(name)
    }

    fn item(&mut self, parent: &str, item: &NumberedItem<'_>) -> String {
        let key: GroupKey = (Arc::from(parent), item.namespace, Arc::from(&*item.name));
        if item.namespace != 'S' {
            self.groups.entry(key.clone()).or_default().insert(item.disambiguator);
            self.mentioned.insert((key.clone(), item.disambiguator));
        }
        self.last = Some((key, item.disambiguator));
        item.text_as_is()
    }
}
