//! Symbol names: parses Rust's v0 mangling into a tree and renders from it the *identity* of a symbol, which stays the
//! same over rebuilds (design: live linking, "Identity"). Printing names for people is rustc-demangle's work, and
//! matching the items of two builds is the resolver's, elsewhere.

mod cursor;
mod parse;
mod punycode;
mod render;
mod source;
#[cfg(test)]
mod tests;
mod tree;
mod view;

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::limits::NAME_PUNYCODE_BYTES;
use tree::{Identifier, Node, NodeId, Span};
pub(crate) use view::{Argument, NodeRef};

/// A symbol as the linker sees it.
#[derive(Debug)]
pub(crate) enum SymbolName {
    /// A Rust v0 name.
    V0(V0Name),
    /// Anything else: legacy mangling, `no_mangle`, C, anonymous data. Only an `.llvm.<digits>` suffix is taken off.
    Plain(String),
}

/// Reads a symbol. What is not well-formed, or beyond a limit, is plain.
pub(crate) fn parse(symbol: &str) -> SymbolName {
    let symbol = without_llvm_suffix(symbol);
    v0(&symbol).map_or_else(|| SymbolName::Plain(symbol.into_owned()), SymbolName::V0)
}

fn v0(symbol: &str) -> Option<V0Name> {
    let text = symbol.strip_prefix("_R")?;
    // Crates and identifiers are ASCII; a suffix starts with the first dot.
    let (mangled, suffix) = text.find('.').map_or((text, None), |dot| (&text[..dot], Some(&text[dot..])));
    let tree = parse::parse(mangled).ok()?;
    if tree.length != mangled.len() {
        return None;
    }
    let (text, suffix) = (mangled.into(), suffix.map(Into::into));
    Some(V0Name { text, suffix, nodes: tree.nodes, root: tree.root, weight: tree.weight })
}

/// LLVM makes local symbols that it promotes unique by a hash of the module, which no identity may depend on. Debug
/// information has the name without it.
pub(crate) fn without_llvm_suffix(symbol: &str) -> Cow<'_, str> {
    const MARK: &str = ".llvm.";
    if let Some(at) = symbol.find(MARK) {
        let hash = &symbol[at + MARK.len()..];
        let end = hash.find('.').unwrap_or(hash.len());
        if end > 0 && hash[..end].bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F' | b'@')) {
            return if end == hash.len() {
                Cow::Borrowed(&symbol[..at])
            } else {
                Cow::Owned(format!("{}{}", &symbol[..at], &hash[end..]))
            };
        }
    }
    Cow::Borrowed(symbol)
}

/// A parsed v0 name.
#[derive(Debug)]
pub(crate) struct V0Name {
    text: Box<str>,
    suffix: Option<Box<str>>,
    nodes: Vec<Node>,
    root: NodeId,
    weight: usize,
}

/// Decides about what the name alone does not: which crates keep their hash, and how numbered items are called.
pub(crate) trait NameResolver {
    /// Whether this crate's hash belongs to the identity (two crates share the name).
    fn keep_crate_hash(&mut self, name: &str, hash: &str) -> bool;

    /// The text for `item`, which is appended to `parent` (rendered by this resolver already). It is called for
    /// every nested item at every level, outermost first, and must come from [`NumberedItem::text`] for
    /// identities to stay distinct: the resolver's choice is the number.
    fn item(&mut self, parent: &str, item: &NumberedItem<'_>) -> String;
}

/// Keeps every number as the symbol has it and drops every crate hash.
pub(crate) struct NumbersAsTheyAre;

impl NameResolver for NumbersAsTheyAre {
    fn keep_crate_hash(&mut self, _name: &str, _hash: &str) -> bool {
        false
    }

    fn item(&mut self, _parent: &str, item: &NumberedItem<'_>) -> String {
        item.text_as_is()
    }
}

/// One step of a path, told apart from others of its name in the same parent by a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NumberedItem<'a> {
    /// `t` type, `v` value, `C` closure, `S` shim; other letters are the compiler's.
    pub(crate) namespace: char,
    /// Empty for closures.
    pub(crate) name: Cow<'a, str>,
    /// From 0, in the order of the source.
    pub(crate) disambiguator: u64,
}

impl NumberedItem<'_> {
    /// Whether it is a closure or coroutine body.
    pub(crate) fn is_closure(&self) -> bool {
        self.namespace == 'C'
    }

    /// The segment with this number, which must hold no delimiter (`#`, `}`, `:`, `.`, `<`, ...). An empty number is
    /// that of an ordinary item which is alone.
    pub(crate) fn text(&self, number: &str) -> String {
        let mark = if number.is_empty() { "" } else { "#" };
        let name = &self.name;
        let separator = if name.is_empty() { "" } else { ":" };
        match self.namespace {
            't' => format!("::{name}{mark}{number}"),
            'v' => format!(".{name}{mark}{number}"),
            'C' => format!("::{{closure{separator}{name}{mark}{number}}}"),
            'S' => format!("::{{shim{separator}{name}{mark}{number}}}"),
            other => format!("::{{{other}{separator}{name}{mark}{number}}}"),
        }
    }

    /// The segment with the number the symbol has.
    pub(crate) fn text_as_is(&self) -> String {
        match (self.namespace, self.disambiguator) {
            ('t' | 'v', 0) => self.text(""),
            (_, number) => self.text(&number.to_string()),
        }
    }
}

impl V0Name {
    /// The identity: everything but crate hashes, impl disambiguators and the instantiating crate. See `render.rs` for
    /// the syntax. [`V0Name::suffix`] is not part of it.
    pub(crate) fn render(&self, resolver: &mut dyn NameResolver) -> String {
        self.root().render(resolver)
    }

    /// `.N`, which LLVM puts on what it splits or clones, with its dot.
    pub(crate) fn suffix(&self) -> Option<&str> {
        self.suffix.as_deref()
    }

    /// What rendering the name takes at most, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// Namespace, name and number of every item mentioned, without its place.
    pub(crate) fn mentioned(&self) -> impl Iterator<Item = NumberedItem<'_>> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Item { namespace, disambiguator, name, .. } => Some(NumberedItem {
                namespace: char::from(*namespace),
                name: self.identifier(*name),
                disambiguator: *disambiguator,
            }),
            _ => None,
        })
    }

    /// The whole path.
    pub(crate) fn root(&self) -> NodeRef<'_> {
        NodeRef::new(self, self.root)
    }

    /// Every crate mentioned, by name and disambiguator text, the instantiating crate excepted.
    pub(crate) fn crates(&self) -> BTreeSet<(Cow<'_, str>, &str)> {
        self.nodes
            .iter()
            .filter_map(|node| match node {
                Node::Crate { hash, name } => Some((self.identifier(*name), self.span(*hash))),
                _ => None,
            })
            .collect()
    }

    /// Every nested item with its place, parents before children.
    #[cfg(test)]
    pub(crate) fn items(&self) -> impl Iterator<Item = (NodeRef<'_>, NumberedItem<'_>)> {
        // Children lie before their parents, and the parent path of an item is a child of the item's node.
        (0..self.nodes.len()).filter_map(|index| {
            let node = NodeRef::new(self, NodeId::try_from(index).ok()?);
            Some((node, node.item()?))
        })
    }

    /// Every impl block mentioned.
    pub(crate) fn impl_blocks(&self) -> impl Iterator<Item = NodeRef<'_>> {
        (0..self.nodes.len())
            .filter_map(|index| Some(NodeRef::new(self, NodeId::try_from(index).ok()?)))
            .filter(|node| node.is_impl())
    }

    fn node(&self, id: NodeId) -> &Node {
        // Ids come from this name's parser only.
        &self.nodes[id as usize]
    }

    fn span(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Punycode is decoded; what does not decode is kept behind `u'`, which no identifier holds.
    fn identifier(&self, identifier: Identifier) -> Cow<'_, str> {
        let text = self.span(identifier.text);
        match identifier.punycode {
            false => Cow::Borrowed(text),
            // Decoding inserts letter after letter.
            true if text.len() > NAME_PUNYCODE_BYTES => Cow::Owned(format!("u'{text}")),
            true => Cow::Owned(punycode::decode(text).unwrap_or_else(|| format!("u'{text}"))),
        }
    }
}

/// The trait by which containers rely on a function: those that hash, compare and borrow keys. The function is a method of
/// an `impl` of it, or inside one, or a method that the trait itself provides.
pub(crate) fn relied_on_trait(path: NodeRef<'_>) -> Option<String> {
    const RELIED_ON: [&str; 10] = [
        "core::hash::Hash",
        "core::hash::Hasher",
        "core::hash::BuildHasher",
        "core::cmp::PartialEq",
        "core::cmp::Eq",
        "core::cmp::PartialOrd",
        "core::cmp::Ord",
        "core::borrow::Borrow",
        "equivalent::Equivalent",
        "equivalent::Comparable",
    ];
    let name = path.trait_path()?.without_arguments().render(&mut NumbersAsTheyAre);
    RELIED_ON.contains(&name.as_str()).then_some(name)
}

/// The number that a crate's disambiguator text stands for: rustc's stable crate id, which compile units give in
/// hexadecimal.
pub(crate) fn crate_hash(disambiguator: &str) -> Option<u64> {
    let digits = match disambiguator {
        "" => return Some(0),
        "_" => return Some(1),
        digits => digits,
    };
    let number = digits.bytes().try_fold(0u64, |number, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'z' => byte - b'a' + 10,
            b'A'..=b'Z' => byte - b'A' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(u64::from(digit))
    })?;
    number.checked_add(2)
}
