//! Handshakes in progress. Strangers can begin as many as they like: when there are too many, the
//! oldest is given up for the newest. A peer's takes milliseconds, so it is not the oldest unless a
//! flood begins that many within it; and connections of peers are counted elsewhere.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Those in progress.
#[derive(Clone)]
pub(super) struct Handshakes {
    max: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    /// How many have begun.
    count: u64,
    /// Their numbers, and how they are told to give up: oldest first.
    line: VecDeque<(u64, watch::Sender<bool>)>,
}

/// One of them, until it is dropped.
pub(super) struct Handshake {
    all: Handshakes,
    number: u64,
    given_up: watch::Receiver<bool>,
}

impl Handshakes {
    /// None so far; at most `max` at a time.
    pub(super) fn new(max: usize) -> Handshakes {
        Handshakes { max, open: Arc::default() }
    }

    /// Begins one.
    pub(super) fn begin(&self) -> Handshake {
        let (give_up, given_up) = watch::channel(false);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.count = open.count.wrapping_add(1);
        let number = open.count;
        open.line.push_back((number, give_up));
        if open.line.len() > self.max
            && let Some((_, oldest)) = open.line.pop_front()
        {
            oldest.send_replace(true);
        }
        Handshake { all: self.clone(), number, given_up }
    }
}

impl Handshake {
    /// Comes when there are too many and this is the oldest.
    pub(super) async fn given_up(&mut self) {
        // A sender that is gone was taken from the line, and told before.
        let _ = self.given_up.wait_for(|given_up| *given_up).await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut open = self.all.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.line.retain(|(number, _)| *number != self.number);
    }
}
