//! The order of calls and answers, without a clock: what is counted first was first.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use crate::{Action, Call};

/// Collects the calls of concurrent clients. Share it by reference or in an `Arc`.
#[derive(Debug, Default)]
pub struct Recorder {
    ticks: AtomicU64,
    calls: Mutex<Vec<Call>>,
}

impl Recorder {
    /// Nothing recorded yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The moment just before a call is made, or just after its answer came.
    pub fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }

    /// Adds a call that was answered now.
    pub fn answered(&self, begun: u64, action: Action) {
        let ended = Some(self.tick());
        self.add(Call { begun, ended, action });
    }

    /// Adds a call that may have been done, or be done at any time yet.
    pub fn unanswered(&self, begun: u64, action: Action) {
        self.add(Call { begun, ended: None, action });
    }

    /// Everything recorded so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().map(|calls| calls.clone()).unwrap_or_default()
    }

    fn add(&self, call: Call) {
        if let Ok(mut calls) = self.calls.lock() {
            calls.push(call);
        }
    }
}
