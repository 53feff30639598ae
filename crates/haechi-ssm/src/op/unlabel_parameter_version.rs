//! `UnlabelParameterVersion`.

use haechi_core::{Batch, Cx, Handle};
use haechi_ssm_model::Error;
use haechi_ssm_model::ops::UnlabelParameterVersion;
use haechi_ssm_model::shapes::{UnlabelParameterVersionRequest, UnlabelParameterVersionResult};

use crate::Ssm;
use crate::error::{not_found, version_not_found};

impl Handle<UnlabelParameterVersion> for Ssm {
    async fn handle(
        &self,
        cx: &Cx,
        input: UnlabelParameterVersionRequest,
    ) -> Result<UnlabelParameterVersionResult, Error> {
        let (_, loaded) = self.own(cx, &input.name).await?;
        let loaded = loaded.ok_or_else(not_found)?;
        let mut parameter = loaded.value.clone();
        let number = input.parameter_version;
        if number < parameter.oldest || number > parameter.current.version {
            return Err(version_not_found(&number.to_string(), &parameter.name));
        }
        let is_there = |label: &String| parameter.labels.get(label) == Some(&number);
        let (removed, missing): (Vec<String>, Vec<String>) =
            input.labels.into_iter().partition(is_there);
        for label in &removed {
            parameter.labels.remove(label);
        }
        if !removed.is_empty() {
            let mut batch = Batch::new();
            batch.replace(&loaded, &parameter);
            self.database.commit(batch).await?;
        }
        Ok(UnlabelParameterVersionResult {
            removed_labels: Some(removed),
            invalid_labels: Some(missing),
        })
    }
}
