//! Slots: how a write whose answer was lost is told from one that was not done.
//!
//! Every transaction that writes takes one of its client's slots, requires that the slot's row is as
//! the slot's last transaction left it, and writes a number of its own there. So the same
//! transaction can be sent again without being done twice: the second one finds the slot changed,
//! and in it the number of the first. And nothing is left behind: once the slot has been written
//! anew, a copy that is still on its way can do nothing.
//!
//! A slot that is not needed any more is worth a hundred bytes; `compact.rs` sweeps those that have
//! long been still. A slot whose row was swept is begun anew.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Most writes on their way at once; more wait for a place.
const SLOTS_MAX: usize = 256;

/// One slot, while a transaction has it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub number: u64,
    /// etcd's revision of its row; 0 while there is none.
    pub revision: i64,
}

/// The slots of one client.
#[derive(Debug)]
pub(crate) struct Slots {
    free: Mutex<Vec<Slot>>,
    made: AtomicU64,
    marks: AtomicU64,
    /// Whether an attempt was ever left without an answer.
    doubted: AtomicBool,
    places: Semaphore,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self {
            free: Mutex::default(),
            made: AtomicU64::new(0),
            marks: AtomicU64::new(0),
            doubted: AtomicBool::new(false),
            places: Semaphore::new(SLOTS_MAX),
        }
    }

    /// Waits for a slot; `None` after [`Slots::close`].
    pub(crate) async fn take(&self) -> Option<(Slot, SemaphorePermit<'_>)> {
        let place = self.places.acquire().await.ok()?;
        let free = self.free.lock().ok().and_then(|mut free| free.pop());
        let new = || Slot { number: self.made.fetch_add(1, Ordering::Relaxed), revision: 0 };
        Some((free.unwrap_or_else(new), place))
    }

    /// Returns a slot of which nothing is on its way any more. One that is never returned is lost,
    /// which is right for a slot whose last write is in doubt.
    pub(crate) fn put(&self, slot: Slot) {
        if let Ok(mut free) = self.free.lock() {
            free.push(slot);
        }
    }

    /// A number that no write of this client had.
    pub(crate) fn mark(&self) -> Bytes {
        let mark = self.marks.fetch_add(1, Ordering::Relaxed);
        Bytes::copy_from_slice(&mark.to_be_bytes())
    }

    /// Notes that an attempt was left without an answer: a copy of it may come late.
    pub(crate) fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    /// Whether there were slots whose rows can be removed: without its row a slot takes the late copy
    /// of its first write.
    pub(crate) fn can_be_forgotten(&self) -> bool {
        self.made.load(Ordering::Relaxed) > 0 && !self.doubted.load(Ordering::Relaxed)
    }

    /// Lets nobody take a slot any more; waits for those who have one.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(SLOTS_MAX).unwrap_or(u32::MAX);
        drop(self.places.acquire_many(all).await);
        self.places.close();
    }
}
