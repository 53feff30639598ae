//! `GetTrailStatus`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::GetTrailStatus;
use haechi_cloudtrail_model::shapes::{GetTrailStatusRequest, GetTrailStatusResponse};
use haechi_core::{Cx, Handle};
use haechi_wire::Timestamp;

use crate::CloudTrail;
use crate::name::TrailId;
use crate::store::{ChainRecord, chains_path};

impl Handle<GetTrailStatus> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: GetTrailStatusRequest,
    ) -> Result<GetTrailStatusResponse, Error> {
        let id = TrailId::parse(cx, &input.name)?;
        cx.authorize_on(&id.arn)?;
        let trail = self.trail(cx, &id).await?.value;
        trail.note(cx);
        let chains = self.database.list_all::<ChainRecord>(&chains_path(&id.arn)).await?;
        let newest = |of: fn(&ChainRecord) -> Option<i64>| {
            chains.iter().filter_map(|chain| of(&chain.value)).max().map(Timestamp::from_millis)
        };
        let delivered = newest(|chain| chain.latest_delivery_ms);
        let span = trail.spans.last();
        let started = span.map(|span| Timestamp::from_millis(span.from_ms));
        let stopped = trail.spans.iter().rev().find_map(|span| span.to_ms);
        let stopped = stopped.map(Timestamp::from_millis);
        let text = |time: Option<Timestamp>| Some(time.map_or(String::new(), Timestamp::iso8601));
        Ok(GetTrailStatusResponse {
            is_logging: Some(trail.is_logging()),
            latest_delivery_error: chains
                .iter()
                .find_map(|chain| chain.value.latest_delivery_error.clone()),
            latest_delivery_time: delivered,
            latest_digest_delivery_time: newest(|chain| chain.latest_digest_ms),
            start_logging_time: started,
            stop_logging_time: stopped,
            latest_delivery_attempt_time: text(delivered),
            latest_notification_attempt_time: Some(String::new()),
            latest_notification_attempt_succeeded: Some(String::new()),
            latest_delivery_attempt_succeeded: text(delivered),
            time_logging_started: text(started),
            time_logging_stopped: text(stopped),
            ..GetTrailStatusResponse::default()
        })
    }
}
