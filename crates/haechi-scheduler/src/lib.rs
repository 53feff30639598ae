//! Amazon EventBridge Scheduler: at a time, or again and again, a target is called.
//!
//! What it guarantees:
//! * A time of a schedule calls its target once, also after `kill -9`: that it fell due, what is to
//!   be called and when it falls due next are one transaction. A call that was cut off is made again.
//! * Targets are called in the name of the schedule's role: its trust policy must let
//!   `scheduler.amazonaws.com` assume it, and its own policies decide what the call may do. Whoever
//!   makes a schedule must be allowed to pass the role.
//! * A call that fails is made again for as long as the retry policy says, then its payload goes to
//!   the dead-letter queue.
//!
//! Source of behaviour: EventBridge Scheduler User Guide and API Reference, 2026; recordings.
//!
//! ```text
//! op/*.rs         one operation each
//! group.rs        groups of schedules
//! schedule.rs     schedules: what is accepted, how they are shown
//! target.rs       targets: what is accepted, how they are shown, what is called
//! plan.rs         when a schedule falls due (pure)
//! invocation.rs   jobs: schedules fall due, targets are called
//! store.rs        records, and where they lie
//! ```

mod group;
mod invocation;
mod op;
mod plan;
mod schedule;
mod store;
mod target;

use std::sync::Arc;

use async_trait::async_trait;
use haechi_core::{Database, Env, Jobs, Region, RoleSession, Router, ServiceRoles};
use haechi_wire::Fault;

/// A call of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service, as in credential scopes (`sqs`).
    pub service: String,
    /// The operation (`SendMessage`).
    pub operation: String,
    /// Its input, as JSON.
    pub input: serde_json::Value,
}

/// Why a call was not done.
#[derive(Debug)]
pub enum Refusal {
    /// It will not be done later either.
    Permanent {
        /// The code of the error.
        code: String,
        /// In the service's words.
        message: String,
    },
    /// It may be done later.
    Temporary {
        /// The code of the error.
        code: String,
        /// In the service's words.
        message: String,
    },
}

/// The APIs that schedules call: the other services, wired by the binary.
#[async_trait]
pub trait Calls: Send + Sync + 'static {
    /// Whether an operation can be called.
    fn has(&self, service: &str, operation: &str) -> bool;

    /// Makes a call in the name of a role.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn call(&self, role: &RoleSession, region: &Region, call: &Call) -> Result<(), Refusal>;
}

/// The service.
pub struct Scheduler {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    roles: Arc<dyn ServiceRoles>,
    calls: Arc<dyn Calls>,
}

impl Scheduler {
    /// The service over its records. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: Arc<Jobs>,
        roles: Arc<dyn ServiceRoles>,
        calls: Arc<dyn Calls>,
    ) -> Arc<Scheduler> {
        let scheduler =
            Arc::new(Scheduler { database, env, jobs: Arc::clone(&jobs), roles, calls });
        let weak = || Arc::downgrade(&scheduler);
        jobs.handle(invocation::DUE, Arc::new(invocation::FallingDue { scheduler: weak() }));
        jobs.handle(invocation::INVOCATION, Arc::new(invocation::Invoking { scheduler: weak() }));
        scheduler
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_scheduler_model::ops::mount(router, self);
    }
}

pub(crate) fn invalid(message: impl Into<String>) -> haechi_scheduler_model::Error {
    haechi_scheduler_model::Error::ValidationException(message.into())
}

/// A fault as a refusal of a call.
impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        let message = fault.to_string();
        match fault {
            Fault::AccessDenied(message) => {
                Refusal::Permanent { code: "AccessDeniedException".to_owned(), message }
            }
            Fault::Unavailable { .. } | Fault::Internal(_) | Fault::Conflict | Fault::Throttled => {
                Refusal::Temporary { code: "InternalServerException".to_owned(), message }
            }
            _ => Refusal::Permanent { code: "ValidationException".to_owned(), message },
        }
    }
}
