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
//! * What a connection authorises with lies in Secrets Manager and nowhere else, and is not told.
//!
//! What is missing answers 501: archives and replays, endpoints, partner sources; of connections,
//! those to private APIs.
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
//! connection.rs   connections, their secrets and tokens
//! api_destination.rs  API destinations: by name, how they are shown
//! invocation.rs   an API destination gets an event: in whose name, how often
//! request.rs      the request that it gets (pure)
//! rate.rs         how many in a second
//! endpoint.rs     URLs (pure)
//! web.rs, secrets.rs  what the binary does for it
//! tags.rs         tags on buses and rules
//! store.rs        records, and where they lie
//! ```

mod api_destination;
mod bus;
mod connection;
mod delivery;
mod endpoint;
mod invocation;
mod matching;
mod op;
mod paging;
mod passing;
mod rate;
mod request;
mod rule;
mod schedule;
mod secrets;
mod store;
mod tags;
mod target;
mod transform;
mod web;

use std::sync::Arc;

use haechi_core::event::EVENT_JOB;
use haechi_core::{Database, Env, Jobs, Router, ServiceRoles};

pub use delivery::{Message, Refusal, Targets};
pub use secrets::{ConnectionSecrets, Whereabouts};
pub use web::{HttpAnswer, HttpClient, HttpRequest, Unreached};

/// What EventBridge acts through.
pub struct Surroundings {
    /// Where events go.
    pub targets: Arc<dyn Targets>,
    /// In whose name.
    pub roles: Arc<dyn ServiceRoles>,
    /// Where connections keep what they authorise with.
    pub secrets: Arc<dyn ConnectionSecrets>,
    /// How API destinations are called.
    pub http: Arc<dyn HttpClient>,
}

/// The service.
pub struct Events {
    database: Arc<Database>,
    env: Env,
    jobs: Arc<Jobs>,
    around: Surroundings,
    kept: connection::Kept,
    tokens: connection::Tokens,
    rates: rate::Rates,
}

impl Events {
    /// The service over its records. Registers its jobs.
    pub fn new(
        database: Arc<Database>,
        env: Env,
        jobs: Arc<Jobs>,
        around: Surroundings,
    ) -> Arc<Events> {
        let events = Arc::new(Events {
            database,
            env,
            jobs: Arc::clone(&jobs),
            around,
            kept: connection::Kept::default(),
            tokens: connection::Tokens::default(),
            rates: rate::Rates::default(),
        });
        let weak = || Arc::downgrade(&events);
        jobs.handle(EVENT_JOB, Arc::new(matching::Matching { events: weak() }));
        jobs.handle(matching::CONTINUATION, Arc::new(matching::Continuing { events: weak() }));
        for (kind, is_http) in [(delivery::DELIVERY, false), (delivery::HTTP_DELIVERY, true)] {
            jobs.handle(kind, Arc::new(delivery::Delivering { events: weak(), is_http }));
        }
        jobs.handle(connection::AUTHORIZE, Arc::new(connection::Authorizing { events: weak() }));
        jobs.handle(connection::ORPHAN, Arc::new(connection::Sweeping { events: weak() }));
        jobs.handle(schedule::SCHEDULE, Arc::new(schedule::Scheduled { events: weak() }));
        events
    }

    /// Mounts its operations.
    pub fn mount(self: &Arc<Self>, router: &mut Router) {
        haechi_events_model::ops::mount(router, self);
    }
}
