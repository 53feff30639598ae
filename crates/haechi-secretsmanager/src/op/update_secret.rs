//! `UpdateSecret`.

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::UpdateSecret;
use haechi_secretsmanager_model::shapes::{UpdateSecretRequest, UpdateSecretResponse};

use crate::authz::{Facts, admit};
use crate::draft::Draft;
use crate::secret::{CURRENT, PENDING, PREVIOUS};
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
        let facts = Facts::default()
            .with("description", input.description.as_ref())
            .with("kmskeyid", input.kms_key_id.as_ref());
        let (mut draft, permit) = admit(cx, found, facts)?;
        if plain.is_some() {
            draft.record().owns_values(cx)?;
        }
        draft.record().writable_by(cx)?;
        let mut batch = Batch::new();
        let key = input.kms_key_id.map(|id| Some(id).filter(|id| !id.is_empty()));
        let is_managed = matches!(&key, Some(key) if is_managed(key.as_deref()));
        if is_managed && draft.record().cross_primary.is_some() {
            return Err(words::cross_key());
        }
        if let Some(description) = input.description {
            draft.change().description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some(key) = key
            && key != draft.record().kms_key_id
        {
            self.seal_anew(cx, &mut draft, key, &mut batch).await?;
        }
        draft.change().changed_ms = cx.now().millis();
        let mut version = None;
        match plain {
            Some((id, plain)) => {
                let labels = stages(None);
                self.new_version(cx, &permit, &mut draft, (&id, &plain), &labels, batch).await?;
                version = Some(id);
            }
            None => {
                draft.save(&permit, &mut batch);
                self.database.commit(batch).await?;
            }
        }
        let record = draft.record();
        Ok(UpdateSecretResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
            version_id: version,
        })
    }
}

impl SecretsManager {
    /// Another key: the versions with AWS's own labels are sealed under it, others stay as they
    /// are.
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
            let value = self.seal(cx, draft.record(), &id, &plain).await?;
            batch.put(value_path(draft.record(), &id), &value);
            if let Some(version) = draft.change().versions.get_mut(&id) {
                version.kms_key_id.clone_from(&key);
            }
        }
        Ok(())
    }
}
