//! Multi-Region keys: which Regions have one, and which of them is the primary.
//!
//! Source: Developer Guide, "Multi-Region keys in AWS KMS".

use std::collections::BTreeSet;

use haechi_core::database::Unknown;
use serde::{Deserialize, Serialize};

use crate::store::KeyRecord;

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

impl KeyRecord {
    /// `kms:MultiRegion`.
    pub(crate) fn multi_region_flag(&self) -> &'static str {
        if self.multi_region.is_some() { "true" } else { "false" }
    }

    /// `kms:MultiRegionKeyType`.
    pub(crate) fn multi_region_key_type(&self) -> Option<&'static str> {
        let multi_region = self.multi_region.as_ref()?;
        Some(if multi_region.primary == self.region { "PRIMARY" } else { "REPLICA" })
    }
}
