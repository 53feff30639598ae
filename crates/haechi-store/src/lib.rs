//! The storage that every service writes to: an ordered, transactional key-value store.
//!
//! Why a trait of our own: haechi runs on one machine (an embedded database) and on many (etcd),
//! and no service may notice which. So the trait promises what etcd can keep and no more:
//! a global revision for each committed transaction, compare-and-write on several keys, reads at a
//! past revision, ordered and resumable watches, leases whose revision fences a late holder.
//!
//! Every limit ([`limits`]) is the same on every engine, so that what works on a laptop works in
//! a cluster. One suite of behaviour tests ([`contract`], feature `contract`) runs on each engine.
//!
//! Nothing is encrypted here: the layer above seals values and hides names in keys.
//!
//! ```text
//! key.rs     Key, Range              ordered bytes
//! kv.rs      Rev, Value, Kv, Page    what a read returns
//! txn.rs     Cond, Op, limits check  what a write says
//! lease.rs   Lease, LeaseId, Clock   what may expire, and by whose time
//! watch.rs   Watch, Batch, Event     what has changed
//! archive.rs                         the logical export format: backup, engine move
//! transfer.rs                        from one store to another
//! gate.rs    Gate                    writes stopped for a moment
//! store.rs   Store                   the trait
//! ```

pub mod archive;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod gate;
mod key;
mod kv;
mod lease;
pub mod limits;
mod options;
mod store;
pub mod transfer;
mod txn;
mod watch;

pub use error::{Conflict, StoreError, TxnError};
pub use gate::Gate;
pub use key::{Key, Range};
pub use kv::{Kv, Page, Rev, Value};
pub use lease::{Clock, Lease, LeaseId};
pub use options::Options;
pub use store::Store;
pub use txn::{Cond, Op, check};
pub use watch::{Batch, Event, History, Progress, Watch, watch};
