//! `CreateTrail`.

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::{AddTags, CreateTrail};
use haechi_cloudtrail_model::shapes::{CreateTrailRequest, CreateTrailResponse};
use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle, Operation};

use crate::CloudTrail;
use crate::name::{TrailId, check_bucket, check_name, check_prefix};
use crate::op::add_tags::{facts, merge};
use crate::organization::managed;
use crate::selectors::Selectors;
use crate::trail::{TRAILS_MAX, TrailRecord};

impl Handle<CreateTrail> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateTrailRequest,
    ) -> Result<CreateTrailResponse, Error> {
        let id = TrailId::new(cx, &input.name);
        let tags = input.tags_list.unwrap_or_default();
        cx.authorize_knowing(&id.arn, &facts(&tags))?;
        cx.authorize_tagging(AddTags::SCHEMA.action, &id.arn, &facts(&tags))?;
        cx.refuse_parameters(&[
            ("SnsTopicName", input.sns_topic_name.is_some()),
            ("CloudWatchLogsLogGroupArn", input.cloud_watch_logs_log_group_arn.is_some()),
            ("CloudWatchLogsRoleArn", input.cloud_watch_logs_role_arn.is_some()),
            ("KmsKeyId", input.kms_key_id.is_some()),
            ("RecursiveLogging", input.recursive_logging.is_some()),
        ])?;
        check_name(&input.name)?;
        check_bucket(&input.s3_bucket_name)?;
        if let Some(prefix) = &input.s3_key_prefix {
            check_prefix(prefix)?;
        }
        let organization = match input.is_organization_trail {
            Some(true) => Some(managed(cx)?),
            _ => None,
        };
        let mut trail = TrailRecord {
            name: id.name,
            arn: id.arn,
            account: id.account,
            home_region: id.region,
            bucket: input.s3_bucket_name,
            prefix: input.s3_key_prefix,
            include_global_service_events: input.include_global_service_events.unwrap_or(true),
            is_multi_region: input.is_multi_region_trail.unwrap_or(false),
            has_validation: input.enable_log_file_validation.unwrap_or(false),
            organization,
            selectors: Selectors::default(),
            tags: std::collections::BTreeMap::new(),
            created_ms: cx.now().millis(),
            spans: Vec::new(),
            unknown: Unknown::new(),
        };
        trail.check()?;
        merge(&mut trail.tags, tags)?;
        self.check_new(cx, &trail).await?;
        let mut batch = Batch::new();
        batch.create(trail.path(), &trail);
        self.database.commit(batch).await?;
        trail.note(cx);
        Ok(CreateTrailResponse {
            name: Some(trail.name),
            s3_bucket_name: Some(trail.bucket),
            s3_key_prefix: trail.prefix,
            include_global_service_events: Some(trail.include_global_service_events),
            is_multi_region_trail: Some(trail.is_multi_region),
            trail_arn: Some(trail.arn),
            log_file_validation_enabled: Some(trail.has_validation),
            is_organization_trail: Some(trail.organization.is_some()),
            ..CreateTrailResponse::default()
        })
    }
}

impl CloudTrail {
    /// Whether there is room for this trail, and its name is free.
    async fn check_new(&self, cx: &Cx, trail: &TrailRecord) -> Result<(), Error> {
        let account = cx.account();
        let mut here = self.trails_here(cx, true).await?;
        here.retain(|other| other.account == account.as_str());
        if here.iter().any(|other| other.name == trail.name) {
            let name = &trail.name;
            return Err(Error::TrailAlreadyExistsException(format!(
                "Trail {name} already exists for customer: {account}"
            )));
        }
        let count = here.iter().filter(|other| other.home_region == trail.home_region).count();
        if count >= TRAILS_MAX {
            let region = &trail.home_region;
            return Err(Error::MaximumNumberOfTrailsExceededException(format!(
                "User: {account} already has {count} trails in {region}."
            )));
        }
        Ok(())
    }
}
