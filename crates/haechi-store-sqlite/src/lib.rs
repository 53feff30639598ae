//! The embedded store: SQLite under one writer thread with group commit.
//!
//! SQLite because of its durability record, online backup, and a file that any tool opens. WAL
//! with `synchronous=FULL`: a transaction is acknowledged after its group is synced to disk.
//!
//! ```text
//! DIR/store.db        rows and their history (schema.rs), mode 0600
//! DIR/store.db-wal    SQLite's write-ahead log, gone after a clean close
//! DIR/store.db-shm    SQLite's index of that log
//! DIR/lock            held by the process that has the directory open (lock.rs)
//!
//! settings.rs   how a store is opened
//! schema.rs     tables, creation, the check on open
//! row.rs        one row: encoding, checksum
//! read.rs       queries at a revision, the reader pool
//! write.rs      one transaction's changes
//! writer.rs     the thread: groups, commit, answers
//! maintain.rs   verify, backup, restore, export, import
//! beside.rs     reading while another process has it open
//! fault.rs      what SQLite's errors mean
//! ```
//!
//! Damage: opening checks the header, the size and the schema; each row carries a checksum that
//! every read checks; [`SqliteStore::verify`] checks the whole file. Nothing damaged is ever
//! replaced or "repaired".

mod beside;
mod fault;
mod lock;
mod maintain;
mod read;
mod row;
mod schema;
mod settings;
mod store;
mod write;
mod writer;

pub use beside::{backup, peek};
pub use settings::Settings;
pub use store::SqliteStore;
