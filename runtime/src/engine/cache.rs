//! Compiled functions by content, so that a patch compiles what changed and nothing else. In memory, bounded.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
};

use parking_lot::Mutex;

/// wasmtime's incremental cache. Forgets the oldest entries first.
#[derive(Debug)]
pub(crate) struct FunctionCache {
    bytes_max: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_key: HashMap<Box<[u8]>, Box<[u8]>>,
    oldest_first: VecDeque<Box<[u8]>>,
    bytes: usize,
}

impl FunctionCache {
    /// A cache of at most `bytes_max` bytes of keys and code.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, entries: Mutex::default() }
    }
}

impl wasmtime::CacheStore for FunctionCache {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let entries = self.entries.lock();
        entries.by_key.get(key).map(|code| Cow::Owned(code.to_vec()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        let size = 2 * key.len() + value.len();
        if size > self.bytes_max {
            return false;
        }
        let mut entries = self.entries.lock();
        if entries.by_key.contains_key(key) {
            return true;
        }
        while entries.bytes + size > self.bytes_max {
            let Some(oldest) = entries.oldest_first.pop_front() else {
                break;
            };
            if let Some(code) = entries.by_key.remove(&oldest) {
                entries.bytes -= 2 * oldest.len() + code.len();
            }
        }
        entries.bytes += size;
        entries.oldest_first.push_back(key.into());
        entries.by_key.insert(key.into(), value.into());
        true
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::CacheStore;

    use super::*;

    #[test]
    fn the_cache_stays_within_its_bytes_and_forgets_the_oldest() {
        let cache = FunctionCache::new(100);
        assert!(cache.insert(b"a", vec![1; 40]));
        assert!(cache.insert(b"b", vec![2; 40]));
        assert!(cache.insert(b"c", vec![3; 40]));
        assert!(cache.get(b"a").is_none());
        assert_eq!(cache.get(b"c").as_deref(), Some(&[3; 40][..]));
        assert!(!cache.insert(b"d", vec![0; 200]), "larger than the whole cache");
        assert!(cache.entries.lock().bytes <= 100);
    }
}
