//! AWS CloudTrail.
//!
//! Every call's record is in the audit log before the call is answered; this service reads that
//! log. What it guarantees:
//! * A caller sees the records of its own account and Region, and no others; those of all nodes that
//!   serve.
//! * A trail that logs misses no record: deliveries go on where the last one ended, also after a
//!   crash, which may at most write the same file again.
//! * EventBridge is told of each call that a trail keeps and a rule wants, once.
//! * What was delivered cannot be changed unnoticed: digest files are signed, name each log file's
//!   hash, and form a chain; `aws cloudtrail validate-logs` and `haechi audit verify` check it.
//!
//! Source of behaviour: AWS CloudTrail API Reference and User Guide, 2026; AWS CLI's validator.
//!
//! ```text
//! op/*.rs         one operation each: authorise, load, decide, save
//! event.rs        the parts of a record that are asked for
//! lookup.rs       LookupEvents' filter and token
//! merge.rs        the same among several nodes
//! trail.rs        a trail, and which records it wants
//! name.rs         names of trails, buckets and prefixes
//! organization.rs who may have a trail of an organization
//! quotas.rs       requests per second
//! selectors.rs    event selectors, basic and advanced
//! store.rs        rows
//! delivery.rs     the sink that files go to
//! deliver.rs      the job: from the audit log to log files
//! announce.rs     tells EventBridge of calls
//! log_file.rs     a log file and its name
//! digest.rs       digest files, signed and chained
//! signing_key.rs  key pairs of a Region
//! verify.rs       checks what was delivered
//! ```

mod announce;
mod deliver;
mod delivery;
mod digest;
mod event;
mod log_file;
mod lookup;
mod merge;
mod name;
mod op;
mod organization;
mod quotas;
mod selectors;
mod signing_key;
mod store;
mod trail;
mod verify;

use std::sync::{Arc, OnceLock};

use haechi_core::{AuditReader, Database, Env, GuardrailSource, Jobs, Router};
use haechi_wire::Fault;

pub use delivery::{Delivery, DeliveryError, FolderDelivery, NoDelivery, Object};
pub use merge::OtherNodes;
pub use quotas::REQUEST_QUOTAS;
pub use verify::{Trust, Verified, verify};

/// The service.
pub struct CloudTrail {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    audit: Arc<dyn AuditReader>,
    memberships: Memberships,
    others: OnceLock<Arc<dyn OtherNodes>>,
}

/// Who knows which account is in which organization: named once, after the job was registered.
type Memberships = Arc<OnceLock<Arc<dyn GuardrailSource>>>;

impl CloudTrail {
    /// The service over its records and the audit log; trails deliver to `delivery`. Registers its
    /// job.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: Arc<Jobs>,
        audit: Arc<dyn AuditReader>,
        delivery: Arc<dyn Delivery>,
    ) -> CloudTrail {
        let memberships = Memberships::default();
        let deliver = deliver::Deliver {
            memberships: Arc::clone(&memberships),
            database: Arc::clone(&database),
            env: env.clone(),
            audit: Arc::clone(&audit),
            delivery,
        };
        jobs.handle(deliver::DELIVER, Arc::new(deliver));
        CloudTrail { database, env, jobs, audit, memberships, others: OnceLock::new() }
    }

    /// Lets trails of organizations keep what their members do.
    #[must_use]
    pub fn with_organizations(self, source: Arc<dyn GuardrailSource>) -> CloudTrail {
        self.memberships.get_or_init(|| source);
        self
    }

    /// Has lookups ask the other nodes, too.
    pub fn among(&self, others: Arc<dyn OtherNodes>) {
        self.others.get_or_init(|| others);
    }

    /// Mounts every operation of `models/cloudtrail.ops`; one without a handler does not compile.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_cloudtrail_model::ops::mount(router, self);
    }
}

/// Runs what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(Fault::internal)?
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// SHA-256.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref());
    hash
}
