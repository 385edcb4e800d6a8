//! Parses a v0 symbol (rust-lang RFC 2603 and what rustc 1.95 adds to it) into the tree of `tree.rs`.
//!
//! Whatever the bytes: no panic, no recursion deeper than a limit, work linear in the symbol. Every position is parsed
//! once per kind of thing, so back references that would expand to an exponential text cost nothing here, and the
//! expansion's size is summed up on the way and refused above a limit. A back reference into what is still being
//! parsed would be a cycle and is refused.

use std::collections::HashMap;

use super::tree::{
    Abi, Argument, Bound, FunctionType, Identifier, Node, NodeId, Span, VariantFields,
};
use crate::limits::{NAME_DEPTH, NAME_EXPANDED_BYTES, NAME_SYMBOL_BYTES};

/// The symbol is not a v0 name, or is beyond a limit. The caller treats it as plain text, so no reason is kept.
#[derive(Debug)]
pub(super) struct NotV0;

type Parsed<T> = Result<T, NotV0>;

/// What parsing gave.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// Bytes of the text after `_R` that belong to the name; the rest is a suffix.
    pub(super) length: usize,
}

/// Parses `text`, the symbol without its `_R`.
pub(super) fn parse(text: &str) -> Parsed<Tree> {
    if text.len() > NAME_SYMBOL_BYTES
        || !text.is_ascii()
        || !text.starts_with(|c: char| c.is_ascii_uppercase())
    {
        return Err(NotV0);
    }
    let mut parser = Parser {
        text: text.as_bytes(),
        next: 0,
        depth: 0,
        nodes: Vec::new(),
        costs: Vec::new(),
        known: HashMap::new(),
    };
    let root = parser.path()?;
    let kept = parser.nodes.len();
    // The crate that made this copy of a generic function: no part of the identity.
    if parser.peek().is_some_and(|byte| byte.is_ascii_uppercase()) {
        parser.path()?;
    }
    parser.nodes.truncate(kept);
    Ok(Tree {
        nodes: parser.nodes,
        root,
        length: parser.next,
    })
}

/// What a grammar rule produces: one position can be read as any of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Path,
    Type,
    Constant,
}

enum Known {
    InProgress,
    Done { node: NodeId, end: usize },
}

/// What rendering a node would take.
#[derive(Clone, Copy)]
struct Cost {
    bytes: usize,
    depth: usize,
}

struct Parser<'a> {
    text: &'a [u8],
    next: usize,
    depth: usize,
    nodes: Vec<Node>,
    costs: Vec<Cost>,
    known: HashMap<(usize, Kind), Known>,
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
        let start = self.next;
        match self.known.get(&(start, kind)) {
            Some(Known::Done { node, end }) => {
                self.next = *end;
                return Ok(*node);
            }
            Some(Known::InProgress) => return Err(NotV0),
            None => {}
        }
        self.known.insert((start, kind), Known::InProgress);
        self.depth += 1;
        if self.depth > NAME_DEPTH {
            return Err(NotV0);
        }
        let node = rule(self)?;
        self.depth -= 1;
        self.known.insert(
            (start, kind),
            Known::Done {
                node,
                end: self.next,
            },
        );
        Ok(node)
    }

    fn path_here(&mut self) -> Parsed<NodeId> {
        let node = match self.byte()? {
            b'C' => {
                let hash = self.disambiguator_text()?;
                Node::Crate {
                    hash,
                    name: self.identifier()?,
                }
            }
            b'N' => {
                let namespace = self.byte()?;
                if !namespace.is_ascii_alphabetic() {
                    return Err(NotV0);
                }
                let parent = self.path()?;
                Node::Item {
                    namespace,
                    parent,
                    disambiguator: self.disambiguator()?,
                    name: self.identifier()?,
                }
            }
            b'M' => Node::InherentImpl {
                number: self.disambiguator()?,
                module: self.path()?,
                self_type: self.type_()?,
            },
            b'X' => Node::TraitImpl {
                number: self.disambiguator()?,
                module: self.path()?,
                self_type: self.type_()?,
                trait_path: self.path()?,
            },
            b'Y' => Node::TraitDefinition {
                self_type: self.type_()?,
                trait_path: self.path()?,
            },
            b'I' => {
                let path = self.path()?;
                Node::Generic {
                    path,
                    arguments: self.list(Self::argument)?,
                }
            }
            b'B' => return self.back_reference(Self::path),
            _ => return Err(NotV0),
        };
        self.push(node)
    }

    fn argument(&mut self) -> Parsed<Argument> {
        if self.eat(b'L') {
            Ok(Argument::Lifetime(self.integer_62()?))
        } else if self.eat(b'K') {
            Ok(Argument::Constant(self.constant()?))
        } else {
            Ok(Argument::Type(self.type_()?))
        }
    }

    fn type_here(&mut self) -> Parsed<NodeId> {
        let tag = self.byte()?;
        let node = match tag {
            _ if super::render::basic_type(tag).is_some() => Node::Basic(tag),
            b'w' => Node::Splat(self.type_()?),
            b'A' => Node::Array {
                element: self.type_()?,
                count: self.constant()?,
            },
            b'S' => Node::Slice(self.type_()?),
            b'T' => Node::Tuple(self.list(Self::type_)?),
            b'R' | b'Q' => {
                let lifetime = if self.eat(b'L') {
                    Some(self.integer_62()?)
                } else {
                    None
                };
                Node::Reference {
                    mutable: tag == b'Q',
                    lifetime,
                    target: self.type_()?,
                }
            }
            b'P' | b'O' => Node::Pointer {
                mutable: tag == b'O',
                target: self.type_()?,
            },
            b'F' => self.function_type()?,
            b'D' => {
                let binder = self.tagged_62(b'G')?;
                let bounds = self.list(Self::bound)?;
                self.expect(b'L')?;
                Node::Dyn {
                    binder,
                    bounds,
                    lifetime: self.integer_62()?,
                }
            }
            b'W' => Node::Pattern {
                base: self.type_()?,
                pattern: self.pattern()?,
            },
            b'B' => return self.back_reference(Self::type_),
            _ => {
                self.next -= 1;
                return self.path();
            }
        };
        self.push(node)
    }

    fn function_type(&mut self) -> Parsed<Node> {
        let binder = self.tagged_62(b'G')?;
        let is_unsafe = self.eat(b'U');
        let abi = match self.eat(b'K') {
            false => None,
            true if self.eat(b'C') => Some(Abi::C),
            true => {
                let name = self.identifier()?;
                if name.punycode || name.text.start == name.text.end {
                    return Err(NotV0);
                }
                Some(Abi::Other(name))
            }
        };
        let parameters = self.list(Self::type_)?;
        let result = self.type_()?;
        Ok(Node::Function(Box::new(FunctionType {
            binder,
            is_unsafe,
            abi,
            parameters,
            result,
        })))
    }

    fn bound(&mut self) -> Parsed<Bound> {
        let trait_path = self.path()?;
        let mut associated = Vec::new();
        while self.eat(b'p') {
            let name = self.identifier()?;
            let value = if self.eat(b'K') {
                Argument::Constant(self.constant()?)
            } else {
                Argument::Type(self.type_()?)
            };
            associated.push((name, value));
        }
        Ok(Bound {
            trait_path,
            associated: associated.into(),
        })
    }

    fn pattern(&mut self) -> Parsed<NodeId> {
        self.depth += 1;
        if self.depth > NAME_DEPTH {
            return Err(NotV0);
        }
        let node = match self.byte()? {
            b'R' => Node::PatternRange {
                first: self.constant()?,
                last: self.constant()?,
            },
            b'O' => Node::PatternEither(self.list(Self::pattern)?),
            b'N' => Node::PatternNotNull,
            _ => return Err(NotV0),
        };
        self.depth -= 1;
        self.push(node)
    }

    fn constant_here(&mut self) -> Parsed<NodeId> {
        let tag = self.byte()?;
        let node = match tag {
            b'p' => Node::ConstantPlaceholder,
            b'h' | b't' | b'm' | b'y' | b'o' | b'j' | b'b' | b'c' => Node::ConstantScalar {
                tag,
                negative: false,
                digits: self.hexadecimal()?,
            },
            b'a' | b's' | b'l' | b'x' | b'n' | b'i' => Node::ConstantScalar {
                tag,
                negative: self.eat(b'n'),
                digits: self.hexadecimal()?,
            },
            b'e' => Node::ConstantString(self.hexadecimal()?),
            b'R' | b'Q' => Node::ConstantReference {
                mutable: tag == b'Q',
                target: self.constant()?,
            },
            b'A' => Node::ConstantArray(self.list(Self::constant)?),
            b'T' => Node::ConstantTuple(self.list(Self::constant)?),
            b'V' => {
                let path = self.path()?;
                let fields = match self.byte()? {
                    b'U' => VariantFields::Unit,
                    b'T' => VariantFields::Tuple(self.list(Self::constant)?),
                    b'S' => VariantFields::Named(self.list(|this| {
                        Ok((this.disambiguator()?, this.identifier()?, this.constant()?))
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
        while !self.eat(b'E') {
            all.push(element(self)?);
        }
        Ok(all.into())
    }

    /// `B` was read. The target must lie before it.
    fn back_reference(&mut self, rule: fn(&mut Self) -> Parsed<NodeId>) -> Parsed<NodeId> {
        let start = self.next - 1;
        let target = usize::try_from(self.integer_62()?).map_err(|_| NotV0)?;
        if target >= start {
            return Err(NotV0);
        }
        let after = std::mem::replace(&mut self.next, target);
        let node = rule(self)?;
        self.next = after;
        Ok(node)
    }

    /// Adds a node, and refuses one whose text would be too long or too deep.
    fn push(&mut self, node: Node) -> Parsed<NodeId> {
        let mut cost = Cost {
            bytes: own_bytes(&node),
            depth: 0,
        };
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

    fn peek(&self) -> Option<u8> {
        self.text.get(self.next).copied()
    }

    fn byte(&mut self) -> Parsed<u8> {
        let byte = self.peek().ok_or(NotV0)?;
        self.next += 1;
        Ok(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.eat(byte) { Ok(()) } else { Err(NotV0) }
    }

    fn integer_62(&mut self) -> Parsed<u64> {
        if self.eat(b'_') {
            return Ok(0);
        }
        let mut value = 0u64;
        loop {
            let digit = match self.byte()? {
                b'_' => return value.checked_add(1).ok_or(NotV0),
                byte @ b'0'..=b'9' => byte - b'0',
                byte @ b'a'..=b'z' => byte - b'a' + 10,
                byte @ b'A'..=b'Z' => byte - b'A' + 36,
                _ => return Err(NotV0),
            };
            value = value
                .checked_mul(62)
                .and_then(|value| value.checked_add(u64::from(digit)))
                .ok_or(NotV0)?;
        }
    }

    /// 0 without the tag, else one more than the number after it.
    fn tagged_62(&mut self, tag: u8) -> Parsed<u64> {
        if self.eat(tag) {
            self.integer_62()?.checked_add(1).ok_or(NotV0)
        } else {
            Ok(0)
        }
    }

    fn disambiguator(&mut self) -> Parsed<u64> {
        self.tagged_62(b's')
    }

    /// The disambiguator's digits as they stand, empty if there is none (`s_` alone gives `_`).
    fn disambiguator_text(&mut self) -> Parsed<Span> {
        let start = self.next;
        if self.disambiguator()? == 0 {
            return self.span(start, start);
        }
        let end = if self.next - start == 2 {
            self.next
        } else {
            self.next - 1
        };
        self.span(start + 1, end)
    }

    fn identifier(&mut self) -> Parsed<Identifier> {
        let punycode = self.eat(b'u');
        let first = self.digit().ok_or(NotV0)?;
        let mut length = first;
        if first != 0 {
            while let Some(digit) = self.digit() {
                length = length
                    .checked_mul(10)
                    .and_then(|length| length.checked_add(digit))
                    .ok_or(NotV0)?;
            }
        }
        self.eat(b'_');
        let start = self.next;
        let end = start
            .checked_add(length)
            .filter(|end| *end <= self.text.len())
            .ok_or(NotV0)?;
        // Rust's identifiers hold nothing else, and rendering relies on it: every delimiter is another character.
        if !self.text[start..end]
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        {
            return Err(NotV0);
        }
        if punycode && (length == 0 || self.text.get(end - 1) == Some(&b'_')) {
            return Err(NotV0);
        }
        self.next = end;
        Ok(Identifier {
            text: self.span(start, end)?,
            punycode,
        })
    }

    fn digit(&mut self) -> Option<usize> {
        let byte = self.peek().filter(u8::is_ascii_digit)?;
        self.next += 1;
        Some(usize::from(byte - b'0'))
    }

    fn hexadecimal(&mut self) -> Parsed<Span> {
        let start = self.next;
        loop {
            match self.byte()? {
                b'0'..=b'9' | b'a'..=b'f' => {}
                b'_' => return self.span(start, self.next - 1),
                _ => return Err(NotV0),
            }
        }
    }

    fn span(&self, start: usize, end: usize) -> Parsed<Span> {
        let narrow = |value: usize| u32::try_from(value).map_err(|_| NotV0);
        Ok(Span {
            start: narrow(start)?,
            end: narrow(end)?,
        })
    }
}

/// About how much text a node adds by itself; punctuation and numbers are covered by the constant.
fn own_bytes(node: &Node) -> usize {
    // Decoded punycode takes up to four bytes for each of its own.
    let identifier = |name: &Identifier| {
        (name.text.end - name.text.start) as usize * if name.punycode { 4 } else { 1 }
    };
    24 + match node {
        Node::Crate { hash, name } => identifier(name) + (hash.end - hash.start) as usize,
        Node::Item { name, .. } => identifier(name),
        Node::ConstantScalar { digits, .. } | Node::ConstantString(digits) => {
            (digits.end - digits.start) as usize
        }
        Node::Function(function) => match &function.abi {
            Some(Abi::Other(name)) => identifier(name),
            _ => 0,
        },
        Node::Generic { arguments, .. } => arguments.len() * 24,
        Node::Dyn { bounds, .. } => bounds
            .iter()
            .flat_map(|bound| bound.associated.iter())
            .map(|(name, _)| identifier(name) + 8)
            .sum(),
        Node::ConstantVariant {
            fields: VariantFields::Named(fields),
            ..
        } => fields
            .iter()
            .map(|(_, name, _)| identifier(name) + 24)
            .sum(),
        _ => 0,
    }
}
