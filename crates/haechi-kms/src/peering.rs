//! Regions of a multi-Region key that another deployment serves.
//!
//! The deployment of the primary is the authority for what the Regions have in common: which they
//! are, the material, automatic rotation. With each change it raises a version and tells the others
//! the whole state (`tell.rs`), again and again until they confirm; they take a newer version from
//! the authority alone (`take.rs`). What is a Region's own (policy, aliases, state, tags, grants)
//! nobody tells. The other way go reports (`report.rs`): which replicas there are, and which of the
//! material that a customer brings.
//!
//! ```text
//! /kms-link/<account>/<key id>     LinkRecord: on each side, of a key with Regions elsewhere
//!
//! primary here:  change ─► version 7 ─► job: tell peer ─► it confirms 7 ─► what waited goes on
//! replica here:  version 7 arrives ─► rows and link in one transaction ─► confirmed
//! ```
//! A rotation waits (`awaits` in its material) until all peers have confirmed the version that holds
//! the new material; only then the primary encrypts with it. Nothing else waits for peers.
//!
//! A replica has a birth: the version in which it was asked for. Where it was deleted the birth is
//! kept (`buried`), so that no message that is late makes it again.

mod link;
mod report;
mod take;
mod tell;

use std::sync::{Arc, OnceLock};

use haechi_core::{Database, Jobs};
use haechi_crypto::MaterialContext;
use haechi_peer::{Peers, Refusal};
use haechi_wire::Fault;

pub(crate) use link::{Birth, Elsewhere};

/// The other deployments, once they are known.
#[derive(Clone, Default)]
pub(crate) struct PeerSlot(Arc<OnceLock<Arc<Peers>>>);

impl PeerSlot {
    pub(crate) fn set(&self, peers: Arc<Peers>) {
        self.0.get_or_init(|| peers);
    }

    pub(crate) fn get(&self) -> Option<&Arc<Peers>> {
        self.0.get()
    }
}

/// Registers the jobs that tell peers.
pub(crate) fn handle_jobs(jobs: &Jobs, database: &Arc<Database>, peers: &PeerSlot) {
    let tell = tell::TellPeer { database: Arc::clone(database), peers: peers.clone() };
    let report = report::ReportKey(tell.clone());
    jobs.handle(link::TELL_PEER, Arc::new(tell));
    jobs.handle(link::REPORT_KEY, Arc::new(report));
}

/// Why a message was not taken.
pub(crate) enum NotTaken {
    Refused(Refusal),
    Fault(Fault),
}

impl From<Refusal> for NotTaken {
    fn from(refusal: Refusal) -> Self {
        NotTaken::Refused(refusal)
    }
}

impl From<Fault> for NotTaken {
    fn from(fault: Fault) -> Self {
        NotTaken::Fault(fault)
    }
}

/// How often a message is taken anew when somebody else writes to the key meanwhile.
const ATTEMPTS: usize = 8;

/// What a peer is told.
fn outcome<T>(taken: Result<T, NotTaken>) -> Result<T, Refusal> {
    taken.map_err(|not_taken| match not_taken {
        NotTaken::Refused(refusal) => refusal,
        NotTaken::Fault(fault) => {
            tracing::error!(error = ?fault, "a message of a peer could not be taken");
            Refusal::new("it failed here: see the log of this deployment")
        }
    })
}

/// What the fingerprint of imported material is sealed as.
fn fingerprint_of(context: &MaterialContext<'_>) -> Vec<u8> {
    let parts = ["key-material-fingerprint", context.account, context.key_id, context.material_id];
    parts.join("/").into_bytes()
}
