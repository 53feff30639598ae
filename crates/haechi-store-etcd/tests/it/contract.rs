//! The distributed engine keeps the contract, on one server and on three.

use std::sync::Arc;

use haechi_store::{Options, Store, contract::Kind};

mod one_server {
    use super::*;

    fn open(options: Options) -> Arc<dyn Store> {
        crate::servers::open(1, options)
    }

    haechi_store::contract_tests!(open, Kind::Distributed);
}

mod three_servers {
    use super::*;

    fn open(options: Options) -> Arc<dyn Store> {
        crate::servers::open(3, options)
    }

    haechi_store::contract_tests!(open, Kind::Distributed);
}
