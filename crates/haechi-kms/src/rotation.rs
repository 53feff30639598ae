//! Rotation: when a key gets new material, which then encrypts. All older material stays and
//! decrypts, for ever.
//!
//! A rotation of a multi-Region key is one transaction over the rows of all its Regions: no replica
//! is ever without the material that the primary encrypts with. Where another deployment serves some
//! of them, the material waits (`pending`, `awaits`) until all of these have confirmed that they have
//! it (`peering.rs`).
//!
//! Source: Developer Guide, "Rotate AWS KMS keys".

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::database::Unknown;
use haechi_core::{Batch, Database, Env, Job, JobHandler};
use haechi_crypto::{KeyMaterial, SymmetricMaterial};
use haechi_kms_model::Error;
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::jobs::key_of_job;
use crate::key::{State, Use};
use crate::material::{MaterialRecord, Rotated};
use crate::multi_region::{Siblings, siblings};
use crate::peering::PeerSlot;
use crate::spec::SYMMETRIC;
use crate::store::{HandleRecord, Key, KeyRecord, handle_path};

mod tell;

pub(crate) use tell::{TELL_ROTATION, TellRotation};

/// The kind of the job.
pub(crate) const ROTATE_KEY: &str = "kms-rotate-key";
/// Days between two rotations, unless asked otherwise.
pub(crate) const PERIOD_DAYS_DEFAULT: i32 = 365;
/// Rotations on demand that a key may have.
pub(crate) const ON_DEMAND_MAX: usize = 25;
/// An automatic rotation that is so near bars one on demand.
pub(crate) const NEAR_MS: i64 = 20 * 60 * 1000;
/// When a rotation that is due looks again whether the one before is done.
const AGAIN_SECONDS: i64 = 60;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Automatic rotation of a key, while it is enabled.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rotation {
    pub(crate) period_days: i32,
    pub(crate) next_ms: i64,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Rotation {
    /// Begins at `now_ms`: the first rotation is a period later.
    pub(crate) fn starting(now_ms: i64, period_days: i32) -> Rotation {
        let next_ms = now_ms.saturating_add(i64::from(period_days) * DAY_MS);
        Rotation { period_days, next_ms, unknown: Unknown::new() }
    }
}

/// Refuses a key that KMS cannot rotate by itself, or not in its state.
pub(crate) fn check_rotates(key: &Key) -> Result<(), Error> {
    let record = &key.record;
    if record.origin != "AWS_KMS" {
        return Err(unfit(record, "origin", &record.origin));
    }
    key.admit(Use::Material)?;
    check_symmetric(record)?;
    check_primary(record)
}

/// What is done with all of a key's material needs it here.
pub(crate) fn check_own_material(key: &KeyRecord) -> Result<(), Error> {
    match key.custom_key_store {
        None => Ok(()),
        Some(_) => Err(unfit(key, "origin", &key.origin)),
    }
}

/// Only symmetric keys have more than one material. As recorded, AWS says no more than that.
pub(crate) fn check_symmetric(key: &KeyRecord) -> Result<(), Error> {
    if key.spec == SYMMETRIC {
        Ok(())
    } else {
        Err(Error::UnsupportedOperationException(String::new()))
    }
}

/// What is done with a multi-Region key is done with its primary.
pub(crate) fn check_primary(key: &KeyRecord) -> Result<(), Error> {
    if key.multi_region.is_none() || key.is_primary() {
        return Ok(());
    }
    let message = format!("{} is not a multi-region primary key.", key.arn);
    Err(Error::UnsupportedOperationException(message))
}

/// What an operation that a kind of key does not have answers.
pub(crate) fn unfit(key: &KeyRecord, what: &str, value: &str) -> Error {
    Error::UnsupportedOperationException(format!(
        "{} {what} is {value} which is not valid for this operation.",
        key.arn
    ))
}

impl KeyRecord {
    /// The job of its next rotation. It waits for the primary of a multi-Region key.
    pub(crate) fn rotation_job(&self) -> Option<Job> {
        let due = Timestamp::from_millis(self.rotation.as_ref()?.next_ms);
        let region = self.multi_region.as_ref().map_or(&self.region, |at| &at.primary);
        let payload = format!("{}/{region}/{}", self.account, self.id);
        Some(Job::new(ROTATE_KEY, &self.id, due, payload))
    }

    /// A rotation that fell due while the key was disabled is made up for when it is enabled: once,
    /// whatever time has passed. Those that haechi itself missed are all made up for, at their dates.
    pub(crate) fn resume_rotation(&mut self, now: Timestamp) -> Option<Job> {
        let rotation = self.rotation.as_mut()?;
        rotation.next_ms = rotation.next_ms.max(now.millis());
        self.rotation_job()
    }

    /// How many rotations on demand it has had.
    pub(crate) fn on_demand_rotations(&self) -> usize {
        let on_demand = |row: &&MaterialRecord| {
            row.rotated.as_ref().or(row.awaits.as_ref()).is_some_and(|at| at.on_demand)
        };
        self.materials.iter().filter(on_demand).count()
    }

    /// Whether a rotation waits for Regions elsewhere.
    pub(crate) fn rotates_now(&self) -> Option<&Rotated> {
        self.materials.iter().find_map(|row| row.awaits.as_ref())
    }

    /// Puts fresh material into its row and those of its other Regions, where it encrypts from
    /// now on, or once Regions elsewhere have it. The rows are the caller's to save.
    pub(crate) fn rotate(
        &mut self,
        env: &Env,
        database: &Database,
        siblings: &mut Siblings,
        rotated: Rotated,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let secret = SymmetricMaterial::generate(&*env.random).map_err(Fault::internal)?;
        let secret = KeyMaterial::Symmetric(secret);
        let now_ms = rotated.at_ms;
        let mut material = MaterialRecord::wrap(env, &database.keyring(), self, &secret, now_ms)?;
        let elsewhere = siblings.elsewhere.as_mut();
        if elsewhere.is_some_and(|elsewhere| elsewhere.await_confirmation(self)) {
            material.pending = true;
            material.awaits = Some(rotated);
        } else {
            material.rotated = Some(rotated);
        }
        batch.create(handle_path(&material.handle()), &HandleRecord::of(self));
        for (_, sibling) in &mut siblings.rows {
            sibling.materials.push(material.clone());
        }
        self.materials.push(material);
        Ok(())
    }
}

/// Rotates keys when their time has come.
pub(crate) struct RotateKey {
    database: Arc<Database>,
    env: Env,
    peers: PeerSlot,
}

impl RotateKey {
    pub(crate) fn new(database: Arc<Database>, env: Env, peers: PeerSlot) -> RotateKey {
        RotateKey { database, env, peers }
    }
}

#[async_trait]
impl JobHandler for RotateKey {
    /// One rotation. If several were missed, the next job is due as well, and so on.
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let mut batch = Batch::new();
        let path = key_of_job(job)?;
        let Some(row) = self.database.load::<KeyRecord>(&path).await? else { return Ok(batch) };
        let mut record = row.value.clone();
        let Some(rotation) = record.rotation.clone() else { return Ok(batch) };
        // Set anew, then another job waits; or not enabled, then enabling it calls for one; or the
        // primary is elsewhere by now.
        let primary = record.multi_region.is_none() || record.is_primary();
        if rotation.next_ms > now.millis() || record.state != State::Enabled || !primary {
            return Ok(batch);
        }
        // The one before waits for Regions elsewhere.
        if record.rotates_now().is_some() {
            let due = now.plus_seconds(AGAIN_SECONDS);
            batch.schedule(&Job { due_ms: due.millis(), ..job.clone() });
            return Ok(batch);
        }
        let mut siblings = siblings(&self.database, &self.peers, &record).await?;
        let at_ms = rotation.next_ms;
        let rotated = Rotated { at_ms, on_demand: false, unknown: Unknown::new() };
        record.rotate(&self.env, &self.database, &mut siblings, rotated, &mut batch)?;
        let before = row.value.current().map(|row| row.id.as_str());
        record.tell_rotation(&siblings, (before, false), (&self.env, now), &mut batch)?;
        let next = Rotation {
            next_ms: at_ms.saturating_add(i64::from(rotation.period_days) * DAY_MS),
            ..rotation
        };
        record.rotation = Some(next.clone());
        for (_, sibling) in &mut siblings.rows {
            sibling.rotation = Some(next.clone());
        }
        siblings.save(&record, now, &mut batch);
        if let Some(job) = record.rotation_job() {
            batch.schedule(&job);
        }
        batch.replace(&row, &record);
        tracing::info!(key = record.arn, "rotated a key at its date");
        Ok(batch)
    }
}
