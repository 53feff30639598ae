//! How many keys an account may have in a Region.
//!
//! No row counts them, for every `CreateKey` would wait on it. Each process knows how many there were
//! when it counted, and how many it has let in since: while that is below the quota there is nothing
//! to ask. Only at the quota, and now and then above half of it (another server of the same store
//! may have made some), are they counted again.
//!
//! Source: Developer Guide, "Resource quotas": 100,000 customer managed keys in any state.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use haechi_kms_model::Error;
use haechi_wire::Timestamp;

use crate::Kms;
use crate::store::keys_path;

/// AWS's default.
const KEYS_MAX: usize = 100_000;

/// A refusal stands this long before keys are counted again: counting reads all of them.
const REFUSED_MS: i64 = 10_000;

/// A count above half of the quota is believed this long.
const BELIEVED_MS: i64 = 600_000;

/// What is known of one account in one Region.
#[derive(Clone, Copy)]
struct Counted {
    at_ms: i64,
    /// Then, and let in since.
    keys: usize,
}

/// The counts of this process.
pub(crate) struct KeyCounts {
    pub(crate) keys_max: usize,
    counted: Mutex<HashMap<(String, String), Counted>>,
}

impl Default for KeyCounts {
    fn default() -> Self {
        KeyCounts { keys_max: KEYS_MAX, counted: Mutex::default() }
    }
}

impl KeyCounts {
    /// Lets a key in, or not; `None` if keys must be counted first.
    fn admit(&self, place: &(String, String), now: Timestamp) -> Option<bool> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted.get_mut(place)?;
        let age_ms = now.millis().saturating_sub(known.at_ms);
        if known.keys >= self.keys_max {
            return (age_ms < REFUSED_MS).then_some(false);
        }
        if known.keys > self.keys_max / 2 && age_ms >= BELIEVED_MS {
            return None;
        }
        known.keys += 1;
        Some(true)
    }

    fn set(&self, place: (String, String), keys: usize, now: Timestamp) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.insert(place, Counted { at_ms: now.millis(), keys });
    }
}

impl Kms {
    /// Counts a customer's key that is about to be made, or refuses it.
    pub(crate) async fn admit_key(
        &self,
        account: &str,
        region: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (counts, place) = (&self.key_counts, (account.to_owned(), region.to_owned()));
        let admitted = match counts.admit(&place, now) {
            Some(admitted) => admitted,
            None => {
                let all = self.database.count(&keys_path(account, region)).await?;
                let managed = self.managed_keys(account, region).await?;
                counts.set(place.clone(), all.saturating_sub(managed), now);
                counts.admit(&place, now).unwrap_or_default()
            }
        };
        if admitted {
            return Ok(());
        }
        let most = counts.keys_max;
        let message = format!("You cannot have more than {most} KMS keys in this Region.");
        Err(Error::LimitExceededException(message))
    }

    /// With another number of keys than AWS's that an account may have in a Region.
    #[must_use]
    pub fn with_keys_max(mut self, keys_max: usize) -> Kms {
        self.key_counts.keys_max = keys_max;
        self
    }
}
