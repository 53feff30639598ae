//! How many parameters there are of each tier, counted by many at once.
//!
//! A count lies in up to 64 rows, of which only the sum means anything: a row alone may be below
//! zero. Whoever counts takes a row that nobody else in this process has, the first free one, so
//! that parameters made at the same time do not wait for each other, and those made one after the
//! other need one row. Nodes begin at different rows; where two meet, one counts again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haechi_core::{Batch, Database, Env, Loaded};
use haechi_ssm_model::Error;
use haechi_wire::Fault;

use crate::Ssm;
use crate::store::{CountRecord, Place};
use crate::tier::{ADVANCED_MAX, STANDARD_MAX, Tier};

/// Rows of a count, at most: the bits of what tells which are taken.
const ROWS_MAX: u32 = u64::BITS;

/// Which rows are counted in now.
pub(crate) struct Rows {
    /// Of an account and Region.
    taken: Mutex<HashMap<String, u64>>,
    /// Where this process begins.
    first: u32,
}

impl Rows {
    pub(crate) fn new(env: &Env) -> Arc<Rows> {
        // Any row will do; should randomness fail, so does what needs it more.
        let drawn = env.uuid().map_or(0, |id| id.as_u128() % u128::from(ROWS_MAX));
        Arc::new(Rows { taken: Mutex::default(), first: u32::try_from(drawn).unwrap_or(0) })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, u64>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first row that is free; where none is, shares one.
    fn take(self: &Arc<Self>, place: Place<'_>) -> Row {
        let (rows, of) = (Arc::clone(self), format!("{}/{}", place.account, place.region));
        let mut taken = self.taken();
        let mask = taken.entry(of.clone()).or_default();
        let free = mask.rotate_right(self.first).trailing_ones();
        let number = (self.first + free) % ROWS_MAX;
        let bit = if free < ROWS_MAX { 1 << number } else { 0 };
        *mask |= bit;
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

impl Drop for Row {
    fn drop(&mut self) {
        let mut taken = self.rows.taken();
        if let Some(mask) = taken.get_mut(&self.of) {
            *mask &= !self.bit;
            if *mask == 0 {
                taken.remove(&self.of);
            }
        }
    }
}

/// How many parameters there are; to be kept until what follows from it is committed.
pub(crate) struct Counts {
    rows: Vec<Loaded<CountRecord>>,
    row: Row,
}

impl Counts {
    /// The counts of an account and Region.
    pub(crate) async fn load(
        database: &Database,
        rows: &Arc<Rows>,
        place: Place<'_>,
    ) -> Result<Counts, Fault> {
        let row = rows.take(place);
        let rows = database.list(&place.counts(), None, ROWS_MAX).await?.items;
        Ok(Counts { rows, row })
    }

    pub(crate) fn standard(&self) -> u64 {
        self.sum(|row| row.standard)
    }

    fn advanced(&self) -> u64 {
        self.sum(|row| row.advanced)
    }

    fn sum(&self, of: impl Fn(&CountRecord) -> i64) -> u64 {
        let sum: i64 = self.rows.iter().map(|row| of(&row.value)).sum();
        u64::try_from(sum).unwrap_or(0)
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
        let found = self.rows.iter().find(|loaded| loaded.value.shard == *name);
        let mut count = found.map(|loaded| loaded.value.clone()).unwrap_or_default();
        count.shard.clone_from(name);
        for (tier, by) in [(from, -1), (to, 1)] {
            match tier {
                Some(Tier::Standard) => count.standard += by,
                Some(Tier::Advanced) => count.advanced += by,
                None => {}
            }
        }
        match found {
            Some(loaded) => batch.replace(loaded, &count),
            None => batch.create(place.count(name), &count),
        }
    }
}

impl Ssm {
    /// The counts of an account and Region.
    pub(crate) async fn counts(&self, place: Place<'_>) -> Result<Counts, Fault> {
        Counts::load(&self.database, &self.rows, place).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_count_at_the_same_time_have_rows_of_their_own_and_give_them_back() {
        let rows = Arc::new(Rows { taken: Mutex::default(), first: 62 });
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
        assert!(rows.taken().is_empty());
    }
}
