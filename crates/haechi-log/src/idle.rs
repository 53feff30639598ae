//! How the log hears how busy the runtime is.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A thread that slept for less has only asked whether there is something to do.
const SLEEP_MIN: Duration = Duration::from_micros(10);

thread_local! {
    static ASLEEP_SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// How long threads of the runtime have slept: [`Idle::sleeps`] belongs into its `on_thread_park`,
/// [`Idle::wakes`] into `on_thread_unpark`. Without them a log takes the runtime for idle, and lets
/// no record wait for another.
#[derive(Clone, Default)]
pub struct Idle(Arc<AtomicU64>);

impl Idle {
    /// This thread is about to sleep.
    pub fn sleeps(&self) {
        ASLEEP_SINCE.set(Some(Instant::now()));
    }

    /// This thread has something to do again.
    pub fn wakes(&self) {
        let slept = ASLEEP_SINCE.take().map_or(Duration::ZERO, |since| since.elapsed());
        if slept >= SLEEP_MIN {
            self.add(slept);
        }
    }

    pub(crate) fn add(&self, slept: Duration) {
        let nanoseconds = u64::try_from(slept.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// How long all threads have slept, together.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}
