//! Several nodes over one store: each serves any request, and duties are done by one at a time.
//!
//! ```text
//! freshness.rs   until when what is cached may decide
//! follow.rs      every change of the store, by whichever node: caches, keyring, jobs
//! claim.rs       the right to do a duty, which every commit made under it demands
//! shards.rs      which duties this node has the right to
//! members.rs     the lease, this node's row, who else there is, how shards are shared out
//! format.rs      which records may be written while nodes of different versions run
//! ```
//!
//! ```text
//! /cluster/node/<node>       NodeRow, with the node's lease
//! /cluster/sealed/<node>     the same while it waits for the root key
//! /cluster/shard/<nn>        the id of the node that owns it, with that node's lease
//! /cluster/format            the format of records that all nodes know
//! /cluster/beat              written by whoever needs a sign of life from the store
//! ```
//! These rows are JSON in the clear, so that a node that is still sealed can show itself: ids,
//! addresses, versions. Whoever can write them can write anything else.
//!
//! A duty (a job, a rotation) falls on one of [`SHARDS`] by its kind and id. A shard's row vanishes
//! with the lease of its owner, and every commit made under a [`Claim`] demands that the row is
//! still the one that this node wrote. So a node that was asleep while its lease ended cannot
//! commit any more, whatever it believes.
//!
//! An embedded store has no other nodes: there claims cost nothing and caches are always fresh.

mod claim;
mod follow;
pub(crate) mod format;
pub(crate) mod freshness;
mod members;
mod shards;

pub use claim::Claim;
pub(crate) use claim::condition;
pub use format::{FORMAT, RecordFormat};
pub use members::{Cluster, NodeRow, NodeState, Standing, nodes, show_sealed};
pub use shards::{Ownership, SHARDS};

#[cfg(test)]
mod tests;
