//! The queries of one tick with their answers, in one flat buffer per world. Together with a tick's inputs they
//! determine what the mods do; rerunning and rehearsing a tick build on that.

use tickswap_abi::{HostInterface, ModName, RawAnswer, RawArguments};

use super::effects::{ValueRange, Values};
use crate::engine::Signatures;

/// Queries in the order in which mods asked them.
#[derive(Debug, Default)]
pub(super) struct QueryList {
    entries: Vec<Entry>,
    values: Values,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    from: usize,
    function: usize,
    arguments: ValueRange,
    answer: Answer,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Nothing,
    Scalar(u64),
    Encoded(ValueRange),
}

impl QueryList {
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.values.clear();
    }

    /// Records a query, if all of them stay within `bytes_max`.
    pub(super) fn push(
        &mut self,
        from: usize,
        function: usize,
        arguments: RawArguments<'_>,
        answer: RawAnswer<'_>,
        bytes_max: usize,
    ) -> Result<(), String> {
        let answer_bytes = match answer {
            RawAnswer::Encoded(bytes) => bytes.len(),
            _ => 0,
        };
        let bytes = self.values.bytes()
            + Values::bytes_of(arguments)
            + answer_bytes
            + (self.entries.len() + 1) * size_of::<Entry>();
        if bytes > bytes_max {
            return Err(format!(
                "the queries of this tick and their answers take more than {bytes_max} bytes \
                 (limit query_bytes_per_tick)"
            ));
        }
        let arguments = self.values.push(arguments);
        let answer = match answer {
            RawAnswer::Nothing => Answer::Nothing,
            RawAnswer::Scalar(bits) => Answer::Scalar(bits),
            RawAnswer::Encoded(bytes) => Answer::Encoded(self.values.push(RawArguments::Encoded(bytes))),
        };
        self.entries.push(Entry { from, function, arguments, answer });
        Ok(())
    }
}

/// One query of a tick.
#[derive(Clone, Copy, Debug)]
pub struct QueryRef<'w> {
    /// The mod that asked.
    pub from: &'w ModName,
    /// The host trait.
    pub interface: &'static HostInterface,
    /// The function's index in [`HostInterface::functions`].
    pub function: usize,
    /// What was asked.
    pub arguments: RawArguments<'w>,
    /// What the server answered.
    pub answer: RawAnswer<'w>,
}

/// The queries of a tick with their answers, in the order in which mods asked them.
#[derive(Clone, Copy)]
pub struct RecordedQueries<'w> {
    list: Option<&'w QueryList>,
    names: &'w [ModName],
    signatures: &'w Signatures,
}

impl<'w> RecordedQueries<'w> {
    pub(super) fn new(list: Option<&'w QueryList>, names: &'w [ModName], signatures: &'w Signatures) -> Self {
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
    pub fn iter(&self) -> impl Iterator<Item = QueryRef<'w>> + use<'w> {
        let queries = *self;
        (0..self.len()).filter_map(move |index| queries.get(index))
    }

    fn get(&self, index: usize) -> Option<QueryRef<'w>> {
        let list = self.list?;
        let entry = list.entries.get(index)?;
        let function = self.signatures.host_functions().get(entry.function)?;
        Some(QueryRef {
            from: self.names.get(entry.from)?,
            interface: function.interface,
            function: function.index,
            arguments: list.values.get(entry.arguments),
            answer: match entry.answer {
                Answer::Nothing => RawAnswer::Nothing,
                Answer::Scalar(bits) => RawAnswer::Scalar(bits),
                Answer::Encoded(range) => match list.values.get(range) {
                    RawArguments::Encoded(bytes) => RawAnswer::Encoded(bytes),
                    RawArguments::Scalars(_) => RawAnswer::Nothing,
                },
            },
        })
    }
}

impl std::fmt::Debug for RecordedQueries<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}
