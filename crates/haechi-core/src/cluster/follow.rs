//! Every change of the store, by whichever node: what is cached of it is stale.
//!
//! That nothing changes proves nothing, so every [`BEAT`] the store is asked for its revision. Once
//! the watch has come that far, everything that was acknowledged before the question has been taken
//! note of. If it does not come (a revision may change no row), a row is written, and awaited.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use haechi_store::{Batch, Key, Op, Rev, StoreError, Watch};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Database;

/// How often it is proven that the watch is alive.
const BEAT: Duration = Duration::from_millis(250);

/// How long a proof may take before a row is written for it.
const QUIET_MAX: Duration = Duration::from_millis(100);

/// How long the store may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How long until a broken watch is begun anew.
const AGAIN: Duration = Duration::from_millis(100);

/// Follows a store.
pub(super) struct Follower {
    database: Arc<Database>,
    /// Up to where everything has been taken note of.
    seen: watch::Sender<Rev>,
    /// Moves with rows of the cluster itself.
    pub(super) members: watch::Sender<u64>,
}

impl Follower {
    pub(super) fn new(database: Arc<Database>) -> Follower {
        let (seen, members) = (watch::Sender::new(Rev::ZERO), watch::Sender::new(0));
        Follower { database, seen, members }
    }

    pub(super) async fn run(&self) {
        tokio::join!(self.follow(), self.beat());
    }

    async fn follow(&self) {
        loop {
            let broken = match self.begin().await {
                Ok(mut watch) => loop {
                    match watch.next().await {
                        Some(Ok(batch)) => self.take(&batch).await,
                        Some(Err(error)) => break error.to_string(),
                        None => break "it has ended".to_owned(),
                    }
                },
                Err(error) => error.to_string(),
            };
            tracing::warn!(error = broken, "the store cannot be followed; trying again");
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Begins at the store's revision; whatever was cached before may have missed something.
    async fn begin(&self) -> Result<Watch, StoreError> {
        let store = self.database.store();
        let (_, rev) = store.get(&[], None).await?;
        let watch = store.watch(Key::default(), rev.next());
        self.database.forget();
        self.database.reload_keyring_or_warn().await;
        self.database.tell_scheduled();
        self.members.send_modify(|count| *count = count.wrapping_add(1));
        self.seen.send_replace(rev);
        Ok(watch)
    }

    async fn take(&self, batch: &Batch) {
        let (mut jobs, mut keys, mut members) = (false, false, false);
        for event in &batch.events {
            let key = event.key().as_bytes();
            self.database.invalidate(key);
            jobs |= key.starts_with(b"/jobs/");
            keys |= key.starts_with(b"/keyring/");
            members |= key.starts_with(b"/cluster/") && key != b"/cluster/beat";
        }
        if keys {
            self.database.reload_keyring_or_warn().await;
        }
        if jobs {
            self.database.tell_scheduled();
        }
        if members {
            self.members.send_modify(|count| *count = count.wrapping_add(1));
        }
        self.seen.send_replace(batch.rev);
    }

    async fn beat(&self) {
        loop {
            match tokio::time::timeout(ANSWER_MAX, self.prove()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the store gives no sign of life"),
                Err(_) => tracing::debug!("the store gives no sign of life in time"),
            }
            tokio::time::sleep(BEAT).await;
        }
    }

    /// Proves that everything acknowledged before now has been taken note of.
    async fn prove(&self) -> Result<(), StoreError> {
        let store = self.database.store();
        let mut moment = Instant::now();
        let (_, mut rev) = store.get(&[], None).await?;
        let mut seen = self.seen.subscribe();
        let quiet = tokio::time::timeout(QUIET_MAX, seen.wait_for(|seen| *seen >= rev));
        let came = quiet.await.is_ok();
        if !came {
            moment = Instant::now();
            rev = store.txn(&[], vec![Op::put("/cluster/beat", "")]).await.map_err(|error| {
                match error {
                    haechi_store::TxnError::Store(error) => error,
                    haechi_store::TxnError::Conflict(_) => StoreError::Closed,
                }
            })?;
            let _ = seen.wait_for(|seen| *seen >= rev).await;
        }
        self.database.prove_fresh(moment);
        Ok(())
    }
}
