//! `ListSecretVersionIds`.

use haechi_core::{Cx, Handle};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::ListSecretVersionIds;
use haechi_secretsmanager_model::shapes::{
    ListSecretVersionIdsRequest, ListSecretVersionIdsResponse, SecretVersionsListEntry,
};
use haechi_wire::{Fault, Timestamp};

use crate::authz::{Facts, admit};
use crate::secret::Version;
use crate::vault::MANAGED_NAME;
use crate::{SecretsManager, words};

/// Versions of a page, if the request does not say.
const LIMIT: i32 = 100;

impl Handle<ListSecretVersionIds> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: ListSecretVersionIdsRequest,
    ) -> Result<ListSecretVersionIdsResponse, Error> {
        let found = self.secret(cx, &input.secret_id).await?;
        let (secret, _) = admit(cx, found, Facts::default())?;
        let record = &secret.record;
        let all = input.include_deprecated == Some(true);
        let mut versions: Vec<(&String, &Version)> = record
            .versions
            .iter()
            .filter(|(_, version)| all || !version.stages.is_empty())
            .collect();
        versions.sort_by_key(|(id, version)| (version.created_ms, (*id).clone()));
        // The token is the id of the last version shown; there are a hundred at the most.
        let start = match &input.next_token {
            None => 0,
            Some(token) => {
                let last = versions.iter().position(|(id, _)| *id == token);
                last.ok_or_else(words::token)? + 1
            }
        };
        let limit = usize::try_from(input.max_results.unwrap_or(LIMIT)).map_err(Fault::internal)?;
        let page: Vec<_> = versions.iter().skip(start).take(limit).collect();
        let more = versions.len() > start + page.len();
        let next_token = page.last().filter(|_| more).map(|(id, _)| (*id).clone());
        Ok(ListSecretVersionIdsResponse {
            versions: Some(page.into_iter().map(|(id, version)| entry(id, version)).collect()),
            next_token,
            arn: Some(record.arn.clone()),
            name: Some(record.name.clone()),
        })
    }
}

fn entry(id: &str, version: &Version) -> SecretVersionsListEntry {
    let key = version.kms_key_id.clone().unwrap_or_else(|| MANAGED_NAME.to_owned());
    SecretVersionsListEntry {
        version_id: Some(id.to_owned()),
        version_stages: Some(version.stage_list()).filter(|stages| !stages.is_empty()),
        last_accessed_date: version.accessed_ms.map(Timestamp::from_millis),
        created_date: Some(Timestamp::from_millis(version.created_ms)),
        kms_key_ids: Some(vec![key]),
    }
}
