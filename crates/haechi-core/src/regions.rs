//! Which Regions this deployment serves.

use crate::Region;

/// Services that are of no Region, or answer the same in each: every deployment serves them.
const GLOBAL: &[&str] = &["iam", "organizations", "sts"];

/// Who serves which Region.
pub trait Regions: Send + Sync + 'static {
    /// `None` for a Region that is served here; else where it is served, for people.
    fn elsewhere(&self, region: &Region) -> Option<String>;
}

/// Whether calls of a service are refused for Regions that are served elsewhere.
pub(crate) fn is_regional(service: &str) -> bool {
    !GLOBAL.contains(&service)
}
