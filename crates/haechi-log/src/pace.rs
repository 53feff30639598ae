//! When the next frame begins, where callers and the writer share one core.
//!
//! A frame that waits until nobody else wants the core holds a record of every caller: then all of
//! them wait for the disk, and the core with them. A frame that begins a little earlier leaves some
//! callers to run meanwhile; one that begins much earlier holds few records for the price of a sync.
//! The best is a frame of three quarters of all callers. Nobody tells how many there are, so the log
//! learns it: the frame that begins because nobody can run has all of them, and the target becomes
//! three quarters of that; each frame that reaches the target raises it a little, until one runs dry
//! again.
//!
//! The scheduler does not take the core from a caller for a writer whose disk has answered; so a
//! caller offers it with `sched_yield` where the writer is likely to want it.

use std::thread;

/// Fractions of a record that a target counts: whole ones could not grow by a little.
const FINE: u32 = 1024;

/// What a frame that reached the target raises it by: a sixty-fourth.
const RAISE: u32 = 64;

/// With fewer records than this a sync costs more than the core loses by waiting for it.
const RECORDS_MIN: u32 = 16;

/// After so many records the writer has been offered the core often enough to have both its waits
/// of a sync, for the data and for the disk's own cache, behind it.
const OFFER_EVERY: u32 = 6;

/// How many records make a frame begin while callers still run.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Records in units of 1/[`FINE`]; 0 until a frame has run dry.
    target: u32,
    /// A frame is on its way to the disk.
    is_writing: bool,
    /// The writer has a core of its own: it begins when it is free, and is offered nothing.
    has_own_core: bool,
}

impl Pace {
    /// Of a process that may run on so many cores.
    pub(crate) fn new(cores: usize) -> Pace {
        Pace { has_own_core: cores > 1, ..Pace::default() }
    }

    /// The pace where this process runs. Where that cannot be told there is more than one core.
    pub(crate) fn here() -> Pace {
        Pace::new(thread::available_parallelism().map_or(2, usize::from))
    }

    /// Whether a frame of so many records begins although callers still run.
    pub(crate) fn is_reached(&self, records: u32) -> bool {
        let worth = self.target.max(RECORDS_MIN * FINE);
        !self.has_own_core && self.target > 0 && records.saturating_mul(FINE) >= worth
    }

    /// Whether the caller whose record is this one of the waiting frame offers the core.
    pub(crate) fn offers(&self, records: u32) -> bool {
        if self.is_writing {
            !self.has_own_core
                && self.target > RECORDS_MIN * FINE
                && records.is_multiple_of(OFFER_EVERY)
        } else {
            self.is_reached(records)
        }
    }

    /// A frame of so many records begins.
    pub(crate) fn begin(&mut self, records: u32) {
        self.target = if self.is_reached(records) {
            self.target.saturating_add(self.target / RAISE)
        } else {
            // One frame that ran dry by chance does not tell that most callers are gone.
            three_quarters(records.saturating_mul(FINE).max(self.target))
        };
        self.is_writing = true;
    }

    /// The frame is written, or is not going to be.
    pub(crate) fn end(&mut self) {
        self.is_writing = false;
    }
}

fn three_quarters(records: u32) -> u32 {
    records / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of a closed loop of so many callers: the records of each, and whether it ran dry.
    fn frames(pace: &mut Pace, callers: u32, count: usize) -> Vec<(u32, bool)> {
        let frame = |pace: &mut Pace| {
            let records = (1..=callers).find(|records| pace.is_reached(*records));
            let frame = (records.unwrap_or(callers), records.is_none());
            pace.begin(frame.0);
            pace.end();
            frame
        };
        (0..count).map(|_| frame(pace)).collect()
    }

    #[test]
    fn frames_have_three_quarters_of_the_callers_and_seldom_run_dry() {
        let mut pace = Pace::new(1);
        assert_eq!(frames(&mut pace, 64, 2), [(64, true), (48, false)]);
        let later = frames(&mut pace, 64, 200);
        let dry = later.iter().filter(|(_, dry)| *dry).count();
        assert!((5..=15).contains(&dry), "{dry} of 200 ran dry");
        assert!(later.iter().all(|(records, _)| *records >= 48), "{later:?}");
    }

    #[test]
    fn the_target_follows_the_callers_down_and_up() {
        let mut pace = Pace::new(1);
        frames(&mut pace, 256, 10);
        let fewer = frames(&mut pace, 32, 30);
        assert!(fewer.iter().skip(10).any(|(_, dry)| !dry), "{fewer:?}");
        let more = frames(&mut pace, 256, 300);
        assert!(more.iter().any(|(records, _)| *records >= 192), "{more:?}");
    }

    #[test]
    fn one_frame_that_ran_dry_by_chance_takes_a_quarter_of_the_target() {
        let mut pace = Pace::new(1);
        frames(&mut pace, 64, 2);
        let before = pace.target;
        pace.begin(2);
        assert_eq!(pace.target, three_quarters(before));
    }

    #[test]
    fn few_callers_are_not_divided() {
        let mut pace = Pace::new(1);
        assert!(frames(&mut pace, 15, 100).iter().all(|(_, dry)| *dry));
        assert!((1..=15).all(|records| !pace.offers(records)));
        pace.begin(15);
        assert!((1..=15).all(|records| !pace.offers(records)));
    }

    #[test]
    fn a_writer_with_a_core_of_its_own_is_offered_nothing() {
        let mut pace = Pace::new(2);
        assert!(frames(&mut pace, 64, 100).iter().all(|(_, dry)| *dry));
        pace.begin(64);
        assert!((1..=64).all(|records| !pace.offers(records)));
    }

    #[test]
    fn a_caller_offers_the_core_when_the_target_is_reached_and_while_a_frame_is_written() {
        let mut pace = Pace::new(1);
        frames(&mut pace, 64, 1);
        assert!(!pace.offers(47) && pace.offers(48));
        pace.begin(48);
        assert!(!pace.offers(5) && pace.offers(6) && !pace.offers(7));
    }

    #[test]
    fn a_target_never_overflows() {
        let mut pace = Pace::new(1);
        pace.begin(u32::MAX);
        (0..100).for_each(|_| pace.begin(u32::MAX));
        assert!(pace.is_reached(u32::MAX));
    }
}
