//! AWS Secrets Manager.
//!
//! What it guarantees:
//! * A value is stored under a data key of KMS only, made and opened in the caller's name: whoever
//!   may not use the key does not get the value, whatever the secret's policies say.
//! * Staging labels move in one transaction: there is no moment at which a secret that had an
//!   `AWSCURRENT` version has none, or two.
//! * A rotation that was begun goes on after a crash where it was, and ends with a secret that
//!   works.
//! * A replica says what its primary says; nobody writes to it.
//!
//! Source of behaviour: AWS Secrets Manager API Reference and User Guide, 2026; our recordings.
//!
//! ```text
//! op/*.rs       one operation each: load, authorise, decide, save
//! name.rs       names and ARNs, and what a caller may name a secret by
//! secret.rs     a secret, its versions and labels (pure)
//! store.rs      rows; loading for a decision
//! draft.rs      a secret that is about to be changed, with its replicas
//! authz.rs      Unchecked secret ─► secret and Permit; condition keys
//! ahead.rs      values that are too many for one transaction
//! vault.rs      values under data keys of KMS
//! value.rs      what a request may give as a value
//! tags.rs, policy.rs, filters.rs, listing.rs, password.rs   parts of single operations
//! replica.rs    one secret in several Regions
//! cross_account.rs   its copy in another account
//! schedule.rs   when a rotation falls due (pure)
//! rotation.rs   what a secret knows of its rotation; its jobs
//! engine.rs     the four steps of a rotation, between which a crash may come
//! deletion.rs   the end of the recovery window
//! events.rs     what CloudTrail and EventBridge are told
//! quotas.rs     requests per second
//! words.rs      AWS's error messages
//! ```

mod ahead;
mod authz;
mod cross_account;
mod deletion;
mod draft;
mod elsewhere;
mod engine;
mod events;
mod filters;
mod listing;
mod name;
mod op;
mod password;
mod policy;
mod quotas;
mod replica;
mod rotation;
mod schedule;
mod secret;
mod store;
mod tags;
mod value;
mod vault;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use haechi_core::{Database, Env, Jobs, Router};
use tokio::sync::{Mutex, Notify};

pub use engine::{Credentials, RotationError, RotationFunctions, Rotator, Target};
pub use quotas::REQUEST_QUOTAS;
pub use rotation::{BUILT_IN_PREFIX, built_in_arn};
pub use vault::Keys;

/// The service.
pub struct SecretsManager {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    keys: Arc<dyn Keys>,
    rotators: BTreeMap<&'static str, Arc<dyn Rotator>>,
    /// Functions of users.
    functions: OnceLock<Arc<dyn RotationFunctions>>,
    /// Secrets whose functions are called right now, by their keys.
    calling: std::sync::Mutex<BTreeSet<String>>,
    /// Rotations wait to be gone on with.
    rotate: Arc<Notify>,
    /// One round of rotations at a time.
    rotating: Mutex<()>,
    peers: elsewhere::PeerSlot,
}

impl SecretsManager {
    /// The service over its records and the keys of KMS. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: Arc<Jobs>,
        keys: Arc<dyn Keys>,
    ) -> SecretsManager {
        let rotate = Arc::new(Notify::new());
        let delete = deletion::DeleteSecretJob { database: Arc::clone(&database) };
        jobs.handle(deletion::DELETE_SECRET, Arc::new(delete));
        let told = events::TellVersions { env: env.clone() };
        jobs.handle(events::TELL_VERSIONS, Arc::new(told));
        let unlisted = ahead::DeleteUnlisted { database: Arc::clone(&database) };
        jobs.handle(ahead::UNLISTED, Arc::new(unlisted));
        let begin = rotation::BeginRotation {
            database: Arc::clone(&database),
            env: env.clone(),
            rotate: Arc::clone(&rotate),
        };
        jobs.handle(rotation::ROTATE_SECRET, Arc::new(begin));
        let peers = elsewhere::PeerSlot::default();
        let (rows, slot) = (Arc::clone(&database), peers.clone());
        let tell = Arc::new(elsewhere::TellReplica { database: rows, peers: slot });
        jobs.handle(elsewhere::TELL, Arc::clone(&tell) as _);
        jobs.handle(elsewhere::LEFT, tell);
        let (rotators, rotating) = (BTreeMap::new(), Mutex::new(()));
        let (functions, calling) = (OnceLock::new(), std::sync::Mutex::default());
        SecretsManager {
            database,
            env,
            jobs,
            keys,
            rotators,
            functions,
            calling,
            rotate,
            rotating,
            peers,
        }
    }

    /// Adds a rotator that needs no function: secrets name it by [`built_in_arn`].
    #[must_use]
    pub fn with_rotator(mut self, name: &'static str, rotator: Arc<dyn Rotator>) -> Self {
        self.rotators.insert(name, rotator);
        self
    }

    /// Names who calls functions of users.
    pub fn call_functions(&self, functions: Arc<dyn RotationFunctions>) {
        self.functions.get_or_init(|| functions);
    }

    /// Lets other deployments serve Regions, once. Without it all are served here.
    pub fn use_peers(&self, peers: Arc<haechi_peer::Peers>) {
        self.peers.set(peers);
    }

    /// Mounts every operation of `models/secretsmanager.ops`; one without a handler does not
    /// compile.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_secretsmanager_model::ops::mount(router, self);
    }
}
