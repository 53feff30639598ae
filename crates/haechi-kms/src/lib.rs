//! AWS Key Management Service.
//!
//! What it guarantees:
//! * Key material never leaves: it is stored wrapped, and is plaintext only in zeroizing memory.
//! * A key's own policy decides first. Without its leave, or its delegation to the account, no
//!   IAM policy opens it; across accounts both must allow.
//! * Nothing is done with a key before the decision: a key is loaded as `Unchecked`, and what
//!   touches material asks for a `Permit`.
//! * A ciphertext opens under the key that made it, with the encryption context that it was made
//!   with, or not at all; the caller does not learn which was wrong.
//! * A key scheduled for deletion is beyond use at once, and beyond recovery at its date.
//!
//! Source of behaviour: AWS KMS API Reference and Developer Guide, 2026.
//!
//! ```text
//! op/*.rs        one operation each: load, authorise, decide, save
//! identifier.rs  what a caller may name a key by
//! key.rs         states of a key, and what each admits (pure)
//! alias.rs       names of aliases
//! policy.rs      key policies: the default, checks before one is accepted
//! authz.rs       Unchecked key ─► key and Permit; condition keys
//! grant.rs       what a grant gives, to whom (pure)
//! grants.rs      grants in the store, and their tokens
//! managed.rs     keys that services have in each account
//! material.rs    what is done with key material, given a Permit
//! asymmetric.rs  what key pairs and HMAC keys do
//! store.rs       rows, and keys made ready from them; key_text.rs: long text beside them
//! spec.rs        what a key spec can be used for (pure)
//! rotation.rs    when a key gets new material
//! multi_region.rs  one key in several Regions
//! peering.rs     Regions of a key that another deployment serves
//! import.rs      key material that the customer brings; import_token.rs
//! custom_key_store.rs  keys whose backing key lies in a token or behind a proxy
//! proxied.rs     keys of this KMS as external keys of another
//! workers.rs     threads for RSA
//! inspect.rs     what decides about a key, for the operator
//! key_count.rs   how many keys an account may have
//! quotas.rs      how many requests it may make
//! usage.rs       which keys are used, when last, how often
//! jobs.rs        deletion at its date
//! ```

mod alias;
mod asymmetric;
mod authz;
mod custom_key_store;
mod grant;
mod grants;
mod identifier;
mod import;
mod import_token;
mod inspect;
mod jobs;
mod key;
mod key_count;
mod key_text;
mod managed;
mod material;
mod metadata;
mod multi_region;
mod op;
mod paging;
mod peering;
mod policy;
mod proxied;
mod quotas;
mod request;
mod rotation;
mod spec;
mod store;
mod tags;
mod usage;
mod workers;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use haechi_core::{Database, Env, Jobs, Router};
use haechi_crypto::{SecretBytes, SymmetricMaterial};
use haechi_peer::Peers;

use custom_key_store::forget::{FORGET_BACKING_KEY, ForgetBackingKey};

pub use custom_key_store::{CloudHsmCluster, KeyStoreSurroundings};
pub use inspect::InspectedKey;
pub use proxied::ProxiedKey;
pub use quotas::{KEY_QUOTAS, REQUEST_QUOTAS};
pub use usage::{KeyUsage, LastUse};

/// The service.
pub struct Kms {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    /// Stands in for the material of blobs that nobody made, so that they take as long to refuse.
    dummy: SymmetricMaterial,
    workers: workers::Workers,
    usage: usage::Usage,
    key_counts: key_count::KeyCounts,
    known_grants: grants::Memory,
    key_stores: OnceLock<Arc<KeyStoreSurroundings>>,
    peers: peering::PeerSlot,
    /// The Regions that are served here, where the operator has said which.
    served: OnceLock<BTreeSet<String>>,
}

impl Kms {
    /// The service over its records. Registers its jobs.
    pub fn new(database: Arc<Database>, env: Env, jobs: Arc<Jobs>) -> Kms {
        let peers = peering::PeerSlot::default();
        let delete = jobs::DeleteKey::new(Arc::clone(&database), env.clone(), peers.clone());
        jobs.handle(jobs::DELETE_KEY, Arc::new(delete));
        let rotate = rotation::RotateKey::new(Arc::clone(&database), env.clone(), peers.clone());
        jobs.handle(rotation::ROTATE_KEY, Arc::new(rotate));
        jobs.handle(rotation::TELL_ROTATION, Arc::new(rotation::TellRotation(env.clone())));
        let expire = import::ExpireMaterial::new(Arc::clone(&database), env.clone(), peers.clone());
        jobs.handle(import::EXPIRE_MATERIAL, Arc::new(expire));
        peering::handle_jobs(&jobs, &database, &peers);
        let dummy = SymmetricMaterial::new(SecretBytes::take(&mut [0; 32]));
        let workers = workers::Workers::new();
        let usage = usage::Usage::default();
        let (key_counts, key_stores) = (key_count::KeyCounts::default(), OnceLock::new());
        Kms {
            database,
            env,
            jobs,
            dummy,
            workers,
            usage,
            key_counts,
            known_grants: grants::Memory::default(),
            key_stores,
            peers,
            served: OnceLock::new(),
        }
    }

    /// Gives custom key stores their networks and tokens, once. Without it there are none.
    pub fn use_key_stores(&self, surroundings: KeyStoreSurroundings) {
        let surroundings = self.key_stores.get_or_init(|| Arc::new(surroundings));
        let forget = ForgetBackingKey::new(Arc::clone(surroundings));
        self.jobs.handle(FORGET_BACKING_KEY, Arc::new(forget));
    }

    /// Serves these Regions alone, once. Without it, all that AWS has.
    pub fn serve_only(&self, regions: BTreeSet<String>) {
        self.served.get_or_init(|| regions);
    }

    /// Lets other deployments serve Regions, once. Without it all are served here.
    pub fn use_peers(&self, peers: Arc<Peers>) {
        self.peers.set(peers);
    }

    /// Mounts every operation of `models/kms.ops`; one without a handler does not compile.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_kms_model::ops::mount(router, self);
    }
}
