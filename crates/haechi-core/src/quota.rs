//! How many requests a service takes from one account in one Region.

use haechi_wire::{Fault, Timestamp};

/// A quota of requests, which the operations that it names share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RequestQuota {
    /// Its service, as in credential scopes.
    pub service: &'static str,
    /// The operations that share it.
    pub operations: &'static [&'static str],
    /// Requests per second.
    pub per_second: f64,
    /// Regions where it is another number.
    pub regions: &'static [(&'static str, f64)],
}

/// A quota of requests under one kind of key. Which key it is a handler learns, and it then takes
/// the request from here ([`crate::Cx::spend`]), once the quota of its operation let it in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KindQuota {
    /// Its service, as in credential scopes.
    pub service: &'static str,
    /// What it is of, e.g. `RSA`.
    pub kind: &'static str,
    /// Requests per second.
    pub per_second: f64,
}

/// How a service refuses what is beyond a quota, where it is not by `ThrottlingException` or, of
/// those that speak query, `Throttling`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refusal {
    /// Its service, as in credential scopes.
    pub service: &'static str,
    /// The code.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// In AWS's words.
    pub message: &'static str,
}

/// A request that a handler takes from a [`KindQuota`].
#[derive(Debug, Clone, Copy)]
pub struct Spending<'a> {
    /// The service.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// What its key is.
    pub kind: &'a str,
    /// Where each of them has a quota of its own: which one; else empty.
    pub one: &'a str,
    /// The account that asks.
    pub account: &'a str,
    /// Where.
    pub region: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Counts requests; the gateway does.
pub trait RequestMeter: Send + Sync + 'static {
    /// Takes a request from the quota of its key's kind.
    ///
    /// # Errors
    /// [`Fault::Throttled`] if nothing is left.
    fn spend(&self, spending: &Spending<'_>) -> Result<(), Fault>;
}

impl RequestQuota {
    /// Requests per second in a Region.
    pub fn in_region(&self, region: &str) -> f64 {
        let found = self.regions.iter().find(|(name, _)| *name == region);
        found.map_or(self.per_second, |(_, per_second)| *per_second)
    }
}
