//! Amazon EventBridge: events go by rules from buses to targets.
//!
//! What it guarantees:
//! * An event exists if and only if the change that it tells of was committed
//!   (`haechi_core::event`); what rules make of it is decided in one transaction, so that every
//!   target of every rule that matches gets it, at least once, also after `kill -9`.
//! * A target that cannot be reached is tried again for as long as its retry policy says, then the
//!   event goes to its dead-letter queue. A target whose policy refuses gets no second try.
//! * A target's own policy decides, with `aws:SourceArn` the rule's: nothing is delivered because a
//!   rule says so alone.
//!
//! What is missing answers 501: schedules, archives, API destinations, targets other than SQS
//! queues and event buses of the same account and Region.
//!
//! Source of behaviour: EventBridge API Reference and User Guide, 2026; recordings.
//!
//! ```text
//! op/*.rs         one operation each
//! bus.rs          buses by name or ARN, and whether the caller may
//! rule.rs         rules of a bus, compiled and kept
//! target.rs       targets: what is accepted, how they are shown
//! transform.rs    what of an event a target gets (pure)
//! delivery.rs     jobs: events meet rules, targets get them
//! tags.rs         tags on buses and rules
//! store.rs        records, and where they lie
//! ```

mod bus;
mod delivery;
mod op;
mod paging;
mod rule;
mod store;
mod tags;
mod target;
mod transform;

use std::sync::Arc;

use haechi_core::event::EVENT_JOB;
use haechi_core::{Database, Env, Jobs, Router};

pub use delivery::{Message, Refusal, Targets};

/// The service.
pub struct Events {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
}

impl Events {
    /// The service over its records. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: Arc<Jobs>,
        targets: Arc<dyn Targets>,
    ) -> Arc<Events> {
        let events = Arc::new(Events { database, env: env.clone(), jobs: Arc::clone(&jobs) });
        jobs.handle(EVENT_JOB, Arc::new(delivery::Matching { events: Arc::downgrade(&events) }));
        let continuing = delivery::Continuing { events: Arc::downgrade(&events) };
        jobs.handle(delivery::CONTINUATION, Arc::new(continuing));
        jobs.handle(delivery::DELIVERY, Arc::new(delivery::Delivering { env, targets }));
        events
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_events_model::ops::mount(router, self);
    }
}
