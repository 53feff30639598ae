//! Which versions of etcd keep what they have acknowledged.
//!
//! 3.5.0 to 3.5.2 lost data when they were killed at the wrong moment, 3.5.0 to 3.5.5 could start
//! again with members that differ, and of 3.4 the releases before 3.4.22 lack the same repairs. No
//! setting makes up for that, so such a server is refused.

/// What to tell of a server that is refused.
pub(crate) const NEEDED: &str = "3.4.22, 3.5.6 or newer";

/// Whether a server of this version can be trusted.
pub(crate) fn sound(version: &str) -> bool {
    let mut numbers = version.split(['.', '-', '+']).map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok);
    let (Some(major), Some(minor), Some(patch)) = (next(), next(), next()) else { return false };
    match (major, minor) {
        (3, 4) => patch >= 22,
        (3, 5) => patch >= 6,
        (3, minor) => minor > 5,
        _ => major > 3,
    }
}

#[cfg(test)]
mod tests {
    use super::sound;

    #[test]
    fn releases_that_lose_data_are_refused() {
        for good in ["3.4.22", "3.4.23", "3.5.6", "3.6.0-rc.1", "3.5.21+git", "4.0.0"] {
            assert!(sound(good), "{good}");
        }
        for bad in ["3.4.21", "3.5.5", "3.3.27", "2.3.8", "", "3", "3.5", "three"] {
            assert!(!sound(bad), "{bad}");
        }
    }
}
