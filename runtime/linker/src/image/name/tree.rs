//! The tree a v0 symbol parses into. Holds data and the small questions one node can answer alone;
//! making it is `parse.rs`, turning it into text is `render.rs`.
//!
//! Nodes lie in one vector, children before parents. A back reference of the symbol is a second edge to the same
//! node, so the tree is really a directed graph without cycles; what its expansion would cost is known at parse time.

/// Index of a node in its name's vector.
pub(super) type NodeId = u32;

/// A part of the symbol's text, in bytes after the `_R` prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// An identifier as it stands in the symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identifier {
    pub(super) text: Span,
    pub(super) punycode: bool,
}

/// One node: a path, a type, a constant or a pattern.
#[derive(Debug)]
pub(super) enum Node {
    /// `C`: `hash` is the disambiguator's text between `s` and `_`, empty if there is none.
    Crate {
        hash: Span,
        name: Identifier,
    },
    /// `N`: an item inside a parent.
    Item {
        namespace: u8,
        parent: NodeId,
        disambiguator: u64,
        name: Identifier,
    },
    /// `M`: `module` is where the impl block stands, `number` which of the impl blocks there it is.
    InherentImpl {
        number: u64,
        module: NodeId,
        self_type: NodeId,
    },
    /// `X`.
    TraitImpl {
        number: u64,
        module: NodeId,
        self_type: NodeId,
        trait_path: NodeId,
    },
    /// `Y`: an item of the trait itself, taken for one self type.
    TraitDefinition {
        self_type: NodeId,
        trait_path: NodeId,
    },
    /// `I`.
    Generic {
        path: NodeId,
        arguments: Box<[Argument]>,
    },

    Basic(u8),
    Array {
        element: NodeId,
        count: NodeId,
    },
    Slice(NodeId),
    Tuple(Box<[NodeId]>),
    /// `lifetime` is `None` when the symbol does not spell it, which differs from the erased `Some(0)`.
    Reference {
        mutable: bool,
        lifetime: Option<u64>,
        target: NodeId,
    },
    Pointer {
        mutable: bool,
        target: NodeId,
    },
    Function(Box<FunctionType>),
    Dyn {
        binder: u64,
        bounds: Box<[Bound]>,
        lifetime: u64,
    },
    /// `W`: a type restricted to a pattern.
    Pattern {
        base: NodeId,
        pattern: NodeId,
    },
    /// `w`: an argument list taken apart (unstable).
    Splat(NodeId),

    ConstantPlaceholder,
    /// An integer, `bool` or `char`; `digits` is hexadecimal.
    ConstantScalar {
        tag: u8,
        negative: bool,
        digits: Span,
    },
    ConstantString(Span),
    ConstantReference {
        mutable: bool,
        target: NodeId,
    },
    ConstantArray(Box<[NodeId]>),
    ConstantTuple(Box<[NodeId]>),
    ConstantVariant {
        path: NodeId,
        fields: VariantFields,
    },

    PatternRange {
        first: NodeId,
        last: NodeId,
    },
    PatternEither(Box<[NodeId]>),
    PatternNotNull,
}

/// What stands between `<` and `>`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Argument {
    Lifetime(u64),
    Type(NodeId),
    Constant(NodeId),
}

#[derive(Debug)]
pub(super) struct FunctionType {
    pub(super) binder: u64,
    pub(super) is_unsafe: bool,
    pub(super) abi: Option<Abi>,
    pub(super) parameters: Box<[NodeId]>,
    pub(super) result: NodeId,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Abi {
    C,
    Other(Identifier),
}

/// One trait of a `dyn` type with its associated types and constants.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) trait_path: NodeId,
    pub(super) associated: Box<[(Identifier, Argument)]>,
}

#[derive(Debug)]
pub(super) enum VariantFields {
    Unit,
    Tuple(Box<[NodeId]>),
    Named(Box<[(u64, Identifier, NodeId)]>),
}

impl Node {
    /// Calls `visit` with every child.
    pub(super) fn children(&self, visit: &mut dyn FnMut(NodeId)) {
        let argument = |argument: &Argument, visit: &mut dyn FnMut(NodeId)| match *argument {
            Argument::Lifetime(_) => {}
            Argument::Type(id) | Argument::Constant(id) => visit(id),
        };
        match self {
            Node::Crate { .. }
            | Node::Basic(_)
            | Node::ConstantPlaceholder
            | Node::ConstantScalar { .. }
            | Node::ConstantString(_)
            | Node::PatternNotNull => {}
            Node::Item { parent: one, .. }
            | Node::Slice(one)
            | Node::Splat(one)
            | Node::Reference { target: one, .. }
            | Node::Pointer { target: one, .. }
            | Node::ConstantReference { target: one, .. } => visit(*one),
            Node::InherentImpl { module: first, self_type: second, .. }
            | Node::TraitDefinition { self_type: first, trait_path: second }
            | Node::Array { element: first, count: second }
            | Node::Pattern { base: first, pattern: second }
            | Node::PatternRange { first, last: second } => {
                visit(*first);
                visit(*second);
            }
            Node::TraitImpl { module, self_type, trait_path, .. } => {
                visit(*module);
                visit(*self_type);
                visit(*trait_path);
            }
            Node::Generic { path, arguments } => {
                visit(*path);
                arguments.iter().for_each(|one| argument(one, visit));
            }
            Node::Tuple(list) | Node::ConstantArray(list) | Node::ConstantTuple(list) | Node::PatternEither(list) => {
                list.iter().for_each(|id| visit(*id))
            }
            Node::Function(function) => {
                function.parameters.iter().for_each(|id| visit(*id));
                visit(function.result);
            }
            Node::Dyn { bounds, .. } => {
                for bound in bounds {
                    visit(bound.trait_path);
                    bound.associated.iter().for_each(|(_, one)| argument(one, visit));
                }
            }
            Node::ConstantVariant { path, fields } => {
                visit(*path);
                match fields {
                    VariantFields::Unit => {}
                    VariantFields::Tuple(list) => list.iter().for_each(|id| visit(*id)),
                    VariantFields::Named(list) => list.iter().for_each(|(_, _, id)| visit(*id)),
                }
            }
        }
    }

    /// About how much text a node adds by itself; punctuation and numbers are covered by the constant.
    pub(super) fn own_bytes(&self) -> usize {
        // Decoded punycode takes up to four bytes for each of its own.
        let identifier =
            |name: &Identifier| (name.text.end - name.text.start) as usize * if name.punycode { 4 } else { 1 };
        24 + match self {
            Node::Crate { hash, name } => identifier(name) + (hash.end - hash.start) as usize,
            Node::Item { name, .. } => identifier(name),
            Node::ConstantScalar { digits, .. } | Node::ConstantString(digits) => (digits.end - digits.start) as usize,
            Node::Function(function) => match &function.abi {
                Some(Abi::Other(name)) => identifier(name),
                _ => 0,
            },
            Node::Generic { arguments, .. } => arguments.len() * 24,
            Node::Dyn { bounds, .. } => {
                bounds.iter().flat_map(|bound| bound.associated.iter()).map(|(name, _)| identifier(name) + 8).sum()
            }
            Node::ConstantVariant { fields: VariantFields::Named(fields), .. } => {
                fields.iter().map(|(_, name, _)| identifier(name) + 24).sum()
            }
            _ => 0,
        }
    }
}
