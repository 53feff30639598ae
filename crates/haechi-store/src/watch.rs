//! Watches: every change under a prefix, in order, from a given revision on.
//!
//! A watch pulls: it remembers the next revision and reads the engine's history when the store
//! moves on. So there is no queue per watcher to bound, no event can be dropped, and a watcher
//! that falls behind the history is told so ([`StoreError::Compacted`]) instead of missing
//! something.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use tokio::sync::watch::Receiver;

use crate::{Key, Kv, Rev, StoreError};

/// A change to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The row was written; this is it now.
    Put(Kv),
    /// The row was removed.
    Delete {
        /// Its name.
        key: Key,
    },
}

impl Event {
    /// The row that changed.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put(kv) => &kv.key,
            Self::Delete { key } => key,
        }
    }
}

/// Everything that one revision changed under the watched prefix; never empty.
/// Resume after it with `rev.next()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The revision.
    pub rev: Rev,
    /// Its changes, in the order of the transaction's operations.
    pub events: Vec<Event>,
}

/// A stream of batches with rising revisions. After an error it ends.
pub type Watch = BoxStream<'static, Result<Batch, StoreError>>;

/// How far a store has come; an engine publishes it after each commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Progress {
    /// The newest revision that is durable and readable.
    pub rev: Rev,
    /// Whether the store was closed.
    pub closed: bool,
}

/// What an engine provides so that [`watch`] can follow it.
#[async_trait]
pub trait History: Send + Sync + 'static {
    /// Batches with events under `prefix`, from revision `from` on, and the revision to go on
    /// from (greater than `from` unless the store has not reached it). An engine may return part
    /// of what there is.
    ///
    /// # Errors
    /// `Compacted` if `from` is no longer in the history; else what reading may fail with.
    async fn events(&self, prefix: &Key, from: Rev) -> Result<(Vec<Batch>, Rev), StoreError>;
}

struct Follower<H> {
    history: Arc<H>,
    progress: Receiver<Progress>,
    prefix: Key,
    next: Rev,
    ready: VecDeque<Batch>,
    ended: bool,
}

/// The watch of an engine: see [`crate::Store::watch`].
pub fn watch<H: History>(
    history: Arc<H>,
    progress: Receiver<Progress>,
    prefix: Key,
    from: Rev,
) -> Watch {
    let next = if from == Rev::ZERO { progress.borrow().rev.next() } else { from };
    let follower =
        Follower { history, progress, prefix, next, ready: VecDeque::new(), ended: false };
    unfold(follower, |mut follower| async move {
        if follower.ended {
            return None;
        }
        let item = follower.step().await;
        follower.ended = item.is_err();
        Some((item, follower))
    })
    .boxed()
}

impl<H: History> Follower<H> {
    async fn step(&mut self) -> Result<Batch, StoreError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(batch);
            }
            let Progress { rev, closed } = *self.progress.borrow_and_update();
            if closed {
                return Err(StoreError::Closed);
            }
            if self.next <= rev {
                let (batches, next) = self.history.events(&self.prefix, self.next).await?;
                self.ready = batches.into();
                self.next = next;
            } else if self.progress.changed().await.is_err() {
                return Err(StoreError::Closed);
            }
        }
    }
}
