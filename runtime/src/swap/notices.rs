//! Who is told of what happens, and how without waiting: a bounded channel per reader, and a count of what it missed.
//!
//! Worlds tell at the end of a tick, so telling neither waits nor copies: a notice is a number or a pointer. Who reads it
//! fetches the words from the ledger.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU64, Ordering},
};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::{
    ids::SubmissionId,
    limits::{EVENT_READERS_MAX, EVENTS_QUEUED_MAX},
    world::{Fault, SwapRecord},
};

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    /// The state of a submission is another now.
    Submission { id: SubmissionId, is_final: bool },
    /// A world changed what is active.
    Swapped(Arc<SwapRecord>),
    /// A mod trapped.
    Faulted(Arc<Fault>),
    /// That many notices were lost here.
    Lost(u64),
}

/// All readers there are.
#[derive(Debug, Default)]
pub(super) struct Listeners(Vec<Listener>);

#[derive(Debug)]
struct Listener {
    notices: Sender<Notice>,
    /// Dead when the reader is gone.
    lost: Weak<AtomicU64>,
}

/// The other end.
#[derive(Debug)]
pub(crate) struct NoticeReader {
    pub(crate) notices: Receiver<Notice>,
    lost: Arc<AtomicU64>,
}

impl Listeners {
    pub(super) fn add(&mut self) -> Option<NoticeReader> {
        self.0.retain(|listener| listener.lost.strong_count() > 0);
        if self.0.len() >= EVENT_READERS_MAX {
            return None;
        }
        let (sender, notices) = bounded(EVENTS_QUEUED_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        self.0.push(Listener { notices: sender, lost: Arc::downgrade(&lost) });
        Some(NoticeReader { notices, lost })
    }

    pub(super) fn tell(&mut self, notice: &Notice) {
        self.0.retain(|listener| listener.tell(notice));
    }
}

impl Listener {
    /// Whether the reader is still there.
    fn tell(&self, notice: &Notice) -> bool {
        let Some(lost) = self.lost.upgrade() else {
            return false;
        };
        // What was lost is told where it is missing, before anything newer.
        let missed = lost.swap(0, Ordering::Relaxed);
        let sent = match missed {
            0 => Ok(()),
            missed => self.notices.try_send(Notice::Lost(missed)),
        };
        if sent.is_err() {
            lost.fetch_add(missed + 1, Ordering::Relaxed);
        } else if let Err(TrySendError::Full(_)) = self.notices.try_send(notice.clone()) {
            lost.fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

impl NoticeReader {
    /// What was lost since the last notice that is in the channel; asked when nothing else is left to read.
    pub(crate) fn take_lost(&self) -> Option<Notice> {
        let missed = self.lost.swap(0, Ordering::Relaxed);
        (missed > 0).then_some(Notice::Lost(missed))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn submission(number: u64) -> Notice {
        Notice::Submission { id: SubmissionId(number), is_final: true }
    }

    /// Numbers as they are, losses as the negative count.
    fn read(reader: &NoticeReader) -> Vec<i64> {
        let number = |notice| match notice {
            Notice::Submission { id, .. } => id.0 as i64,
            Notice::Lost(count) => -(count as i64),
            other => panic!("unexpected {other:?}"),
        };
        reader.notices.try_iter().map(number).collect()
    }

    #[test]
    fn a_slow_reader_learns_where_and_how_much_it_missed() {
        let mut listeners = Listeners::default();
        let (slow, quick) = (listeners.add().unwrap(), listeners.add().unwrap());
        let capacity = EVENTS_QUEUED_MAX as u64;
        for number in 1..=capacity + 3 {
            listeners.tell(&submission(number));
            assert_eq!(read(&quick), [number as i64]);
        }
        assert!(matches!(slow.notices.try_recv(), Ok(Notice::Submission { id: SubmissionId(1), .. })));
        assert!(matches!(slow.notices.try_recv(), Ok(Notice::Submission { id: SubmissionId(2), .. })));
        // Two places are free: one for the loss, one for what is new.
        listeners.tell(&submission(9000));
        listeners.tell(&submission(9001));
        let read = read(&slow);
        assert_eq!(read.len(), EVENTS_QUEUED_MAX);
        assert_eq!(read[..2], [3, 4]);
        assert_eq!(read[read.len() - 3..], [capacity as i64, -3, 9000]);
        assert!(matches!(slow.take_lost(), Some(Notice::Lost(1))), "what is missing at the end is told too");
        assert!(slow.take_lost().is_none());
    }

    #[test]
    fn readers_are_limited_and_make_room_when_they_go() {
        let mut listeners = Listeners::default();
        let mut readers: Vec<_> = (0..EVENT_READERS_MAX).map(|_| listeners.add().unwrap()).collect();
        assert!(listeners.add().is_none());
        readers.pop();
        assert!(listeners.add().is_some());
        drop(readers);
        listeners.tell(&submission(1));
        assert!(listeners.0.is_empty());
    }
}
