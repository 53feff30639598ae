//! The memory engine keeps the contract, and what stands on a store keeps its promises under every
//! schedule that we can think of.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: a panic with the reason is how a test fails"
)]

mod sim;

use std::sync::Arc;

use haechi_store::{Options, Store};
use haechi_store_mem::MemStore;

fn open(options: Options) -> Arc<dyn Store> {
    Arc::new(MemStore::new(options))
}

haechi_store::contract_tests!(open);
