//! The memory engine keeps the contract.

use std::sync::Arc;

use haechi_store::{Options, Store};
use haechi_store_mem::MemStore;

fn open(options: Options) -> Arc<dyn Store> {
    Arc::new(MemStore::new(options))
}

haechi_store::contract_tests!(open);
