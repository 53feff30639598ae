//! `UpdateSecretVersionStage`.

use std::collections::BTreeSet;

use haechi_core::{Batch, Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::UpdateSecretVersionStage;
use haechi_secretsmanager_model::shapes::{
    UpdateSecretVersionStageRequest, UpdateSecretVersionStageResponse,
};

use crate::authz::{Facts, admit};
use crate::secret::{CURRENT, SecretRecord};
use crate::{SecretsManager, words};

impl Handle<UpdateSecretVersionStage> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: UpdateSecretVersionStageRequest,
    ) -> Result<UpdateSecretVersionStageResponse, Error> {
        let found = self.draft(cx, &input.secret_id).await?;
        let facts = Facts::default().with("versionstage", Some(&input.version_stage));
        let (mut draft, permit) = admit(cx, found, facts)?;
        draft.record().owns_values(cx)?;
        let from = input.remove_from_version_id.as_deref();
        let to = input.move_to_version_id.as_deref();
        let stage = input.version_stage.as_str();
        let before = draft.record().labelled(stage).map(str::to_owned);
        move_label(draft.change(), stage, from, to)?;
        if draft.record().labelled(stage) != before.as_deref() {
            let mut batch = Batch::new();
            if let Some(to) = to.filter(|_| stage == CURRENT) {
                draft.change().abandon_rotation((&self.env, cx.now()), to, &mut batch)?;
            }
            draft.save(cx, &permit, &mut batch);
            self.database.commit(batch).await?;
        }
        let record = draft.record();
        Ok(UpdateSecretVersionStageResponse {
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
        })
    }
}

fn move_label(
    record: &mut SecretRecord,
    stage: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(), Error> {
    for id in [from, to].into_iter().flatten() {
        if !record.versions.contains_key(id) {
            return Err(words::no_value("VersionId", id));
        }
    }
    if let Some(empty) = to.filter(|to| stage == CURRENT && !record.has_value(to)) {
        return Err(words::no_value("VersionId", empty));
    }
    let holder = record.labelled(stage).map(str::to_owned);
    match (holder.as_deref(), from) {
        // Sent again: it is there already.
        (Some(holder), _) if to == Some(holder) => return Ok(()),
        (Some(holder), None) => {
            return Err(words::parameter(format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is \
                 currently attached to version {holder}, so you must explicitly reference that \
                 version in RemoveFromVersionId."
            )));
        }
        (holder, Some(from)) if holder != Some(from) => {
            return Err(words::parameter(format!(
                "The parameter RemoveFromVersionId isn't valid. Staging label {stage} isn't \
                 attached to version {from}."
            )));
        }
        _ => {}
    }
    match to {
        Some(to) => record.attach(to, &BTreeSet::from([stage.to_owned()])),
        None if stage == CURRENT && holder.is_some() => Err(words::parameter(
            "You can only move staging label AWSCURRENT to a different secret version. It can't \
             be completely removed.",
        )),
        None => {
            record.detach(stage);
            Ok(())
        }
    }
}
