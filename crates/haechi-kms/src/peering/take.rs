//! Takes the state of a key from the deployment of its primary: rows and link in one transaction, or
//! nothing.
//!
//! What a peer says is taken only of keys that it is the authority for: a new key that it begins with
//! its own primary, and a key whose primary it has, as far as is known here. It can neither delete
//! nor change what is a Region's own. What contradicts what is known here is refused, not guessed.

use std::collections::BTreeSet;

use haechi_core::database::Unknown;
use haechi_core::{Batch, PrincipalIds, Region};
use haechi_crypto::{KeyMaterial, MaterialHandle};
use haechi_peer::message::{Beginning, KeyReport, KeyState, Material};
use haechi_peer::{Peer, Peers, Place, Refusal};
use haechi_policy::{Document, Kind};
use haechi_wire::Fault;

use super::link::{Birth, Elsewhere};
use super::report::report;
use super::tell::TellPeer;
use super::{ATTEMPTS, NotTaken, fingerprint_of, outcome};
use crate::Kms;
use crate::import::EXTERNAL;
use crate::key::State;
use crate::key_text::Aside;
use crate::material::{Imported, MaterialRecord, Rotated, binding};
use crate::multi_region::{MultiRegion, Sibling};
use crate::policy;
use crate::rotation::Rotation;
use crate::store::{HandleRecord, KeyRecord, handle_path};

/// Handles in one transaction beside the rows; the store takes a hundred writes.
const HANDLES_MAX: usize = 60;
/// Days until a primary is gone that was to be deleted as a replica.
const WINDOW_DAYS: i32 = 30;

fn refuse<T>(why: impl Into<String>) -> Result<T, NotTaken> {
    Err(Refusal::new(why).into())
}

impl Kms {
    /// Takes the state of a key from a peer; answers how it stands with the replicas here.
    ///
    /// # Errors
    /// Why not.
    pub async fn take_key_state(
        &self,
        from: &Peer,
        state: &KeyState,
    ) -> Result<KeyReport, Refusal> {
        for _ in 1..ATTEMPTS {
            match self.take_state(from, state).await {
                Err(NotTaken::Fault(Fault::Conflict)) => tokio::task::yield_now().await,
                taken => return outcome(taken),
            }
        }
        outcome(self.take_state(from, state).await)
    }

    async fn take_state(&self, from: &Peer, state: &KeyState) -> Result<KeyReport, NotTaken> {
        let Some(peers) = self.peers.get() else { return refuse("there is no peering here") };
        let (database, slot) = (self.database.clone(), self.peers.clone());
        let telling = TellPeer { database, peers: slot };
        let (account, key_id) = (&state.account, &state.key_id);
        let mut elsewhere = Elsewhere::load(&self.database, peers, account, key_id).await?;
        let mut rows = telling.rows(peers, account, key_id).await?;
        let digest = state.digest()?;
        if !is_news(&elsewhere, from, state, &digest, !rows.is_empty())? {
            let keys = rows.iter().map(|(_, key)| key);
            return Ok(report((account, key_id), &elsewhere.link, keys));
        }
        let own = rows.first().map(|(_, key)| key.clone());
        if let Some(own) = &own {
            check_same(own, state)?;
        }
        let taking = Taking { kms: self, peers, from, state };
        let mut made = self.births(&taking, &elsewhere, &rows).await?;
        let mut batch = Batch::new();
        for key in rows.iter_mut().map(|(_, key)| key).chain(&mut made) {
            taking.follow(key)?;
        }
        let Some(any) = rows.iter().map(|(_, key)| key).chain(&made).next().cloned() else {
            return refuse("no Region of this key is served here");
        };
        self.handles(own.as_ref(), &any, &mut batch).await?;
        for (row, key) in &rows {
            batch.replace(row, key);
        }
        for key in &made {
            key.create(&mut batch);
        }
        taking.link(&mut elsewhere, digest);
        elsewhere.save(&mut batch);
        let primary = rows.iter().map(|(_, key)| key).find(|key| key.is_primary());
        if let Some(job) = primary.and_then(KeyRecord::rotation_job) {
            batch.schedule(&job);
        }
        self.database.commit(batch).await?;
        for key in &made {
            tracing::info!(
                key = key.arn,
                peer = from.card.name,
                "a peer has replicated a key here"
            );
        }
        let keys = rows.iter().map(|(_, key)| key).chain(&made);
        Ok(report((account, key_id), &elsewhere.link, keys))
    }

    /// The replicas that come to be with this state.
    async fn births(
        &self,
        taking: &Taking<'_>,
        elsewhere: &Elsewhere,
        rows: &[Sibling],
    ) -> Result<Vec<KeyRecord>, NotTaken> {
        let mut made = Vec::new();
        for (region, replica) in &taking.state.replicas {
            let exists = rows.iter().any(|(_, key)| key.region == *region);
            let buried = elsewhere.link.buried.get(region).copied().unwrap_or(0);
            if exists || elsewhere.place(region) != Place::Here || replica.born <= buried {
                continue;
            }
            let Some(beginning) = &replica.beginning else {
                return refuse(format!("the replica in {region} is not here, and not to be made"));
            };
            made.push(self.begin(taking.state, region, beginning).await?);
        }
        Ok(made)
    }

    /// A replica as it begins, without material.
    async fn begin(
        &self,
        state: &KeyState,
        region: &str,
        beginning: &Beginning,
    ) -> Result<KeyRecord, NotTaken> {
        let Some(parsed) = Region::parse(region) else { return refuse("a Region is none") };
        let (partition, account, id) = (parsed.partition(), &state.account, &state.key_id);
        let external = state.origin == EXTERNAL;
        Ok(KeyRecord {
            id: id.clone(),
            arn: format!("arn:{partition}:kms:{region}:{account}:key/{id}"),
            account: account.clone(),
            region: region.to_owned(),
            description: beginning.description.clone(),
            spec: state.spec.clone(),
            usage: state.usage.clone(),
            origin: state.origin.clone(),
            state: if external { State::PendingImport } else { State::Enabled },
            created_ms: beginning.created_ms,
            deletion_ms: None,
            policy: beginning.policy.clone(),
            policy_principals: self.principals_here(&beginning.policy).await?,
            tags: beginning.tags.clone(),
            aliases: BTreeSet::new(),
            materials: Vec::new(),
            rotation: None,
            multi_region: None,
            deletion_window_days: None,
            used_import_tokens: Vec::new(),
            custom_key_store: None,
            aside: Aside::default(),
            unknown: Unknown::new(),
        })
    }

    /// The unique ids of those whom a policy names and who exist here: the others' names stand for
    /// nobody until they are made.
    async fn principals_here(&self, text: &str) -> Result<PrincipalIds, NotTaken> {
        if text.len() > policy::BYTES_MAX {
            return refuse("a key policy is too long");
        }
        let document = Document::parse(text, Kind::Resource);
        let document = document.map_err(|error| Refusal::new(error.to_string()))?;
        Ok(self.env.principal_ids_here(&document).await?)
    }

    /// Adds the handles of material that is new here. More than fit go before: they lead to nothing
    /// until the key is there.
    async fn handles(
        &self,
        own: Option<&KeyRecord>,
        key: &KeyRecord,
        batch: &mut Batch,
    ) -> Result<(), NotTaken> {
        let known = |row: &&MaterialRecord| {
            !own.is_some_and(|own| own.materials.iter().any(|known| known.id == row.id))
        };
        let mut paths = Vec::new();
        for row in key.materials.iter().filter(known) {
            let path = handle_path(&row.handle());
            match self.database.load::<HandleRecord>(&path).await? {
                None => paths.push(path),
                Some(owner) if owner.value.key_id == key.id => {}
                Some(_) => return refuse("a handle of its material is another key's here"),
            }
        }
        while paths.len() > HANDLES_MAX {
            let mut first = Batch::new();
            for path in paths.drain(..HANDLES_MAX) {
                first.create(path, &HandleRecord::of(key));
            }
            self.database.commit(first).await?;
        }
        for path in paths {
            batch.create(path, &HandleRecord::of(key));
        }
        Ok(())
    }
}

/// Whether a state is newer than what is known here.
fn is_news(
    elsewhere: &Elsewhere,
    from: &Peer,
    state: &KeyState,
    digest: &str,
    exists: bool,
) -> Result<bool, NotTaken> {
    let sender = Place::Peer(from.id().to_owned());
    let link = &elsewhere.link;
    if !elsewhere.is_known() {
        if exists {
            return refuse("a key of this id is here, and was not shared");
        }
        if elsewhere.place(&state.primary) != sender {
            return refuse("the primary of a new key is not yours");
        }
        return Ok(true);
    }
    if state.version == link.version && digest == link.digest {
        return Ok(false);
    }
    if elsewhere.place(&link.primary) != sender {
        return refuse("the primary of this key is not yours, as far as is known here");
    }
    if state.version <= link.version {
        return refuse(format!(
            "version {} of this key is known here, and {} is told: was the other deployment \
             restored from a backup?",
            link.version, state.version
        ));
    }
    Ok(true)
}

/// What a key is stays for ever.
fn check_same(own: &KeyRecord, state: &KeyState) -> Result<(), NotTaken> {
    let told = (&state.spec, &state.usage, &state.origin);
    if told == (&own.spec, &own.usage, &own.origin) {
        Ok(())
    } else {
        refuse("it is another kind of key here")
    }
}

/// A state on its way in.
struct Taking<'a> {
    kms: &'a Kms,
    peers: &'a Peers,
    from: &'a Peer,
    state: &'a KeyState,
}

impl Taking<'_> {
    /// Lets a row say what the state says.
    fn follow(&self, key: &mut KeyRecord) -> Result<(), NotTaken> {
        let state = self.state;
        let told = |id: &String| state.materials.iter().any(|material| material.id == *id);
        // The primary may take back what waits for a rotation, and nothing else.
        if let Some(row) = key.materials.iter().find(|row| !told(&row.id) && !row.pending) {
            return refuse(format!("it lacks material {} that is in use here", row.id));
        }
        let mut materials = Vec::with_capacity(state.materials.len());
        for material in &state.materials {
            let own = key.materials.iter().find(|row| row.id == material.id);
            let mut row = match own {
                Some(own) => own.clone(),
                None => self.receive(key, material)?,
            };
            row.pending = row.pending && material.pending;
            row.rotated = material.rotated.as_ref().map(|rotated| Rotated {
                at_ms: rotated.at_ms,
                on_demand: rotated.on_demand,
                unknown: Unknown::new(),
            });
            materials.push(row);
        }
        key.materials = materials;
        key.rotation = state.rotation.as_ref().map(|rotation| Rotation {
            period_days: rotation.period_days,
            next_ms: rotation.next_ms,
            unknown: Unknown::new(),
        });
        let at = MultiRegion {
            primary: state.primary.clone(),
            replicas: state.replicas.keys().cloned().collect(),
            unknown: Unknown::new(),
        };
        if !at.regions().any(|region| *region == key.region) {
            return refuse(format!("the replica in {} is here, and is not told", key.region));
        }
        key.multi_region = Some(at);
        // A primary waits for its replicas.
        if key.is_primary() && key.state == State::PendingDeletion && !state.replicas.is_empty() {
            key.state = State::PendingReplicaDeletion;
            key.deletion_ms = None;
            key.deletion_window_days = Some(WINDOW_DAYS);
        }
        Ok(())
    }

    /// Material that is new here: opened, and wrapped under this deployment's own keys.
    fn receive(&self, key: &KeyRecord, material: &Material) -> Result<MaterialRecord, NotTaken> {
        let route = self.peers.route_from(self.from.id());
        let transport = self.peers.transport_key();
        let context = binding(key, &material.id);
        let unopened = |_| Refusal::new("its material was not sealed for this deployment");
        let (token, imported) = if key.origin == EXTERNAL {
            let what = fingerprint_of(&context);
            let opened = transport.open(route, &what, &material.sealed.0).map_err(unopened)?;
            let Ok(fingerprint) = opened.expose().try_into() else {
                return refuse("a fingerprint has 32 bytes");
            };
            let (description, valid_to_ms, unknown) = (None, None, Unknown::new());
            (Vec::new(), Some(Imported { fingerprint, description, valid_to_ms, unknown }))
        } else {
            let sealed = &material.sealed.0;
            let secret = KeyMaterial::receive(transport, route, &context, sealed);
            let secret = secret.map_err(unopened)?;
            let (keyring, random) = (self.kms.database.keyring(), &*self.kms.env.random);
            let token = secret.wrap(&keyring, &context, random).map_err(Fault::internal)?;
            (token, None)
        };
        let Some(handle) = handle(&material.handle) else { return refuse("a handle is none") };
        Ok(MaterialRecord {
            id: material.id.clone(),
            handle: *handle.as_bytes(),
            token,
            created_ms: material.created_ms,
            rotated: None,
            pending: material.pending,
            awaits: None,
            imported,
            unknown: Unknown::new(),
        })
    }

    /// Notes what was taken.
    fn link(&self, elsewhere: &mut Elsewhere, digest: String) {
        let state = self.state;
        let link = &mut elsewhere.link;
        link.version = state.version;
        link.primary.clone_from(&state.primary);
        link.digest = digest;
        link.confirmed.insert(self.from.id().to_owned(), state.version);
        let birth = |born| Birth { version: born, beginning: None };
        let births = state.replicas.iter();
        link.births =
            births.map(|(region, replica)| (region.clone(), birth(replica.born))).collect();
        // The answer is a report.
        link.report += 1;
        link.reported = link.report;
    }
}

fn handle(text: &str) -> Option<MaterialHandle> {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(MaterialHandle::from_bytes(bytes))
}
