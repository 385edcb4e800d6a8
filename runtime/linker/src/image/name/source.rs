//! Renders parts of a name as rustc's debug information names the same things, to tie the two together: scopes
//! (`a::f::{impl#3}`) and types (`alloc::vec::Vec<u8, alloc::alloc::Global>`). Lossy; never an identity.

use super::tree::{Argument, Bound, Node, NodeId, VariantFields};
use super::view::NodeRef;
use super::{V0Name, render};
use std::collections::{HashMap, HashSet};

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
    /// Bytes that were written and compared to find out.
    pub(crate) cost: usize,
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
    pub(crate) fn impl_block(self, holes: &[&'a str]) -> Option<ImplBlock> {
        let (name, id) = self.parts();
        let mut scope = String::new();
        write_scope(name, id, &mut scope).then_some(())?;
        let lengths = holes.iter().map(|hole| hole.len()).collect();
        let found = holes.iter().map(|hole| (*hole, false)).collect();
        let mut source = Source { name, lengths, found, cost: 0, text: Texts::default() };
        source.qualified(id).then_some(())?;
        let holes_found = holes.iter().filter(|hole| source.found[*hole]).count();
        let Texts { plain, with_holes, heads } = source.text;
        let cost = source.cost + scope.len() + plain.len() + with_holes.len() + heads.len();
        Some(ImplBlock { scope, text: if holes.is_empty() { plain } else { with_holes }, holes_found, heads, cost })
    }
}

/// Path of a scope: no arguments, no disambiguators, impl blocks by number. Whether it is one.
fn write_scope(name: &V0Name, id: NodeId, output: &mut String) -> bool {
    let mut scope = |parent: NodeId| write_scope(name, parent, output);
    match name.node(id) {
        Node::Crate { name: own, .. } => output.push_str(&name.identifier(*own)),
        Node::Generic { path, .. } => return scope(*path),
        Node::Item { namespace: b'C', parent, disambiguator, .. } => {
            if !scope(*parent) {
                return false;
            }
            output.push_str(&format!("::{{closure#{disambiguator}}}"));
        }
        Node::Item { parent, name: own, .. } => {
            if !scope(*parent) {
                return false;
            }
            output.push_str("::");
            output.push_str(&name.identifier(*own));
        }
        Node::InherentImpl { number, module, .. } | Node::TraitImpl { number, module, .. } => {
            if !scope(*module) {
                return false;
            }
            output.push_str(&format!("::{{impl#{number}}}"));
        }
        Node::TraitDefinition { trait_path, .. } => return scope(*trait_path),
        _ => return false,
    }
    true
}

/// The three texts of a part, written at the same time: what is a hole is known only once it stands there in full.
#[derive(Default)]
struct Texts {
    plain: String,
    /// Not written where there are no holes.
    with_holes: String,
    /// Without generic arguments.
    heads: String,
}

/// Renders a part in one pass.
struct Source<'a> {
    name: &'a V0Name,
    /// Types that are rendered as `_`, and whether they were met.
    found: HashMap<&'a str, bool>,
    /// Their lengths.
    lengths: HashSet<usize>,
    /// Bytes compared.
    cost: usize,
    text: Texts,
}

/// How long the texts were.
#[derive(Clone, Copy)]
struct Mark {
    plain: usize,
    with_holes: usize,
}

impl Source<'_> {
    fn push(&mut self, text: &str) {
        self.push_arguments(text);
        self.text.heads.push_str(text);
    }

    /// Leaves the heads as they are.
    fn push_arguments(&mut self, text: &str) {
        self.text.plain.push_str(text);
        if !self.found.is_empty() {
            self.text.with_holes.push_str(text);
        }
    }

    fn mark(&self) -> Mark {
        Mark { plain: self.text.plain.len(), with_holes: self.text.with_holes.len() }
    }

    /// Replaces what was written since `mark` by `_` if it is a hole.
    fn close(&mut self, mark: Mark) {
        let written = &self.text.plain[mark.plain..];
        if !self.lengths.contains(&written.len()) {
            return;
        }
        self.cost += written.len();
        if let Some(found) = self.found.get_mut(written) {
            *found = true;
            self.text.with_holes.truncate(mark.with_holes);
            self.text.with_holes.push('_');
        }
    }

    /// `<T>` or `<T as Trait>`. Whether this is such a thing.
    fn qualified(&mut self, id: NodeId) -> bool {
        let (self_type, trait_path) = match *self.name.node(id) {
            Node::InherentImpl { self_type, .. } => (self_type, None),
            Node::TraitImpl { self_type, trait_path, .. } | Node::TraitDefinition { self_type, trait_path } => {
                (self_type, Some(trait_path))
            }
            _ => return false,
        };
        self.push("<");
        self.type_(self_type);
        if let Some(trait_path) = trait_path {
            self.push(" as ");
            self.type_(trait_path);
        }
        self.push(">");
        true
    }

    /// A type or path.
    fn type_(&mut self, id: NodeId) {
        let mark = self.mark();
        self.type_here(id);
        self.close(mark);
    }

    fn type_here(&mut self, id: NodeId) {
        match self.name.node(id) {
            Node::Item { namespace: b'C', parent, disambiguator, .. } => {
                self.parent(*parent);
                self.push(&format!("::{{closure_env#{disambiguator}}}"));
            }
            Node::Item { parent, name, .. } => {
                self.parent(*parent);
                self.push("::");
                self.push(&self.name.identifier(*name));
            }
            Node::Crate { name, .. } => self.push(&self.name.identifier(*name)),
            Node::Generic { path, arguments } => self.generic(*path, arguments),
            Node::Basic(tag) => self.push(render::basic_type(*tag).unwrap_or("?")),
            Node::Array { element, count } => {
                self.push("[");
                self.type_(*element);
                self.push("; ");
                self.constant(*count);
                self.push("]");
            }
            Node::Slice(element) => {
                self.push("[");
                self.type_(*element);
                self.push("]");
            }
            Node::Tuple(elements) => {
                self.push("(");
                self.list(elements);
                self.push(")");
            }
            Node::Reference { mutable, target, .. } => {
                self.push(if *mutable { "&mut " } else { "&" });
                self.type_(*target);
            }
            Node::Pointer { mutable, target } => {
                self.push(if *mutable { "*mut " } else { "*const " });
                self.type_(*target);
            }
            Node::Function(function) => {
                self.push("fn(");
                self.list(&function.parameters);
                self.push(")");
                if !matches!(self.name.node(function.result), Node::Basic(b'u')) {
                    self.push(" -> ");
                    self.type_(function.result);
                }
            }
            Node::Dyn { bounds, .. } => self.bounds(bounds),
            Node::InherentImpl { .. } | Node::TraitImpl { .. } | Node::TraitDefinition { .. } => {
                self.qualified(id);
            }
            Node::Pattern { base: inner, .. } | Node::Splat(inner) => self.type_(*inner),
            _ => self.constant(id),
        }
    }

    /// What an item is nested in: scopes have no arguments, and a trait's own items lie in the trait.
    fn parent(&mut self, id: NodeId) {
        match self.name.node(id) {
            Node::InherentImpl { .. } | Node::TraitImpl { .. } => {
                self.qualified(id);
            }
            _ => {
                let mut scope = String::new();
                if write_scope(self.name, id, &mut scope) {
                    self.push(&scope);
                }
            }
        }
    }

    fn generic(&mut self, path: NodeId, arguments: &[Argument]) {
        self.type_(path);
        let heads = self.text.heads.len();
        let mut open = "<";
        for argument in arguments {
            if !matches!(argument, Argument::Lifetime(_)) {
                self.push_arguments(open);
                self.argument(argument);
                open = ", ";
            }
        }
        if open != "<" {
            self.push_arguments(">");
        }
        self.text.heads.truncate(heads);
    }

    fn argument(&mut self, argument: &Argument) {
        match *argument {
            Argument::Lifetime(_) => {}
            Argument::Type(id) => self.type_(id),
            Argument::Constant(id) => {
                let mark = self.mark();
                self.constant(id);
                self.close(mark);
            }
        }
    }

    /// `dyn A`, `(dyn A + B)`.
    fn bounds(&mut self, bounds: &[Bound]) {
        self.push(if bounds.len() == 1 { "dyn " } else { "(dyn " });
        for (index, bound) in bounds.iter().enumerate() {
            if index > 0 {
                self.push(" + ");
            }
            self.bound(bound);
        }
        if bounds.len() != 1 {
            self.push(")");
        }
    }

    fn bound(&mut self, bound: &Bound) {
        self.type_(bound.trait_path);
        if bound.associated.is_empty() {
            return;
        }
        let heads = self.text.heads.len();
        for text in [&mut self.text.plain, &mut self.text.with_holes] {
            // They join the trait's own arguments.
            let joins = text.ends_with('>') && text.pop().is_some();
            text.push_str(if joins { ", " } else { "<" });
        }
        for (index, (name, value)) in bound.associated.iter().enumerate() {
            if index > 0 {
                self.push_arguments(", ");
            }
            self.push_arguments(&self.name.identifier(*name));
            self.push_arguments("=");
            self.argument(value);
        }
        self.push_arguments(">");
        self.text.heads.truncate(heads);
    }

    fn list(&mut self, ids: &[NodeId]) {
        for (index, id) in ids.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.type_(*id);
        }
    }

    fn constant(&mut self, id: NodeId) {
        match self.name.node(id) {
            Node::ConstantScalar { tag: b'b', digits, .. } => {
                self.push(if self.name.span(*digits) == "1" { "true" } else { "false" });
            }
            Node::ConstantScalar { negative, digits, .. } => match u128::from_str_radix(self.name.span(*digits), 16) {
                Ok(value) => self.push(&format!("{}{value}", if *negative { "-" } else { "" })),
                Err(_) => self.push("{CONST}"),
            },
            Node::ConstantVariant { path, fields: VariantFields::Unit } => self.type_(*path),
            _ => self.push("{CONST}"),
        }
    }
}
