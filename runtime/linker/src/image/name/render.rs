//! Renders the identity of a name: the text under which two builds' symbols are compared.
//!
//! Dropped: crate hashes (unless the resolver keeps one), place and disambiguator of impl blocks, the instantiating crate.
//! Everything else is kept, and no two names that differ in it render alike: identifiers are letters, digits and `_`
//! only, and all else is written in other characters, each construct with its own. The syntax:
//!
//! | text | meaning |
//! |---|---|
//! | `a::B`, `a.b` | item of the type namespace (modules, types), of the value namespace (functions, statics) |
//! | `a.b#2` | the third of several such items, as the resolver numbers them |
//! | `a.b::{closure#0}`, `{shim:vtable#0}` | items of special namespaces |
//! | `a[hash]` | a crate whose hash is kept |
//! | `<T>.m`, `<T as Tr>.m` | item of an impl block, or of the trait itself for `T` |
//! | `'0`, `'1` | erased lifetime, innermost bound lifetime, and so on outwards |
//! | `for<2>` | binder of two lifetimes |
//! | `{3_u32}` | constant |

use std::fmt::Write as _;

use super::tree::{Abi, Argument, Bound, FunctionType, Identifier, Node, NodeId, VariantFields};
use super::{NameResolver, NumberedItem, V0Name};

/// Renders one node.
pub(super) fn render(name: &V0Name, node: NodeId, resolver: &mut dyn NameResolver) -> String {
    let mut renderer = Renderer { name, resolver, out: String::new() };
    renderer.path_or_type(node);
    renderer.out
}

/// The Rust name of a one-letter type.
pub(super) fn basic_type(tag: u8) -> Option<&'static str> {
    Some(match tag {
        b'b' => "bool",
        b'c' => "char",
        b'e' => "str",
        b'u' => "()",
        b'a' => "i8",
        b's' => "i16",
        b'l' => "i32",
        b'x' => "i64",
        b'n' => "i128",
        b'i' => "isize",
        b'h' => "u8",
        b't' => "u16",
        b'm' => "u32",
        b'y' => "u64",
        b'o' => "u128",
        b'j' => "usize",
        b'f' => "f32",
        b'd' => "f64",
        b'z' => "!",
        b'p' => "_",
        b'v' => "...",
        _ => return None,
    })
}

struct Renderer<'a> {
    name: &'a V0Name,
    resolver: &'a mut dyn NameResolver,
    out: String,
}

impl Renderer<'_> {
    /// In the place of a type. A path that is only a crate is no type; should a symbol have one there, it must not
    /// look like the basic type of its name.
    fn path_or_type(&mut self, id: NodeId) {
        if let Node::Crate { .. } = self.name.node(id) {
            self.out.push_str("crate ");
        }
        self.node(id);
    }

    fn node(&mut self, id: NodeId) {
        let name = self.name;
        match name.node(id) {
            Node::Crate { hash, name: identifier } => {
                let text = name.identifier(*identifier);
                let hash = name.span(*hash);
                // No crate is without a name; should a symbol have one, it must not vanish.
                self.out.push_str(if text.is_empty() { "{}" } else { &text });
                if self.resolver.keep_crate_hash(&text, hash) {
                    self.write(format_args!("[{hash}]"));
                }
            }
            Node::Item { namespace, parent, disambiguator, name: identifier } => {
                let start = self.out.len();
                self.node(*parent);
                let item = NumberedItem {
                    namespace: char::from(*namespace),
                    name: name.identifier(*identifier),
                    disambiguator: *disambiguator,
                };
                let text = self.resolver.item(&self.out[start..], &item);
                self.out.push_str(&text);
            }
            Node::InherentImpl { self_type, .. } => self.in_angles(*self_type, None),
            Node::TraitImpl { self_type, trait_path, .. } | Node::TraitDefinition { self_type, trait_path } => {
                self.in_angles(*self_type, Some(*trait_path));
            }
            Node::Generic { path, arguments } => {
                self.node(*path);
                self.list("<", arguments, ">", Self::argument);
            }
            Node::Basic(tag) => self.out.push_str(basic_type(*tag).unwrap_or("?")),
            Node::Array { element, count } => {
                self.out.push('[');
                self.path_or_type(*element);
                self.out.push_str("; ");
                self.constant(*count);
                self.out.push(']');
            }
            Node::Slice(element) => {
                self.out.push('[');
                self.path_or_type(*element);
                self.out.push(']');
            }
            // `()` is the basic type; rustc never writes the unit type as a tuple of nothing.
            Node::Tuple(elements) if elements.is_empty() => self.out.push_str("(,)"),
            Node::Tuple(elements) => self.list("(", elements, ")", |this, id| this.path_or_type(*id)),
            Node::Reference { mutable, lifetime, target } => {
                self.out.push('&');
                if let Some(lifetime) = lifetime {
                    self.write(format_args!("'{lifetime} "));
                }
                self.out.push_str(if *mutable { "mut " } else { "" });
                self.path_or_type(*target);
            }
            Node::Pointer { mutable, target } => {
                self.out.push_str(if *mutable { "*mut " } else { "*const " });
                self.path_or_type(*target);
            }
            Node::Function(function) => self.function(function),
            Node::Dyn { binder, bounds, lifetime } => {
                self.out.push_str("(dyn ");
                self.binder(*binder);
                for (index, bound) in bounds.iter().enumerate() {
                    self.out.push_str(if index > 0 { " + " } else { "" });
                    self.bound(bound);
                }
                self.write(format_args!("; '{lifetime})"));
            }
            Node::Pattern { base, pattern } => {
                self.out.push_str("(is ");
                self.path_or_type(*base);
                self.out.push_str("; ");
                self.node(*pattern);
                self.out.push(')');
            }
            Node::Splat(target) => {
                self.out.push_str("#splat ");
                self.path_or_type(*target);
            }
            Node::ConstantPlaceholder => self.out.push('_'),
            Node::ConstantScalar { tag, negative, digits } => self.scalar(*tag, *negative, name.span(*digits)),
            Node::ConstantString(bytes) => self.write(format_args!("str\"{}\"", name.span(*bytes))),
            Node::ConstantReference { mutable, target } => {
                self.out.push_str(if *mutable { "&mut " } else { "&" });
                self.constant(*target);
            }
            Node::ConstantArray(elements) => self.list("[", elements, "]", |this, id| this.constant(*id)),
            Node::ConstantTuple(elements) => self.list("(", elements, ")", |this, id| this.constant(*id)),
            Node::ConstantVariant { path, fields } => {
                self.out.push_str("variant ");
                self.node(*path);
                match fields {
                    VariantFields::Unit => {}
                    VariantFields::Tuple(list) => self.list("(", list, ")", |this, id| this.constant(*id)),
                    VariantFields::Named(list) => self.list("(", list, ",)", |this, (number, identifier, id)| {
                        let field = this.name.identifier(*identifier);
                        this.write(format_args!("{field}#{number} = "));
                        this.constant(*id);
                    }),
                }
            }
            Node::PatternRange { first, last } => {
                self.constant(*first);
                self.out.push_str("..=");
                self.constant(*last);
            }
            Node::PatternEither(patterns) => self.list("(", patterns, ")", |this, id| this.node(*id)),
            Node::PatternNotNull => self.out.push_str("!null"),
        }
    }

    /// The module in which an impl block stands is left out: a type has one method of a name and one impl of a trait, and
    /// derive macros put their blocks into numbered `const _` items, whose numbers shift.
    fn in_angles(&mut self, self_type: NodeId, trait_path: Option<NodeId>) {
        self.out.push('<');
        self.path_or_type(self_type);
        if let Some(trait_path) = trait_path {
            self.out.push_str(" as ");
            self.node(trait_path);
        }
        self.out.push('>');
    }

    fn argument(&mut self, argument: &Argument) {
        match *argument {
            Argument::Lifetime(index) => self.write(format_args!("'{index}")),
            Argument::Type(id) => self.path_or_type(id),
            Argument::Constant(id) => self.constant(id),
        }
    }

    /// Braces tell a constant from the type that would read the same.
    fn constant(&mut self, id: NodeId) {
        self.out.push('{');
        self.node(id);
        self.out.push('}');
    }

    fn function(&mut self, function: &FunctionType) {
        self.out.push('(');
        self.binder(function.binder);
        self.out.push_str(if function.is_unsafe { "unsafe " } else { "" });
        match function.abi {
            None => {}
            Some(Abi::C) => self.out.push_str("extern C "),
            // With quotes, so that an ABI spelled `C` at length stays apart.
            Some(Abi::Other(abi)) => {
                let abi = self.name.identifier(abi);
                self.write(format_args!("extern \"{abi}\" "));
            }
        }
        self.list("fn(", &function.parameters, ")", |this, id| this.path_or_type(*id));
        self.out.push_str(" -> ");
        self.path_or_type(function.result);
        self.out.push(')');
    }

    fn binder(&mut self, lifetimes: u64) {
        if lifetimes > 0 {
            self.write(format_args!("for<{lifetimes}> "));
        }
    }

    fn bound(&mut self, bound: &Bound) {
        self.node(bound.trait_path);
        if !bound.associated.is_empty() {
            self.list("{", &bound.associated, "}", |this, (identifier, value): &(Identifier, Argument)| {
                let associated = this.name.identifier(*identifier);
                this.write(format_args!("{associated} = "));
                this.argument(value);
            });
        }
    }

    fn scalar(&mut self, tag: u8, negative: bool, digits: &str) {
        let kind = basic_type(tag).unwrap_or("?");
        let sign = if negative { "-" } else { "" };
        // Digits with zeros before them would read like those without: keep such (rustc writes none) as they are.
        let value = u64::from_str_radix(digits, 16).ok().filter(|value| format!("{value:x}") == digits);
        match value {
            Some(value) => self.write(format_args!("{sign}{value}_{kind}")),
            None => self.write(format_args!("{sign}0x{digits}_{kind}")),
        }
    }

    fn list<T>(&mut self, open: &str, elements: &[T], close: &str, mut element: impl FnMut(&mut Self, &T)) {
        self.out.push_str(open);
        for (index, one) in elements.iter().enumerate() {
            self.out.push_str(if index > 0 { ", " } else { "" });
            element(self, one);
        }
        self.out.push_str(close);
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.out.write_fmt(arguments);
    }
}
