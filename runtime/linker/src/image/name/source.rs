//! Renders parts of a name as rustc's debug information names the same things, to tie the two together: scopes
//! (`a::f::{impl#3}`) and types (`alloc::vec::Vec<u8, alloc::alloc::Global>`). Lossy; never an identity.

use super::tree::{Argument, Node, NodeId, VariantFields};
use super::view::NodeRef;
use super::{V0Name, render};

/// An impl block that a name mentions.
pub(crate) struct ImplBlock {
    /// The scope as debug information has it: `module::{impl#N}`.
    pub(crate) scope: String,
    /// `<T>` or `<T as Trait>`, with `_` in the place of every type given as a hole.
    pub(crate) text: String,
    /// Holes that were found.
    pub(crate) holes_found: usize,
    /// The same without any generic argument.
    pub(crate) heads: String,
}

impl<'a> NodeRef<'a> {
    /// The impl block this path's last item belongs to directly, closures between them left out, with the number of
    /// the item's own type and const arguments.
    pub(crate) fn impl_member(self) -> Option<(NodeRef<'a>, usize)> {
        let mut at = self;
        while at.is_closure() {
            at = at.parent()?;
        }
        let own = at.arguments().iter().filter(|argument| **argument != super::Argument::Lifetime).count();
        let parent = at.parent()?;
        parent.is_impl().then_some((parent, own))
    }

    /// Describes the impl block at the end of this path. `holes` are the types its parameters stand for here.
    pub(crate) fn impl_block(self, holes: &[&str]) -> Option<ImplBlock> {
        let (name, id) = self.parts();
        let scope = Source { name, holes: &[], heads: false }.scope(id)?;
        let source = Source { name, holes, heads: false };
        let text = source.qualified(id)?;
        let heads = Source { name, holes: &[], heads: true }.qualified(id)?;
        let parameter = |hole: &&&str| source.mentions(id, hole);
        Some(ImplBlock { scope, text, holes_found: holes.iter().filter(parameter).count(), heads })
    }
}

/// How to render.
struct Source<'a> {
    name: &'a V0Name,
    /// Types that are rendered as `_`.
    holes: &'a [&'a str],
    /// Leave generic arguments out.
    heads: bool,
}

impl Source<'_> {
    /// Path of a scope: no arguments, no disambiguators, impl blocks by number.
    fn scope(&self, id: NodeId) -> Option<String> {
        Some(match self.name.node(id) {
            Node::Crate { name, .. } => self.name.identifier(*name).into_owned(),
            Node::Generic { path, .. } => self.scope(*path)?,
            Node::Item { namespace: b'C', parent, disambiguator, .. } => {
                format!("{}::{{closure#{disambiguator}}}", self.scope(*parent)?)
            }
            Node::Item { parent, name, .. } => {
                format!("{}::{}", self.scope(*parent)?, self.name.identifier(*name))
            }
            Node::InherentImpl { number, module, .. } | Node::TraitImpl { number, module, .. } => {
                format!("{}::{{impl#{number}}}", self.scope(*module)?)
            }
            Node::TraitDefinition { trait_path, .. } => self.scope(*trait_path)?,
            _ => return None,
        })
    }

    /// `<T>` or `<T as Trait>`.
    fn qualified(&self, id: NodeId) -> Option<String> {
        match self.name.node(id) {
            Node::InherentImpl { self_type, .. } => Some(format!("<{}>", self.type_(*self_type))),
            Node::TraitImpl { self_type, trait_path, .. } | Node::TraitDefinition { self_type, trait_path } => {
                Some(format!("<{} as {}>", self.type_(*self_type), self.type_(*trait_path)))
            }
            _ => None,
        }
    }

    /// Whether `hole` is one of the types within.
    fn mentions(&self, id: NodeId, hole: &str) -> bool {
        let plain = Source { name: self.name, holes: &[], heads: false };
        let with_hole = Source { name: self.name, holes: &[hole], heads: false };
        plain.qualified(id) != with_hole.qualified(id)
    }

    /// A type or path.
    fn type_(&self, id: NodeId) -> String {
        if !self.holes.is_empty() {
            let plain = Source { name: self.name, holes: &[], heads: false }.type_(id);
            if self.holes.contains(&plain.as_str()) {
                return "_".to_owned();
            }
        }
        match self.name.node(id) {
            Node::Item { namespace: b'C', parent, disambiguator, .. } => {
                format!("{}::{{closure_env#{disambiguator}}}", self.parent(*parent))
            }
            Node::Item { parent, name, .. } => {
                format!("{}::{}", self.parent(*parent), self.name.identifier(*name))
            }
            Node::Crate { name, .. } => self.name.identifier(*name).into_owned(),
            Node::Generic { path, arguments } => self.generic(*path, arguments),
            Node::Basic(tag) => render::basic_type(*tag).unwrap_or("?").to_owned(),
            Node::Array { element, count } => {
                format!("[{}; {}]", self.type_(*element), self.constant(*count))
            }
            Node::Slice(element) => format!("[{}]", self.type_(*element)),
            Node::Tuple(elements) => format!("({})", self.list(elements)),
            Node::Reference { mutable, target, .. } => {
                format!("&{}{}", if *mutable { "mut " } else { "" }, self.type_(*target))
            }
            Node::Pointer { mutable, target } => {
                format!("*{} {}", if *mutable { "mut" } else { "const" }, self.type_(*target))
            }
            Node::Function(function) => {
                let parameters = self.list(&function.parameters);
                match self.name.node(function.result) {
                    Node::Basic(b'u') => format!("fn({parameters})"),
                    _ => format!("fn({parameters}) -> {}", self.type_(function.result)),
                }
            }
            Node::Dyn { bounds, .. } => {
                let bounds: Vec<_> = bounds.iter().map(|bound| self.bound(bound)).collect();
                match bounds.as_slice() {
                    [one] => format!("dyn {one}"),
                    several => format!("(dyn {})", several.join(" + ")),
                }
            }
            Node::InherentImpl { .. } | Node::TraitImpl { .. } | Node::TraitDefinition { .. } => {
                self.qualified(id).unwrap_or_default()
            }
            Node::Pattern { base: inner, .. } | Node::Splat(inner) => self.type_(*inner),
            _ => self.constant(id),
        }
    }

    /// What an item is nested in: scopes have no arguments, and a trait's own items lie in the trait.
    fn parent(&self, id: NodeId) -> String {
        match self.name.node(id) {
            Node::InherentImpl { .. } | Node::TraitImpl { .. } => self.qualified(id).unwrap_or_default(),
            _ => self.scope(id).unwrap_or_default(),
        }
    }

    fn generic(&self, path: NodeId, arguments: &[Argument]) -> String {
        let path = self.type_(path);
        let arguments: Vec<_> = arguments.iter().filter_map(|argument| self.argument(argument)).collect();
        if self.heads || arguments.is_empty() { path } else { format!("{path}<{}>", arguments.join(", ")) }
    }

    fn argument(&self, argument: &Argument) -> Option<String> {
        match *argument {
            Argument::Lifetime(_) => None,
            Argument::Type(id) => Some(self.type_(id)),
            Argument::Constant(id) => {
                let text = self.constant(id);
                Some(if self.holes.contains(&text.as_str()) { "_".to_owned() } else { text })
            }
        }
    }

    fn bound(&self, bound: &super::tree::Bound) -> String {
        let mut text = self.type_(bound.trait_path);
        if !bound.associated.is_empty() && !self.heads {
            let associated: Vec<_> = bound
                .associated
                .iter()
                .map(|(name, value)| {
                    format!("{}={}", self.name.identifier(*name), self.argument(value).unwrap_or_default())
                })
                .collect();
            let list = associated.join(", ");
            text = match text.strip_suffix('>') {
                Some(open) => format!("{open}, {list}>"),
                None => format!("{text}<{list}>"),
            };
        }
        text
    }

    fn list(&self, ids: &[NodeId]) -> String {
        ids.iter().map(|id| self.type_(*id)).collect::<Vec<_>>().join(", ")
    }

    fn constant(&self, id: NodeId) -> String {
        match self.name.node(id) {
            Node::ConstantScalar { tag: b'b', digits, .. } => (self.name.span(*digits) == "1").to_string(),
            Node::ConstantScalar { negative, digits, .. } => match u128::from_str_radix(self.name.span(*digits), 16) {
                Ok(value) => format!("{}{value}", if *negative { "-" } else { "" }),
                Err(_) => "{CONST}".to_owned(),
            },
            Node::ConstantVariant { path, fields: VariantFields::Unit } => self.type_(*path),
            _ => "{CONST}".to_owned(),
        }
    }
}
