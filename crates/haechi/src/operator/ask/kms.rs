//! KMS: how keys are used.

use std::collections::BTreeMap;

use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::installation::Installation;
use crate::operator::Ask;

/// Tells how often each key was used.
#[derive(Debug, Serialize, Deserialize)]
pub struct KmsUsage {}

/// The use of one key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyUse {
    /// Its account.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// Its id.
    pub key_id: String,
    /// Calls by operation.
    pub requests: BTreeMap<String, u64>,
    /// What it was used for last.
    pub last_operation: String,
    /// When; ISO 8601.
    pub last_used: String,
    /// The audit record of it.
    pub last_event_id: String,
}

impl Ask for KmsUsage {
    const NAME: &'static str = "kms.usage";
    type Answer = Vec<KeyUse>;

    async fn answer(self, installation: &Installation) -> Result<Vec<KeyUse>, Failure> {
        let kms = &installation.stack.kms;
        // What a server has counted since the last minute's writing belongs to it.
        kms.flush_usage().await?;
        let keys = kms.usage().await?.into_iter().map(|key| KeyUse {
            account: key.account,
            region: key.region,
            key_id: key.key_id,
            requests: key.counts,
            last_operation: key.last.operation,
            last_used: Timestamp::from_millis(key.last.time_ms).iso8601(),
            last_event_id: key.last.event_id,
        });
        Ok(keys.collect())
    }
}
