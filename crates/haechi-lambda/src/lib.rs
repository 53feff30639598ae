//! AWS Lambda: functions in Python, Node.js or any program, that run here.
//!
//! What it guarantees:
//! * A function runs with the temporary credentials of its role, which must trust Lambda, and with
//!   nothing else of haechi's.
//! * Whoever invokes it is allowed to by his policies or the function's; services by the latter.
//! * An asynchronous invocation that was acknowledged is a row until the function took it, or its
//!   tries are spent: it happens at least once, also after `kill -9`.
//! * Code is trusted as far as `haechi-sandbox` shuts it in; where parts of that do not work,
//!   functions do not run unless the operator says so.
//!
//! Source of behaviour: Lambda API Reference and Developer Guide, 2026; recordings.
//!
//! ```text
//! op/*.rs           one operation each
//! reference.rs      what a caller may name a function by
//! function.rs       a function that exists, and whether the caller may
//! configuration.rs  what can be set, defaults, checks, how it is shown
//! code.rs           archives: checked, kept in pieces, unpacked
//! code_link.rs      links by which archives are fetched
//! runtimes.rs       which runtimes there are
//! mapping.rs        event source mappings: what can be set, checks, how they are shown
//! poll.rs           job: a queue is read, and its messages handed to the function
//! records.rs        messages as functions get them, and what functions answer (pure)
//! policy.rs         statements of resource policies
//! role.rs           the execution role: who may pass it, and its credentials
//! invoke.rs         an invocation from beginning to end
//! room.rs           room for unpacked code on this node
//! runner.rs         instances: which are warm, how many may be
//! start.rs          what an instance sees: environment, files, what it can reach
//! log.rs            logs of functions
//! platform.rs       what Lambda itself writes into them
//! event.rs          job: asynchronous invocations, tries, dead letters, destinations
//! deliver.rs        invocations by other services
//! sweep.rs          what no function has: archives, versions, aliases, unpacked code
//! store.rs          records, and where they lie
//! words.rs          AWS's error messages
//! ```

mod code;
mod code_link;
mod configuration;
mod deliver;
mod event;
mod function;
mod invoke;
mod log;
mod mapping;
mod op;
mod paging;
mod platform;
mod policy;
mod poll;
mod records;
mod reference;
mod role;
mod room;
mod runner;
mod runtimes;
mod start;
mod store;
mod sweep;
mod words;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use haechi_core::{Database, Env, Jobs, Router};
use tokio::sync::Semaphore;

pub use deliver::Delivery;
pub use log::{log_file, log_file_before};
pub use records::{EventQueue, QueueAttribute, QueueMessage, QueueRefusal};
pub use role::{ExecutionRoles, Message, RoleCredentials};
pub use runner::Runner;
pub use start::{Endpoint, Network, Options, RuntimeOptions};

/// The service.
pub struct Lambda {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    roles: Arc<dyn ExecutionRoles>,
    runner: Runner,
    /// Leave to work on batches of an event source mapping, by its generation.
    at_work: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Lambda {
    /// The service over its records. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: &Arc<Jobs>,
        roles: Arc<dyn ExecutionRoles>,
    ) -> Arc<Lambda> {
        let runner = Runner::new(env.clone());
        let jobs = Arc::clone(jobs);
        let lambda =
            Arc::new(Lambda { database, env, jobs, roles, runner, at_work: Mutex::default() });
        let events = event::Events { lambda: Arc::downgrade(&lambda) };
        lambda.jobs.handle(event::EVENT, Arc::new(events));
        let polls = poll::Polls { lambda: Arc::downgrade(&lambda) };
        lambda.jobs.handle_endless(poll::POLL, Arc::new(polls));
        let sweep = sweep::Sweep { database: Arc::clone(&lambda.database) };
        lambda.jobs.handle(sweep::SWEEP, Arc::new(sweep));
        let left = sweep::Leftovers { database: Arc::clone(&lambda.database) };
        lambda.jobs.handle(sweep::LEFT, Arc::new(left));
        lambda
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_lambda_model::ops::mount(router, self);
        router.document(code_link::LINKS, Arc::clone(self) as _);
        // Code comes in Base64 in a JSON document, with everything else that there is to say.
        router
            .take_bodies(&haechi_lambda_model::ops::SERVICE, code::ZIPPED_MAX / 3 * 4 + (1 << 20));
    }

    /// Where instances run.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }
}
