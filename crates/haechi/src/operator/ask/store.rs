//! The records move to etcd while everything goes on.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Failure;
use crate::installation::Installation;
use crate::moving::Moved;
use crate::operator::{Ask, Told};
use crate::storage::Etcd;

/// Moves the records; the server starts anew shortly after its answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoreMove {
    /// Where to.
    pub etcd: Etcd,
}

/// The records have moved.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoreMoved {
    /// How many rows there are.
    pub rows: u64,
    /// How many were written this time.
    pub written: u64,
    /// Over all of them, in hexadecimal.
    pub sha256: String,
    /// How long writes were refused until now, in milliseconds.
    pub refused_ms: i64,
}

/// Bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ask for StoreMove {
    const NAME: &'static str = "store.move";
    type Answer = StoreMoved;

    fn told(&self) -> Option<Told> {
        let Etcd { endpoints, prefix, .. } = &self.etcd;
        Some(Told::installation(json!({ "endpoints": endpoints, "prefix": prefix })))
    }

    async fn answer(self, installation: &Installation) -> Result<StoreMoved, Failure> {
        let moving = installation.moving.as_ref().ok_or(
            "the records of this server cannot move while it serves: they lie in etcd or in memory \
             already, or it was told --store embedded",
        )?;
        let Moved { content, written, refused_ms } =
            moving.to(self.etcd, &installation.env.clock).await?;
        Ok(StoreMoved {
            rows: content.count,
            written,
            sha256: hexadecimal(&content.sha256),
            refused_ms,
        })
    }
}
