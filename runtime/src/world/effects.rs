//! The effects of one tick, in one flat buffer per world that is used again and again.

use tickswap_abi::{EffectRef, ModName, RawArguments};

use crate::engine::Signatures;

/// Effects in the order in which mods asked for them. Encoded arguments lie in one run of bytes, scalars in one run of
/// words; an entry says where.
#[derive(Debug, Default)]
pub(super) struct EffectList {
    entries: Vec<Entry>,
    values: Values,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Number of the mod in its world.
    from: usize,
    /// Position of the function in the contract.
    function: usize,
    arguments: ValueRange,
}

/// A place in an [`EffectList`] to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct EffectMark {
    entries: usize,
    values: (usize, usize),
}

impl EffectList {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.values.clear();
    }

    /// Adds an effect, if all of them stay within `bytes_max`.
    pub(super) fn push(
        &mut self,
        from: usize,
        function: usize,
        arguments: RawArguments<'_>,
        bytes_max: usize,
    ) -> Result<(), String> {
        let bytes = self.values.bytes() + Values::bytes_of(arguments) + (self.entries.len() + 1) * size_of::<Entry>();
        if bytes > bytes_max {
            return Err(format!(
                "the effects of this tick take more than {bytes_max} bytes (limit effect_bytes_per_tick)"
            ));
        }
        let arguments = self.values.push(arguments);
        self.entries.push(Entry { from, function, arguments });
        Ok(())
    }

    #[inline]
    pub(super) fn mark(&self) -> EffectMark {
        EffectMark { entries: self.entries.len(), values: (self.values.bytes.len(), self.values.words.len()) }
    }

    /// Forgets what came after the mark.
    pub(super) fn go_back(&mut self, mark: EffectMark) {
        self.entries.truncate(mark.entries);
        self.values.bytes.truncate(mark.values.0);
        self.values.words.truncate(mark.values.1);
    }
}

/// Argument lists and answers, packed.
#[derive(Debug, Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    words: Vec<u64>,
}

/// Where an argument list lies in [`Values`].
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueRange {
    start: usize,
    length: usize,
    is_encoded: bool,
}

impl Values {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.words.clear();
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len() + self.words.len() * 8
    }

    pub(super) fn bytes_of(arguments: RawArguments<'_>) -> usize {
        match arguments {
            RawArguments::Scalars(words) => words.len() * 8,
            RawArguments::Encoded(bytes) => bytes.len(),
        }
    }

    pub(super) fn push(&mut self, arguments: RawArguments<'_>) -> ValueRange {
        match arguments {
            RawArguments::Scalars(words) => {
                let start = self.words.len();
                self.words.extend_from_slice(words);
                ValueRange { start, length: words.len(), is_encoded: false }
            }
            RawArguments::Encoded(bytes) => {
                let start = self.bytes.len();
                self.bytes.extend_from_slice(bytes);
                ValueRange { start, length: bytes.len(), is_encoded: true }
            }
        }
    }

    pub(super) fn get(&self, range: ValueRange) -> RawArguments<'_> {
        let span = range.start..range.start + range.length;
        if range.is_encoded {
            RawArguments::Encoded(self.bytes.get(span).unwrap_or_default())
        } else {
            RawArguments::Scalars(self.words.get(span).unwrap_or_default())
        }
    }
}

/// The effects of a tick that committed, in the order in which mods asked for them.
///
/// Generated code applies one: `arena_host::apply(&effect, &mut host)`.
#[derive(Clone, Copy)]
pub struct Effects<'w> {
    list: Option<&'w EffectList>,
    names: &'w [ModName],
    signatures: &'w Signatures,
}

impl<'w> Effects<'w> {
    pub(super) fn new(list: Option<&'w EffectList>, names: &'w [ModName], signatures: &'w Signatures) -> Self {
        Self { list, names, signatures }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.map_or(0, |list| list.entries.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> EffectIter<'w> {
        EffectIter { effects: *self, next: 0 }
    }

    fn get(&self, index: usize) -> Option<EffectRef<'w>> {
        let list = self.list?;
        let entry = list.entries.get(index)?;
        let function = self.signatures.host_functions().get(entry.function)?;
        Some(EffectRef {
            from: self.names.get(entry.from)?,
            interface: function.interface,
            function: function.index,
            arguments: list.values.get(entry.arguments),
        })
    }
}

impl std::fmt::Debug for Effects<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<'w> IntoIterator for Effects<'w> {
    type Item = EffectRef<'w>;
    type IntoIter = EffectIter<'w>;

    fn into_iter(self) -> EffectIter<'w> {
        self.iter()
    }
}

impl<'w> IntoIterator for &Effects<'w> {
    type Item = EffectRef<'w>;
    type IntoIter = EffectIter<'w>;

    fn into_iter(self) -> EffectIter<'w> {
        self.iter()
    }
}

/// Walks over [`Effects`].
#[derive(Clone, Debug)]
pub struct EffectIter<'w> {
    effects: Effects<'w>,
    next: usize,
}

impl<'w> Iterator for EffectIter<'w> {
    type Item = EffectRef<'w>;

    fn next(&mut self) -> Option<EffectRef<'w>> {
        let effect = self.effects.get(self.next)?;
        self.next += 1;
        Some(effect)
    }
}
