//! How many requests a service takes from one account in one Region.

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

impl RequestQuota {
    /// Requests per second in a Region.
    pub fn in_region(&self, region: &str) -> f64 {
        let found = self.regions.iter().find(|(name, _)| *name == region);
        found.map_or(self.per_second, |(_, per_second)| *per_second)
    }
}
