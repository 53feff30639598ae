//! Which Regions there are, and which this deployment serves.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::Region;

/// Each Region that AWS has published, and its partition.
static PUBLISHED: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let lines = include_str!("regions/published.txt").lines();
    lines.filter_map(|line| line.split_once('\t')).map(|(part, name)| (name, part)).collect()
});

/// Whether AWS has published a Region of this name.
pub fn is_published(region: &str) -> bool {
    PUBLISHED.contains_key(region)
}

/// The Regions that AWS has published, each with its partition.
pub fn published() -> impl Iterator<Item = (&'static str, &'static str)> {
    PUBLISHED.iter().map(|(name, partition)| (*name, *partition))
}

/// Services that have no Regions, whichever one a call is signed for.
pub const WITHOUT_REGIONS: &[&str] = &["iam", "organizations"];

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
