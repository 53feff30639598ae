//! `UpdateTrail`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::UpdateTrail;
use haechi_cloudtrail_model::shapes::{UpdateTrailRequest, UpdateTrailResponse};
use haechi_core::{Batch, Cx, Handle};

use crate::CloudTrail;
use crate::name::{TrailId, check_bucket, check_prefix};
use crate::organization::managed;

/// Whether a parameter asks for something that is there; empty takes away what never was.
fn given(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

impl Handle<UpdateTrail> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateTrailRequest,
    ) -> Result<UpdateTrailResponse, Error> {
        let id = TrailId::parse(cx, &input.name)?;
        cx.authorize_on(&id.arn)?;
        cx.refuse_parameters(&[
            ("SnsTopicName", given(&input.sns_topic_name)),
            ("CloudWatchLogsLogGroupArn", given(&input.cloud_watch_logs_log_group_arn)),
            ("CloudWatchLogsRoleArn", given(&input.cloud_watch_logs_role_arn)),
            ("KmsKeyId", given(&input.kms_key_id)),
            ("RecursiveLogging", input.recursive_logging.is_some()),
        ])?;
        let loaded = self.home_trail(cx, &id).await?;
        let mut trail = loaded.value.clone();
        if let Some(bucket) = input.s3_bucket_name {
            check_bucket(&bucket)?;
            trail.bucket = bucket;
        }
        if let Some(prefix) = input.s3_key_prefix {
            trail.prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
            trail.prefix.as_deref().map_or(Ok(()), check_prefix)?;
        }
        trail.include_global_service_events =
            input.include_global_service_events.unwrap_or(trail.include_global_service_events);
        trail.is_multi_region = input.is_multi_region_trail.unwrap_or(trail.is_multi_region);
        trail.has_validation = input.enable_log_file_validation.unwrap_or(trail.has_validation);
        match input.is_organization_trail {
            Some(true) if trail.organization.is_none() => trail.organization = Some(managed(cx)?),
            Some(false) => trail.organization = None,
            _ => {}
        }
        trail.check()?;
        let mut batch = Batch::new();
        batch.replace(&loaded, &trail);
        self.database.commit(batch).await?;
        Ok(UpdateTrailResponse {
            name: Some(trail.name),
            s3_bucket_name: Some(trail.bucket),
            s3_key_prefix: trail.prefix,
            include_global_service_events: Some(trail.include_global_service_events),
            is_multi_region_trail: Some(trail.is_multi_region),
            trail_arn: Some(trail.arn),
            log_file_validation_enabled: Some(trail.has_validation),
            is_organization_trail: Some(trail.organization.is_some()),
            ..UpdateTrailResponse::default()
        })
    }
}
