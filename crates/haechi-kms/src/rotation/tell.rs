//! Tells of rotations: of the key that rotates with the rotation itself, of its replicas right after,
//! in a transaction of their own. With each replica's row, record and event, the rotation of a key
//! in thirty Regions would be more than a transaction takes.

use async_trait::async_trait;
use haechi_core::{Batch, Env, Job, JobHandler};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::jobs::{About, OwnAct};
use crate::multi_region::Siblings;
use crate::store::KeyRecord;

/// The kind of the job.
pub(crate) const TELL_ROTATION: &str = "kms-tell-rotation";

/// Regions that one job tells of, with two writes each; the store takes a hundred.
const REGIONS_MAX: usize = 40;

/// What a job tells.
#[derive(Serialize, Deserialize)]
struct Rotated {
    account: String,
    key_id: String,
    /// Region and ARN of each replica.
    replicas: Vec<(String, String)>,
    details: Value,
}

impl KeyRecord {
    /// Tells CloudTrail and EventBridge that it and its replicas rotated, if they encrypt with other
    /// material than before.
    pub(crate) fn tell_rotation(
        &self,
        siblings: &Siblings,
        (before, on_demand): (Option<&str>, bool),
        (env, now): (&Env, Timestamp),
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let current = self.current().map(|row| row.id.as_str());
        if current == before {
            return Ok(());
        }
        let details = json!({
            "keyId": self.id,
            "rotationType": if on_demand { "ON_DEMAND" } else { "AUTOMATIC" },
            "keyOrigin": self.origin,
            "previousKeyMaterialId": before,
            "currentKeyMaterialId": current,
        });
        for rows in siblings.rows.chunks(REGIONS_MAX) {
            let place = |key: &KeyRecord| (key.region.clone(), key.arn.clone());
            let told = Rotated {
                account: self.account.clone(),
                key_id: self.id.clone(),
                replicas: rows.iter().map(|(_, key)| place(key)).collect(),
                details: details.clone(),
            };
            let payload = serde_json::to_string(&told).map_err(Fault::internal)?;
            let id = env.uuid().map_err(Fault::internal)?.to_string();
            batch.schedule(&Job::at_once(TELL_ROTATION, &id, now, payload));
        }
        OwnAct::Rotation.tell(self, details, (env, now), batch)
    }
}

/// Tells of replicas.
pub(crate) struct TellRotation(pub(crate) Env);

#[async_trait]
impl JobHandler for TellRotation {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let told: Rotated = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let (account, key_id) = (told.account.as_str(), told.key_id.as_str());
        let mut batch = Batch::new();
        for (region, arn) in &told.replicas {
            let about = About { account, region, key_id, arn };
            OwnAct::Rotation.tell_of(about, told.details.clone(), (&self.0, now), &mut batch)?;
        }
        Ok(batch)
    }
}
