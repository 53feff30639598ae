//! AWS Security Token Service: who a caller is, and temporary credentials.
//!
//! It holds no state: who calls is known from the signature, an access key id names its account by
//! itself ([`haechi_core::access_key_id`]), and a session is its token
//! ([`haechi_core::SessionClaims`]). Roles and their trust policies come from IAM
//! ([`haechi_core::Roles`]). `AssumeRoleWithWebIdentity` and MFA are not done yet, and say so.
//!
//! ```text
//! issue.rs     new credentials, and how long they may live
//! policies.rs  session policies       tags.rs   session tags, transitive ones
//! op/*.rs      a file for each operation
//! ```

mod issue;
mod op;
mod policies;
mod tags;

use std::sync::Arc;

use haechi_core::{Database, Roles, Router};

/// The service.
pub struct Sts {
    database: Arc<Database>,
    roles: Arc<dyn Roles>,
}

impl Sts {
    /// The service; `database` holds the keys that seal tokens.
    pub fn new(database: Arc<Database>, roles: Arc<dyn Roles>) -> Sts {
        Sts { database, roles }
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_sts_model::ops::mount(router, self);
    }
}
