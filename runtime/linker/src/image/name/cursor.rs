//! The smallest pieces of a v0 symbol: numbers, identifiers, hexadecimal digits. What they make up is `parse.rs`.

use super::tree::{Identifier, Span};

/// The symbol is not a v0 name, or is beyond a limit. The caller treats it as plain text, so no reason is kept.
#[derive(Debug)]
pub(super) struct NotV0;

/// What reading a piece gives.
pub(super) type Parsed<T> = Result<T, NotV0>;

/// The symbol's text after `_R` and how far it is read.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a [u8],
    pub(super) next: usize,
}

impl Cursor<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.next).copied()
    }

    pub(super) fn byte(&mut self) -> Parsed<u8> {
        let byte = self.peek().ok_or(NotV0)?;
        self.next += 1;
        Ok(byte)
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.next += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Parsed<()> {
        if self.eat(byte) { Ok(()) } else { Err(NotV0) }
    }

    pub(super) fn integer_62(&mut self) -> Parsed<u64> {
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
            value = value.checked_mul(62).and_then(|value| value.checked_add(u64::from(digit))).ok_or(NotV0)?;
        }
    }

    /// 0 without the tag, else one more than the number after it.
    pub(super) fn tagged_62(&mut self, tag: u8) -> Parsed<u64> {
        if self.eat(tag) { self.integer_62()?.checked_add(1).ok_or(NotV0) } else { Ok(0) }
    }

    pub(super) fn disambiguator(&mut self) -> Parsed<u64> {
        self.tagged_62(b's')
    }

    /// The disambiguator's digits as they stand, empty if there is none (`s_` alone gives `_`).
    pub(super) fn disambiguator_text(&mut self) -> Parsed<Span> {
        let start = self.next;
        if self.disambiguator()? == 0 {
            return self.span(start, start);
        }
        let end = if self.next - start == 2 { self.next } else { self.next - 1 };
        self.span(start + 1, end)
    }

    pub(super) fn identifier(&mut self) -> Parsed<Identifier> {
        let punycode = self.eat(b'u');
        let first = self.digit().ok_or(NotV0)?;
        let mut length = first;
        if first != 0 {
            while let Some(digit) = self.digit() {
                length = length.checked_mul(10).and_then(|length| length.checked_add(digit)).ok_or(NotV0)?;
            }
        }
        self.eat(b'_');
        let start = self.next;
        let end = start.checked_add(length).filter(|end| *end <= self.text.len()).ok_or(NotV0)?;
        // Rust's identifiers hold nothing else, and rendering relies on it: every delimiter is another character.
        if !self.text[start..end].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            return Err(NotV0);
        }
        if punycode && (length == 0 || self.text.get(end - 1) == Some(&b'_')) {
            return Err(NotV0);
        }
        self.next = end;
        Ok(Identifier { text: self.span(start, end)?, punycode })
    }

    fn digit(&mut self) -> Option<usize> {
        let byte = self.peek().filter(u8::is_ascii_digit)?;
        self.next += 1;
        Some(usize::from(byte - b'0'))
    }

    pub(super) fn hexadecimal(&mut self) -> Parsed<Span> {
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
        Ok(Span { start: narrow(start)?, end: narrow(end)? })
    }
}
