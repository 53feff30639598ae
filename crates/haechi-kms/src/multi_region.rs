//! Multi-Region keys: which Regions have one, and which of them is the primary.
//!
//! Regions that this deployment serves change in one transaction; those that others serve are told
//! (`peering.rs`).
//!
//! Source: Developer Guide, "Multi-Region keys in AWS KMS".

use std::collections::BTreeSet;

use haechi_core::database::Unknown;
use haechi_core::{Batch, Database, Loaded};
use haechi_kms_model::shapes::{MultiRegionConfiguration, MultiRegionKey, MultiRegionKeyType};
use haechi_wire::{Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::material::MaterialRecord;
use crate::peering::{Elsewhere, PeerSlot};
use crate::store::{KeyRecord, key_path};

/// Where a multi-Region key is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MultiRegion {
    pub(crate) primary: String,
    /// All other Regions.
    pub(crate) replicas: BTreeSet<String>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

/// The row of a multi-Region key in another Region, as it was read and to be changed.
pub(crate) type Sibling = (Loaded<KeyRecord>, KeyRecord);

/// The other Regions of a multi-Region key: the rows of those that are served here, and what is
/// known of the others.
#[derive(Default)]
pub(crate) struct Siblings {
    pub(crate) rows: Vec<Sibling>,
    pub(crate) elsewhere: Option<Elsewhere>,
}

/// The other Regions of a key.
pub(crate) async fn siblings(
    database: &Database,
    peers: &PeerSlot,
    key: &KeyRecord,
) -> Result<Siblings, Fault> {
    let mut found = Siblings::default();
    let Some(at) = &key.multi_region else { return Ok(found) };
    for region in at.regions().filter(|region| **region != key.region) {
        let path = key_path(&key.account, region, &key.id);
        if let Some(row) = database.load::<KeyRecord>(&path).await? {
            let record = row.value.clone();
            found.rows.push((row, record));
        }
    }
    if let Some(peers) = peers.get() {
        found.elsewhere = Some(Elsewhere::load(database, peers, &key.account, &key.id).await?);
    }
    Ok(found)
}

impl Siblings {
    /// Adds their rows to a batch, and what tells other deployments of it. The key's own row is the
    /// caller's to save.
    pub(crate) fn save(&mut self, key: &KeyRecord, now: Timestamp, batch: &mut Batch) {
        for (row, sibling) in &self.rows {
            batch.replace(row, sibling);
        }
        if let Some(elsewhere) = &mut self.elsewhere {
            elsewhere.tell(key, now, batch);
        }
    }

    /// Whether Regions lack material that the primary may not make current before they have it.
    pub(crate) fn lack(&self, key: &KeyRecord, material_id: &str) -> bool {
        let there = |row: &MaterialRecord| row.id == material_id && row.is_present();
        self.rows.iter().any(|(_, sibling)| !sibling.materials.iter().any(there))
            || self.elsewhere.as_ref().is_some_and(|other| other.lacks(key, material_id))
    }
}

impl MultiRegion {
    /// The primary's Region, then those of the replicas.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.primary).chain(&self.replicas)
    }

    /// Of a new primary key.
    pub(crate) fn new(region: &str) -> MultiRegion {
        let (replicas, unknown) = (BTreeSet::new(), Unknown::new());
        MultiRegion { primary: region.to_owned(), replicas, unknown }
    }
}

impl KeyRecord {
    /// Writes where it is into its row and those of its other Regions.
    pub(crate) fn spread(&mut self, siblings: &mut Siblings, at: &MultiRegion) {
        for (_, sibling) in &mut siblings.rows {
            sibling.multi_region = Some(at.clone());
        }
        self.multi_region = Some(at.clone());
    }

    /// `kms:MultiRegion`.
    pub(crate) fn multi_region_flag(&self) -> &'static str {
        if self.multi_region.is_some() { "true" } else { "false" }
    }

    /// Whether it is the primary of a multi-Region key.
    pub(crate) fn is_primary(&self) -> bool {
        self.multi_region.as_ref().is_some_and(|at| at.primary == self.region)
    }

    /// Its ARN in another Region.
    pub(crate) fn arn_in(&self, region: &str) -> String {
        self.arn.replacen(&format!(":{}:", self.region), &format!(":{region}:"), 1)
    }

    /// `MultiRegionConfiguration`.
    pub(crate) fn multi_region_configuration(&self) -> Option<MultiRegionConfiguration> {
        let at = self.multi_region.as_ref()?;
        let key = |region: &String| MultiRegionKey {
            arn: Some(self.arn_in(region)),
            region: Some(region.clone()),
        };
        Some(MultiRegionConfiguration {
            multi_region_key_type: Some(if self.is_primary() {
                MultiRegionKeyType::Primary
            } else {
                MultiRegionKeyType::Replica
            }),
            primary_key: Some(key(&at.primary)),
            replica_keys: Some(at.replicas.iter().map(key).collect()),
        })
    }

    /// `kms:MultiRegionKeyType`.
    pub(crate) fn multi_region_key_type(&self) -> Option<&'static str> {
        let multi_region = self.multi_region.as_ref()?;
        Some(if multi_region.primary == self.region { "PRIMARY" } else { "REPLICA" })
    }
}
