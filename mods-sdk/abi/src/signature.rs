//! Signatures of hooks and host functions as constants: their text, their fingerprint, their contract line.
//!
//! Used by generated code only. The text is for people, with the types as written; the fingerprint hashes
//! structure, so that two spellings of one type agree and two structures under one name do not.

use crate::shape::{Shape, Sink};

/// One method of a contract trait.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The method's name.
    pub name: &'static str,
    /// Whether it takes `&mut self`.
    pub mutable: bool,
    /// Its parameters without `self`.
    pub parameters: &'static [Parameter],
    /// Its result; the name is empty.
    pub result: Option<Parameter>,
}

/// One parameter, or the result.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type as written.
    pub written: &'static str,
    /// Its type's shape.
    pub shape: &'static Shape,
    /// Whether it travels as a wasm value, if everything beside it does.
    pub scalar: bool,
}

impl Signature {
    /// Structural hash: names, receiver, the types' shapes and how they travel.
    pub const fn fingerprint(&self) -> u64 {
        let mut sink = Sink::new(&mut []);
        self.render(true, &mut sink);
        sink.hash()
    }

    /// Length of [`Signature::text`] in bytes.
    pub const fn text_length(&self) -> usize {
        let mut sink = Sink::new(&mut []);
        self.render_text(&mut sink);
        sink.length()
    }

    /// The signature as written, and the shapes of the contract's types in it, on one line.
    pub const fn text<const LENGTH: usize>(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.render_text(&mut Sink::new(&mut bytes));
        bytes
    }

    /// Length of [`Signature::line`] in bytes.
    pub const fn line_length(&self, kind: &str, interface: &str) -> usize {
        let mut sink = Sink::new(&mut []);
        self.render_line(kind, interface, &mut sink);
        sink.length()
    }

    /// The line of the `tickswap.contract` section: kind, trait, method, fingerprint, text.
    pub const fn line<const LENGTH: usize>(&self, kind: &str, interface: &str) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.render_line(kind, interface, &mut Sink::new(&mut bytes));
        bytes
    }

    const fn render_line(&self, kind: &str, interface: &str, sink: &mut Sink<'_>) {
        sink.put(kind);
        sink.put(" ");
        sink.put(interface);
        sink.put(" ");
        sink.put(self.name);
        sink.put(" ");
        sink.put_hex(self.fingerprint());
        sink.put(" ");
        self.render_text(sink);
        sink.put("\n");
    }

    const fn render_text(&self, sink: &mut Sink<'_>) {
        self.render(false, sink);
        let mut first = true;
        let mut index = 0;
        while index < self.parameters.len() {
            let parameter = &self.parameters[index];
            if parameter.needs_explaining() && !self.explained_before(parameter, index) {
                parameter.render_shape(first, sink);
                first = false;
            }
            index += 1;
        }
        if let Some(result) = &self.result
            && result.needs_explaining()
            && !self.explained_before(result, self.parameters.len())
        {
            result.render_shape(first, sink);
        }
    }

    const fn explained_before(&self, parameter: &Parameter, end: usize) -> bool {
        let mut index = 0;
        while index < end {
            if same_text(self.parameters[index].written, parameter.written) {
                return true;
            }
            index += 1;
        }
        false
    }

    const fn render(&self, structural: bool, sink: &mut Sink<'_>) {
        sink.put("fn ");
        sink.put(self.name);
        sink.put(if self.mutable { "(&mut self" } else { "(&self" });
        let mut index = 0;
        while index < self.parameters.len() {
            let parameter = &self.parameters[index];
            sink.put(", ");
            sink.put(parameter.name);
            sink.put(": ");
            parameter.render_type(structural, sink);
            index += 1;
        }
        sink.put(")");
        if let Some(result) = &self.result {
            sink.put(" -> ");
            result.render_type(structural, sink);
        }
    }
}

impl Parameter {
    const fn needs_explaining(&self) -> bool {
        self.shape.names_a_contract_type()
    }

    const fn render_type(&self, structural: bool, sink: &mut Sink<'_>) {
        if structural {
            // A scalar under another written name travels encoded: same shape, another wasm type.
            sink.put(if self.scalar { "scalar " } else { "" });
            self.shape.render(sink);
        } else {
            sink.put(self.written);
        }
    }

    const fn render_shape(&self, first: bool, sink: &mut Sink<'_>) {
        sink.put(if first { " where " } else { ", " });
        sink.put(self.written);
        sink.put(" = ");
        self.shape.render(sink);
    }
}

/// Bytes that [`Signature::text`] or [`Signature::line`] made, as text.
pub const fn as_text(bytes: &'static [u8]) -> &'static str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("signatures are made of texts"),
    }
}

/// The bytes of a text as an array, for a static in a custom section.
pub const fn as_array<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    Sink::new(&mut bytes).put(text);
    bytes
}

/// Id of an interface: hash of the contract crate's name and the trait's name.
pub const fn interface_id(crate_and_trait: &str) -> u64 {
    let mut sink = Sink::new(&mut []);
    sink.put(crate_and_trait);
    sink.hash()
}

const fn same_text(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}
