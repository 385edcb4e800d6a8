//! Looking into a parsed name: which item it names, in what parent, for which self type, with which arguments.

use std::borrow::Cow;

use super::tree::{self, Node, NodeId};
use super::{NameResolver, NumberedItem, V0Name, render};

/// A path, type or constant within a name. Two references are equal if they are the same place of the same name.
#[derive(Clone, Copy)]
pub(crate) struct NodeRef<'a> {
    name: &'a V0Name,
    id: NodeId,
}

/// What kind of generic argument it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// A lifetime, erased or bound.
    Lifetime,
    /// A type.
    Type,
    /// A constant.
    Constant,
}

impl<'a> NodeRef<'a> {
    pub(super) fn new(name: &'a V0Name, id: NodeId) -> Self {
        Self { name, id }
    }

    fn at(self, id: NodeId) -> Self {
        Self { name: self.name, id }
    }

    fn node(self) -> &'a Node {
        self.name.node(self.id)
    }

    pub(super) fn parts(self) -> (&'a V0Name, NodeId) {
        (self.name, self.id)
    }

    /// Whether this is an impl block itself, `<T>` or `<T as Trait>`.
    pub(crate) fn is_impl(self) -> bool {
        matches!(self.node(), Node::InherentImpl { .. } | Node::TraitImpl { .. })
    }

    /// The identity of this part alone.
    pub(crate) fn render(self, resolver: &mut dyn NameResolver) -> String {
        render::render(self.name, self.id, resolver)
    }

    /// The path without the generic arguments at its end.
    pub(crate) fn without_arguments(self) -> Self {
        match self.node() {
            Node::Generic { path, .. } => self.at(*path).without_arguments(),
            _ => self,
        }
    }

    /// The kinds of the generic arguments at the end of the path.
    pub(crate) fn arguments(self) -> Vec<Argument> {
        let Node::Generic { arguments, .. } = self.node() else {
            return Vec::new();
        };
        let kinds = arguments.iter().map(|argument| match argument {
            tree::Argument::Lifetime(_) => Argument::Lifetime,
            tree::Argument::Type(_) => Argument::Type,
            tree::Argument::Constant(_) => Argument::Constant,
        });
        kinds.collect()
    }

    /// The item this path ends in, if this is such a path (without arguments).
    pub(crate) fn item(self) -> Option<NumberedItem<'a>> {
        match self.node() {
            Node::Item { namespace, disambiguator, name, .. } => Some(NumberedItem {
                namespace: char::from(*namespace),
                name: self.name.identifier(*name),
                disambiguator: *disambiguator,
            }),
            _ => None,
        }
    }

    /// What the item at the end of this path is nested in; arguments of the path itself are skipped.
    pub(crate) fn parent(self) -> Option<Self> {
        match self.without_arguments().node() {
            Node::Item { parent, .. } => Some(self.at(*parent)),
            _ => None,
        }
    }

    /// Whether the path ends in a closure or coroutine body.
    pub(crate) fn is_closure(self) -> bool {
        self.without_arguments().item().is_some_and(|item| item.is_closure())
    }

    /// `T` of the innermost `<T>` or `<T as Trait>` on the way outwards, this path's own included.
    pub(crate) fn self_type(self) -> Option<Self> {
        self.qualified(|node| match node {
            Node::InherentImpl { self_type, .. }
            | Node::TraitImpl { self_type, .. }
            | Node::TraitDefinition { self_type, .. } => Some(*self_type),
            _ => None,
        })
    }

    /// `Trait` of the innermost `<T as Trait>` on the way outwards, this path's own included.
    pub(crate) fn trait_path(self) -> Option<Self> {
        self.qualified(|node| match node {
            Node::TraitImpl { trait_path, .. } | Node::TraitDefinition { trait_path, .. } => Some(*trait_path),
            _ => None,
        })
    }

    fn qualified(self, pick: impl Fn(&Node) -> Option<NodeId>) -> Option<Self> {
        let mut at = self;
        loop {
            match at.node() {
                Node::Generic { path: next, .. } | Node::Item { parent: next, .. } => at = at.at(*next),
                node => return pick(node).map(|id| at.at(id)),
            }
        }
    }

    /// The nominal type's path without its arguments, if this is a struct, enum, union or such.
    pub(crate) fn nominal_path(self) -> Option<Self> {
        let path = self.without_arguments();
        matches!(path.node(), Node::Item { .. }).then_some(path)
    }

    /// Name and disambiguator text of the crate in which this path lies; for an item of an impl block that is the crate
    /// of the block's module, for one of a trait the trait's.
    pub(crate) fn home_crate(self) -> Option<(Cow<'a, str>, &'a str)> {
        let mut at = self;
        loop {
            at = at.at(match at.node() {
                Node::Crate { hash, name } => {
                    return Some((self.name.identifier(*name), self.name.span(*hash)));
                }
                Node::Generic { path: next, .. }
                | Node::Item { parent: next, .. }
                | Node::InherentImpl { module: next, .. }
                | Node::TraitImpl { module: next, .. }
                | Node::TraitDefinition { trait_path: next, .. } => *next,
                _ => return None,
            });
        }
    }
}

impl PartialEq for NodeRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.name, other.name) && self.id == other.id
    }
}

impl Eq for NodeRef<'_> {}

impl std::fmt::Debug for NodeRef<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.render(&mut super::NumbersAsTheyAre))
    }
}
