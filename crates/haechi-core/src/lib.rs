//! What every service stands on.
//!
//! A service is a struct that implements [`Handle`] for each of its operations. The gateway turns
//! HTTP into a typed input and a [`Cx`]: who calls ([`Caller`]), in which Region, at what time.
//! The handler loads rows through the [`Database`], asks [`Cx::authorize`] for a [`Permit`],
//! decides, and commits one [`Batch`]. It never sees a request that is not authenticated, and what
//! it does is audited whatever comes of it.
//!
//! ```text
//! operation.rs  Operation, Handle      an API operation as a type, and who handles it
//! router.rs     Router                 operation name ─► handler
//! cx.rs         Cx                     one call: caller, Region, time, notes for the audit
//! made.rs       MadeCall               what services call on behalf of a caller
//! authorize.rs  Ask, Permit            the decision, as a value that cannot be forged
//! authorization_message.rs             a denial that only some may read
//! caller.rs     Caller, Identities     who calls, and how a key id becomes a caller
//! session.rs    SessionClaims, Roles   what a session token says; what STS asks of IAM
//! service_roles.rs          what services do in the name of a user's role
//! evidence.rs   Evidence              MFA codes, identity providers; what STS asks of IAM too
//! guardrails.rs Guardrails             what an organization lays over its accounts
//! principals.rs PrincipalIds           whom resource policies mean: unique ids for names
//! cluster.rs    Cluster, Ownership     several nodes over one store
//! database.rs   Database, Batch        sealed records over a store, cached, in transactions
//! path.rs       Path                   storage keys; user-given names in them are hidden
//! jobs.rs       Jobs                   duties that fall due, durable
//! intent.rs     Intents              what tells of a change until its call is recorded
//! env.rs        Env, Clock             time, randomness, ids: injected, so that tests can move them
//! event.rs      Event                 what services tell EventBridge, in the batch of the change
//! document.rs   Documents              files that anybody may fetch
//! audit.rs      AuditLog, AuditReader  where records of calls go before an answer leaves
//! name.rs       AccountId, Region      names that are valid once they exist
//! regions.rs    Regions                which Regions are served here
//! paging.rs     Cursor                 markers and tokens of paged answers
//! access_key_id.rs                     ids of access keys, which name their account
//! url.rs                    URLs as they may be shown: without passwords
//! ```

pub mod access_key_id;
pub mod audit;
pub mod authorization_message;
pub mod authorize;
mod cache;
pub mod caller;
pub mod cluster;
pub mod cx;
pub mod database;
pub mod document;
pub mod env;
pub mod event;
pub mod evidence;
pub mod facts;
pub mod guardrails;
pub mod intent;
pub mod jobs;
pub mod made;
pub mod name;
pub mod operation;
pub mod paging;
pub mod path;
pub mod principals;
pub mod quota;
pub mod regions;
pub mod router;
pub mod service_event;
mod service_linked;
pub mod service_roles;
pub mod session;
pub mod url;

pub use audit::{
    AuditError, AuditLog, AuditPosition, AuditReadError, AuditReader, AuditWindow, Visit,
};
pub use authorize::{Ask, Denied, NoContext, Permit, Unchecked};
pub use caller::{Caller, Credential, Identities, PrincipalPolicies};
pub use cluster::{Claim, Cluster, FORMAT, NodeRow, NodeState, Ownership, RecordFormat};
pub use cx::{Cx, RequestInfo, Resource, Source};
pub use database::{Batch, Database, Listing, Loaded, Record};
pub use document::{Document, Documents};
pub use env::{Clock, Env, MovableClock, SystemClock};
pub use event::Event;
pub use evidence::{Evidence, MfaError, OidcProvider, SamlProvider};
pub use facts::Facts;
pub use guardrails::{GuardrailSource, Guardrails};
pub use intent::{Intent, Intents};
pub use jobs::{Job, JobHandler, Jobs};
pub use made::MadeCall;
pub use name::{AccountId, Region};
pub use operation::{Handle, Operation};
pub use path::Path;
pub use principals::{PrincipalIds, Principals};
pub use regions::Regions;
pub use router::Router;
pub use service_event::{ServiceEvent, record_service_events};
pub use service_linked::ServiceLinkedRole;
pub use service_roles::{RoleSession, ServiceRoles};
pub use session::{AssumableRole, Roles, Session, SessionClaims, SessionHolder};
