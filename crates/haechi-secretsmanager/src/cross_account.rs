//! A secret's copy in another account.
//!
//! Two parties: the replica's owner makes it, empty, and names the primary; the primary's owner
//! associates it. From then on each change of the primary's versions and labels is the replica's
//! too, in the same transaction, under the replica's own KMS key, in the name of whoever changed the
//! primary. Policies, tags and lives are each secret's own.
//!
//! ```text
//! replica          primary
//! Pending          –           made, not associated yet
//! InSync, Failed   the same    associated
//! Detached         –           the primary's owner ended it
//! (a secret)       Detached    the replica's owner ended it
//! ```
//! Source: API Reference, AssociateCrossAccountReplica; User Guide, "Replicate secrets across
//! accounts".

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Unchecked};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::shapes::{
    CreateSecretRequest, CrossAccountPrimaryType, CrossAccountReplicaEntry, ReplicaRestrictionType,
    StatusType,
};
use haechi_wire::{Problem, Protocol};
use serde::{Deserialize, Serialize};

use crate::ahead::Row;
use crate::authz::{Facts, admit_action, missing};
use crate::draft::Draft;
use crate::name::SecretId;
use crate::secret::SecretRecord;
use crate::store::{Found, value_path};
use crate::vault::is_managed;
use crate::{SecretsManager, words};

/// What the primary's owner must be allowed on the replica.
pub(crate) const ACCEPT: &str = "secretsmanager:AcceptCrossAccountReplication";

/// The name of the policy that a replica has for it.
pub(crate) const POLICY: &str = "cross-account-replication";

/// How a replica stands to its primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Link {
    Pending,
    InSync,
    Failed,
    Detached,
}

impl Link {
    fn shape(self) -> StatusType {
        match self {
            Link::Pending => StatusType::Pending,
            Link::InSync => StatusType::InSync,
            Link::Failed => StatusType::Failed,
            Link::Detached => StatusType::Detached,
        }
    }
}

/// The primary of a replica.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CrossPrimary {
    pub(crate) arn: String,
    pub(crate) link: Link,
    pub(crate) message: Option<String>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// A replica, as its primary knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CrossReplica {
    pub(crate) account: String,
    /// As in storage keys.
    pub(crate) key: String,
    pub(crate) link: Link,
    pub(crate) message: Option<String>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl CrossReplica {
    /// Notes why the replica fell behind.
    pub(crate) fn fail(&mut self, error: Error) {
        let problem = Problem::from(error);
        let code = problem.code(Protocol::Json11);
        self.link = Link::Failed;
        self.message = Some(format!("{code}: {}", problem.message()));
    }
}

impl SecretRecord {
    /// Takes over where the primary says it stands, and if it is in sync, the primary's versions.
    pub(crate) fn follow_abroad(&mut self, primary: &SecretRecord) {
        let link = primary.cross_replicas.get(&self.arn);
        if let Some(own) = &mut self.cross_primary {
            own.link = link.map_or(Link::Detached, |link| link.link);
            own.message = link.and_then(|link| link.message.clone());
        }
        if link.is_none_or(|link| link.link != Link::InSync) {
            return;
        }
        self.follow_versions(primary);
        self.changed_ms = primary.changed_ms;
    }

    /// The policy that lets the primary's account replicate to this secret, if it is a replica.
    pub(crate) fn replication_policy(&self) -> Option<String> {
        let primary = self.cross_primary.as_ref()?;
        let mut parts = primary.arn.split(':').skip(1);
        let (partition, account) = (parts.next()?, parts.nth(2)?);
        Some(
            serde_json::json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"AWS": format!("arn:{partition}:iam::{account}:root")},
                    "Action": ACCEPT,
                    "Resource": "*",
                }],
            })
            .to_string(),
        )
    }

    pub(crate) fn cross_primary_shape(&self) -> Option<CrossAccountPrimaryType> {
        self.cross_primary.as_ref().map(|primary| CrossAccountPrimaryType {
            primary_secret_arn: Some(primary.arn.clone()),
            replication_status: Some(primary.link.shape()),
            status_message: primary.message.clone(),
        })
    }

    pub(crate) fn cross_replica_shapes(&self) -> Option<Vec<CrossAccountReplicaEntry>> {
        let entry = |(arn, replica): (&String, &CrossReplica)| CrossAccountReplicaEntry {
            replica_secret_arn: Some(arn.clone()),
            replication_role_arn: None,
            replication_status: Some(replica.link.shape()),
            status_message: replica.message.clone(),
        };
        let entries: Vec<_> = self.cross_replicas.iter().map(entry).collect();
        (!entries.is_empty()).then_some(entries)
    }

    /// The replica that still follows, if there is one.
    pub(crate) fn cross_replica(&self) -> Option<&str> {
        let mut replicas = self.cross_replicas.iter();
        replicas.find(|(_, replica)| replica.link != Link::Detached).map(|(arn, _)| arn.as_str())
    }
}

/// The primary that a request to create a replica names.
pub(crate) fn primary_of(
    cx: &Cx,
    input: &CreateSecretRequest,
) -> Result<Option<CrossPrimary>, Error> {
    let Some(arn) = input.cross_account_primary_arn.clone() else { return Ok(None) };
    if input.secret_string.is_some()
        || input.secret_binary.is_some()
        || input.description.is_some()
        || input.add_replica_regions.is_some()
    {
        return Err(words::parameter(
            "You can't specify SecretString, SecretBinary, Description, AddReplicaRegions, or Type \
             with CrossAccountPrimaryARN.",
        ));
    }
    if is_managed(input.kms_key_id.as_deref()) {
        return Err(words::cross_key());
    }
    let id = SecretId::parse(cx, &arn).map_err(|_| wrong_arn("CrossAccountPrimaryARN"))?;
    if id.suffix.is_none() || id.account == cx.account().as_str() {
        return Err(wrong_arn("CrossAccountPrimaryARN"));
    }
    Ok(Some(CrossPrimary { arn, link: Link::Pending, message: None, unknown: Unknown::new() }))
}

fn wrong_arn(parameter: &str) -> Error {
    words::parameter(format!(
        "{parameter} must be the ARN of a secret of another account in the same Region and \
         partition."
    ))
}

/// Whether a restriction admits the two accounts.
fn restricted(
    cx: &Cx,
    restriction: Option<ReplicaRestrictionType>,
    accounts: [&str; 2],
) -> Result<(), Error> {
    if matches!(restriction, Some(ReplicaRestrictionType::NoRestriction)) {
        return Ok(());
    }
    let [primary, replica] = accounts.map(|account| {
        let membership = cx.guardrails().membership(account);
        membership.map(|membership| membership.organization_id.as_str())
    });
    if primary.is_some() && primary == replica {
        return Ok(());
    }
    Err(words::request(
        "The account of the replica secret isn't in the organization of the primary secret's \
         account. To replicate to it nevertheless, set ReplicaRestriction to NoRestriction.",
    ))
}

impl SecretsManager {
    /// The replica that the caller names, if its owner lets him replicate to it.
    async fn accepting(&self, cx: &Cx, arn: &str) -> Result<Draft, Error> {
        let id = SecretId::parse(cx, arn)?;
        if id.suffix.is_none() || id.account == cx.account().as_str() {
            return Err(wrong_arn("CrossAccountReplicaARN"));
        }
        let Some(draft) = self.draft_of(cx, &id).await? else {
            return Err(missing(cx, ACCEPT, &id, arn));
        };
        let found = Unchecked::new(Found { secret: draft, given: arn.to_owned() });
        let (replica, _) = admit_action(cx, ACCEPT, found, Facts::default())?;
        replica.record().alive()?;
        Ok(replica)
    }

    /// Makes a replica in another account follow the secret, and copies the values there.
    pub(crate) async fn associate(
        &self,
        cx: &Cx,
        draft: &mut Draft,
        (arn, restriction): (&str, Option<ReplicaRestrictionType>),
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let mut replica = self.accepting(cx, arn).await?;
        let primary = draft.record();
        let named = replica.record().cross_primary.as_ref().map(|named| named.arn.as_str());
        if named != Some(primary.arn.as_str()) {
            return Err(words::request(
                "The replica secret wasn't created as a cross-account replica of this secret.",
            ));
        }
        restricted(cx, restriction, [&primary.account, &replica.record().account])?;
        if primary.cross_replica().is_some_and(|other| other != arn) {
            return Err(words::limit("A secret can have at most one cross-account replica."));
        }
        let mut values = Vec::new();
        for id in primary.versions.keys().filter(|id| primary.has_value(id)) {
            let plain = self.open(cx, primary, id).await?;
            let value = self.seal_by_encrypt(cx, replica.record(), id, &plain).await?;
            values.push(Row::new(replica.record(), id, value));
        }
        self.write_values(&values, batch).await?;
        let known = |id: &&String| primary.versions.contains_key(*id);
        for id in replica.record().versions.keys().filter(|id| !known(id)) {
            batch.delete(value_path(replica.record(), id));
        }
        let entry = CrossReplica {
            account: replica.record().account.clone(),
            key: replica.record().key.clone(),
            link: Link::InSync,
            message: None,
            unknown: Unknown::new(),
        };
        draft.leave_cross_replica(arn);
        let replicas = &mut draft.change().cross_replicas;
        replicas.retain(|_, other| other.link != Link::Detached);
        replicas.insert(arn.to_owned(), entry);
        // All of its values are under its present key.
        let (key, versions) = (replica.record().kms_key_id.clone(), &mut replica.change().versions);
        versions.values_mut().for_each(|version| version.kms_key_id.clone_from(&key));
        draft.adopt(replica);
        Ok(())
    }

    /// Ends what a replica has to do with its primary, from its side: it is a secret of its own.
    pub(crate) async fn leave_primary(
        &self,
        cx: &Cx,
        replica: &mut Draft,
        batch: &mut Batch,
    ) -> Result<(), Error> {
        let Some(named) = replica.change().cross_primary.take() else { return Ok(()) };
        let id = SecretId::parse(cx, &named.arn)?;
        let Some(mut primary) = self.draft_of(cx, &id).await? else { return Ok(()) };
        let arn = replica.record().arn.clone();
        let Some(entry) = primary.change().cross_replicas.get_mut(&arn) else { return Ok(()) };
        (entry.link, entry.message) = (Link::Detached, None);
        primary.leave_cross_replica(&arn);
        primary.write(batch);
        Ok(())
    }
}
