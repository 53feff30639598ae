//! AWS Identity and Access Management: users, groups, roles, their policies, access keys and tags.
//!
//! What it guarantees:
//! * The lookup of an access key ([`haechi_core::Identities`]) is a memory read when nothing has
//!   changed, and is never older than an acknowledged write: a key that was deleted or
//!   deactivated is refused by the very next request, a policy counts from the very next call.
//! * An operation loads an entity only together with the decision on it (`authz.rs`), so nothing
//!   is revealed, not even that it exists, to one who may not ask.
//! * What names a user or role by ARN means the one that had it then: whoever is made anew under
//!   the same name is another (`role.rs`).
//! * Secrets are sealed at rest and in zeroizing memory elsewhere; nothing here prints them.
//! * Names are unique without regard to case, as AWS's are, and pseudonyms on disk.
//!
//! ```text
//! store.rs       records and where they lie       accounts.rs    first start: accounts, root keys
//! entity.rs      what users, groups, roles share  identities.rs  access key id ─► caller
//! authz.rs       load and decide in one           last_used.rs   when keys were used, lazily kept
//! user.rs, group.rs, role.rs, profile.rs          access_key.rs  owners of keys, new keys
//! policy.rs      inline policies                  managed.rs     managed policies
//! attachment.rs  attaching, boundaries            aws_managed.rs those of AWS
//! listing.rs     markers                          service_linked.rs  roles of services
//! inspect.rs     whose policies, for the operator
//! simulate.rs    what policies would decide      by_arn.rs      devices and providers by ARN
//! mfa.rs         one-time codes                  qr_code.rs     seeds as pictures
//! password.rs    login profiles                 credential_report.rs  who has what credentials
//! account_summary.rs, quotas.rs  how much        authorization_details.rs  everything at once
//! context_keys.rs  what conditions ask for        request_quotas.rs  how often an account may ask
//! oidc.rs        OpenID Connect providers        saml.rs        SAML providers
//! public_keys.rs what users upload: SSH keys (ssh_key.rs), certificates (certificate.rs)
//! server_certificate.rs  TLS certificates with their keys
//! tags.rs        rules of tags                    sessions.rs    session token ─► caller
//! secret.rs      secrets that wipe themselves     op/*.rs        a file for each operation
//! ```

mod access_key;
mod account_summary;
mod accounts;
mod attachment;
mod authorization_details;
mod authz;
mod aws_managed;
mod by_arn;
mod certificate;
mod context_keys;
mod credential_report;
mod entity;
mod granting;
mod group;
mod identities;
mod inspect;
mod last_used;
mod listing;
mod managed;
mod mfa;
mod oidc;
mod op;
mod password;
mod policy;
mod profile;
mod public_keys;
mod qr_code;
mod quotas;
mod request_quotas;
mod role;
mod saml;
mod secret;
mod server_certificate;
mod service_credential;
mod service_linked;
mod sessions;
mod simulate;
mod ssh_key;
mod store;
mod tags;
mod user;

use std::sync::Arc;

use haechi_core::{Database, Env, Router};

pub use identities::root_caller;
pub use request_quotas::REQUEST_QUOTAS;

/// IAM knows no Regions, and one installation is one partition.
const PARTITION: &str = "aws";

/// The service.
pub struct Iam {
    database: Arc<Database>,
    env: Env,
    last_used: last_used::LastUsed,
    passwords: password::Passwords,
    counts: quotas::Counts,
}

impl Iam {
    /// The service over `database`.
    pub fn new(database: Arc<Database>, env: Env) -> Iam {
        let (last_used, passwords, counts) = Default::default();
        Iam { database, env, last_used, passwords, counts }
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_iam_model::ops::mount(router, self);
    }
}
