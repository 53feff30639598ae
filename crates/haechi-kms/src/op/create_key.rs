//! `CreateKey`.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::database::Unknown;
use haechi_core::{Ask, Batch, Cx, Handle, PrincipalIds, Resource};
use haechi_crypto::KeySpec as Spec;
use haechi_kms_model::Error;
use haechi_kms_model::ops::CreateKey;
use haechi_kms_model::shapes::{
    CreateKeyRequest, CreateKeyResponse, CustomerMasterKeySpec, KeySpec, KeyUsageType, OriginType,
};
use haechi_policy::ResourceRule;
use haechi_wire::{Fault, Timestamp};

use crate::authz::{Conditions, Facts, Kinds};
use crate::custom_key_store::BackingKeyRecord;
use crate::custom_key_store::backing::{Placed, WantedPlace};
use crate::identifier::arn;
use crate::key::State;
use crate::key_text::Aside;
use crate::material::MaterialRecord;
use crate::multi_region::MultiRegion;
use crate::policy::{Proposal, default_policy};
use crate::store::{HandleRecord, KeyRecord, handle_path};
use crate::{Kms, request, spec, tags};

/// What a new key is to be.
#[derive(Clone, Copy)]
struct Wanted {
    spec: Spec,
    usage: KeyUsageType,
    origin: OriginType,
    multi_region: bool,
}

impl Wanted {
    fn kinds(&self) -> Kinds<'static> {
        let (usage, origin) = (self.usage.as_str(), self.origin.as_str());
        Kinds { spec: self.spec.name(), usage, origin }
    }
}

impl Handle<CreateKey> for Kms {
    async fn handle(&self, cx: &Cx, input: CreateKeyRequest) -> Result<CreateKeyResponse, Error> {
        let wanted = wanted(&input)?;
        let input_place = (input.custom_key_store_id, input.xks_key_id);
        let added = input.tags.unwrap_or_default();
        let mut tags = BTreeMap::new();
        tags::merge(&mut tags, &added)?;

        let bypass = input.bypass_policy_lockout_safety_check;
        let id = self.new_id(wanted.multi_region)?;
        let account = cx.account().as_str();
        let key_arn = arn(cx, account, &format!("key/{id}"));
        let extra = [("kms:multiregion", "true"), ("kms:multiregionkeytype", "PRIMARY")];
        let extra: &[_] = if wanted.multi_region { &extra } else { &[] };
        let facts = Facts { tags: &added, bypass, extra, ..Facts::default() };
        let kinds = wanted.kinds();
        let conditions = Conditions::of(cx, facts).with_kinds(kinds);
        authorize(cx, "kms:CreateKey", "*", &conditions)?;
        if !added.is_empty() {
            authorize(cx, "kms:TagResource", &key_arn, &conditions)?;
        }

        let (policy, policy_principals) = match input.policy {
            None => (default_policy(cx.region.partition(), account), PrincipalIds::default()),
            Some(text) => {
                let proposal = Proposal {
                    text: &text,
                    key_arn: &key_arn,
                    kinds,
                    bypass_lockout_check: bypass == Some(true),
                };
                let accepted = self.check_policy(cx, proposal).await?;
                (text, accepted.principals)
            }
        };
        self.admit_key(account, cx.region.as_str(), cx.now()).await?;
        let place = match place(&input_place, wanted)? {
            Some(place) => Some(self.place(cx, place, (&id, kinds.origin)).await?),
            None => None,
        };
        let record = KeyRecord {
            id,
            arn: key_arn,
            account: account.to_owned(),
            region: cx.region.as_str().to_owned(),
            description: input.description.unwrap_or_default(),
            spec: kinds.spec.to_owned(),
            usage: kinds.usage.to_owned(),
            origin: kinds.origin.to_owned(),
            state: State::Enabled,
            created_ms: cx.now().millis(),
            deletion_ms: None,
            policy,
            policy_principals,
            tags,
            aliases: BTreeSet::new(),
            materials: Vec::new(),
            rotation: None,
            multi_region: wanted.multi_region.then(|| MultiRegion::new(cx.region.as_str())),
            deletion_window_days: None,
            used_import_tokens: Vec::new(),
            custom_key_store: place.as_ref().map(|placed| placed.backing.clone()),
            aside: Aside::default(),
            unknown: Unknown::new(),
        };
        let record = self.store_new(cx, record, wanted, place.as_ref()).await?;
        Ok(CreateKeyResponse { key_metadata: Some(self.describe(&record).await?) })
    }
}

impl Kms {
    fn new_id(&self, multi_region: bool) -> Result<String, Fault> {
        let id = self.env.uuid().map_err(Fault::internal)?;
        Ok(if multi_region { format!("mrk-{}", id.simple()) } else { id.to_string() })
    }

    /// Gives a new key its material, unless that is to be imported, and stores both.
    async fn store_new(
        &self,
        cx: &Cx,
        mut record: KeyRecord,
        wanted: Wanted,
        place: Option<&Placed>,
    ) -> Result<KeyRecord, Error> {
        let mut batch = Batch::new();
        if let (Some(placed), Some(path)) = (place, record.backing_key_path()) {
            placed.stores.hold(&mut batch);
            if let Some(forget) = &placed.forget {
                batch.cancel(forget);
            }
            let (key_id, unknown) = (record.id.clone(), Unknown::new());
            batch.create(path, &BackingKeyRecord { key_id, unknown });
        }
        if wanted.origin == OriginType::External {
            record.state = State::PendingImport;
        } else {
            let secret = self.workers.generate(wanted.spec, &self.env.random).await?;
            let (keyring, now_ms) = (self.database.keyring(), cx.now().millis());
            let material = MaterialRecord::wrap(&self.env, &keyring, &record, &secret, now_ms)?;
            batch.create(handle_path(&material.handle()), &HandleRecord::of(&record));
            record.materials.push(material);
        }
        record.create(&mut batch);
        if let Err(fault) = self.database.commit(batch).await {
            self.undo_place(&record, cx.now()).await?;
            return Err(fault.into());
        }
        let (arn, account) = (record.arn.clone(), record.account.clone());
        cx.note(Resource { arn, account, kind: "AWS::KMS::Key" });
        Ok(record)
    }
}

impl Kms {
    /// Takes back what was made in a token for a key that could not be stored.
    async fn undo_place(&self, record: &KeyRecord, now: Timestamp) -> Result<(), Fault> {
        let Some(job) = record.forget_backing_key(now) else { return Ok(()) };
        let mut batch = Batch::new();
        batch.schedule(&job);
        self.database.commit(batch).await?;
        self.jobs.wake();
        Ok(())
    }
}

/// Decides by IAM alone: the key has no policy yet.
pub(super) fn authorize(
    cx: &Cx,
    action: &str,
    resource: &str,
    conditions: &Conditions<'_>,
) -> Result<(), Fault> {
    cx.authorize(&Ask {
        action,
        resource,
        resource_account: cx.account().as_str(),
        policy: None,
        rule: ResourceRule::Union,
        context: conditions,
    })?;
    Ok(())
}

/// Reads what is wanted; refuses what no KMS makes, and says so of what this one does not make.
fn wanted(input: &CreateKeyRequest) -> Result<Wanted, Error> {
    if input.key_spec.is_some() && input.customer_master_key_spec.is_some() {
        return Err(request::invalid(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
             CustomerMasterKeySpec is deprecated.",
        ));
    }
    let origin = input.origin.unwrap_or(OriginType::AwsKms);
    let old_name = input.customer_master_key_spec.map(CustomerMasterKeySpec::as_str);
    let name = input.key_spec.map(KeySpec::as_str).or(old_name).unwrap_or(spec::SYMMETRIC);
    let Some(spec) = Spec::from_name(name) else {
        let message = format!("KeySpec {name} is not supported in this Region.");
        return Err(Error::UnsupportedOperationException(message));
    };
    let usage = match (input.key_usage, spec) {
        (Some(usage), _) => usage,
        (None, Spec::SymmetricDefault) => KeyUsageType::EncryptDecrypt,
        (None, _) => {
            return Err(request::invalid(
                "You must specify a KeyUsage value for all KMS keys except for symmetric \
                 encryption keys.",
            ));
        }
    };
    if !spec::usages(spec).contains(&usage) {
        let usage = usage.as_str();
        let message = format!("KeyUsage {usage} is not compatible with KeySpec {name}");
        return Err(request::invalid(message));
    }
    Ok(Wanted { spec, usage, origin, multi_region: input.multi_region == Some(true) })
}

/// The custom key store that is asked for; one goes with its origins, and with nothing else.
fn place(
    (store_id, xks_key_id): &(Option<String>, Option<String>),
    wanted: Wanted,
) -> Result<Option<WantedPlace<'_>>, Error> {
    let origin = wanted.origin.as_str();
    let needed = matches!(wanted.origin, OriginType::AwsCloudhsm | OriginType::ExternalKeyStore);
    let xks = wanted.origin == OriginType::ExternalKeyStore;
    match (store_id, xks_key_id) {
        (None, _) if needed => {
            let message =
                format!("CustomKeyStoreId is required for keys with the origin {origin}.");
            return Err(request::invalid(message));
        }
        (Some(_), _) if !needed => {
            let message =
                format!("CustomKeyStoreId is not valid for keys with the origin {origin}.");
            return Err(request::invalid(message));
        }
        (_, None) if xks => {
            let message = format!("XksKeyId is required for keys with the origin {origin}.");
            return Err(request::invalid(message));
        }
        (_, Some(_)) if !xks => {
            let message = format!("XksKeyId is not valid for keys with the origin {origin}.");
            return Err(request::invalid(message));
        }
        _ => {}
    }
    let Some(store_id) = store_id else { return Ok(None) };
    if wanted.spec != Spec::SymmetricDefault || wanted.multi_region {
        return Err(Error::UnsupportedOperationException(
            "Keys in custom key stores are symmetric encryption keys of a single Region."
                .to_owned(),
        ));
    }
    Ok(Some(WantedPlace { store_id, xks_key_id: xks_key_id.as_deref() }))
}
