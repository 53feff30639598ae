//! AWS Security Token Service: who a caller is.
//!
//! It holds no state: who calls is known from the signature, and an access key id names its
//! account by itself ([`haechi_core::access_key_id`]). Sessions (`AssumeRole` and its kin) are not
//! done yet, and say so.

mod op;

use std::sync::Arc;

use haechi_core::Router;

/// The service.
#[derive(Debug, Default)]
pub struct Sts;

impl Sts {
    /// The service.
    pub const fn new() -> Sts {
        Sts
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_sts_model::ops::mount(router, self);
    }
}
