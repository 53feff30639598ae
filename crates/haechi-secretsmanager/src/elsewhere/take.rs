//! Makes a replica what the deployment of its primary says that it is to be: rows and values in one
//! transaction, or nothing.
//!
//! A peer can affect its own replicas only: not a secret of this Region's own, also if that has the
//! name that a replica wants.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::database::Unknown;
use haechi_core::{Batch, Cx, Loaded, PrincipalIds, Region};
use haechi_peer::message::{SecretContent, SecretReport, SecretState, Standing};
use haechi_peer::{Peer, Peers, Place, Refusal};
use haechi_policy::{Document, Kind};
use haechi_wire::{Fault, Problem, Protocol, SecretBlob, SecretString};

use super::{Followed, Left, Spot};
use crate::SecretsManager;
use crate::name::arn;
use crate::secret::{SecretRecord, Version};
use crate::store::{secret_path, value_path};
use crate::value::Plain;

/// How often a message is taken anew when somebody else writes to the secret meanwhile.
pub(super) const ATTEMPTS: usize = 8;

/// Why a message was not taken.
pub(super) enum NotTaken {
    Refused(Refusal),
    Fault(Fault),
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        NotTaken::Refused(refusal)
    }
}

impl From<Fault> for NotTaken {
    fn from(fault: Fault) -> Self {
        NotTaken::Fault(fault)
    }
}

/// What a peer is told.
pub(super) fn outcome<T>(taken: Result<T, NotTaken>) -> Result<T, Refusal> {
    taken.map_err(|not_taken| match not_taken {
        NotTaken::Refused(refusal) => refusal,
        NotTaken::Fault(fault) => {
            tracing::error!(error = ?fault, "a message of a peer could not be taken");
            Refusal::new("it failed here: see the log of this deployment")
        }
    })
}

impl SecretsManager {
    /// Takes what a replica is to be from a peer; answers how it stands.
    ///
    /// # Errors
    /// Why not.
    pub async fn take_secret_state(
        &self,
        from: &Peer,
        state: &SecretState,
    ) -> Result<SecretReport, Refusal> {
        for _ in 0..ATTEMPTS {
            match self.take_state(from, state).await {
                Err(NotTaken::Fault(Fault::Conflict)) => tokio::task::yield_now().await,
                taken => {
                    let standing = outcome(taken)?;
                    return Ok(SecretReport {
                        account: state.account.clone(),
                        key: state.key.clone(),
                        region: state.region.clone(),
                        born: state.born,
                        version: state.version,
                        standing,
                    });
                }
            }
        }
        Err(Refusal::new("the secret is being changed all the time"))
    }

    async fn take_state(&self, from: &Peer, state: &SecretState) -> Result<Standing, NotTaken> {
        let Some(peers) = self.peers.get() else { return Err(Refusal::new("no peering").into()) };
        if peers.place(&state.primary) != Place::Peer(from.id().to_owned()) {
            return Err(Refusal::new("the Region of the primary is not yours").into());
        }
        if peers.place(&state.region) != Place::Here {
            return Err(Refusal::new("the Region of the replica is not served here").into());
        }
        let spot = Spot { account: &state.account, region: &state.region, key: &state.key };
        let left = self.database.load::<Left>(&spot.left()).await?;
        if left.is_some_and(|left| left.value.born >= state.born) {
            return Ok(Standing::Left);
        }
        let path = secret_path(&state.account, &state.region, &state.key);
        let row = self.database.load::<SecretRecord>(&path).await?;
        if let Some(row) = &row {
            let Some(followed) = &row.value.followed else { return Ok(conflict(state)) };
            if row.value.primary_region.as_ref() != Some(&state.primary) {
                return Ok(conflict(state));
            }
            // Of a replica that was removed since, and asked for anew.
            if followed.born > state.born {
                return Ok(Standing::Left);
            }
            if followed.born == state.born && followed.version >= state.version {
                if followed.version == state.version {
                    return Ok(Standing::InSync);
                }
                return Err(Refusal::new("a later version of this replica is known here").into());
            }
        }
        match &state.content {
            None => self.remove_replica(spot, state, row).await,
            Some(content) => self.follow(peers, from, (state, content), row).await,
        }
    }

    async fn remove_replica(
        &self,
        spot: Spot<'_>,
        state: &SecretState,
        row: Option<Loaded<SecretRecord>>,
    ) -> Result<Standing, NotTaken> {
        let mut batch = Batch::new();
        batch.put(spot.left(), &Left { born: state.born, unknown: Unknown::new() });
        if let Some(row) = row {
            crate::deletion::forget_values(&self.database, &row).await?;
            row.value.forget(&mut batch);
            batch.remove(&row);
        }
        self.database.commit(batch).await?;
        Ok(Standing::Left)
    }

    /// Lets a replica follow, or makes it.
    async fn follow(
        &self,
        peers: &Peers,
        from: &Peer,
        (state, content): (&SecretState, &SecretContent),
        row: Option<Loaded<SecretRecord>>,
    ) -> Result<Standing, NotTaken> {
        let named = self.key_by_name(&state.account, &state.region, &state.name).await?;
        if named.is_some_and(|named| named.key != state.key) {
            return Ok(conflict(state));
        }
        let mut primary = told(state, content)?;
        primary.policy_principals = self.meant(content, row.as_ref()).await?;
        let mut record = match &row {
            Some(row) => row.value.clone(),
            None => replica(&primary, state, content)?,
        };
        // It may have been given another key here since it was made.
        if record.followed.as_ref().is_none_or(|followed| followed.born != state.born) {
            record.kms_key_id.clone_from(&content.kms_key_id);
        }
        let had: BTreeSet<String> = match &row {
            Some(row) => row.value.versions.keys().cloned().collect(),
            None => BTreeSet::new(),
        };
        record.follow(&primary);
        record.versions.retain(|id, _| {
            let told = content.versions.get(id).is_some_and(|version| version.value.is_some());
            told || had.contains(id)
        });
        if let Some(missing) = primary
            .versions
            .iter()
            .find(|(id, version)| !version.stages.is_empty() && !record.versions.contains_key(*id))
        {
            return Err(
                Refusal::new(format!("the value of version {} is missing", missing.0)).into()
            );
        }
        let mut batch = Batch::new();
        for gone in had.iter().filter(|id| !record.versions.contains_key(*id)) {
            batch.delete(value_path(&record, gone));
        }
        let cx = self.service_cx(&record).await?;
        if let Err(standing) =
            self.take_values(&cx, (peers, from), (&record, content), &had, &mut batch).await?
        {
            return Ok(standing);
        }
        let (born, version, unknown) = (state.born, state.version, Unknown::new());
        record.followed = Some(Followed { born, version, unknown });
        match &row {
            Some(row) => batch.replace(row, &record),
            None => record.create(&mut batch),
        }
        self.database.commit(batch).await?;
        Ok(Standing::InSync)
    }

    /// Whom the policy means: those who had the names here when it came.
    async fn meant(
        &self,
        content: &SecretContent,
        row: Option<&Loaded<SecretRecord>>,
    ) -> Result<PrincipalIds, NotTaken> {
        let Some(policy) = &content.policy else { return Ok(PrincipalIds::default()) };
        if let Some(row) = row.filter(|row| row.value.policy.as_ref() == Some(policy)) {
            return Ok(row.value.policy_principals.clone());
        }
        let read = Document::parse(policy, Kind::Resource);
        let document = read.map_err(|error| Refusal::new(error.to_string()))?;
        Ok(self.env.principal_ids_here(&document).await?)
    }

    /// Seals the values that are new here under the replica's KMS key. Answers why it cannot follow,
    /// if that is the key.
    async fn take_values(
        &self,
        cx: &Cx,
        (peers, from): (&Peers, &Peer),
        (record, content): (&SecretRecord, &SecretContent),
        had: &BTreeSet<String>,
        batch: &mut Batch,
    ) -> Result<Result<(), Standing>, NotTaken> {
        let spot = Spot { account: &record.account, region: &record.region, key: &record.key };
        let route = peers.route_from(from.id());
        for (id, version) in &content.versions {
            let Some(value) = version.value.as_ref().filter(|_| !had.contains(id)) else {
                continue;
            };
            let opened = peers.transport_key().open(route, &spot.sealed_as(id), &value.0);
            let opened = opened
                .map_err(|_| Refusal::new("its value was not sealed for this deployment"))?
                .into_inner();
            let plain = match version.is_binary {
                true => Plain::Binary(SecretBlob(opened)),
                false => {
                    let text = String::from_utf8(opened);
                    Plain::Text(SecretString(text.map_err(|_| Refusal::new("its text is none"))?))
                }
            };
            match self.seal(cx, record, id, &plain).await {
                Ok(sealed) => batch.put(value_path(record, id), &sealed),
                Err(error) => {
                    let problem = Problem::from(error);
                    if let Problem::Fault(
                        fault @ (Fault::Internal(_) | Fault::Unavailable { .. }),
                    ) = problem
                    {
                        return Err(fault.into());
                    }
                    let code = problem.code(Protocol::Json11);
                    let message = format!("{code}: {}", problem.message());
                    return Ok(Err(Standing::Failed(message)));
                }
            }
        }
        Ok(Ok(()))
    }
}

fn conflict(state: &SecretState) -> Standing {
    Standing::Failed(format!(
        "Replication failed: Secret name {} already exists in region {}.",
        state.name, state.region
    ))
}

/// The primary, as far as it was told.
fn told(state: &SecretState, content: &SecretContent) -> Result<SecretRecord, NotTaken> {
    let Some(region) = Region::parse(&state.primary) else {
        return Err(Refusal::new("a Region is none").into());
    };
    let version = |version: &haechi_peer::message::SecretVersion| Version {
        created_ms: version.created_ms,
        accessed_ms: None,
        stages: version.stages.clone(),
        kms_key_id: None,
        is_empty: false,
        unknown: Unknown::new(),
    };
    let versions = content.versions.iter();
    Ok(SecretRecord {
        key: state.key.clone(),
        name: state.name.clone(),
        suffix: state.suffix.clone(),
        arn: arn(&region, &state.account, &state.name, &state.suffix),
        account: state.account.clone(),
        region: state.primary.clone(),
        description: content.description.clone(),
        kms_key_id: None,
        kind: content.kind.clone(),
        created_ms: content.created_ms,
        changed_ms: content.changed_ms,
        accessed_ms: None,
        deleted_ms: content.deleted_ms,
        deletion_ms: content.deletion_ms,
        tags: content.tags.clone(),
        tags_emptied: false,
        policy: content.policy.clone(),
        policy_principals: PrincipalIds::default(),
        versions: versions.map(|(id, one)| (id.clone(), version(one))).collect(),
        rotation: None,
        owner: None,
        primary_region: Some(state.primary.clone()),
        replicas: BTreeMap::new(),
        shared_version: 0,
        followed: None,
        cross_primary: None,
        cross_replicas: BTreeMap::new(),
        unknown: Unknown::new(),
    })
}

/// A replica as it begins.
fn replica(
    primary: &SecretRecord,
    state: &SecretState,
    content: &SecretContent,
) -> Result<SecretRecord, NotTaken> {
    let Some(region) = Region::parse(&state.region) else {
        return Err(Refusal::new("a Region is none").into());
    };
    Ok(primary.copy_for(&region, content.kms_key_id.clone()))
}
