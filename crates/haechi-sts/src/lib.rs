//! AWS Security Token Service: who a caller is, and temporary credentials.
//!
//! It holds no state: who calls is known from the signature, an access key id names its account by
//! itself ([`haechi_core::access_key_id`]), and a session is its token
//! ([`haechi_core::SessionClaims`]). Roles and their trust policies come from IAM
//! ([`haechi_core::Roles`]), identity providers and one-time passwords too
//! ([`haechi_core::Evidence`]).
//!
//! ```text
//! issue.rs     new credentials, and how long they may live
//! policies.rs  session policies       tags.rs   session tags, transitive ones
//! trust.rs     what trust policies are asked
//! mfa.rs       one-time passwords     quotas.rs request quotas
//! web_identity.rs, web_identity/*     tokens of OpenID Connect providers
//! op/*.rs      a file for each operation
//! ```

mod issue;
mod mfa;
mod op;
mod policies;
mod quotas;
mod tags;
mod trust;
mod web_identity;

use std::sync::Arc;

use haechi_core::{Database, Evidence, Roles, Router};

pub use haechi_jwt::KeySet;
pub use quotas::REQUEST_QUOTAS;
pub use web_identity::{Fetch, FetchError, Https, HttpsOptions, KeySets, WebIdentity};

/// The service.
pub struct Sts {
    database: Arc<Database>,
    roles: Arc<dyn Roles>,
    evidence: Option<Arc<dyn Evidence>>,
    web_identity: Option<WebIdentity>,
}

impl Sts {
    /// The service; `database` holds the keys that seal tokens.
    pub fn new(database: Arc<Database>, roles: Arc<dyn Roles>) -> Sts {
        Sts { database, roles, evidence: None, web_identity: None }
    }

    /// Takes one-time passwords and tokens of identity providers too; without, nobody has any.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Arc<dyn Evidence>, web_identity: WebIdentity) -> Sts {
        (self.evidence, self.web_identity) = (Some(evidence), Some(web_identity));
        self
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_sts_model::ops::mount(router, self);
    }
}
