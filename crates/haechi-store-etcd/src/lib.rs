//! The distributed store: [etcd](https://etcd.io) 3.4.22, 3.5.6 or newer, behind haechi's trait.
//!
//! etcd because it keeps what it acknowledges (strict serializability by Jepsen's test), has
//! transactions over many keys, watches that resume and leases, and runs under every Kubernetes.
//! haechi's nodes have no state of their own beside it; nothing is replicated by us.
//!
//! ```text
//! settings.rs   where etcd is, TLS, user, time-outs
//! client.rs     calls: one member at a time, another when it does not answer
//! message.rs    etcd's messages
//! fault.rs      what etcd's errors mean
//! version.rs    which servers are refused
//! layout.rs     keys, the master row, revisions
//! store.rs      opening; the trait
//! read.rs       rows and pages at one revision
//! txn.rs        transactions
//! group.rs      several transactions in one request
//! slot.rs       how a lost answer is told from a write that was not done
//! lease.rs      leases, ended by etcd's time
//! watching.rs   watches that outlive their connections
//! archive.rs    export and import
//! compact.rs    forgetting
//! ```
//!
//! How the promises of [`haechi_store::Store`] are kept:
//!
//! - **Revisions** are etcd's, counted from the store's creation or from where an import left off
//!   (`layout.rs`). They have gaps: others write to the same etcd, and a grant of a lease takes two.
//!   Transactions that were under way at once may share one (`group.rs`).
//! - **A write is done once**, or surely not at all: every transaction carries a mark (`slot.rs`), so
//!   it is sent again to another member when an answer is lost, for as long as an operation may
//!   take. Only then its outcome is unknown (`Unanswered`).
//! - **A conflict names its precondition**: the rows are read where the transaction failed, at the
//!   same revision.
//! - **Leases** live by the clock of etcd's leader, in whole seconds, at least as long as asked.
//!   No node's clock matters.
//! - **An import** gives its rows the export's revision, all of them: etcd cannot be told when a row
//!   was written. The store goes on from that revision, so that fencing tokens rise across a move.
//! - **History**: what is older than [`haechi_store::Options::history`] is refused, though etcd may
//!   have it yet; compaction (`compact.rs`) keeps as much.
//!
//! Why not the crate `etcd-client`: its build needs `protoc` on every machine that builds haechi, it
//! balances over members without telling which one failed, and it copies every value. What is needed
//! of etcd's API is two hundred lines of messages over `tonic`.

mod archive;
mod client;
mod compact;
mod fault;
mod group;
mod layout;
mod lease;
mod message;
mod read;
mod settings;
mod slot;
mod store;
mod txn;
mod version;
mod watching;

pub use settings::{Identity, Settings, Tls, User};
pub use store::EtcdStore;
