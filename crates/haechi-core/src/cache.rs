//! What was decoded, compiled or unwrapped from the store, kept until the store changes.
//!
//! Correct by *epochs*: each storage key falls on one of some slots, and each commit advances the
//! slots of the keys that it wrote. An entry remembers its slot's epoch from *before* its data was
//! read, and counts only while the epoch is still the same. A commit that happens during the read
//! therefore makes the entry stale at birth; no stale entry can outlive the answer to the write
//! that changed it. Two keys on one slot only cost a re-read.
//!
//! Commits of other nodes advance the slots as the watch tells of them ([`crate::cluster`]).

use std::any::Any;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cluster::freshness::Freshness;

/// Slots for epochs; a power of two.
const SLOTS: usize = 1 << 14;

/// Entries kept, at most. A KMS key with its compiled policy takes some 4 KiB.
const ENTRIES_MAX: usize = 100_000;

type Entry = (u64, Arc<dyn Any + Send + Sync>);

pub(crate) struct Cache {
    entries: quick_cache::sync::Cache<Vec<u8>, Entry>,
    epochs: Vec<AtomicU64>,
    hasher: quick_cache::DefaultHashBuilder,
    /// Until when what is kept may decide.
    pub(crate) freshness: Freshness,
}

impl Cache {
    pub(crate) fn new() -> Self {
        Cache {
            entries: quick_cache::sync::Cache::new(ENTRIES_MAX),
            epochs: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: quick_cache::DefaultHashBuilder::default(),
            freshness: Freshness::always(),
        }
    }

    fn slot(&self, key: &[u8]) -> Option<&AtomicU64> {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits choose a slot")]
        self.epochs.get(self.hasher.hash_one(key) as usize % SLOTS)
    }

    /// The epoch of a key's slot: to be read before the data.
    pub(crate) fn epoch(&self, scope: &[u8]) -> u64 {
        self.slot(scope).map_or(0, |slot| slot.load(Ordering::Acquire))
    }

    /// The entry under `key`, if nothing under `scope` was written since it was made; on a store
    /// that others write to only as long as that is surely known.
    pub(crate) fn find<V: Send + Sync + 'static>(
        &self,
        key: &[u8],
        scope: &[u8],
    ) -> Option<Arc<V>> {
        if !self.freshness.holds() {
            return None;
        }
        let (epoch, value) = self.entries.get(key)?;
        if epoch == self.epoch(scope) {
            return value.downcast().ok();
        }
        // It may hold a secret that is gone from the store.
        self.entries.remove(key);
        None
    }

    /// Keeps what was made of something under `scope`, whose epoch was `epoch` before it was read.
    pub(crate) fn insert<V: Send + Sync + 'static>(
        &self,
        key: &[u8],
        scope: &[u8],
        epoch: u64,
        value: Arc<V>,
    ) {
        self.entries.insert(key.to_vec(), (epoch, value));
        // Written meanwhile: whoever wrote has found nothing to remove.
        if epoch != self.epoch(scope) {
            self.entries.remove(key);
        }
    }

    /// Makes stale whatever was made from this key, or from anything under its account; what was
    /// made from this key alone is given up at once, with the secrets that it holds.
    pub(crate) fn invalidate(&self, key: &[u8]) {
        for scope in [key, account_scope(key)] {
            if let Some(slot) = self.slot(scope) {
                slot.fetch_add(1, Ordering::AcqRel);
            }
        }
        self.entries.remove(key);
    }

    /// Makes everything stale, and gives it up.
    pub(crate) fn clear(&self) {
        for slot in &self.epochs {
            slot.fetch_add(1, Ordering::AcqRel);
        }
        self.entries.clear();
    }
}

/// `/iam/123456789012/` of `/iam/123456789012/user/…`.
fn account_scope(key: &[u8]) -> &[u8] {
    let mut separators = key.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let end = separators.nth(2).map_or(key.len(), |(index, _)| index + 1);
    key.get(..end).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_made_before_a_write_is_not_found_after_it() {
        let cache = Cache::new();
        let epoch = cache.epoch(b"/a/1/x/");
        cache.insert(b"/a/1/x/", b"/a/1/x/", epoch, Arc::new(7_u32));
        assert_eq!(cache.find::<u32>(b"/a/1/x/", b"/a/1/x/").as_deref(), Some(&7));
        cache.invalidate(b"/a/1/x/");
        assert!(cache.find::<u32>(b"/a/1/x/", b"/a/1/x/").is_none());
    }

    #[test]
    fn an_entry_read_while_a_write_went_on_is_stale_at_birth() {
        let cache = Cache::new();
        let epoch = cache.epoch(b"/a/1/x/");
        cache.invalidate(b"/a/1/x/");
        cache.insert(b"/a/1/x/", b"/a/1/x/", epoch, Arc::new(7_u32));
        assert!(cache.find::<u32>(b"/a/1/x/", b"/a/1/x/").is_none());
    }

    #[test]
    fn what_was_kept_is_dropped_when_it_is_written_found_stale_or_read_too_early() {
        let (cache, kept) = (Cache::new(), Arc::new(7_u32));
        let key = b"/a/1/x/";
        let early = cache.epoch(key);
        cache.insert(key, key, early, Arc::clone(&kept));
        assert_eq!(Arc::strong_count(&kept), 2);
        cache.invalidate(key);
        assert_eq!(Arc::strong_count(&kept), 1);
        cache.insert(key, key, early, Arc::clone(&kept));
        assert_eq!(Arc::strong_count(&kept), 1);
        cache.insert(b"caller", b"/a/1/", cache.epoch(b"/a/1/"), Arc::clone(&kept));
        cache.invalidate(b"/a/1/y/");
        assert!(cache.find::<u32>(b"caller", b"/a/1/").is_none());
        assert_eq!(Arc::strong_count(&kept), 1);
    }

    #[test]
    fn a_write_in_an_account_makes_what_was_derived_from_the_account_stale() {
        let cache = Cache::new();
        let epoch = cache.epoch(b"/iam/1/");
        cache.insert(b"caller", b"/iam/1/", epoch, Arc::new(7_u32));
        cache.invalidate(b"/iam/1/user/x/");
        assert!(cache.find::<u32>(b"caller", b"/iam/1/").is_none());
    }
}
