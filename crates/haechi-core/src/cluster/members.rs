//! The lease, this node's row, who else there is, and how shards are shared out.
//!
//! ```text
//! tick: keep the lease ─► read /cluster/ ─► give away what is more than a fair share
//!                                         └► take what nobody owns, up to a fair share
//! ```
//! A shard is given away once no claim to its duties is left, so that no duty runs twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use haechi_store::{Cond, Key, Kv, LeaseId, Op, Range, Rev, Store, StoreError, TxnError, Value};
use haechi_wire::Fault;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::follow::Follower;
use super::format::{self, FORMAT_KEY, too_new};
use super::shards::{Ownership, SHARDS, Shards, shard_key};
use crate::{Database, Env};

/// How long a lease lives when it is not kept: after so long the duties of a node that died are
/// free.
pub const LEASE_TTL: Duration = Duration::from_secs(5);

/// How long after it was kept a lease surely lives.
const SURELY: Duration = Duration::from_secs(4);

/// How often the lease is kept and the members are looked at, if nothing happens.
const TICK: Duration = Duration::from_secs(1);

/// The same while shards are to be given away.
const TICK_LEAVING: Duration = Duration::from_millis(100);

/// How long the store may take for a step.
const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How often a node writes its row anew.
const ROW_EVERY_MS: i64 = 5_000;

/// How long a node that stops waits for its duties to end.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// Whether a node has the root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// It waits for the root key.
    Sealed,
    /// It serves.
    Serving,
}

/// What a node tells of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeRow {
    /// Its id, which it keeps.
    pub id: String,
    /// Where clients reach it.
    pub address: String,
    /// The version of its program.
    pub version: String,
    /// The newest format of records that it knows.
    pub format: u32,
    /// Whether it has the root key.
    pub state: NodeState,
    /// When it wrote this, by its clock; milliseconds since 1970.
    pub seen_ms: i64,
    /// How old its caches were then at the most, in milliseconds.
    pub lag_ms: Option<u64>,
    /// The shards of duties that it owns.
    pub shards: Vec<u8>,
    /// The name of the root key that it has; a program of before does not tell.
    #[serde(default)]
    pub root: Option<String>,
}

/// The row of a node.
fn node_key(id: &str) -> Key {
    Key::from(format!("/cluster/node/{id}"))
}

/// The row of a node while it is sealed.
fn sealed_key(id: &str) -> Key {
    Key::from(format!("/cluster/sealed/{id}"))
}

/// How this node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How old what it has cached may be at the most.
    pub lag: Option<Duration>,
    /// The shards that it owns.
    pub shards: Vec<u8>,
    /// The format in which records are written.
    pub format: u32,
}

/// This node among those over one store.
pub struct Cluster {
    database: Arc<Database>,
    env: Env,
    follower: Follower,
    shards: Arc<Shards>,
    row: NodeRow,
    /// Why this node must not go on, once it must not.
    ends: watch::Sender<Option<String>>,
    /// Held by the loop; the end of this node takes it.
    lease: tokio::sync::Mutex<Lease>,
}

/// The lease and what was written with it.
#[derive(Default)]
struct Lease {
    id: Option<LeaseId>,
    row_rev: Rev,
    written: Option<(i64, Vec<u8>, Option<String>)>,
    /// This node gives everything up.
    ends: bool,
}

/// Rows under `/cluster/`.
#[derive(Default)]
struct Seen {
    nodes: Vec<NodeRow>,
    sealed: Vec<NodeRow>,
    shards: BTreeMap<u8, (Rev, Option<LeaseId>)>,
    format: Option<(u32, Rev)>,
    /// When a node registered last.
    members: Rev,
}

impl Seen {
    fn of(rows: &[Kv]) -> Seen {
        let mut seen = Seen::default();
        for row in rows {
            let Ok(name) = std::str::from_utf8(row.key.as_bytes()) else { continue };
            if name.starts_with("/cluster/node/") {
                seen.nodes.extend(serde_json::from_slice::<NodeRow>(row.value.as_bytes()));
            } else if name.starts_with("/cluster/sealed/") {
                seen.sealed.extend(serde_json::from_slice::<NodeRow>(row.value.as_bytes()));
            } else if let Some(shard) = name.strip_prefix("/cluster/shard/") {
                seen.shards.extend(shard.parse().map(|shard| (shard, (row.create_rev, row.lease))));
            } else if name == FORMAT_KEY {
                seen.format = Some(format::told(Some(row)));
            } else if name == MEMBERS_KEY {
                seen.members = row.mod_rev;
            }
        }
        seen
    }

    /// The format of records, and the revision that wrote it.
    fn format(&self) -> (u32, Rev) {
        self.format.unwrap_or_else(|| format::told(None))
    }
}

/// Written whenever a node registers, so that the format rises only for those who were counted.
const MEMBERS_KEY: &str = "/cluster/members";

async fn look(store: &dyn Store) -> Result<Seen, StoreError> {
    Ok(Seen::of(&store.range(Range::prefix("/cluster/"), 0, None).await?.kvs))
}

/// The nodes over a store.
///
/// # Errors
/// If the store fails.
pub async fn nodes(store: &dyn Store) -> Result<Vec<NodeRow>, StoreError> {
    let seen = look(store).await?;
    let mut nodes = seen.nodes;
    let mut sealed = seen.sealed;
    sealed.retain(|row| nodes.iter().all(|node| node.id != row.id));
    nodes.append(&mut sealed);
    nodes.sort_by(|one, two| one.id.cmp(&two.id));
    Ok(nodes)
}

/// Shows a node that is still sealed, until this is dropped and the lease has ended; ends only if
/// the store fails.
///
/// # Errors
/// If the store fails.
pub async fn show_sealed(store: &dyn Store, row: &NodeRow) -> Result<(), StoreError> {
    let lease = timed(store.lease(LEASE_TTL)).await?.id;
    let value = serde_json::to_vec(row).unwrap_or_default();
    let put = Op::put_leased(sealed_key(&row.id), value, lease);
    unless_conflict(timed(store.txn(&[], vec![put])).await)?;
    loop {
        tokio::time::sleep(TICK).await;
        timed(store.keep_alive(lease)).await?;
    }
}

impl Cluster {
    /// Joins the nodes over the database's store: from now on nothing that is cached decides until
    /// it is proven to be fresh. [`Cluster::run`] must run then.
    ///
    /// # Errors
    /// If the store fails, or other nodes write records that this program does not know.
    pub async fn join(database: Arc<Database>, env: Env, row: NodeRow) -> Result<Cluster, Fault> {
        database.share();
        let seen = look(&**database.store()).await.map_err(Fault::internal)?;
        let (format, _) = seen.format();
        if format > row.format {
            return Err(Fault::internal(too_new(format, row.format)));
        }
        database.write_format(format);
        Ok(Cluster {
            ends: watch::Sender::new(None),
            follower: Follower::new(Arc::clone(&database)),
            shards: Arc::new(Shards::new(&row.id)),
            lease: tokio::sync::Mutex::default(),
            database,
            env,
            row,
        })
    }

    /// The id of this node.
    pub fn id(&self) -> &str {
        &self.row.id
    }

    /// Who does which duty.
    pub fn ownership(&self) -> Ownership {
        Ownership::of(&self.shards)
    }

    /// How this node stands.
    pub fn standing(&self) -> Standing {
        Standing {
            lag: self.database.age(),
            shards: self.shards.owned(),
            format: self.database.format(),
        }
    }

    /// Returns when this node must not go on, and why: it was away while the others went on to
    /// something that it does not know.
    pub async fn must_end(&self) -> String {
        let mut ends = self.ends.subscribe();
        match ends.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(why)) => why.clone(),
            _ => std::future::pending().await,
        }
    }

    fn end(&self, why: String) {
        tracing::error!("{why}");
        self.ends.send_replace(Some(why));
    }

    /// Follows the store, keeps the lease, shares the duties; for ever.
    pub async fn run(&self) {
        tokio::join!(self.follower.run(), self.keep());
    }

    /// Gives the duties up: what runs may come to its end, then others take over at once.
    pub async fn leave(&self) {
        self.shards.leave(usize::from(SHARDS));
        let mut ends = self.shards.ends();
        let ended = async {
            while self.shards.uses() > 0 {
                let _ = ends.changed().await;
            }
        };
        if tokio::time::timeout(LEAVE_MAX, ended).await.is_err() {
            tracing::warn!("duties that are still running are left to another node");
        }
        let mut lease = self.lease.lock().await;
        lease.ends = true;
        self.shards.lost();
        let Some(id) = lease.id.take() else { return };
        match tokio::time::timeout(ANSWER_MAX, self.database.store().revoke(id)).await {
            Ok(Ok(())) => {}
            _ => tracing::warn!("the lease could not be ended; it ends by itself"),
        }
    }

    async fn keep(&self) {
        let mut members = self.follower.members.subscribe();
        loop {
            let mut lease = self.lease.lock().await;
            if lease.ends {
                return;
            }
            let leaving = match self.tick(&mut lease).await {
                Ok(leaving) => leaving,
                Err(error) => {
                    tracing::warn!(%error, "the lease or the duties of this node could not be kept");
                    false
                }
            };
            drop(lease);
            let wait = if leaving { TICK_LEAVING } else { TICK };
            let _ = tokio::time::timeout(wait, members.changed()).await;
        }
    }

    /// Answers whether shards are still to be given away.
    async fn tick(&self, lease: &mut Lease) -> Result<bool, StoreError> {
        if let Some(why) = self.database.root_gone() {
            self.end(why.to_owned());
        }
        let held = match lease.id {
            Some(id) => self.keep_alive(lease, id).await?,
            None => None,
        };
        let seen = timed(look(&**self.database.store())).await?;
        let id = match held {
            Some(id) => id,
            None => match self.register(lease, &seen).await? {
                Some(id) => id,
                None => return Ok(false),
            },
        };
        self.raise_format(&seen).await?;
        let leaving = self.balance(id, &seen).await?;
        self.write_row(lease, id).await?;
        Ok(leaving)
    }

    async fn keep_alive(
        &self,
        lease: &mut Lease,
        id: LeaseId,
    ) -> Result<Option<LeaseId>, StoreError> {
        let began = Instant::now();
        match timed(self.database.store().keep_alive(id)).await {
            Ok(()) => {
                self.shards.lives_until(began + SURELY);
                Ok(Some(id))
            }
            Err(StoreError::LeaseNotFound { .. }) => {
                tracing::warn!("this node's lease has ended; others do its duties");
                self.shards.lost();
                *lease = Lease::default();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes a lease and writes the row of this node, unless there is one of an earlier life, or of
    /// another node under the same id.
    async fn register(
        &self,
        lease: &mut Lease,
        seen: &Seen,
    ) -> Result<Option<LeaseId>, StoreError> {
        let (format, format_rev) = seen.format();
        if format > self.row.format {
            self.end(too_new(format, self.row.format));
            return Ok(None);
        }
        if seen.nodes.iter().any(|node| node.id == self.row.id) {
            tracing::info!(
                node = self.row.id,
                "the row of this node's earlier life is still there"
            );
            return Ok(None);
        }
        let store = self.database.store();
        let began = Instant::now();
        let granted = timed(store.lease(LEASE_TTL)).await?.id;
        let (key, value) = (node_key(&self.row.id), self.value(&[]));
        let when = [Cond::Absent(key.clone()), Cond::ModRev(Key::from(FORMAT_KEY), format_rev)];
        let row = Op::put_leased(key.clone(), value, granted);
        let counted = Op::put(MEMBERS_KEY, self.row.id.as_str());
        let written = timed(store.txn(&when, vec![row, counted])).await;
        let Some(rev) = unless_conflict(written)? else {
            let _ = timed(store.revoke(granted)).await;
            return Ok(None);
        };
        lease.id = Some(granted);
        lease.row_rev = rev;
        let root = self.database.root_id();
        lease.written = Some((self.env.now().millis(), Vec::new(), root));
        self.shards.begin((key, rev), began + SURELY);
        Ok(Some(granted))
    }

    fn value(&self, shards: &[u8]) -> Value {
        let lag_ms = self.database.age().map(|age| u64::try_from(age.as_millis()).unwrap_or(0));
        let (seen_ms, shards) = (self.env.now().millis(), shards.to_vec());
        let row =
            NodeRow { seen_ms, lag_ms, shards, root: self.database.root_id(), ..self.row.clone() };
        // A struct of text and numbers has a JSON form.
        Value::new(serde_json::to_vec(&row).unwrap_or_default())
    }

    /// Writes the row of this node, when it says something else or is old.
    async fn write_row(&self, lease: &mut Lease, id: LeaseId) -> Result<(), StoreError> {
        let (owned, now_ms) = (self.shards.owned(), self.env.now().millis());
        let root = self.database.root_id();
        if let Some((written_ms, shards, written_root)) = &lease.written
            && *shards == owned
            && *written_root == root
            && (0..ROW_EVERY_MS).contains(&now_ms.saturating_sub(*written_ms))
        {
            return Ok(());
        }
        let key = node_key(&self.row.id);
        let when = [Cond::CreateRev(key.clone(), lease.row_rev)];
        let row = Op::put_leased(key, self.value(&owned), id);
        let written = timed(self.database.store().txn(&when, vec![row])).await;
        if unless_conflict(written)?.is_some() {
            lease.written = Some((now_ms, owned, root));
        }
        Ok(())
    }

    async fn balance(&self, lease: LeaseId, seen: &Seen) -> Result<bool, StoreError> {
        let store = self.database.store();
        let serving = seen.nodes.iter().filter(|node| node.state == NodeState::Serving).count();
        let fair = usize::from(SHARDS).div_ceil(serving.max(1));
        self.shards.reconcile(|shard| {
            seen.shards.get(&shard).filter(|(_, by)| *by == Some(lease)).map(|(rev, _)| *rev)
        });
        let mut owned = self.shards.owned().len();
        for (shard, rev) in self.shards.leave(owned.saturating_sub(fair)) {
            let key = shard_key(shard);
            let when = [Cond::CreateRev(key.clone(), rev)];
            unless_conflict(timed(store.txn(&when, vec![Op::delete(key)])).await)?;
            self.shards.left(shard);
            owned -= 1;
        }
        // Each begins elsewhere, so that two seldom want the same.
        let first = self.row.id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31) ^ byte);
        let all = (0..SHARDS).map(|shard| (shard + first % SHARDS) % SHARDS);
        let free = all.filter(|shard| !seen.shards.contains_key(shard));
        for shard in free.take(fair.saturating_sub(owned)) {
            let key = shard_key(shard);
            let row = Op::put_leased(key.clone(), self.row.id.as_str(), lease);
            let taken = timed(store.txn(&[Cond::Absent(key)], vec![row])).await;
            if let Some(rev) = unless_conflict(taken)? {
                self.shards.gained(shard, rev);
            }
        }
        Ok(owned > fair)
    }

    /// Raises the format to what all nodes know.
    async fn raise_format(&self, seen: &Seen) -> Result<(), StoreError> {
        let (format, rev) = seen.format();
        let known = seen.nodes.iter().map(|node| node.format).min().unwrap_or(1);
        if known > format {
            let counted = Cond::ModRev(Key::from(MEMBERS_KEY), seen.members);
            let when = [Cond::ModRev(Key::from(FORMAT_KEY), rev), counted];
            let row = format::row(known);
            unless_conflict(timed(self.database.store().txn(&when, vec![row])).await)?;
            tracing::info!(known, "all nodes know a newer format of records");
        }
        // As it was read: another node must find it before anything is written in it.
        self.database.write_format(format);
        Ok(())
    }
}

/// The revision; none if a precondition did not hold.
fn unless_conflict(outcome: Result<Rev, TxnError>) -> Result<Option<Rev>, StoreError> {
    match outcome {
        Ok(rev) => Ok(Some(rev)),
        Err(TxnError::Conflict(_)) => Ok(None),
        Err(TxnError::Store(error)) => Err(error),
    }
}

/// A step that takes too long has failed; what it did is found by the next look.
async fn timed<T, E: From<StoreError>>(
    step: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E> {
    match tokio::time::timeout(ANSWER_MAX, step).await {
        Ok(done) => done,
        Err(_) => {
            let source = std::io::ErrorKind::TimedOut.into();
            Err(E::from(StoreError::Io { path: "the store".into(), source }))
        }
    }
}
