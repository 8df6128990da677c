//! What was decoded or read last, by number: bounded, shared by threads.

use std::sync::{Mutex, PoisonError};

/// Bytes kept, at most (but always at least one item per shard).
const CACHE_BYTES: u64 = 16 << 20;
const SHARDS: u64 = 8;

type Shard<T> = Mutex<Vec<(u64, T)>>;

/// Items by number, the last used first in each shard. No lock is held while an item is made.
pub(super) struct Cache<T> {
    shards: Vec<Shard<T>>,
    per_shard: usize,
}

impl<T: Clone> Cache<T> {
    /// A cache of items of about so many bytes each.
    pub(super) fn new(item_bytes: u64) -> Self {
        let items = CACHE_BYTES / item_bytes.max(1);
        let shards = items.clamp(1, SHARDS);
        let per_shard = usize::try_from(items / shards).unwrap_or(1).clamp(1, 64);
        Self { shards: (0..shards).map(|_| Shard::default()).collect(), per_shard }
    }

    fn shard(&self, number: u64) -> Option<&Shard<T>> {
        let n = self.shards.len() as u64;
        self.shards.get(usize::try_from(number.checked_rem(n)?).ok()?)
    }

    pub(super) fn get(&self, number: u64) -> Option<T> {
        let mut shard = self.shard(number)?.lock().unwrap_or_else(PoisonError::into_inner);
        let at = shard.iter().position(|(n, _)| *n == number)?;
        let found = shard.remove(at);
        let item = found.1.clone();
        shard.insert(0, found);
        Some(item)
    }

    pub(super) fn put(&self, number: u64, item: T) {
        let Some(shard) = self.shard(number) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.iter().all(|(n, _)| *n != number) {
            shard.insert(0, (number, item));
            shard.truncate(self.per_shard);
        }
    }
}
