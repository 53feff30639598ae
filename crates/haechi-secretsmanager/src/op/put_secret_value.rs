//! `PutSecretValue`.

use std::collections::BTreeSet;

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::PutSecretValue;
use haechi_secretsmanager_model::shapes::{PutSecretValueRequest, PutSecretValueResponse};

use crate::authz::{Facts, admit};
use crate::draft::Draft;
use crate::secret::{CURRENT, SecretRecord, Version};
use crate::value::{Plain, stages, version_id};
use crate::vault::within_account;
use crate::{SecretsManager, words};

impl Handle<PutSecretValue> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: PutSecretValueRequest,
    ) -> Result<PutSecretValueResponse, Error> {
        if input.rotation_token.is_some() {
            return Err(cx.unsupported_parameter("RotationToken").into());
        }
        let Some(plain) = Plain::of(input.secret_string, input.secret_binary)? else {
            return Err(words::request("You must provide either SecretString or SecretBinary."));
        };
        let id = version_id(input.client_request_token.as_ref())?;
        let mut stages = stages(input.version_stages);
        let found = self.draft(cx, &input.secret_id).await?;
        let (mut draft, permit) = admit(cx, found, Facts::default())?;
        draft.record().owns_values(cx)?;
        if draft.record().labelled(CURRENT).is_none() {
            // The first one is current, whatever else it is.
            stages.insert(CURRENT.to_owned());
        }
        if !self.has_same(cx, draft.record(), &id, &plain).await? {
            let mut batch = Batch::new();
            self.new_version(cx, &mut draft, (&id, &plain), &stages, &mut batch).await?;
            draft.save(cx, &permit, &mut batch);
            self.database.commit(batch).await?;
        }
        let record = draft.record();
        Ok(PutSecretValueResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            version_stages: record.versions.get(&id).map(Version::stage_list),
            version_id: Some(id),
        })
    }
}

impl SecretsManager {
    /// Whether a version with this very value is there: the request was sent again.
    pub(super) async fn has_same(
        &self,
        cx: &Cx,
        record: &SecretRecord,
        id: &str,
        plain: &Plain,
    ) -> Result<bool, Error> {
        within_account(cx, record, record.kms_key_id.as_deref())?;
        if !record.has_value(id) {
            return Ok(false);
        }
        if self.open(cx, record, id).await?.equals(plain) {
            return Ok(true);
        }
        Err(words::token_in_use(id, &record.arn))
    }

    /// Gives a secret a version that it does not have. With `AWSCURRENT` it counts as put by hand.
    pub(super) async fn new_version(
        &self,
        cx: &Cx,
        draft: &mut Draft,
        (id, plain): (&str, &Plain),
        stages: &BTreeSet<String>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        self.add_version(cx, draft, id, plain, stages, batch).await?;
        if stages.contains(CURRENT) {
            let record = draft.change();
            record.abandon_rotation((&self.env, cx.now()), id, batch)?;
            record.count_by_hand(cx.now(), batch);
        }
        Ok(())
    }
}
