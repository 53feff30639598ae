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
//! * A rule that falls due by time tells its targets once for each time.
//!
//! What is missing answers 501: archives and replays, API destinations, endpoints, partner sources.
//!
//! Source of behaviour: EventBridge API Reference and User Guide, 2026; recordings.
//!
//! ```text
//! op/*.rs         one operation each
//! bus.rs          buses by name or ARN, and whether the caller may
//! rule.rs         rules of a bus, compiled and kept
//! target.rs       targets: what is accepted, how they are shown
//! transform.rs    what of an event a target gets (pure)
//! matching.rs     jobs: events meet rules
//! schedule.rs     jobs: rules fall due by time
//! delivery.rs     jobs: targets get events, or their dead-letter queues
//! passing.rs      events go to buses of other accounts and Regions
//! tags.rs         tags on buses and rules
//! store.rs        records, and where they lie
//! ```

mod bus;
mod delivery;
mod matching;
mod op;
mod paging;
mod passing;
mod rule;
mod schedule;
mod store;
mod tags;
mod target;
mod transform;

use std::sync::Arc;

use haechi_core::event::EVENT_JOB;
use haechi_core::{Database, Env, Jobs, Router, ServiceRoles};

pub use delivery::{Message, Refusal, Targets};

/// What EventBridge acts through.
pub struct Surroundings {
    /// Where events go.
    pub targets: Arc<dyn Targets>,
    /// In whose name.
    pub roles: Arc<dyn ServiceRoles>,
}

/// The service.
pub struct Events {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    around: Surroundings,
}

impl Events {
    /// The service over its records. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: Arc<Jobs>,
        around: Surroundings,
    ) -> Arc<Events> {
        let events = Arc::new(Events { database, env, jobs: Arc::clone(&jobs), around });
        let weak = || Arc::downgrade(&events);
        jobs.handle(EVENT_JOB, Arc::new(matching::Matching { events: weak() }));
        jobs.handle(matching::CONTINUATION, Arc::new(matching::Continuing { events: weak() }));
        jobs.handle(delivery::DELIVERY, Arc::new(delivery::Delivering { events: weak() }));
        jobs.handle(schedule::SCHEDULE, Arc::new(schedule::Scheduled { events: weak() }));
        events
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_events_model::ops::mount(router, self);
    }
}
