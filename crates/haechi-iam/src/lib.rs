//! AWS Identity and Access Management: users, their access keys, policies and tags.
//!
//! What it guarantees:
//! * The lookup of an access key ([`haechi_core::Identities`]) is a memory read when nothing has
//!   changed, and is never older than an acknowledged write: a key that was deleted or
//!   deactivated is refused by the very next request, a policy counts from the very next call.
//! * An operation loads a user only together with the decision on it (`authz.rs`), so nothing is
//!   revealed, not even that the user exists, to one who may not ask.
//! * Secrets are sealed at rest and in zeroizing memory elsewhere; nothing here prints them.
//! * Names are unique without regard to case, as AWS's are, and pseudonyms on disk.
//!
//! ```text
//! store.rs       records and where they lie      accounts.rs    first start: accounts, root keys
//! user.rs        a user as AWS shows it          identities.rs  access key id ─► caller
//! authz.rs       load and decide in one          last_used.rs   when keys were used, lazily kept
//! access_key.rs  owners of keys, new keys        secret.rs      secrets that wipe themselves
//! policy.rs      inline policies                 tags.rs        rules of tags
//! listing.rs     markers                         op/*.rs        a file for each operation
//! ```

mod access_key;
mod accounts;
mod authz;
mod identities;
mod last_used;
mod listing;
mod op;
mod policy;
mod secret;
mod store;
mod tags;
mod user;

use std::sync::Arc;

use haechi_core::{Database, Env, Router};

pub use identities::root_caller;

/// IAM knows no Regions, and one installation is one partition.
const PARTITION: &str = "aws";

/// The service.
pub struct Iam {
    database: Arc<Database>,
    env: Env,
    last_used: last_used::LastUsed,
}

impl Iam {
    /// The service over `database`.
    pub fn new(database: Arc<Database>, env: Env) -> Iam {
        Iam { database, env, last_used: last_used::LastUsed::default() }
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_iam_model::ops::mount(router, self);
    }
}
