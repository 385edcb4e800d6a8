//! Compiled functions by content, so that a patch compiles what changed and nothing else. In memory, bounded. What
//! stays when the process ends is the business of [`code_store`](super::code_store).

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;

use super::code_store::Function;

/// wasmtime's incremental cache. Forgets the oldest entries first.
#[derive(Debug)]
pub(crate) struct FunctionCache {
    bytes_max: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Box<[u8]>, Arc<[u8]>>,
    oldest_first: VecDeque<Box<[u8]>>,
    bytes: usize,
    /// What was compiled since it was last asked for, if anybody is going to ask.
    fresh: Option<Vec<Function>>,
    hits: u64,
    misses: u64,
}

impl FunctionCache {
    /// A cache of at most `bytes_max` bytes of keys and code. With `is_kept` it remembers what is new.
    pub(crate) fn new(bytes_max: usize, is_kept: bool) -> Self {
        let entries = Entries { fresh: is_kept.then(Vec::new), ..Entries::default() };
        Self { bytes_max, entries: Mutex::new(entries) }
    }

    /// Adds what was compiled in an earlier process.
    pub(crate) fn load(&self, functions: Vec<Function>) {
        let mut entries = self.entries.lock();
        for function in functions {
            entries.add(function, self.bytes_max);
        }
    }

    /// What was compiled since the last time.
    pub(crate) fn take_fresh(&self) -> Vec<Function> {
        self.entries.lock().fresh.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Its bound.
    pub(crate) fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Functions that were found and that were not, since the last time.
    pub(crate) fn take_counts(&self) -> (u64, u64) {
        let mut entries = self.entries.lock();
        (std::mem::take(&mut entries.hits), std::mem::take(&mut entries.misses))
    }
}

impl Entries {
    /// Adds a function that is not there; `false` if it is too large.
    fn add(&mut self, Function { key, code }: Function, bytes_max: usize) -> bool {
        let size = 2 * key.len() + code.len();
        if size > bytes_max {
            return false;
        }
        if self.by_key.contains_key(&key) {
            return true;
        }
        while self.bytes + size > bytes_max {
            let Some(oldest) = self.oldest_first.pop_front() else {
                break;
            };
            if let Some(code) = self.by_key.remove(&oldest) {
                self.bytes -= 2 * oldest.len() + code.len();
            }
        }
        self.bytes += size;
        self.oldest_first.push_back(key.clone());
        self.by_key.insert(key, code);
        true
    }
}

impl wasmtime::CacheStore for FunctionCache {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut entries = self.entries.lock();
        let found = entries.by_key.get(key).cloned();
        match found {
            Some(_) => entries.hits += 1,
            None => entries.misses += 1,
        }
        drop(entries);
        found.map(|code| Cow::Owned(code.to_vec()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let function = Function { key: key.into(), code: value.into() };
        let mut entries = self.entries.lock();
        if let Some(fresh) = &mut entries.fresh {
            fresh.push(function.clone());
        }
        entries.add(function, self.bytes_max)
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::CacheStore;

    use super::*;

    #[test]
    fn the_cache_stays_within_its_bytes_and_forgets_the_oldest() {
        let cache = FunctionCache::new(100, true);
        assert!(cache.insert(b"a", vec![1; 40]));
        assert!(cache.insert(b"b", vec![2; 40]));
        assert!(cache.insert(b"c", vec![3; 40]));
        assert!(cache.get(b"a").is_none());
        assert_eq!(cache.get(b"c").as_deref(), Some(&[3; 40][..]));
        assert!(!cache.insert(b"d", vec![0; 200]), "larger than the whole cache");
        assert!(cache.entries.lock().bytes <= 100);
        assert_eq!(cache.take_counts(), (1, 1));
        let fresh: Vec<u8> = cache.take_fresh().iter().map(|function| function.key[0]).collect();
        assert_eq!(fresh, *b"abcd", "what is kept elsewhere has a bound of its own");
        assert!(cache.take_fresh().is_empty());
    }

    #[test]
    fn what_is_loaded_is_found_and_not_new() {
        let cache = FunctionCache::new(100, true);
        cache.load(vec![Function { key: (*b"a").into(), code: vec![1].into() }]);
        assert_eq!(cache.get(b"a").as_deref(), Some(&[1][..]));
        assert!(cache.take_fresh().is_empty());
    }
}
