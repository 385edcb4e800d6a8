//! Parses a v0 symbol (rust-lang RFC 2603 and what rustc 1.95 adds to it) into the tree of `tree.rs`.
//!
//! Whatever the bytes: no panic, no recursion deeper than a limit, work linear in the symbol. Every position is parsed
//! once per kind of thing, so back references that would expand to an exponential text cost nothing here, and the
//! expansion's size is summed up on the way and refused above a limit. A back reference into what is still being
//! parsed would be a cycle and is refused.

use super::cursor::{Cursor, NotV0, Parsed};
use super::tree::{Abi, Argument, Bound, FunctionType, Node, NodeId, VariantFields};
use crate::limits::{NAME_DEPTH, NAME_EXPANDED_BYTES, NAME_SYMBOL_BYTES};

/// What parsing gave.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// Bytes of the text after `_R` that belong to the name; the rest is a suffix.
    pub(super) length: usize,
    /// What rendering the name takes at most, in bytes: its text, once for every level that is rendered by itself.
    pub(super) weight: usize,
}

/// Parses `text`, the symbol without its `_R`.
pub(super) fn parse(text: &str) -> Parsed<Tree> {
    if text.len() > NAME_SYMBOL_BYTES || !text.is_ascii() || !text.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Err(NotV0);
    }
    let mut parser = Parser {
        cursor: Cursor { text: text.as_bytes(), next: 0 },
        depth: 0,
        nodes: Vec::new(),
        costs: Vec::new(),
        known: vec![[Known::default(); KINDS]; text.len()],
    };
    let root = parser.path()?;
    let kept = parser.nodes.len();
    // The crate that made this copy of a generic function: no part of the identity.
    if parser.cursor.peek().is_some_and(|byte| byte.is_ascii_uppercase()) {
        parser.path()?;
    }
    parser.nodes.truncate(kept);
    let weight = parser.costs.get(root as usize).map_or(0, |cost| cost.bytes.saturating_mul(cost.depth));
    Ok(Tree { nodes: parser.nodes, root, length: parser.cursor.next, weight })
}

/// What a grammar rule produces: one position can be read as any of them.
#[derive(Clone, Copy)]
enum Kind {
    Path,
    Type,
    Constant,
}

/// How many kinds there are.
const KINDS: usize = 3;

/// What is known of a position. Ends are behind the position, so 0 says that nothing is.
#[derive(Clone, Copy, Default)]
struct Known {
    node: NodeId,
    end: u32,
}

/// An end that no name reaches: the position is being parsed.
const IN_PROGRESS: u32 = u32::MAX;
const _: () = assert!(NAME_SYMBOL_BYTES < IN_PROGRESS as usize);

/// What rendering a node would take.
#[derive(Clone, Copy)]
struct Cost {
    bytes: usize,
    depth: usize,
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    depth: usize,
    nodes: Vec<Node>,
    costs: Vec<Cost>,
    /// By position and kind.
    known: Vec<[Known; KINDS]>,
}

impl Parser<'_> {
    fn path(&mut self) -> Parsed<NodeId> {
        self.once(Kind::Path, Self::path_here)
    }

    fn type_(&mut self) -> Parsed<NodeId> {
        self.once(Kind::Type, Self::type_here)
    }

    fn constant(&mut self) -> Parsed<NodeId> {
        self.once(Kind::Constant, Self::constant_here)
    }

    /// Runs `rule` unless this position was parsed as `kind` before.
    fn once(&mut self, kind: Kind, rule: fn(&mut Self) -> Parsed<NodeId>) -> Parsed<NodeId> {
        let start = self.cursor.next;
        match self.known.get_mut(start).map(|known| &mut known[kind as usize]) {
            Some(Known { end: IN_PROGRESS, .. }) | None => return Err(NotV0),
            Some(known @ Known { end: 0, .. }) => known.end = IN_PROGRESS,
            Some(Known { node, end }) => {
                self.cursor.next = *end as usize;
                return Ok(*node);
            }
        }
        self.depth += 1;
        if self.depth > NAME_DEPTH {
            return Err(NotV0);
        }
        let node = rule(self)?;
        self.depth -= 1;
        let end = u32::try_from(self.cursor.next).map_err(|_| NotV0)?;
        self.known[start][kind as usize] = Known { node, end };
        Ok(node)
    }

    fn path_here(&mut self) -> Parsed<NodeId> {
        let node = match self.cursor.byte()? {
            b'C' => {
                let hash = self.cursor.disambiguator_text()?;
                Node::Crate { hash, name: self.cursor.identifier()? }
            }
            b'N' => {
                let namespace = self.cursor.byte()?;
                if !namespace.is_ascii_alphabetic() {
                    return Err(NotV0);
                }
                let parent = self.path()?;
                Node::Item {
                    namespace,
                    parent,
                    disambiguator: self.cursor.disambiguator()?,
                    name: self.cursor.identifier()?,
                }
            }
            b'M' => Node::InherentImpl {
                number: self.cursor.disambiguator()?,
                module: self.path()?,
                self_type: self.type_()?,
            },
            b'X' => Node::TraitImpl {
                number: self.cursor.disambiguator()?,
                module: self.path()?,
                self_type: self.type_()?,
                trait_path: self.path()?,
            },
            b'Y' => Node::TraitDefinition { self_type: self.type_()?, trait_path: self.path()? },
            b'I' => {
                let path = self.path()?;
                Node::Generic { path, arguments: self.list(Self::argument)? }
            }
            b'B' => return self.back_reference(Self::path),
            _ => return Err(NotV0),
        };
        self.push(node)
    }

    fn argument(&mut self) -> Parsed<Argument> {
        if self.cursor.eat(b'L') {
            Ok(Argument::Lifetime(self.cursor.integer_62()?))
        } else if self.cursor.eat(b'K') {
            Ok(Argument::Constant(self.constant()?))
        } else {
            Ok(Argument::Type(self.type_()?))
        }
    }

    fn type_here(&mut self) -> Parsed<NodeId> {
        let tag = self.cursor.byte()?;
        let node = match tag {
            _ if super::render::basic_type(tag).is_some() => Node::Basic(tag),
            b'w' => Node::Splat(self.type_()?),
            b'A' => Node::Array { element: self.type_()?, count: self.constant()? },
            b'S' => Node::Slice(self.type_()?),
            b'T' => Node::Tuple(self.list(Self::type_)?),
            b'R' | b'Q' => {
                let lifetime = if self.cursor.eat(b'L') { Some(self.cursor.integer_62()?) } else { None };
                Node::Reference { mutable: tag == b'Q', lifetime, target: self.type_()? }
            }
            b'P' | b'O' => Node::Pointer { mutable: tag == b'O', target: self.type_()? },
            b'F' => self.function_type()?,
            b'D' => {
                let binder = self.cursor.tagged_62(b'G')?;
                let bounds = self.list(Self::bound)?;
                self.cursor.expect(b'L')?;
                Node::Dyn { binder, bounds, lifetime: self.cursor.integer_62()? }
            }
            b'W' => Node::Pattern { base: self.type_()?, pattern: self.pattern()? },
            b'B' => return self.back_reference(Self::type_),
            _ => {
                self.cursor.next -= 1;
                return self.path();
            }
        };
        self.push(node)
    }

    fn function_type(&mut self) -> Parsed<Node> {
        let binder = self.cursor.tagged_62(b'G')?;
        let is_unsafe = self.cursor.eat(b'U');
        let abi = match self.cursor.eat(b'K') {
            false => None,
            true if self.cursor.eat(b'C') => Some(Abi::C),
            true => {
                let name = self.cursor.identifier()?;
                if name.punycode || name.text.start == name.text.end {
                    return Err(NotV0);
                }
                Some(Abi::Other(name))
            }
        };
        let parameters = self.list(Self::type_)?;
        let result = self.type_()?;
        Ok(Node::Function(Box::new(FunctionType { binder, is_unsafe, abi, parameters, result })))
    }

    fn bound(&mut self) -> Parsed<Bound> {
        let trait_path = self.path()?;
        let mut associated = Vec::new();
        while self.cursor.eat(b'p') {
            let name = self.cursor.identifier()?;
            let value = if self.cursor.eat(b'K') {
                Argument::Constant(self.constant()?)
            } else {
                Argument::Type(self.type_()?)
            };
            associated.push((name, value));
        }
        Ok(Bound { trait_path, associated: associated.into() })
    }

    fn pattern(&mut self) -> Parsed<NodeId> {
        self.depth += 1;
        if self.depth > NAME_DEPTH {
            return Err(NotV0);
        }
        let node = match self.cursor.byte()? {
            b'R' => Node::PatternRange { first: self.constant()?, last: self.constant()? },
            b'O' => Node::PatternEither(self.list(Self::pattern)?),
            b'N' => Node::PatternNotNull,
            _ => return Err(NotV0),
        };
        self.depth -= 1;
        self.push(node)
    }

    fn constant_here(&mut self) -> Parsed<NodeId> {
        let tag = self.cursor.byte()?;
        let node = match tag {
            b'p' => Node::ConstantPlaceholder,
            b'h' | b't' | b'm' | b'y' | b'o' | b'j' | b'b' | b'c' => {
                Node::ConstantScalar { tag, negative: false, digits: self.cursor.hexadecimal()? }
            }
            b'a' | b's' | b'l' | b'x' | b'n' | b'i' => {
                Node::ConstantScalar { tag, negative: self.cursor.eat(b'n'), digits: self.cursor.hexadecimal()? }
            }
            b'e' => Node::ConstantString(self.cursor.hexadecimal()?),
            b'R' | b'Q' => Node::ConstantReference { mutable: tag == b'Q', target: self.constant()? },
            b'A' => Node::ConstantArray(self.list(Self::constant)?),
            b'T' => Node::ConstantTuple(self.list(Self::constant)?),
            b'V' => {
                let path = self.path()?;
                let fields = match self.cursor.byte()? {
                    b'U' => VariantFields::Unit,
                    b'T' => VariantFields::Tuple(self.list(Self::constant)?),
                    b'S' => VariantFields::Named(self.list(|this| {
                        Ok((this.cursor.disambiguator()?, this.cursor.identifier()?, this.constant()?))
                    })?),
                    _ => return Err(NotV0),
                };
                Node::ConstantVariant { path, fields }
            }
            b'B' => return self.back_reference(Self::constant),
            _ => return Err(NotV0),
        };
        self.push(node)
    }

    /// Everything up to `E`. Each element takes a byte at least, so lists are no longer than the symbol.
    fn list<T>(&mut self, element: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Box<[T]>> {
        let mut all = Vec::new();
        while !self.cursor.eat(b'E') {
            all.push(element(self)?);
        }
        Ok(all.into())
    }

    /// `B` was read. The target must lie before it.
    fn back_reference(&mut self, rule: fn(&mut Self) -> Parsed<NodeId>) -> Parsed<NodeId> {
        let start = self.cursor.next - 1;
        let target = usize::try_from(self.cursor.integer_62()?).map_err(|_| NotV0)?;
        if target >= start {
            return Err(NotV0);
        }
        let after = std::mem::replace(&mut self.cursor.next, target);
        let node = rule(self)?;
        self.cursor.next = after;
        Ok(node)
    }

    /// Adds a node, and refuses one whose text would be too long or too deep.
    fn push(&mut self, node: Node) -> Parsed<NodeId> {
        let mut cost = Cost { bytes: node.own_bytes(), depth: 0 };
        node.children(&mut |child| {
            if let Some(of_child) = self.costs.get(child as usize) {
                // Room for the separator too.
                cost.bytes = cost.bytes.saturating_add(of_child.bytes).saturating_add(2);
                cost.depth = cost.depth.max(of_child.depth);
            }
        });
        cost.depth += 1;
        if cost.bytes > NAME_EXPANDED_BYTES || cost.depth > NAME_DEPTH {
            return Err(NotV0);
        }
        let id = NodeId::try_from(self.nodes.len()).map_err(|_| NotV0)?;
        self.nodes.push(node);
        self.costs.push(cost);
        Ok(id)
    }
}
