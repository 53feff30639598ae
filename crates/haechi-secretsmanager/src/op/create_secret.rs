//! `CreateSecret`.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Handle, PrincipalIds};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::ops::CreateSecret;
use haechi_secretsmanager_model::shapes::{CreateSecretRequest, CreateSecretResponse};

use crate::authz::{Facts, admit_new};
use crate::secret::{CURRENT, SecretRecord};
use crate::store::{new_key, value_path};
use crate::value::{Plain, version_id};
use crate::{SecretsManager, cross_account, name, tags, words};

/// The tag by which a secret says which service owns it.
const OWNER_TAG: &str = "aws:secretsmanager:owningService";

impl Handle<CreateSecret> for SecretsManager {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateSecretRequest,
    ) -> Result<CreateSecretResponse, Error> {
        if input.r#type.is_some() {
            return Err(cx.unsupported_parameter("Type").into());
        }
        name::check(&input.name)?;
        let mut record = new_record(cx, &input)?;
        record.cross_primary = cross_account::primary_of(cx, &input)?;
        let regions = input.add_replica_regions.clone().unwrap_or_default();
        self.replica_regions(&record.region, &regions)?;
        let plain = Plain::of(input.secret_string.clone(), input.secret_binary.clone())?;
        let value = match plain {
            Some(plain) => Some((version_id(input.client_request_token.as_ref())?, plain)),
            None => None,
        };
        let key = input.kms_key_id.as_deref();
        let facts = facts(&input, self.asked_key_arn(cx, &record.account, key).await?);
        admit_new(cx, cx.operation.action, &record.arn, &record.name, &facts)?;
        if !facts.tags.is_empty() {
            admit_new(cx, "secretsmanager:TagResource", &record.arn, &record.name, &facts)?;
        }
        if record.cross_primary.is_some() {
            // It comes with a policy for its primary's account.
            let action = "secretsmanager:PutResourcePolicy";
            admit_new(cx, action, &record.arn, &record.name, &facts)?;
        }
        if !regions.is_empty() {
            let action = "secretsmanager:ReplicateSecretToRegions";
            admit_new(cx, action, &record.arn, &record.name, &facts)?;
        }
        let region = record.region.clone();
        if let Some(row) = self.key_by_name(&record.account, &region, &record.name).await?
            && let Some(old) = self.ready(&record.account, &region, &row.key).await?
        {
            return self.created_before(cx, &old.record, value).await;
        }
        let mut batch = Batch::new();
        let mut version = None;
        if let Some((id, plain)) = value {
            record.add(&id, &BTreeSet::from([CURRENT.to_owned()]), cx.now())?;
            let value = self.seal(cx, &record, &id, &plain).await?;
            batch.put(value_path(&record, &id), &value);
            version = Some(id);
        }
        record.create(&mut batch);
        self.database.commit(batch).await?;
        record.note(cx);
        let mut response = answer(&record, version);
        if !regions.is_empty() {
            let overwrite = input.force_overwrite_replica_secret == Some(true);
            response.replication_status =
                self.replicate_further(cx, &record, &regions, overwrite).await?;
        }
        Ok(response)
    }
}

fn facts(input: &CreateSecretRequest, key_arn: Option<String>) -> Facts<'_> {
    let regions = input.add_replica_regions.iter().flatten();
    let mut facts = Facts::default()
        .with("name", Some(&input.name))
        .with("description", input.description.as_ref())
        .with("kmskeyid", input.kms_key_id.as_ref())
        .with("kmskeyarn", key_arn)
        .with("forceoverwritereplicasecret", input.force_overwrite_replica_secret);
    facts.tags = input.tags.as_deref().unwrap_or_default();
    facts.regions = regions.filter_map(|replica| replica.region.clone()).collect();
    facts
}

fn new_record(cx: &Cx, input: &CreateSecretRequest) -> Result<SecretRecord, Error> {
    let mut tags = BTreeMap::new();
    tags::merge(&mut tags, input.tags.as_deref().unwrap_or_default())?;
    if let Some(owner) = owner(cx, &input.name) {
        tags.insert(OWNER_TAG.to_owned(), owner);
    }
    let (suffix, account) = (name::suffix(cx)?, cx.account().as_str());
    Ok(SecretRecord {
        key: new_key(cx.now(), &suffix),
        arn: name::arn(&cx.region, account, &input.name, &suffix),
        name: input.name.clone(),
        suffix,
        account: account.to_owned(),
        region: cx.region.as_str().to_owned(),
        description: input.description.clone().filter(|text| !text.is_empty()),
        kms_key_id: input.kms_key_id.clone().filter(|id| !id.is_empty()),
        kind: None,
        created_ms: cx.now().millis(),
        changed_ms: cx.now().millis(),
        accessed_ms: None,
        deleted_ms: None,
        deletion_ms: None,
        tags,
        tags_emptied: false,
        policy: None,
        policy_principals: PrincipalIds::default(),
        versions: BTreeMap::new(),
        rotation: None,
        owner: owner(cx, &input.name),
        primary_region: None,
        replicas: BTreeMap::new(),
        shared_version: 0,
        followed: None,
        cross_primary: None,
        cross_replicas: BTreeMap::new(),
        unknown: Unknown::new(),
    })
}

/// The service that makes a secret for a caller, and owns it: its name begins with the service's.
fn owner(cx: &Cx, name: &str) -> Option<String> {
    let service = cx.via().last()?;
    let is_its = name.strip_prefix(service).is_some_and(|rest| rest.starts_with('!'));
    is_its.then(|| (*service).to_owned())
}

fn answer(record: &SecretRecord, version_id: Option<String>) -> CreateSecretResponse {
    CreateSecretResponse {
        arn: Some(record.arn.clone()),
        name: Some(record.name.clone()),
        version_id,
        replication_status: None,
    }
}

impl SecretsManager {
    /// The name is taken: by this very request, sent again, or not.
    async fn created_before(
        &self,
        cx: &Cx,
        old: &SecretRecord,
        value: Option<(String, Plain)>,
    ) -> Result<CreateSecretResponse, Error> {
        if old.deletion_ms.is_some() {
            return Err(words::request(
                "You can't create this secret because a secret with this name is already scheduled \
                 for deletion.",
            ));
        }
        if let Some((token, plain)) = value
            && old.versions.contains_key(&token)
        {
            if self.open(cx, old, &token).await?.equals(&plain) {
                return Ok(answer(old, Some(token)));
            }
            return Err(words::token_in_use(&token, &old.arn));
        }
        Err(Error::ResourceExistsException(format!(
            "The operation failed because the secret {} already exists.",
            old.name
        )))
    }
}
