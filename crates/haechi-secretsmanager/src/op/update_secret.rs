//! `UpdateSecret`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::UpdateSecret;
use haechi_secretsmanager_model::shapes::{UpdateSecretRequest, UpdateSecretResponse};

use crate::authz::{Facts, admit};
use crate::draft::Draft;
use crate::name::SecretId;
use crate::secret::{CURRENT, PENDING, PREVIOUS, SecretRecord};
use crate::store::value_path;
use crate::value::{Plain, stages, version_id};
use crate::vault::is_managed;
use crate::{SecretsManager, words};

impl Handle<UpdateSecret> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateSecretRequest,
    ) -> Result<UpdateSecretResponse, Error> {
        if input.r#type.is_some() {
            return Err(cx.unsupported_parameter("Type").into());
        }
        let plain = match Plain::of(input.secret_string, input.secret_binary)? {
            Some(plain) => Some((version_id(input.client_request_token.as_ref())?, plain)),
            None => None,
        };
        let found = self.draft(cx, &input.secret_id).await?;
        let account = SecretId::parse(cx, &input.secret_id)?.account;
        let key_arn = self.asked_key_arn(cx, &account, input.kms_key_id.as_deref()).await?;
        let facts = Facts::default()
            .with("description", input.description.as_ref())
            .with("kmskeyid", input.kms_key_id.as_ref())
            .with("kmskeyarn", key_arn);
        let (mut draft, permit) = admit(cx, found, facts)?;
        let key = input.kms_key_id.map(|id| Some(id).filter(|id| !id.is_empty()));
        writable(cx, draft.record(), (&key, &input.description, plain.is_some()))?;
        let says_something = key.is_some() || input.description.is_some();
        let mut batch = Batch::new();
        if let Some(description) = input.description {
            draft.change().description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some(key) = key
            && key != draft.record().kms_key_id
        {
            self.seal_anew(cx, &mut draft, key, &mut batch).await?;
        }
        let (mut version, mut is_new) = (None, false);
        if let Some((id, plain)) = plain {
            is_new = !self.has_same(cx, draft.record(), &id, &plain).await?;
            if is_new {
                let labels = stages(None);
                self.new_version(cx, &mut draft, (&id, &plain), &labels, &mut batch).await?;
            }
            version = Some(id);
        }
        if says_something || is_new {
            draft.save(cx, &permit, &mut batch);
            self.database.commit(batch).await?;
        }
        let record = draft.record();
        Ok(UpdateSecretResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            version_id: version,
        })
    }
}

/// Refuses changes that are not done to the secret. Of a replica its key alone is changed, in its
/// own Region (User Guide, "Replicate secrets across Regions").
fn writable(
    cx: &Cx,
    record: &SecretRecord,
    (key, description, has_value): (&Option<Option<String>>, &Option<String>, bool),
) -> Result<(), Error> {
    if record.is_replica() && key.is_some() && description.is_none() && !has_value {
        record.owned_by_caller(cx)?;
        return record.alive();
    }
    if has_value {
        record.owns_values(cx)?;
    }
    record.writable_by(cx)?;
    if record.cross_primary.is_some() && key.as_ref().is_some_and(|key| is_managed(key.as_deref()))
    {
        return Err(words::cross_key());
    }
    Ok(())
}

impl SecretsManager {
    /// Another key: the versions with AWS's own labels are sealed under it, if the caller may encrypt
    /// under it. Others stay as they are.
    async fn seal_anew(
        &self,
        cx: &Cx,
        draft: &mut Draft,
        key: Option<String>,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let mut ids: Vec<String> = Vec::new();
        for stage in [CURRENT, PENDING, PREVIOUS] {
            ids.extend(draft.record().labelled(stage).map(str::to_owned));
        }
        ids.sort();
        ids.dedup();
        // A version that a rotation has only reserved has none.
        ids.retain(|id| draft.record().has_value(id));
        let before = draft.record().clone();
        draft.change().kms_key_id.clone_from(&key);
        for id in ids {
            let plain = self.open(cx, &before, &id).await?;
            let sealed = self.seal_again(cx, draft.record(), &id, &plain).await?;
            let Some(value) = sealed else { continue };
            batch.put(value_path(draft.record(), &id), &value);
            if let Some(version) = draft.change().versions.get_mut(&id) {
                version.kms_key_id.clone_from(&key);
            }
        }
        Ok(())
    }
}
