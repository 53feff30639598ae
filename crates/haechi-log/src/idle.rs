//! How the log hears that the runtime has nothing to do.

use std::sync::{
    Arc, OnceLock, Weak,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use crate::queue::Queue;

/// Tells a log when a thread of the runtime is about to sleep: nobody will append for now, so that
/// the records that wait need not wait for more. [`Idle::tell`] belongs into the runtime's
/// `on_thread_park`. A log that is never told writes each frame at once.
#[derive(Clone, Default)]
pub struct Idle(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// How often a thread went to sleep.
    times: AtomicU64,
    /// The writer waits to be told.
    awaited: AtomicBool,
    queue: OnceLock<Weak<Queue>>,
}

impl Idle {
    /// A thread is about to sleep.
    pub fn tell(&self) {
        // Either this sees that the writer waits, or the writer sees that this was told.
        self.0.times.fetch_add(1, Ordering::SeqCst);
        if self.0.awaited.load(Ordering::SeqCst)
            && let Some(queue) = self.0.queue.get().and_then(Weak::upgrade)
        {
            queue.hurry();
        }
    }

    /// Whom to tell; the first log stays.
    pub(crate) fn attach(&self, queue: &Arc<Queue>) {
        let _ = self.0.queue.set(Arc::downgrade(queue));
    }

    /// How often it was told.
    pub(crate) fn times(&self) -> u64 {
        self.0.times.load(Ordering::SeqCst)
    }

    /// Whether the writer waits to be told.
    pub(crate) fn set_awaited(&self, awaited: bool) {
        self.0.awaited.store(awaited, Ordering::SeqCst);
    }
}
