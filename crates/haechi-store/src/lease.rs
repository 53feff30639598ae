//! Leases: claims that end by themselves, and the clock that ends them.

use std::{fmt, time::Duration};

use crate::Rev;

/// Where a store takes the time from: the time since the Unix epoch. Any closure that returns one
/// will do; production passes the real clock, tests one that they move.
pub trait Clock: Send + Sync + 'static {
    /// The time since the Unix epoch.
    fn now(&self) -> Duration;
}

impl<F: Fn() -> Duration + Send + Sync + 'static> Clock for F {
    fn now(&self) -> Duration {
        self()
    }
}

/// The name of a lease: the revision that granted it. A later lease has a higher id, so the id is
/// the fencing token that a resource outside the store compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub Rev);

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A granted lease. It ends `ttl` after it was granted or last kept alive.
///
/// A lease alone is no lock: its holder may be asleep when it ends. Guard each write with
/// [`crate::Cond::Held`], and give [`Lease::token`] to anything outside the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its name.
    pub id: LeaseId,
    /// How long it lives without [`crate::Store::keep_alive`].
    pub ttl: Duration,
}

impl Lease {
    /// The fencing token: higher than that of every lease granted before.
    #[must_use]
    pub fn token(&self) -> Rev {
        self.id.0
    }
}
