//! The records of a data directory move to etcd while haechi serves.
//!
//! ```text
//! 1 rows are copied, and what was written meanwhile, until little is left     everything is served
//! 2 the gate is shut: writes are refused (503)                                reads are served
//! 3 what is left is copied, both stores are compared
//! 4 store.json is written: the moment                                         etcd counts
//! 5 haechi starts anew in its place, and serves from etcd
//! ```
//! Until 4 the old records count: whatever fails, or is killed, the gate opens again or the next
//! start serves them, and doing it again goes on. From 4 on they are leftovers, which the next start
//! sets aside.

use std::sync::Arc;
use std::time::Duration;

use haechi_core::{Clock, cluster};
use haechi_store::transfer::{Content, Transfer, TransferError};
use haechi_store::{Gate, Key, Op, Store};
use tokio::sync::Notify;

use crate::Failure;
use crate::data::DataDirectory;
use crate::storage::{Etcd, Storage};

/// Rows about nodes, which are of the one store only; the format of records goes with the records.
pub const STAYS: &[&str] = &[
    "/cluster/node/",
    "/cluster/sealed/",
    "/cluster/shard/",
    "/cluster/members",
    "/cluster/beat",
    MOVED,
];

/// Passes before the gate is shut, at the most.
const PASSES_MAX: u32 = 20;

/// So few rows are left that they are copied behind the gate.
const FEW_ROWS: u64 = 200;

/// How long the answer to the operator may take to be told before haechi starts anew.
const TELL: Duration = Duration::from_millis(500);

/// Records that may move.
pub struct Moving {
    data: DataDirectory,
    gate: Arc<Gate>,
    moved: Arc<Notify>,
}

/// What was moved.
pub struct Moved {
    /// What both stores hold.
    pub content: Content,
    /// Rows that were written, by all passes.
    pub written: u64,
    /// How long writes were refused before haechi started anew, in milliseconds.
    pub refused_ms: i64,
}

impl Moving {
    /// Of a data directory, behind whose gate its records lie.
    pub fn new(data: &DataDirectory, gate: Arc<Gate>) -> Moving {
        Moving { data: data.clone(), gate, moved: Arc::new(Notify::new()) }
    }

    /// Returns when the records have moved, and haechi is to start anew.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Moves the records.
    ///
    /// # Errors
    /// If etcd cannot be used, holds anything else, or fails: everything is as it was then.
    pub async fn to(&self, etcd: Etcd, clock: &Arc<dyn Clock>) -> Result<Moved, Failure> {
        let to = Storage::Etcd(etcd);
        let target = to.open(&self.data, clock).await?;
        let outcome = self.copy(&to, &*target, clock).await;
        target.close().await?;
        let moved = outcome?;
        let tell = Arc::clone(&self.moved);
        tokio::spawn(async move {
            tokio::time::sleep(TELL).await;
            tell.notify_one();
        });
        Ok(moved)
    }

    async fn copy(
        &self,
        to: &Storage,
        target: &dyn Store,
        clock: &Arc<dyn Clock>,
    ) -> Result<Moved, Failure> {
        refuse_nodes(target).await?;
        let source = &**self.gate.inner();
        let mut transfer = Transfer::begin(source, target, STAYS).await?;
        let mut written = 0;
        for _ in 0..PASSES_MAX {
            let now = transfer.pass().await?;
            written += now;
            if now < FEW_ROWS {
                break;
            }
        }
        let shut = clock.now().millis();
        self.gate.shut().await;
        let content = match self.finish(transfer, &mut written, to).await {
            Ok(content) => content,
            // Where the file tells of etcd, etcd counts.
            Err(failure) if Storage::of(&self.data).is_ok_and(|noted| noted == *to) => {
                return Err(format!("{failure}: restart haechi").into());
            }
            Err(failure) => {
                self.gate.open().await;
                return Err(failure);
            }
        };
        let refused_ms = clock.now().millis().saturating_sub(shut);
        Ok(Moved { content, written, refused_ms })
    }

    /// The last of it, behind the gate.
    async fn finish(
        &self,
        mut transfer: Transfer<'_>,
        written: &mut u64,
        to: &Storage,
    ) -> Result<Content, Failure> {
        *written += transfer.pass().await?;
        let content = transfer.finish().await.map_err(|error| -> Failure {
            match error {
                TransferError::Changed => "a write came too late: do it again".into(),
                other => other.into(),
            }
        })?;
        to.note(&self.data)?;
        Ok(content)
    }
}

/// Refuses a store over which nodes run.
///
/// # Errors
/// If there are some, or the store fails.
pub async fn refuse_nodes(store: &dyn Store) -> Result<(), Failure> {
    let nodes = cluster::nodes(store).await?;
    let Some(node) = nodes.first() else { return Ok(()) };
    let (count, id, address) = (nodes.len(), &node.id, &node.address);
    Err(format!("{count} nodes run over this etcd, among them {id} at {address}: stop them").into())
}

/// Where a store says that its records lie elsewhere now.
const MOVED: &str = "/cluster/moved";

/// Writes into a store that its records lie in a data directory now: what stays in it must not be
/// served beside them.
///
/// # Errors
/// If the store fails.
pub async fn leave_word(store: &dyn Store, data: &DataDirectory) -> Result<(), Failure> {
    let place = data.path().display().to_string();
    store.txn(&[], vec![Op::put(MOVED, place.as_str())]).await?;
    Ok(())
}

/// Refuses a store whose records have moved.
///
/// # Errors
/// If they have, or the store fails.
pub async fn refuse_moved(store: &dyn Store) -> Result<(), Failure> {
    let (rows, _) = store.get(&[Key::from(MOVED)], None).await?;
    let Some(row) = rows.into_iter().flatten().next() else { return Ok(()) };
    let place = String::from_utf8_lossy(row.value.as_bytes()).into_owned();
    Err(format!("the records of this etcd were moved into {place} (haechi migrate): what is left here is old. Move them back under another prefix, or delete {MOVED} under this one if you know better").into())
}

/// Sets aside the old records of a data directory whose records lie in etcd.
///
/// # Errors
/// If they cannot be renamed.
pub fn set_aside(data: &DataDirectory) -> Result<(), Failure> {
    if !data.store().exists() {
        return Ok(());
    }
    let mut before = data.store_before();
    // Those of an earlier move, there and back.
    for number in 2_u32.. {
        if !before.exists() {
            break;
        }
        before = data.store_before();
        before.set_extension(format!("before-migration.{number}"));
    }
    Ok(std::fs::rename(data.store(), before)?)
}
