//! `ReplicateKey`.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::regions::is_published;
use haechi_core::{Batch, Cx, Handle, PrincipalIds, Region, Resource};
use haechi_kms_model::Error;
use haechi_kms_model::ops::{CreateKey, ReplicateKey};
use haechi_kms_model::shapes::{
    CreateKeyRequest, CreateKeyResponse, KeyMetadata, KeyState, ReplicateKeyRequest,
    ReplicateKeyResponse, Tag,
};
use haechi_peer::Place;
use haechi_peer::message::Beginning;

use super::create_key::authorize;
use crate::authz::{Conditions, Facts, Kinds, admit};
use crate::import::EXTERNAL;
use crate::key::{State, Use};
use crate::key_text::Aside;
use crate::material::MaterialRecord;
use crate::multi_region::{Siblings, siblings};
use crate::peering::Birth;
use crate::policy::{Proposal, default_policy};
use crate::store::KeyRecord;
use crate::{Kms, request, tags};

impl Handle<ReplicateKey> for Kms {
    async fn handle(
        &self,
        cx: &Cx,
        input: ReplicateKeyRequest,
    ) -> Result<ReplicateKeyResponse, Error> {
        let added = input.tags.unwrap_or_default();
        let mut tags = BTreeMap::new();
        tags::merge(&mut tags, &added)?;
        let bypass = input.bypass_policy_lockout_safety_check;
        let to = input.replica_region.as_str();

        let found = self.draft(cx, &input.key_id).await?;
        let extra = [("kms:replicaregion", to)];
        let (mut key, permit) = admit(cx, found, Facts { extra: &extra, ..Facts::default() })?;
        let record = key.record();
        check(cx, record, to)?;
        self.check_exists(to)?;
        let arn = record.arn_in(to);
        let kinds = Kinds { spec: &record.spec, usage: &record.usage, origin: &record.origin };
        // The replica is made in its own Region, and decided there.
        let extra = [
            ("kms:multiregion", "true"),
            ("kms:multiregionkeytype", "REPLICA"),
            ("aws:requestedregion", to),
        ];
        let facts = Facts { tags: &added, bypass, extra: &extra, ..Facts::default() };
        let conditions = Conditions::of(cx, facts).with_kinds(kinds);
        authorize(cx, "kms:CreateKey", "*", &conditions)?;
        if !added.is_empty() {
            authorize(cx, "kms:TagResource", &arn, &conditions)?;
        }
        let (policy, policy_principals) = match input.policy {
            None => (
                default_policy(cx.region.partition(), cx.account().as_str()),
                PrincipalIds::default(),
            ),
            Some(text) => {
                let (key_arn, text_read) = (arn.as_str(), text.as_str());
                let proposal = Proposal {
                    text: text_read,
                    key_arn,
                    kinds,
                    bypass_lockout_check: bypass == Some(true),
                };
                let accepted = self.check_policy(cx, proposal).await?;
                (text, accepted.principals)
            }
        };
        let mut replica = KeyRecord {
            description: input.description.unwrap_or_default(),
            policy,
            policy_principals,
            tags,
            ..replica_of(record, to, arn, cx.now().millis())
        };

        self.admit_key(&record.account, to, cx.now()).await?;
        let mut at = record.multi_region.clone().ok_or_else(|| not_primary(record))?;
        at.replicas.insert(to.to_owned());
        let mut siblings = siblings(&self.database, &self.peers, record).await?;
        record.spread(&mut siblings, &at);
        replica.multi_region = Some(at);
        let mut batch = Batch::new();
        let place = birth(&mut siblings, &replica)?;
        if place == Place::Here {
            replica.create(&mut batch);
        }
        siblings.save(record, cx.now(), &mut batch);
        key.save(&permit, &mut batch);
        self.database.commit(batch).await?;
        if place == Place::Here {
            record_creation(cx, &replica, &added)?;
        }
        Ok(answer(&replica, added))
    }
}

impl Kms {
    /// Refuses a Region that neither AWS nor the operator knows.
    fn check_exists(&self, region: &str) -> Result<(), Error> {
        let known = match (self.served.get(), self.peers.get()) {
            (_, Some(peers)) => peers.place(region) != Place::Nowhere || is_published(region),
            (Some(served), None) => served.contains(region),
            (None, None) => is_published(region),
        };
        if known {
            return Ok(());
        }
        Err(request::invalid(format!("Region {region} does not exist, or is not served here.")))
    }
}

/// Notes when a replica came to be, and what it begins with if another deployment is to make it.
/// Answers who is.
fn birth(siblings: &mut Siblings, replica: &KeyRecord) -> Result<Place, Error> {
    let Some(elsewhere) = &mut siblings.elsewhere else { return Ok(Place::Here) };
    let (region, place) = (&replica.region, elsewhere.place(&replica.region));
    let shares = |peer: &String| {
        elsewhere.peers().by_id(peer).is_some_and(|peer| peer.shares(&replica.account))
    };
    let beginning = match &place {
        Place::Here => None,
        Place::Peer(peer) if shares(peer) => Some(Beginning {
            description: replica.description.clone(),
            policy: replica.policy.clone(),
            tags: replica.tags.clone(),
            created_ms: replica.created_ms,
        }),
        Place::Peer(_) | Place::Nowhere => {
            return Err(request::invalid(format!(
                "Region {region} is served neither here nor by a peer that shares account {}.",
                replica.account
            )));
        }
    };
    let version = elsewhere.link.version + 1;
    elsewhere.link.births.insert(region.clone(), Birth { version, beginning });
    Ok(place)
}

fn not_primary(record: &KeyRecord) -> Error {
    let message = format!("{} is not a multi-region primary key.", record.arn);
    Error::UnsupportedOperationException(message)
}

fn check(cx: &Cx, record: &KeyRecord, to: &str) -> Result<(), Error> {
    let at = record.multi_region.as_ref().filter(|_| record.is_primary());
    let at = at.ok_or_else(|| not_primary(record))?;
    record.state.admit(Use::Material).map_err(|refusal| refusal.of(&record.arn))?;
    let region = Region::parse(to);
    if region.is_none_or(|region| region.partition() != cx.region.partition()) {
        return Err(request::invalid(format!("Region {to} is not valid for this key.")));
    }
    if at.regions().any(|region| region == to) {
        let message = format!("Key {} already exists.", record.arn_in(to));
        return Err(Error::AlreadyExistsException(message));
    }
    Ok(())
}

/// The same key elsewhere: with the same material, unless that is to be imported there too.
fn replica_of(primary: &KeyRecord, to: &str, arn: String, now_ms: i64) -> KeyRecord {
    let external = primary.origin == EXTERNAL;
    let mut materials = primary.materials.clone();
    for row in materials.iter_mut().filter(|_| external) {
        *row = MaterialRecord { token: Vec::new(), ..row.clone() };
        row.imported.iter_mut().for_each(|imported| imported.valid_to_ms = None);
    }
    KeyRecord {
        arn,
        region: to.to_owned(),
        state: if external { State::PendingImport } else { State::Enabled },
        created_ms: now_ms,
        materials,
        aliases: BTreeSet::new(),
        deletion_ms: None,
        deletion_window_days: None,
        used_import_tokens: Vec::new(),
        aside: Aside::default(),
        ..primary.clone()
    }
}

fn resource(key: &KeyRecord) -> Resource {
    Resource { arn: key.arn.clone(), account: key.account.clone(), kind: "AWS::KMS::Key" }
}

/// In its own Region the record is one of `CreateKey` (Developer Guide, "ReplicateKey" under
/// "Logging AWS KMS API calls").
fn record_creation(cx: &Cx, replica: &KeyRecord, tags: &[Tag]) -> Result<(), Error> {
    let Some(region) = Region::parse(&replica.region) else { return Ok(()) };
    let metadata = replica.metadata();
    let input = CreateKeyRequest {
        policy: Some(replica.policy.clone()),
        description: Some(replica.description.clone()),
        key_usage: metadata.key_usage,
        key_spec: metadata.key_spec,
        origin: metadata.origin,
        tags: Some(tags.to_vec()).filter(|tags| !tags.is_empty()),
        multi_region: Some(true),
        ..Default::default()
    };
    let output = CreateKeyResponse { key_metadata: Some(metadata) };
    cx.made_elsewhere::<CreateKey>("kms", region, (&input, &output), resource(replica))?;
    Ok(())
}

/// As AWS answers it, whose replicas are not ready at once: a client that waits for `Enabled` finds
/// it when it asks.
fn answer(replica: &KeyRecord, tags: Vec<Tag>) -> ReplicateKeyResponse {
    let metadata = KeyMetadata {
        key_state: Some(KeyState::Creating),
        enabled: Some(false),
        current_key_material_id: None,
        ..replica.metadata()
    };
    ReplicateKeyResponse {
        replica_key_metadata: Some(metadata),
        replica_policy: Some(replica.policy.clone()),
        replica_tags: Some(tags).filter(|tags| !tags.is_empty()),
    }
}
