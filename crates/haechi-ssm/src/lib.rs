//! AWS Systems Manager Parameter Store.
//!
//! What it guarantees:
//! * A change is there whole or not at all: the new version, what becomes of the oldest, labels,
//!   counts, the jobs of its policies and its event are one transaction.
//! * The value of a `SecureString` is encrypted by KMS in the name of whoever writes it, and
//!   decrypted in the name of whoever reads it, each time: a key's policy binds the very next read.
//! * A page of a path or of a list costs as much as it shows, however many parameters there are.
//! * A version that has a label is not lost to newer ones.
//! * What a policy demands happens once, also when its time came while haechi was down.
//!
//! Other parts of Systems Manager are not here. Source of behaviour: Systems Manager API Reference
//! and User Guide, 2026.
//!
//! ```text
//! op/*.rs       one operation each: load, authorise, decide, save
//! name.rs       names, paths, ARNs and selectors (pure)
//! data_type.rs  what values of a data type look like (pure)
//! draft.rs      from a request to the next version (pure)
//! tier.rs       standard or advanced (pure)
//! count.rs      how many there are
//! policies.rs   Expiration, ExpirationNotification, NoChangeNotification
//! jobs.rs       what falls due of them
//! secure.rs     values under KMS; envelope.rs: those of advanced parameters
//! read.rs       from what a caller names to what he may see
//! public.rs     the public namespace /aws/service; secrets.rs: secrets read as parameters
//! filters.rs    filters of lists and paths (pure)
//! authz.rs      condition keys
//! events.rs     what EventBridge is told
//! settings.rs   service settings
//! store.rs      records, and where they lie
//! ```

mod authz;
mod count;
mod data_type;
mod draft;
mod envelope;
mod error;
mod events;
mod filters;
mod jobs;
mod name;
mod op;
mod policies;
mod public;
mod quotas;
mod read;
mod secrets;
mod secure;
mod settings;
mod store;
mod tags;
mod tier;

use std::sync::Arc;

use haechi_core::{Database, Env, Jobs, Router};

pub use public::{PublicParameters, PublicParametersError};
pub use quotas::REQUEST_QUOTAS;
pub use secrets::Secrets;
pub use secure::Keys;

/// The service.
pub struct Ssm {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    keys: Arc<dyn Keys>,
    secrets: Option<Arc<dyn Secrets>>,
    public: PublicParameters,
    rows: Arc<count::Rows>,
}

impl Ssm {
    /// The service over its records, with KMS for `SecureString`s. Registers its jobs.
    pub fn new(database: Arc<Database>, env: Env, jobs: Arc<Jobs>, keys: Arc<dyn Keys>) -> Ssm {
        let rows = count::Rows::new(&env);
        let policies =
            jobs::EnforcePolicy::new(Arc::clone(&database), env.clone(), Arc::clone(&rows));
        jobs.handle(policies::JOB, Arc::new(policies));
        jobs.handle(jobs::SWEEP, Arc::new(jobs::Sweep));
        let public = PublicParameters::default();
        Ssm { database, env, jobs, keys, secrets: None, public, rows }
    }

    /// Lets secrets be read as parameters, under `/aws/reference/secretsmanager/`.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<dyn Secrets>) -> Ssm {
        self.secrets = Some(secrets);
        self
    }

    /// Serves the operator's public parameters, under `/aws/service/`.
    #[must_use]
    pub fn with_public_parameters(mut self, public: PublicParameters) -> Ssm {
        self.public = public;
        self
    }

    /// Mounts every operation of `models/ssm.ops`; one without a handler does not compile.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_ssm_model::ops::mount(router, self);
    }
}
