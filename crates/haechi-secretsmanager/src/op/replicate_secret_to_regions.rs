//! `ReplicateSecretToRegions`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::ReplicateSecretToRegions;
use haechi_secretsmanager_model::shapes::{
    ReplicateSecretToRegionsRequest, ReplicateSecretToRegionsResponse,
};

use crate::SecretsManager;
use crate::authz::{Facts, admit};
use crate::replica::REGIONS_AT_ONCE;

impl Handle<ReplicateSecretToRegions> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: ReplicateSecretToRegionsRequest,
    ) -> Result<ReplicateSecretToRegionsResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let overwrite = input.force_overwrite_replica_secret;
        let mut facts = Facts::default().with("forceoverwritereplicasecret", overwrite);
        let regions = input.add_replica_regions.iter();
        facts.regions = regions.filter_map(|replica| replica.region.clone()).collect();
        let (mut draft, permit) = admit(cx, found, facts)?;
        draft.record().owns_values(cx)?;
        let (mut batch, overwrite) = (Batch::new(), overwrite == Some(true));
        let asked = &input.add_replica_regions;
        self.replica_regions(&draft.record().region, asked)?;
        let (first, rest) = asked.split_at(asked.len().min(REGIONS_AT_ONCE));
        self.replicate(cx, &mut draft, first, overwrite, &mut batch).await?;
        draft.save(cx, &permit, &mut batch);
        self.database.commit(batch).await?;
        let status = self.replicate_further(cx, draft.record(), rest, overwrite).await?;
        Ok(ReplicateSecretToRegionsResponse {
            arn: Some(draft.record().arn.clone()),
            replication_status: status,
        })
    }
}
