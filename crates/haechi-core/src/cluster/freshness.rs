//! Until when what is cached may decide.
//!
//! On a store that others write to, what is cached is complete up to the last moment of which it is
//! proven that every change acknowledged before it has been taken note of. From then on it may
//! decide for [`BOUND`], and no longer, whatever happens: a watch that hangs, a process that was
//! stopped, a network that is cut. Then the store is asked, or does not answer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How old what decides may be.
pub const BOUND: Duration = Duration::from_secs(1);

/// Nobody else writes.
const ALWAYS: u64 = u64::MAX;

/// Until when; read for each look into the cache.
pub(crate) struct Freshness {
    origin: Instant,
    /// Nanoseconds after `origin`; [`ALWAYS`] costs one load.
    until: AtomicU64,
}

impl Freshness {
    /// Of a store that only this process writes to.
    pub(crate) fn always() -> Freshness {
        Freshness { origin: Instant::now(), until: AtomicU64::new(ALWAYS) }
    }

    /// From now on others write too: nothing is fresh until it is proven.
    pub(crate) fn share(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Whether only this process writes.
    pub(crate) fn is_alone(&self) -> bool {
        self.until.load(Ordering::Relaxed) == ALWAYS
    }

    /// Whether what is cached may decide.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        let until = self.until.load(Ordering::Relaxed);
        until == ALWAYS || self.elapsed() < until
    }

    /// Everything acknowledged before `moment` has been taken note of.
    pub(crate) fn prove(&self, moment: Instant) {
        let until = moment.saturating_duration_since(self.origin) + BOUND;
        let until = u64::try_from(until.as_nanos()).unwrap_or(ALWAYS - 1);
        if !self.is_alone() {
            self.until.fetch_max(until, Ordering::AcqRel);
        }
    }

    /// How old what is cached may be at the most; `None` where only this process writes.
    pub(crate) fn age(&self) -> Option<Duration> {
        let until = self.until.load(Ordering::Relaxed);
        let bound = u64::try_from(BOUND.as_nanos()).unwrap_or(0);
        (until != ALWAYS).then(|| {
            Duration::from_nanos(self.elapsed().saturating_sub(until.saturating_sub(bound)))
        })
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(ALWAYS - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_fresh_for_a_second_after_it_was_proven() {
        let freshness = Freshness::always();
        assert!(freshness.holds() && freshness.age().is_none());
        freshness.share();
        assert!(!freshness.holds());
        freshness.prove(Instant::now());
        assert!(freshness.holds());
        assert!(freshness.age().unwrap() < BOUND);
        // An older proof takes nothing back.
        freshness.prove(freshness.origin);
        assert!(freshness.holds());
    }

    #[test]
    fn a_proof_from_a_second_ago_is_none() {
        let freshness = Freshness::always();
        freshness.share();
        let Some(past) = Instant::now().checked_sub(BOUND) else { return };
        let freshness = Freshness { origin: past - BOUND, ..freshness };
        freshness.prove(past);
        assert!(!freshness.holds());
        assert!(freshness.age().unwrap() >= BOUND);
    }
}
