//! `ListSecrets`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::ListSecrets;
use haechi_secretsmanager_model::shapes::{
    ListSecretsRequest, ListSecretsResponse, SecretListEntry, SortByType, SortOrderType,
};
use haechi_wire::{Fault, Timestamp};

use crate::filters::checked;
use crate::listing::Listing;
use crate::secret::SecretRecord;
use crate::{SecretsManager, tags};

/// Secrets of a page, if the request does not say.
const LIMIT: i32 = 100;

impl Handle<ListSecrets> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSecretsRequest,
    ) -> Result<ListSecretsResponse, Error> {
        cx.authorize_any()?;
        let limit = usize::try_from(input.max_results.unwrap_or(LIMIT));
        let listing = Listing {
            filters: checked(input.filters.as_deref().unwrap_or_default())?,
            deleted: input.include_planned_deletion == Some(true),
            by: input.sort_by.unwrap_or(SortByType::CreatedDate),
            order: input.sort_order.unwrap_or(SortOrderType::Asc),
            limit: limit.map_err(Fault::internal)?,
            token: input.next_token.as_deref(),
        };
        let (page, next_token) = self.page(cx, &listing).await?;
        let list = page.iter().map(|secret| entry(&secret.record)).collect();
        Ok(ListSecretsResponse { secret_list: Some(list), next_token })
    }
}

fn entry(record: &SecretRecord) -> SecretListEntry {
    let time = |ms: Option<i64>| ms.map(Timestamp::from_millis);
    let rotation = record.rotation.as_ref();
    let enabled = rotation.filter(|rotation| rotation.enabled);
    let next = enabled.and_then(|rotation| rotation.next_ms);
    let stages = record.stages();
    SecretListEntry {
        arn: Some(record.arn.clone()),
        name: Some(record.name.clone()),
        description: record.description.clone(),
        kms_key_id: record.kms_key_id.clone(),
        rotation_enabled: rotation.map(|rotation| rotation.enabled),
        rotation_lambda_arn: rotation
            .map(|rotation| rotation.lambda_arn.clone())
            .filter(|arn| !arn.is_empty()),
        rotation_rules: rotation
            .and_then(|rotation| rotation.rules.shape(rotation.last_ms.is_some())),
        // Unlike that of DescribeSecret, also when rotation was turned off (API Reference).
        last_rotated_date: time(rotation.and_then(|rotation| rotation.last_ms)),
        last_changed_date: time(Some(record.changed_ms)),
        last_accessed_date: time(record.accessed_ms),
        deleted_date: time(record.deleted_ms),
        next_rotation_date: time(next.map(|(_, end)| end)),
        tags: tags::list(record),
        secret_versions_to_stages: (!stages.is_empty()).then_some(stages),
        created_date: time(Some(record.created_ms)),
        owning_service: record.owner.clone(),
        primary_region: record.primary_region.clone(),
        ..SecretListEntry::default()
    }
}
