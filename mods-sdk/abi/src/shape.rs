//! The structure of payload types as constants: rendered into signatures and hashed into fingerprints.
//!
//! Everything here runs in const evaluation, in contract crates and mods alike, so it is written with
//! loops over slices and one `Sink` that counts, hashes and writes in the same pass.

/// The structure of a payload type, down to its scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A type without parts: a scalar, `String`, `()`.
    Plain(&'static str),
    /// A type of the standard library with type arguments, such as `Vec<T>`.
    Container {
        /// Its name.
        name: &'static str,
        /// The shapes of its type arguments.
        arguments: &'static [&'static Shape],
    },
    /// A tuple.
    Tuple(&'static [&'static Shape]),
    /// An array.
    Array {
        /// The shape of its elements.
        element: &'static Shape,
        /// How many there are.
        length: usize,
    },
    /// A struct of the contract.
    Struct {
        /// Its name.
        name: &'static str,
        /// Its serde attributes as written, empty if there are none.
        attributes: &'static str,
        /// Its fields in order.
        fields: Fields,
    },
    /// An enum of the contract.
    Enum {
        /// Its name.
        name: &'static str,
        /// Its serde attributes as written, empty if there are none.
        attributes: &'static str,
        /// Its variants in order.
        variants: &'static [Variant],
    },
}

/// The fields of a struct or variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// None, and no parentheses.
    Unit,
    /// Fields by position; their names are empty.
    Positional(&'static [Field]),
    /// Fields by name.
    Named(&'static [Field]),
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; empty if it has only a position.
    pub name: &'static str,
    /// Its serde attributes as written, empty if there are none.
    pub attributes: &'static str,
    /// Its type's shape.
    pub shape: &'static Shape,
}

/// One variant of an enum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// Its serde attributes as written, empty if there are none.
    pub attributes: &'static str,
    /// Its fields.
    pub fields: Fields,
}

impl Shape {
    /// Structural hash: FNV-1a 64 over the rendered shape.
    pub const fn fingerprint(&self) -> u64 {
        let mut sink = Sink::new(&mut []);
        self.render(&mut sink);
        sink.hash()
    }

    /// Whether every value takes at least one byte on the wire. A list of values that take none could
    /// claim any length in a few bytes, so [`crate::Payload`] refuses such lists at compile time.
    pub const fn occupies_bytes(&self) -> bool {
        match self {
            Self::Plain(name) => !name.is_empty() && name.as_bytes()[0] != b'(',
            Self::Container { .. } | Self::Enum { .. } => true,
            Self::Tuple(parts) => {
                let mut index = 0;
                while index < parts.len() {
                    if parts[index].occupies_bytes() {
                        return true;
                    }
                    index += 1;
                }
                false
            }
            Self::Array { element, length } => *length > 0 && element.occupies_bytes(),
            Self::Struct { fields, .. } => match fields {
                Fields::Unit => false,
                Fields::Positional(fields) | Fields::Named(fields) => {
                    let mut index = 0;
                    while index < fields.len() {
                        // An attribute such as `skip` may keep a field off the wire.
                        if fields[index].attributes.is_empty() && fields[index].shape.occupies_bytes() {
                            return true;
                        }
                        index += 1;
                    }
                    false
                }
            },
        }
    }

    /// Whether a type of the contract occurs in it, whose structure its name does not tell.
    pub(crate) const fn names_a_contract_type(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Struct { .. } | Self::Enum { .. } => true,
            Self::Array { element, .. } => element.names_a_contract_type(),
            Self::Tuple(parts) | Self::Container { arguments: parts, .. } => {
                let mut index = 0;
                while index < parts.len() {
                    if parts[index].names_a_contract_type() {
                        return true;
                    }
                    index += 1;
                }
                false
            }
        }
    }

    /// Writes the shape in words, such as `struct Input{dx: f32, dy: f32}`.
    pub(crate) const fn render(&self, sink: &mut Sink<'_>) {
        match self {
            Self::Plain(name) => sink.put(name),
            Self::Container { name, arguments } => {
                sink.put(name);
                sink.put("<");
                render_list(arguments, sink);
                sink.put(">");
            }
            Self::Tuple(parts) => {
                sink.put("(");
                render_list(parts, sink);
                sink.put(if parts.len() == 1 { ",)" } else { ")" });
            }
            Self::Array { element, length } => {
                sink.put("[");
                element.render(sink);
                sink.put("; ");
                sink.put_number(*length);
                sink.put("]");
            }
            Self::Struct { name, attributes, fields } => {
                render_attributes(attributes, sink);
                sink.put("struct ");
                sink.put(name);
                fields.render(sink);
            }
            Self::Enum { name, attributes, variants } => {
                render_attributes(attributes, sink);
                sink.put("enum ");
                sink.put(name);
                sink.put("{");
                let mut index = 0;
                while index < variants.len() {
                    if index > 0 {
                        sink.put(", ");
                    }
                    render_attributes(variants[index].attributes, sink);
                    sink.put(variants[index].name);
                    variants[index].fields.render(sink);
                    index += 1;
                }
                sink.put("}");
            }
        }
    }
}

impl Fields {
    const fn render(&self, sink: &mut Sink<'_>) {
        let (open, fields, close) = match self {
            Self::Unit => return,
            Self::Positional(fields) => ("(", *fields, ")"),
            Self::Named(fields) => ("{", *fields, "}"),
        };
        sink.put(open);
        let mut index = 0;
        while index < fields.len() {
            if index > 0 {
                sink.put(", ");
            }
            render_attributes(fields[index].attributes, sink);
            if !fields[index].name.is_empty() {
                sink.put(fields[index].name);
                sink.put(": ");
            }
            fields[index].shape.render(sink);
            index += 1;
        }
        sink.put(close);
    }
}

const fn render_list(shapes: &[&Shape], sink: &mut Sink<'_>) {
    let mut index = 0;
    while index < shapes.len() {
        if index > 0 {
            sink.put(", ");
        }
        shapes[index].render(sink);
        index += 1;
    }
}

const fn render_attributes(attributes: &str, sink: &mut Sink<'_>) {
    if !attributes.is_empty() {
        sink.put("#[serde(");
        sink.put(attributes);
        sink.put(")] ");
    }
}

/// Takes text in const evaluation: counts and hashes it, and writes it as far as it was given room.
pub(crate) struct Sink<'a> {
    room: &'a mut [u8],
    length: usize,
    hash: u64,
}

impl<'a> Sink<'a> {
    /// FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>).
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;

    pub(crate) const fn new(room: &'a mut [u8]) -> Self {
        Self { room, length: 0, hash: Self::OFFSET_BASIS }
    }

    pub(crate) const fn put(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            self.put_byte(bytes[index]);
            index += 1;
        }
    }

    pub(crate) const fn put_byte(&mut self, byte: u8) {
        if self.length < self.room.len() {
            self.room[self.length] = byte;
        }
        self.length += 1;
        self.hash = (self.hash ^ byte as u64).wrapping_mul(Self::PRIME);
    }

    pub(crate) const fn put_hex(&mut self, number: u64) {
        let mut shift = 64;
        while shift > 0 {
            shift -= 4;
            self.put_byte(b"0123456789abcdef"[((number >> shift) & 15) as usize]);
        }
    }

    const fn put_number(&mut self, number: usize) {
        if number >= 10 {
            self.put_number(number / 10);
        }
        self.put_byte(b'0' + (number % 10) as u8);
    }

    pub(crate) const fn length(&self) -> usize {
        self.length
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }
}
