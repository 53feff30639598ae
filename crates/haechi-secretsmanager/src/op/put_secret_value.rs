//! `PutSecretValue`.

use std::collections::BTreeSet;

use haechi_core::{Batch, Cx, Handle, Permit};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::PutSecretValue;
use haechi_secretsmanager_model::shapes::{PutSecretValueRequest, PutSecretValueResponse};

use crate::authz::{Facts, admit};
use crate::draft::Draft;
use crate::secret::{CURRENT, Version};
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
        self.new_version(cx, &permit, &mut draft, (&id, &plain), &stages, Batch::new()).await?;
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
    /// Saves a secret with another version. The same version with the same value again changes
    /// nothing of it.
    pub(super) async fn new_version(
        &self,
        cx: &Cx,
        permit: &Permit,
        draft: &mut Draft,
        (id, plain): (&str, &Plain),
        stages: &BTreeSet<String>,
        mut batch: Batch,
    ) -> Result<(), Error> {
        within_account(cx, draft.record(), draft.record().kms_key_id.as_deref())?;
        if draft.record().has_value(id) {
            if !self.open(cx, draft.record(), id).await?.equals(plain) {
                let arn = &draft.record().arn;
                return Err(Error::ResourceExistsException(format!(
                    "You can't use ClientRequestToken {id} because that value is already in use \
                     for a version of secret {arn}."
                )));
            }
        } else {
            self.add_version(cx, draft, id, plain, stages, &mut batch).await?;
            if stages.contains(CURRENT) {
                let record = draft.change();
                record.abandon_rotation((&self.env, cx.now()), id, &mut batch)?;
                record.count_by_hand(cx.now(), &mut batch);
            }
        }
        draft.save(permit, &mut batch);
        self.database.commit(batch).await?;
        Ok(())
    }
}
