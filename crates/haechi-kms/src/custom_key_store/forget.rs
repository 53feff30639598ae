//! Removes the key of a KMS key that is gone from its token. An external key is its owner's.
//!
//! A job of its own, so that nothing is removed before the KMS key's deletion is committed. As AWS
//! does, it is tried once: a key that is left behind opens nothing without the KMS key.

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Batch, Job, JobHandler};
use haechi_wire::{Fault, Timestamp};

use super::KeyStoreSurroundings;
use crate::store::KeyRecord;

/// The kind of the job.
pub(crate) const FORGET_BACKING_KEY: &str = "kms-forget-backing-key";

/// Removes keys from tokens.
pub(crate) struct ForgetBackingKey {
    surroundings: Arc<KeyStoreSurroundings>,
}

impl ForgetBackingKey {
    pub(crate) fn new(surroundings: Arc<KeyStoreSurroundings>) -> ForgetBackingKey {
        ForgetBackingKey { surroundings }
    }
}

impl KeyRecord {
    /// The job that removes its key from its token, if it has one there.
    pub(crate) fn forget_backing_key(&self, now: Timestamp) -> Option<Job> {
        let backing = self.custom_key_store.as_ref()?;
        backing.cluster_id.as_ref()?;
        Some(forget_job(&backing.store_id, &backing.id, now))
    }
}

/// The job that removes a key from the token of a store. The key is called as its KMS key is.
pub(crate) fn forget_job(store_id: &str, key_id: &str, due: Timestamp) -> Job {
    Job::new(FORGET_BACKING_KEY, key_id, due, format!("{store_id}/{key_id}"))
}

#[async_trait]
impl JobHandler for ForgetBackingKey {
    async fn run(&self, job: &Job, _: Timestamp) -> Result<Batch, Fault> {
        let Some((store_id, label)) = job.payload.split_once('/') else {
            return Err(Fault::internal(format!("a job without a key: {}", job.id)));
        };
        let (login, own) = (self.surroundings.login(store_id), label.to_owned());
        let gone = match login {
            None => false,
            Some(login) => {
                let destroyed = tokio::task::spawn_blocking(move || login.destroy_key(&own)).await;
                matches!(destroyed, Ok(Ok(())))
            }
        };
        if !gone {
            tracing::warn!(
                store_id,
                label,
                "a key without use is left in a token: remove it there"
            );
        }
        Ok(Batch::new())
    }
}
