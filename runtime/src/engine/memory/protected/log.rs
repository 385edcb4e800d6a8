//! Which pages can be written, and what was in them when the transaction began.
//!
//! A page that one tick touched stays writable, and is copied when the next transaction begins: a game touches much the same pages
//! tick after tick, and copying a page costs a small part of what a signal and two changes of protection cost. A page
//! that a tick leaves as it was loses credit, and is protected again when it has none.

use std::{
    io,
    ops::Range,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::mapping::Mapping;

/// Ticks for which a page that is not written to stays writable at most.
const CREDIT_MAX: u8 = 8;
/// Pages made writable at once when a tick writes to neighbours one after the other.
const STREAK_PAGES_MAX: usize = 16;
/// Pages made writable at once when the process has nearly as many mappings as it may.
const GROUP_PAGES: usize = 64;
/// Bytes of copies that are kept between ticks for the next.
const COPIES_KEPT_BYTES: usize = 16 << 20;

/// Runs of writable pages between ticks, over all memories of the process. Each costs up to two mappings.
static RUNS_KEPT: AtomicUsize = AtomicUsize::new(0);

/// A page that can be written.
#[derive(Clone, Copy, Debug)]
struct Entry {
    page: u32,
    credit: u8,
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
    /// The content of each entry at the beginning, in the order of `entries`.
    copies: Mapping,
    copies_ready: usize,
    /// Pages that `commit` protects again; empty between calls.
    leaving: Vec<u32>,
    /// Pages of the last run that a fault made writable.
    streak: Range<usize>,
    /// This memory's part of [`RUNS_KEPT`].
    runs_kept: usize,
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
            copies: Mapping::reserve(bytes_max)?,
            copies_ready: 0,
            leaving: Vec::new(),
            streak: 0..0,
            runs_kept: 0,
        })
    }

    /// Forbids writing to the whole memory, or allows it and forgets.
    pub(super) fn arm(&mut self, memory: &Mapping, size: usize, on: bool) {
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
    pub(super) fn begin(&mut self, memory: &Mapping, size: usize) -> bool {
        self.size_at_begin = size;
        self.streak = 0..0;
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

    pub(super) fn commit(&mut self, memory: &Mapping) {
        self.end(memory, false);
    }

    /// Answers the size that the memory has now.
    pub(super) fn roll_back(&mut self, memory: &Mapping, size: usize) -> usize {
        self.end(memory, true);
        if size > self.size_at_begin
            && let Err(error) = memory.give_back(self.size_at_begin..size)
        {
            failed("memory that an undone tick grew by cannot be given back", &error);
            return size;
        }
        size.min(self.size_at_begin)
    }

    /// Puts changed pages back, if the transaction is undone, and decides which pages stay writable: new ones for one more tick,
    /// and those that ticks go on writing to.
    fn end(&mut self, memory: &Mapping, is_undone: bool) {
        let has_new = self.entries.len() > self.kept;
        for index in 0..self.entries.len() {
            let is_changed = (index >= self.kept && !is_undone) || self.is_changed(memory, index);
            if is_changed && is_undone {
                self.put_back(memory, index);
            }
            let credit = self.entries[index].credit;
            self.entries[index].credit = match (index >= self.kept, is_changed) {
                (true, _) => 1,
                (false, true) => (credit + 2).min(CREDIT_MAX),
                (false, false) => credit - 1,
            };
        }
        let leaving = &mut self.leaving;
        self.entries.retain(|entry| {
            if entry.credit == 0 {
                leaving.push(entry.page);
            }
            entry.credit > 0
        });
        if has_new || !self.leaving.is_empty() {
            self.protect_leaving(memory);
            self.entries.sort_unstable_by_key(|entry| entry.page);
            self.count_runs(memory);
        }
        self.kept = self.entries.len();
        self.give_copies_back();
    }

    fn put_back(&self, memory: &Mapping, index: usize) {
        let (page, bytes) = (self.entries[index].page as usize, self.page_bytes);
        // SAFETY: the page is listed, so it is in the memory and writable; its copy was made. No reference into the memory
        // exists while the store is exclusively borrowed.
        unsafe { self.copies.base().add(index * bytes).copy_to_nonoverlapping(memory.base().add(page * bytes), bytes) };
    }

    /// The host is about to write to these bytes. Whether it may.
    pub(super) fn touch(&mut self, memory: &Mapping, bytes: Range<usize>) -> bool {
        let end = bytes.end.min(self.protected_bytes);
        if !self.is_armed || bytes.start >= end {
            return true;
        }
        let pages = bytes.start / self.page_bytes..end.div_ceil(self.page_bytes);
        pages.clone().all(|page| self.is_writable(page)) || self.make_writable(memory, pages)
    }

    /// A write to a page was refused. Whether it is writable now.
    pub(super) fn on_fault(&mut self, memory: &Mapping, offset: usize) -> bool {
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
    fn make_writable(&mut self, memory: &Mapping, pages: Range<usize>) -> bool {
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
    fn list(&mut self, memory: &Mapping, pages: Range<usize>) -> bool {
        for page in pages {
            if self.is_writable(page) {
                continue;
            }
            if self.entries.len() == self.entries.capacity() || !self.make_copies_ready(self.entries.len() + 1) {
                return false;
            }
            self.writable[page / 64] |= 1 << (page % 64);
            self.entries.push(Entry { page: page as u32, credit: 1 });
            self.copy(memory, self.entries.len() - 1);
        }
        true
    }

    fn is_writable(&self, page: usize) -> bool {
        self.writable.get(page / 64).is_some_and(|word| word & (1 << (page % 64)) != 0)
    }

    /// Makes room for a memory of so many pages. Allocates, so not for the handler.
    fn reserve(&mut self, pages: usize) {
        self.entries.reserve(pages.saturating_sub(self.entries.len()));
        self.leaving.reserve(pages);
        self.writable.resize(pages.div_ceil(64).max(self.writable.len()), 0);
    }

    fn copy(&self, memory: &Mapping, index: usize) {
        let (page, bytes) = (self.entries[index].page as usize, self.page_bytes);
        // SAFETY: a listed page is in the memory, and `make_copies_ready` made room for its copy. Nobody writes to either now.
        unsafe { memory.base().add(page * bytes).copy_to_nonoverlapping(self.copies.base().add(index * bytes), bytes) };
    }

    fn is_changed(&self, memory: &Mapping, index: usize) -> bool {
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
    fn protect_to(&mut self, memory: &Mapping, size: usize) -> io::Result<()> {
        if self.is_armed && size > self.protected_bytes {
            memory.forbid_writing(self.protected_bytes..size)?;
            self.protected_bytes = size;
        }
        Ok(())
    }

    fn protect_leaving(&mut self, memory: &Mapping) {
        self.leaving.sort_unstable();
        let mut rest = self.leaving.as_slice();
        while let Some(first) = rest.first().copied() {
            let run = rest.iter().zip(first..).take_while(|(page, expected)| **page == *expected).count();
            let (start, end) = (first as usize, first as usize + run);
            match memory.forbid_writing(start * self.page_bytes..end * self.page_bytes) {
                Ok(()) => (start..end).for_each(|page| self.writable[page / 64] &= !(1 << (page % 64))),
                // Too many mappings: they stay writable, and are tried again.
                Err(_) => self.entries.extend(rest[..run].iter().map(|page| Entry { page: *page, credit: 1 })),
            }
            rest = &rest[run..];
        }
        self.leaving.clear();
    }

    /// Keeps within the process's share of mappings; entries are sorted.
    fn count_runs(&mut self, memory: &Mapping) {
        let follows = |pair: &[Entry]| pair[0].page + 1 == pair[1].page;
        let runs = self.entries.len() - self.entries.windows(2).filter(|pair| follows(pair)).count();
        let others = RUNS_KEPT.fetch_sub(self.runs_kept, Ordering::Relaxed) - self.runs_kept;
        self.runs_kept = if others + runs <= runs_max() { runs } else { 0 };
        RUNS_KEPT.fetch_add(self.runs_kept, Ordering::Relaxed);
        if self.runs_kept < runs {
            self.protect_all(memory);
        }
    }

    fn protect_all(&mut self, memory: &Mapping) -> bool {
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
        RUNS_KEPT.fetch_sub(std::mem::take(&mut self.runs_kept), Ordering::Relaxed);
    }
}

impl Drop for PageLog {
    fn drop(&mut self) {
        RUNS_KEPT.fetch_sub(self.runs_kept, Ordering::Relaxed);
    }
}

/// A quarter of the mappings that a process may have: a run splits one mapping into up to three.
fn runs_max() -> usize {
    static RUNS_MAX: OnceLock<usize> = OnceLock::new();
    /// The kernel's default, where it cannot be read.
    const MAPPINGS: usize = 65_530;
    *RUNS_MAX.get_or_init(|| {
        let read = std::fs::read_to_string("/proc/sys/vm/max_map_count");
        read.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(MAPPINGS) / 4
    })
}

fn failed(what: &str, error: &io::Error) {
    tracing::error!(target: "tickswap", %error, "{what}");
}
