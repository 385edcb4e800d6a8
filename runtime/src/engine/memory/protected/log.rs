//! Which pages can be written, and what was in them when the transaction began.
//!
//! A page that ticks touch again stays writable, and is copied when the next transaction begins: a game touches much the same pages
//! tick after tick, and copying a page costs a small part of what a signal and two changes of protection cost. A page
//! that ticks leave as it was is protected again after a few of them, and one that is touched for the first time in a while at
//! once: of scattered pages most are not touched again soon.

use std::{io, ops::Range};

use super::{guarded::Guarded, mapping::Mapping, runs::RunsKept};

/// Ticks for which a page that is not written to stays writable, and between two ticks that touch a page so that it does. A
/// signal with two changes of protection costs as much as some twenty copies and comparisons of a page.
const TICKS_KEPT: u8 = 8;
/// Pages made writable at once when a tick writes to neighbours one after the other.
const STREAK_PAGES_MAX: usize = 16;
/// Pages made writable at once when the process has nearly as many mappings as it may.
const GROUP_PAGES: usize = 64;
/// Bytes of copies that are kept between ticks for the next.
const COPIES_KEPT_BYTES: usize = 16 << 20;

/// A page that can be written.
#[derive(Clone, Copy, Debug)]
struct Entry {
    page: u32,
    /// Ticks for which it stays so if none writes to it.
    ticks_left: u8,
}

/// See the module.
#[derive(Debug)]
pub(super) struct PageLog {
    page_bytes: usize,
    is_armed: bool,
    /// Bytes at the memory's start that writing is forbidden for, but in pages that are listed.
    protected_bytes: usize,
    size_at_begin: usize,
    /// Pages that can be written, those from earlier ticks first. Has room for every page, so that the handler never allocates.
    entries: Vec<Entry>,
    /// How many of them are from earlier ticks.
    kept: usize,
    /// The same pages as a set.
    writable: Vec<u64>,
    /// By page, the number of the transaction that touched it last, as far as a byte tells numbers apart.
    touched: Vec<u8>,
    /// Number of the transaction.
    number: u8,
    /// Somebody took the protection away: nothing can be undone any more.
    is_lost: bool,
    /// The content of each entry at the beginning, in the order of `entries`.
    copies: Mapping,
    copies_ready: usize,
    /// Pages that `commit` protects again; empty between calls.
    leaving: Vec<u32>,
    /// Pages of the last run that a fault made writable.
    streak: Range<usize>,
    runs_kept: RunsKept,
}

impl PageLog {
    /// For a memory of at most `bytes_max`.
    pub(super) fn new(bytes_max: usize) -> io::Result<Self> {
        Ok(Self {
            page_bytes: rustix::param::page_size(),
            is_armed: false,
            protected_bytes: 0,
            size_at_begin: 0,
            entries: Vec::new(),
            kept: 0,
            writable: Vec::new(),
            touched: Vec::new(),
            number: TICKS_KEPT,
            is_lost: false,
            copies: Mapping::reserve(bytes_max)?,
            copies_ready: 0,
            leaving: Vec::new(),
            streak: 0..0,
            runs_kept: RunsKept::default(),
        })
    }

    /// Forbids writing to the whole memory, or allows it and forgets.
    pub(super) fn arm(&mut self, memory: &Guarded, size: usize, on: bool) {
        self.forget_entries();
        if let Err(error) = self.copies.give_back(0..self.copies_ready) {
            failed("the copies of pages cannot be given back", &error);
        }
        self.copies_ready = 0;
        self.protected_bytes = 0;
        self.is_armed = on;
        self.reserve(size / self.page_bytes);
        let changed = if on { self.protect_to(memory, size) } else { memory.allow_writing(0..size) };
        if let Err(error) = changed {
            failed("a mod's memory cannot be protected", &error);
        }
    }

    /// Whether what is written from now on can be undone; the system may refuse.
    pub(super) fn begin(&mut self, memory: &Guarded, size: usize) -> bool {
        self.size_at_begin = size;
        self.streak = 0..0;
        if self.is_lost {
            return false;
        }
        self.number = self.number.wrapping_add(1);
        if let Err(error) = self.protect_to(memory, size) {
            failed("a mod's memory cannot be protected", &error);
            return false;
        }
        self.reserve(size / self.page_bytes);
        self.kept = self.entries.len();
        // Copies of what stayed writable. If there is no room for them, they are protected again instead.
        if self.make_copies_ready(self.kept) {
            for index in 0..self.kept {
                self.copy(memory, index);
            }
            return true;
        }
        self.protect_all(memory)
    }

    pub(super) fn commit(&mut self, memory: &Guarded) {
        self.end(memory, false);
    }

    /// Answers the size that the memory has now, and whether all that was written was undone.
    pub(super) fn roll_back(&mut self, memory: &Guarded, size: usize) -> (usize, bool) {
        self.end(memory, true);
        if self.is_armed && !self.is_lost && !memory.is_intact() {
            self.is_lost = true;
            tracing::error!(
                target: "tickswap",
                "the descriptor that protects a mod's memory was closed by other code of this process: what ticks write can no \
                 longer be undone; do not close descriptors that the server did not open, or set UndoMechanism::WriteProtection"
            );
        }
        (self.shrink(memory, size), !self.is_lost)
    }

    /// Takes growth back.
    fn shrink(&self, memory: &Guarded, size: usize) -> usize {
        if size > self.size_at_begin
            && let Err(error) = memory.give_back(self.size_at_begin..size)
        {
            failed("memory that an undone tick grew by cannot be given back", &error);
            return size;
        }
        size.min(self.size_at_begin)
    }

    /// Puts changed pages back, if the transaction is undone, and decides which pages stay writable.
    fn end(&mut self, memory: &Guarded, is_undone: bool) {
        let has_new = self.entries.len() > self.kept;
        for index in 0..self.entries.len() {
            let is_changed = (index >= self.kept && !is_undone) || self.is_changed(memory, index);
            if is_changed && is_undone {
                self.put_back(memory, index);
            }
            let Entry { page, ticks_left } = self.entries[index];
            let touched = &mut self.touched[page as usize];
            let is_recent = self.number.wrapping_sub(*touched) <= TICKS_KEPT;
            self.entries[index].ticks_left = match (index >= self.kept, is_changed) {
                (true, _) if is_recent => TICKS_KEPT,
                // The closure runs again, and is likely to touch it again.
                (true, _) if is_undone => 1,
                (true, _) => 0,
                (false, true) => TICKS_KEPT,
                (false, false) => ticks_left.saturating_sub(1),
            };
            if is_changed {
                *touched = self.number;
            }
        }
        let leaving = &mut self.leaving;
        self.entries.retain(|entry| {
            if entry.ticks_left == 0 {
                leaving.push(entry.page);
            }
            entry.ticks_left > 0
        });
        if has_new || !self.leaving.is_empty() {
            self.protect_leaving(memory);
            self.entries.sort_unstable_by_key(|entry| entry.page);
            self.count_runs(memory);
        }
        self.kept = self.entries.len();
        self.give_copies_back();
    }

    fn put_back(&self, memory: &Guarded, index: usize) {
        let (page, bytes) = (self.entries[index].page as usize, self.page_bytes);
        // SAFETY: the page is listed, so it is in the memory and writable; its copy was made. No reference into the memory
        // exists while the store is exclusively borrowed.
        unsafe { self.copies.base().add(index * bytes).copy_to_nonoverlapping(memory.base().add(page * bytes), bytes) };
    }

    /// The host is about to write to these bytes. Whether it may.
    pub(super) fn touch(&mut self, memory: &Guarded, bytes: Range<usize>) -> bool {
        let end = bytes.end.min(self.protected_bytes);
        if !self.is_armed || bytes.start >= end {
            return true;
        }
        let pages = bytes.start / self.page_bytes..end.div_ceil(self.page_bytes);
        pages.clone().all(|page| self.is_writable(page)) || self.make_writable(memory, pages)
    }

    /// A write to a page was refused. Whether it is writable now.
    pub(super) fn on_fault(&mut self, memory: &Guarded, offset: usize) -> bool {
        let page = offset / self.page_bytes;
        if !self.is_armed || offset >= self.protected_bytes || self.is_writable(page) {
            return false;
        }
        let end = self.protected_bytes / self.page_bytes;
        let length = match self.streak.end == page && !self.streak.is_empty() {
            true => (self.streak.len() * 2).min(STREAK_PAGES_MAX),
            false => 1,
        };
        let run = page..(page + length).min(end);
        self.streak = run.clone();
        self.make_writable(memory, run)
    }

    /// Copies pages and makes them writable. With too many mappings in the process, more pages at once need fewer of them.
    fn make_writable(&mut self, memory: &Guarded, pages: Range<usize>) -> bool {
        let end = self.protected_bytes / self.page_bytes;
        let group = pages.start / GROUP_PAGES * GROUP_PAGES..pages.end.next_multiple_of(GROUP_PAGES).min(end);
        for pages in [pages, group, 0..end] {
            let before = self.entries.len();
            let bytes = pages.start * self.page_bytes..pages.end * self.page_bytes;
            if self.list(memory, pages) && memory.allow_writing(bytes).is_ok() {
                return true;
            }
            for index in before..self.entries.len() {
                let page = self.entries[index].page as usize;
                self.writable[page / 64] &= !(1 << (page % 64));
            }
            self.entries.truncate(before);
        }
        false
    }

    /// Copies those of the pages that are not listed, and lists them.
    fn list(&mut self, memory: &Guarded, pages: Range<usize>) -> bool {
        for page in pages {
            if self.is_writable(page) {
                continue;
            }
            if self.entries.len() == self.entries.capacity() || !self.make_copies_ready(self.entries.len() + 1) {
                return false;
            }
            self.writable[page / 64] |= 1 << (page % 64);
            self.entries.push(Entry { page: page as u32, ticks_left: 1 });
            self.copy(memory, self.entries.len() - 1);
        }
        true
    }

    fn is_writable(&self, page: usize) -> bool {
        self.writable.get(page / 64).is_some_and(|word| word & (1 << (page % 64)) != 0)
    }

    #[cfg(test)]
    pub(super) fn pages_kept(&self) -> usize {
        self.kept
    }

    /// Makes room for a memory of so many pages. Allocates, so not for the handler.
    fn reserve(&mut self, pages: usize) {
        self.entries.reserve(pages.saturating_sub(self.entries.len()));
        self.leaving.reserve(pages);
        self.writable.resize(pages.div_ceil(64).max(self.writable.len()), 0);
        self.touched.resize(pages.max(self.touched.len()), 0);
    }

    fn copy(&self, memory: &Guarded, index: usize) {
        let (page, bytes) = (self.entries[index].page as usize, self.page_bytes);
        // SAFETY: a listed page is in the memory, and `make_copies_ready` made room for its copy. Nobody writes to either now.
        unsafe { memory.base().add(page * bytes).copy_to_nonoverlapping(self.copies.base().add(index * bytes), bytes) };
    }

    fn is_changed(&self, memory: &Guarded, index: usize) -> bool {
        let (page, bytes) = (self.entries[index].page as usize, self.page_bytes);
        // SAFETY: both pages can be read, and nobody writes to either while the references live.
        let (now, before) = unsafe {
            let now = std::slice::from_raw_parts(memory.base().add(page * bytes), bytes);
            (now, std::slice::from_raw_parts(self.copies.base().add(index * bytes), bytes))
        };
        now != before
    }

    /// Room for so many copies, some more at once.
    fn make_copies_ready(&mut self, pages: usize) -> bool {
        const STEP: usize = 1 << 20;
        let needed = pages * self.page_bytes;
        if needed <= self.copies_ready {
            return true;
        }
        let end = needed.next_multiple_of(STEP);
        let is_ready = self.copies.allow_writing(self.copies_ready..end).is_ok();
        if is_ready {
            self.copies_ready = end;
        }
        is_ready
    }

    fn give_copies_back(&mut self) {
        if self.copies_ready <= COPIES_KEPT_BYTES || self.entries.len() * self.page_bytes > COPIES_KEPT_BYTES {
            return;
        }
        match self.copies.give_back(COPIES_KEPT_BYTES..self.copies_ready) {
            Ok(()) => self.copies_ready = COPIES_KEPT_BYTES,
            Err(error) => failed("the copies of pages cannot be given back", &error),
        }
    }

    /// Protects what the memory grew by since.
    fn protect_to(&mut self, memory: &Guarded, size: usize) -> io::Result<()> {
        if self.is_armed && size > self.protected_bytes {
            memory.forbid_writing(self.protected_bytes..size)?;
            self.protected_bytes = size;
        }
        Ok(())
    }

    fn protect_leaving(&mut self, memory: &Guarded) {
        self.leaving.sort_unstable();
        let mut rest = self.leaving.as_slice();
        while let Some(first) = rest.first().copied() {
            let run = rest.iter().zip(first..).take_while(|(page, expected)| **page == *expected).count();
            let (start, end) = (first as usize, first as usize + run);
            match memory.forbid_writing(start * self.page_bytes..end * self.page_bytes) {
                Ok(()) => (start..end).for_each(|page| self.writable[page / 64] &= !(1 << (page % 64))),
                // Too many mappings: they stay writable, and are tried again.
                Err(_) => self.entries.extend(rest[..run].iter().map(|page| Entry { page: *page, ticks_left: 1 })),
            }
            rest = &rest[run..];
        }
        self.leaving.clear();
    }

    /// Keeps within the process's share of mappings; entries are sorted.
    fn count_runs(&mut self, memory: &Guarded) {
        let mapped_pages = memory.mapped_end() / self.page_bytes;
        let mapped = &self.entries[..self.entries.partition_point(|entry| (entry.page as usize) < mapped_pages)];
        let follows = |pair: &[Entry]| pair[0].page + 1 == pair[1].page;
        let runs = mapped.len() - mapped.windows(2).filter(|pair| follows(pair)).count();
        if !self.runs_kept.replace(runs) {
            self.protect_all(memory);
        }
    }

    fn protect_all(&mut self, memory: &Guarded) -> bool {
        let protected = memory.forbid_writing(0..self.protected_bytes);
        match &protected {
            Ok(()) => self.forget_entries(),
            Err(error) => failed("a mod's memory cannot be protected", error),
        }
        protected.is_ok()
    }

    fn forget_entries(&mut self) {
        self.entries.clear();
        self.kept = 0;
        self.writable.fill(0);
        self.runs_kept = RunsKept::default();
    }
}

fn failed(what: &str, error: &io::Error) {
    tracing::error!(target: "tickswap", %error, "{what}");
}
