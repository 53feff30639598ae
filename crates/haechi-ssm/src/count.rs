//! How many parameters there are of each tier, counted by many at once.
//!
//! A count lies in up to 64 rows, of which only the sum means anything: a row alone may be below
//! zero. Whoever counts takes a row that nobody else in this process has, the first free one, so
//! that parameters made at the same time do not wait for each other, and those made one after the
//! other need one row. Nodes begin at different rows; where two meet, one counts again.
//!
//! Far from a limit only the row that is counted in is read; the others are remembered for a
//! second, so that many who make parameters at once do not each read what all of them write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haechi_core::{Batch, Database, Env, Loaded};
use haechi_ssm_model::Error;
use haechi_wire::{Fault, Timestamp};

use crate::Ssm;
use crate::store::{CountRecord, Place};
use crate::tier::{ADVANCED_MAX, STANDARD_MAX, Tier};

/// Rows of a count, at most: the bits of what tells which are taken.
const ROWS_MAX: u32 = u64::BITS;

/// How old the other rows may be while no limit is near, in milliseconds.
const REMEMBERED_MS: i64 = 1_000;

/// So near to a limit every row is read for every parameter.
const NEAR: u64 = 1_000;

/// Accounts and Regions that are remembered although nobody counts there, at most.
const PLACES_MAX: usize = 1_000;

/// What of the counts lies in memory.
pub(crate) struct Rows {
    places: Mutex<HashMap<String, Remembered>>,
    /// Where this process begins.
    first: u32,
}

/// Of an account and Region.
#[derive(Default)]
struct Remembered {
    /// Which rows are counted in now.
    taken: u64,
    /// When all rows were read, and what each said when it was read last.
    read_ms: i64,
    sums: HashMap<String, Sums>,
}

/// Parameters of each tier.
#[derive(Clone, Copy, Default)]
struct Sums {
    standard: i64,
    advanced: i64,
}

impl Sums {
    fn of(row: &CountRecord) -> Sums {
        Sums { standard: row.standard, advanced: row.advanced }
    }

    fn standard(self) -> u64 {
        u64::try_from(self.standard).unwrap_or(0)
    }

    fn advanced(self) -> u64 {
        u64::try_from(self.advanced).unwrap_or(0)
    }

    fn is_near_a_limit(self) -> bool {
        self.standard() > STANDARD_MAX.saturating_sub(NEAR)
            || self.advanced() > ADVANCED_MAX.saturating_sub(NEAR)
    }
}

impl Remembered {
    fn sum(&self) -> Sums {
        self.sums.values().fold(Sums::default(), |sum, row| Sums {
            standard: sum.standard + row.standard,
            advanced: sum.advanced + row.advanced,
        })
    }
}

impl Rows {
    pub(crate) fn new(env: &Env) -> Arc<Rows> {
        // Any row will do; should randomness fail, so does what needs it more.
        let drawn = env.uuid().map_or(0, |id| id.as_u128() % u128::from(ROWS_MAX));
        let first = u32::try_from(drawn).unwrap_or(0);
        Arc::new(Rows { places: Mutex::default(), first })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first row that is free; where none is, shares one.
    fn take(self: &Arc<Self>, place: Place<'_>) -> Row {
        let (rows, of) = (Arc::clone(self), format!("{}/{}", place.account, place.region));
        let mut places = self.places();
        if places.len() > PLACES_MAX {
            places.retain(|_, remembered| remembered.taken != 0);
        }
        let taken = &mut places.entry(of.clone()).or_default().taken;
        let free = taken.rotate_right(self.first).trailing_ones();
        let number = (self.first + free) % ROWS_MAX;
        let bit = if free < ROWS_MAX { 1 << number } else { 0 };
        *taken |= bit;
        Row { rows, of, bit, name: format!("{number:x}") }
    }
}

/// A row that is counted in; free again when this is dropped.
struct Row {
    rows: Arc<Rows>,
    of: String,
    bit: u64,
    name: String,
}

impl Row {
    /// Whether all rows were read a short while ago.
    fn is_fresh(&self, now: Timestamp) -> bool {
        let places = self.rows.places();
        let read_ms = places.get(&self.of).map_or(0, |remembered| remembered.read_ms);
        (0..REMEMBERED_MS).contains(&(now.millis() - read_ms))
    }

    /// The sum of what is remembered and of this row as it is now.
    fn sum_with(&self, own: Option<&Loaded<CountRecord>>) -> Sums {
        let mut places = self.rows.places();
        let remembered = places.entry(self.of.clone()).or_default();
        let own = own.map_or_else(Sums::default, |own| Sums::of(&own.value));
        remembered.sums.insert(self.name.clone(), own);
        remembered.sum()
    }

    /// Remembers all rows; answers their sum.
    fn remember(&self, all: &[Loaded<CountRecord>], now: Timestamp) -> Sums {
        let mut places = self.rows.places();
        let remembered = places.entry(self.of.clone()).or_default();
        remembered.read_ms = now.millis();
        let named = |row: &Loaded<CountRecord>| (row.value.shard.clone(), Sums::of(&row.value));
        remembered.sums = all.iter().map(named).collect();
        remembered.sum()
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        if let Some(remembered) = self.rows.places().get_mut(&self.of) {
            remembered.taken &= !self.bit;
        }
    }
}

/// A row to count in; to be kept until what follows from it is committed. A job gives it back before
/// that: should another count in it meanwhile, one of the two is decided anew.
pub(crate) struct Counting {
    own: Option<Loaded<CountRecord>>,
    row: Row,
}

/// How many parameters there are, and a row to count in.
pub(crate) struct Counts {
    sums: Sums,
    pub(crate) counting: Counting,
}

impl Counting {
    /// For what needs no sum: parameters that go.
    pub(crate) async fn load(
        database: &Database,
        rows: &Arc<Rows>,
        place: Place<'_>,
    ) -> Result<Counting, Fault> {
        let row = rows.take(place);
        let own = database.load(&place.count(&row.name)).await?;
        Ok(Counting { own, row })
    }

    /// Counts a parameter that goes from one tier to another; from or to nothing, as it comes or
    /// goes.
    pub(crate) fn moved(
        &self,
        batch: &mut Batch,
        place: Place<'_>,
        from: Option<Tier>,
        to: Option<Tier>,
    ) {
        if from == to {
            return;
        }
        let name = &self.row.name;
        let mut count = self.own.as_ref().map(|own| own.value.clone()).unwrap_or_default();
        count.shard.clone_from(name);
        for (tier, by) in [(from, -1), (to, 1)] {
            match tier {
                Some(Tier::Standard) => count.standard += by,
                Some(Tier::Advanced) => count.advanced += by,
                None => {}
            }
        }
        match &self.own {
            Some(own) => batch.replace(own, &count),
            None => batch.create(place.count(name), &count),
        }
    }
}

impl Counts {
    /// The counts of an account and Region.
    async fn load(
        database: &Database,
        rows: &Arc<Rows>,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Counts, Fault> {
        let row = rows.take(place);
        if row.is_fresh(now) {
            let own = database.load(&place.count(&row.name)).await?;
            let sums = row.sum_with(own.as_ref());
            if !sums.is_near_a_limit() {
                return Ok(Counts { sums, counting: Counting { own, row } });
            }
        }
        let all = database.list(&place.counts(), None, ROWS_MAX).await?.items;
        let sums = row.remember(&all, now);
        let own = all.into_iter().find(|loaded| loaded.value.shard == row.name);
        Ok(Counts { sums, counting: Counting { own, row } })
    }

    pub(crate) fn standard(&self) -> u64 {
        self.sums.standard()
    }

    fn advanced(&self) -> u64 {
        self.sums.advanced()
    }

    /// Checks that there is room for one more.
    pub(crate) fn check_room(&self, tier: Tier) -> Result<(), Error> {
        match tier {
            Tier::Standard if self.standard() >= STANDARD_MAX => {
                Err(Error::ParameterLimitExceeded(format!(
                    "You have reached the maximum number of standard parameters for this AWS \
                     account and Region ({STANDARD_MAX}). To add more parameters, either delete \
                     existing parameters or upgrade to the advanced-parameter tier (charges apply)."
                )))
            }
            Tier::Advanced if self.advanced() >= ADVANCED_MAX => {
                Err(Error::ParameterLimitExceeded(format!(
                    "You have reached the maximum number of advanced parameters for this AWS \
                     account and Region ({ADVANCED_MAX}). To add more parameters, delete existing \
                     parameters."
                )))
            }
            _ => Ok(()),
        }
    }
}

impl Ssm {
    /// The counts of an account and Region.
    pub(crate) async fn counts(&self, place: Place<'_>) -> Result<Counts, Fault> {
        Counts::load(&self.database, &self.rows, place, self.env.now()).await
    }
}

#[cfg(test)]
mod tests {
    use haechi_testkit::Kit;

    use super::*;

    const PLACE: Place<'_> = Place { account: "111111111111", region: "us-east-1" };

    /// Counts some parameters as a node that has these rows; answers what it thought there were.
    async fn count(kit: &Kit, rows: &Arc<Rows>, standard: i64) -> u64 {
        let counts = Counts::load(&kit.database, rows, PLACE, kit.env.now()).await.unwrap();
        let (thought, mut batch) = (counts.standard(), Batch::new());
        let own = counts.counting.own.as_ref().map(|own| own.value.standard);
        counts.counting.moved(&mut batch, PLACE, None, Some(Tier::Standard));
        kit.database.commit(batch).await.unwrap();
        // As if it had made more than one.
        let path = PLACE.count(&counts.counting.row.name);
        let loaded = kit.database.load::<CountRecord>(&path).await.unwrap().unwrap();
        let (mut batch, mut record) = (Batch::new(), loaded.value.clone());
        record.standard = own.unwrap_or(0) + standard;
        batch.replace(&loaded, &record);
        kit.database.commit(batch).await.unwrap();
        thought
    }

    #[tokio::test]
    async fn what_another_node_counts_is_seen_within_a_second_and_at_once_near_a_limit() {
        let kit = Kit::new().await;
        let node = |first| Arc::new(Rows { places: Mutex::default(), first });
        let (one, other) = (node(0), node(32));
        assert_eq!(count(&kit, &one, 1).await, 0);
        assert_eq!(count(&kit, &other, 5).await, 1);
        assert_eq!(count(&kit, &one, 1).await, 1, "its own row is as it is now");
        kit.clock.advance(1);
        assert_eq!(count(&kit, &one, 9_000).await, 7);
        assert_eq!(count(&kit, &other, 3).await, 9_007, "a second has gone by for it too");
        assert_eq!(count(&kit, &one, 1).await, 9_010, "near a limit all is read");
    }

    #[test]
    fn those_that_count_at_the_same_time_have_rows_of_their_own_and_give_them_back() {
        let rows = Arc::new(Rows { places: Mutex::default(), first: 62 });
        let place = Place { account: "111111111111", region: "us-east-1" };
        let names = |taken: &[Row]| taken.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
        let mut taken: Vec<Row> = (0..3).map(|_| rows.take(place)).collect();
        assert_eq!(names(&taken), ["3e", "3f", "0"]);
        let elsewhere = rows.take(Place { region: "eu-west-1", ..place });
        assert_eq!(elsewhere.name, "3e");
        taken.remove(1);
        assert_eq!(rows.take(place).name, "3f");
        taken.extend((0..70).map(|_| rows.take(place)));
        let mut all = names(&taken);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 64);
        drop((taken, elsewhere));
        assert!(rows.places().values().all(|remembered| remembered.taken == 0));
    }
}
