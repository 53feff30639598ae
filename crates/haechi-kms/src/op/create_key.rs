//! `CreateKey`.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::database::Unknown;
use haechi_core::{Ask, Batch, Cx, Handle, Resource};
use haechi_kms_model::Error;
use haechi_kms_model::ops::CreateKey;
use haechi_kms_model::shapes::{
    CreateKeyRequest, CreateKeyResponse, CustomerMasterKeySpec, KeySpec, KeyUsageType, OriginType,
};
use haechi_policy::ResourceRule;
use haechi_wire::Fault;

use crate::authz::{Conditions, Facts, Kinds};
use crate::identifier::arn;
use crate::key::State;
use crate::material::MaterialRecord;
use crate::policy::{Proposal, default_policy};
use crate::store::{HandleRecord, KeyRecord, handle_path};
use crate::{Kms, request, tags};

/// What a new key is: the one kind that is done.
const KINDS: Kinds<'static> =
    Kinds { spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT", origin: "AWS_KMS" };

impl Handle<CreateKey> for Kms {
    async fn handle(&self, cx: &Cx, input: CreateKeyRequest) -> Result<CreateKeyResponse, Error> {
        check_kind(cx, &input)?;
        let added = input.tags.unwrap_or_default();
        let mut tags = BTreeMap::new();
        tags::merge(&mut tags, &added)?;

        let bypass = input.bypass_policy_lockout_safety_check.unwrap_or(false);
        let id = cx.env.uuid().map_err(Fault::internal)?.to_string();
        let account = cx.account().as_str();
        let key_arn = arn(cx, account, &format!("key/{id}"));
        let facts = Facts { tags: &added, bypass: Some(bypass), ..Facts::default() };
        let conditions = Conditions { caller_account: account, kinds: KINDS, facts };
        authorize(cx, "kms:CreateKey", "*", &conditions)?;
        if !added.is_empty() {
            authorize(cx, "kms:TagResource", &key_arn, &conditions)?;
        }

        let (policy, policy_principals) = match input.policy {
            None => (default_policy(cx.region.partition(), account), BTreeMap::new()),
            Some(text) => {
                let proposal = Proposal {
                    text: &text,
                    key_arn: &key_arn,
                    kinds: KINDS,
                    bypass_lockout_check: bypass,
                };
                let accepted = self.check_policy(cx, proposal).await?;
                (text, accepted.principals)
            }
        };
        let record = KeyRecord {
            id,
            arn: key_arn,
            account: account.to_owned(),
            region: cx.region.as_str().to_owned(),
            description: input.description.unwrap_or_default(),
            spec: KINDS.spec.to_owned(),
            usage: KINDS.usage.to_owned(),
            origin: KINDS.origin.to_owned(),
            state: State::Enabled,
            created_ms: cx.now().millis(),
            deletion_ms: None,
            policy,
            policy_principals,
            tags,
            aliases: BTreeSet::new(),
            materials: Vec::new(),
            rotation: None,
            multi_region: None,
            deletion_window_days: None,
            unknown: Unknown::new(),
        };
        let record = self.store_new(cx, record).await?;
        Ok(CreateKeyResponse { key_metadata: Some(record.metadata()) })
    }
}

impl Kms {
    /// Gives a new key its material and stores both.
    async fn store_new(&self, cx: &Cx, mut record: KeyRecord) -> Result<KeyRecord, Error> {
        let keyring = self.database.keyring();
        let material = MaterialRecord::generate(&self.env, &keyring, &record, cx.now().millis())?;
        let handle = HandleRecord {
            account: record.account.clone(),
            region: record.region.clone(),
            key_id: record.id.clone(),
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(handle_path(&material.handle()), &handle);
        record.materials.push(material);
        batch.create(record.path(), &record);
        self.database.commit(batch).await?;
        let (arn, account) = (record.arn.clone(), record.account.clone());
        cx.note(Resource { arn, account, kind: "AWS::KMS::Key" });
        Ok(record)
    }
}

/// Decides by IAM alone: the key has no policy yet.
fn authorize(
    cx: &Cx,
    action: &str,
    resource: &str,
    conditions: &Conditions<'_>,
) -> Result<(), Fault> {
    cx.authorize(&Ask {
        action,
        resource,
        resource_account: conditions.caller_account,
        policy: None,
        rule: ResourceRule::Union,
        context: conditions,
    })?;
    Ok(())
}

/// Refuses what no KMS makes, and says so of what this one does not make yet.
fn check_kind(cx: &Cx, input: &CreateKeyRequest) -> Result<(), Error> {
    if input.key_spec.is_some() && input.customer_master_key_spec.is_some() {
        return Err(request::invalid(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
             CustomerMasterKeySpec is deprecated.",
        ));
    }
    let unsupported = |parameter: String| Err(request::unsupported(cx, &parameter));
    match (input.key_spec, input.customer_master_key_spec) {
        (Some(spec), _) if spec != KeySpec::SymmetricDefault => {
            return unsupported(format!("KeySpec={}", spec.as_str()));
        }
        (_, Some(spec)) if spec != CustomerMasterKeySpec::SymmetricDefault => {
            return unsupported(format!("CustomerMasterKeySpec={}", spec.as_str()));
        }
        _ => {}
    }
    if let Some(usage) = input.key_usage.filter(|usage| *usage != KeyUsageType::EncryptDecrypt) {
        let message =
            format!("KeyUsage {} is not compatible with KeySpec {}", usage.as_str(), KINDS.spec);
        return Err(request::invalid(message));
    }
    if let Some(origin) = input.origin.filter(|origin| *origin != OriginType::AwsKms) {
        return unsupported(format!("Origin={}", origin.as_str()));
    }
    if input.custom_key_store_id.is_some() {
        return unsupported("CustomKeyStoreId".to_owned());
    }
    if input.xks_key_id.is_some() {
        return unsupported("XksKeyId".to_owned());
    }
    if input.multi_region == Some(true) {
        return unsupported("MultiRegion=true".to_owned());
    }
    Ok(())
}
