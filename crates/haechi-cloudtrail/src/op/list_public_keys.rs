//! `ListPublicKeys`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::ListPublicKeys;
use haechi_cloudtrail_model::shapes::{ListPublicKeysRequest, ListPublicKeysResponse, PublicKey};
use haechi_core::{Cx, Handle};
use haechi_wire::{Blob, Timestamp};

use crate::CloudTrail;
use crate::store::{SigningKeyRecord, keys_path};

impl Handle<ListPublicKeys> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListPublicKeysRequest,
    ) -> Result<ListPublicKeysResponse, Error> {
        cx.authorize_any()?;
        let until = input.end_time.unwrap_or(cx.now()).millis();
        let since = input.start_time.map_or(until, Timestamp::millis);
        if since > until {
            return Err(Error::InvalidTimeRangeException(
                "The start time must be before the end time.".to_owned(),
            ));
        }
        let rows =
            self.database.list_all::<SigningKeyRecord>(&keys_path(cx.region.as_str())).await?;
        let mut keys: Vec<_> = rows.into_iter().map(|row| row.value).collect();
        // Four a year.
        keys.retain(|key| key.from_ms <= until && key.to_ms >= since);
        keys.sort_by_key(|key| key.from_ms);
        let keys = keys.into_iter().map(|key| PublicKey {
            value: Some(Blob(key.public)),
            validity_start_time: Some(Timestamp::from_millis(key.from_ms)),
            validity_end_time: Some(Timestamp::from_millis(key.to_ms)),
            fingerprint: Some(key.fingerprint),
        });
        Ok(ListPublicKeysResponse { public_key_list: Some(keys.collect()), next_token: None })
    }
}
