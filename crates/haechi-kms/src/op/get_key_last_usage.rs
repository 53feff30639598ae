//! `GetKeyLastUsage`.

use haechi_core::{Cx, Handle};
use haechi_kms_model::Error;
use haechi_kms_model::ops::GetKeyLastUsage;
use haechi_kms_model::shapes::{
    GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData,
    KeyLastUsageTrackingOperation,
};
use haechi_wire::Timestamp;

use crate::Kms;
use crate::authz::{Facts, admit};

impl Handle<GetKeyLastUsage> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetKeyLastUsageRequest,
    ) -> Result<GetKeyLastUsageResponse, Error> {
        let found = self.own_key(cx, &input.key_id).await?;
        let (key, _) = admit(cx, found, Facts::default())?;
        let last = self.last_use(&key.record).await?;
        let usage = last.map_or_else(KeyLastUsageData::default, |last| KeyLastUsageData {
            operation: KeyLastUsageTrackingOperation::parse(&last.operation),
            timestamp: Some(Timestamp::from_millis(last.time_ms)),
            cloud_trail_event_id: Some(last.event_id),
            kms_request_id: Some(last.request_id),
        });
        let created = Timestamp::from_millis(key.record.created_ms);
        Ok(GetKeyLastUsageResponse {
            key_id: Some(key.record.id.clone()),
            key_last_usage: Some(usage),
            tracking_start_date: Some(created),
            key_creation_date: Some(created),
        })
    }
}
