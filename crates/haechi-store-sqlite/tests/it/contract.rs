//! The contract of every engine, on this one.

use std::sync::Arc;

use haechi_store::{Options, Store};
use haechi_store_sqlite::SqliteStore;

fn open(options: Options) -> Arc<dyn Store> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let clock = options.clock.clone();
    // The clock owns the directory: the store drops it last.
    let keeper = Options::new(move || {
        assert!(dir.path().is_absolute());
        clock.now()
    });
    Arc::new(SqliteStore::open(path, keeper.with_history(options.history)).unwrap())
}

haechi_store::contract_tests!(open);
