//! AWS Organizations: one account manages others, and lays policies over them.
//!
//! What it guarantees:
//! * Service control policies bind every call of every principal of a member account, root users
//!   included, and resource control policies every call on a member account's resources: each level
//!   from the root down must allow. The management account and service-linked roles are free of them.
//! * A change binds the very next call: what is kept in memory is never older than an acknowledged
//!   write, and a call that finds nothing changed reads no store.
//! * Each change is decided on one state of the whole organization, and is one transaction.
//! * An account that was asked for is made exactly once, also when haechi is stopped meanwhile.
//!
//! Source of behaviour: Organizations API Reference and User Guide, 2026.
//!
//! ```text
//! op/*.rs          one operation each: admit, decide, save
//! organization.rs  an organization as it stands (pure): tree, policies, what hangs where
//! load.rs          account ─► organization; all organizations ─► guardrails of every call
//! change.rs        a change in the making; ids
//! authz.rs         management account, delegated administrators, the resource policy
//! policy.rs        types of policies, checks, AWS's own policies
//! effective.rs     what the management policies on an account's line come to (pure)
//! accounts.rs      names and addresses of accounts; joining and leaving
//! creation.rs      jobs: an account that was asked for; what a deleted organization leaves
//! delegation.rs    names of services
//! handshake.rs     invitations
//! quotas.rs        how often an account may ask
//! store.rs         records, and where they lie
//! ```

mod accounts;
mod authz;
mod change;
mod creation;
mod delegation;
mod effective;
mod error;
mod handshake;
mod load;
mod op;
mod organization;
mod paging;
mod policy;
mod quotas;
mod show;
mod store;
mod tags;

use std::sync::Arc;

use haechi_core::{Database, Env, Jobs, Router};

pub use accounts::{AccountSummary, Accounts};
pub use quotas::{REQUEST_QUOTAS, TOO_MANY_REQUESTS};

/// The service.
pub struct Organizations {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    accounts: Arc<dyn Accounts>,
}

impl Organizations {
    /// The service over its records. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: Arc<Jobs>,
        accounts: Arc<dyn Accounts>,
    ) -> Organizations {
        let creations = creation::CreateAccounts {
            database: Arc::clone(&database),
            accounts: Arc::clone(&accounts),
        };
        jobs.handle(creation::CREATE_ACCOUNT, Arc::new(creations));
        let sweep = creation::Sweep { database: Arc::clone(&database) };
        jobs.handle(creation::SWEEP, Arc::new(sweep));
        Organizations { database, env, jobs, accounts }
    }

    /// Mounts its operations, and lays its guardrails over the calls of all services.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_organizations_model::ops::mount(router, self);
        router.guard(Arc::clone(self) as _);
        self.env.guard(Arc::clone(self) as _);
    }
}
