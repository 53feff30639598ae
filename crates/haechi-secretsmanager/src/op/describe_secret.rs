//! `DescribeSecret`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::DescribeSecret;
use haechi_secretsmanager_model::shapes::{DescribeSecretRequest, DescribeSecretResponse};
use haechi_wire::Timestamp;

use crate::authz::{Facts, admit};
use crate::secret::SecretRecord;
use crate::{SecretsManager, tags};

impl Handle<DescribeSecret> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: DescribeSecretRequest,
    ) -> Result<DescribeSecretResponse, Error> {
        let found = self.secret(cx, &input.secret_id).await?;
        let (secret, _) = admit(cx, found, Facts::default())?;
        let status = self.replication_status(&secret.record).await?;
        Ok(DescribeSecretResponse { replication_status: status, ..describe(&secret.record) })
    }
}

fn describe(record: &SecretRecord) -> DescribeSecretResponse {
    let time = |ms: Option<i64>| ms.map(Timestamp::from_millis);
    let rotation = record.rotation.as_ref();
    let enabled = rotation.filter(|rotation| rotation.enabled);
    let next = enabled.and_then(|rotation| rotation.next_ms);
    let stages = record.stages();
    DescribeSecretResponse {
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
        last_rotated_date: time(enabled.and_then(|rotation| rotation.last_ms)),
        last_changed_date: time(Some(record.changed_ms)),
        last_accessed_date: time(record.accessed_ms),
        deleted_date: time(record.deleted_ms),
        next_rotation_date: time(next.map(|(_, end)| end)),
        tags: tags::list(record),
        version_ids_to_stages: (!stages.is_empty()).then_some(stages),
        created_date: time(Some(record.created_ms)),
        owning_service: record.owner.clone(),
        primary_region: record.primary_region.clone(),
        cross_account_primary: record.cross_primary_shape(),
        cross_account_replicas: record.cross_replica_shapes(),
        ..DescribeSecretResponse::default()
    }
}
