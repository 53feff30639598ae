//! How many invocations of an API destination there may be in a second.
//!
//! A node counts its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use haechi_wire::Timestamp;

/// Invocations per second, unless a destination says otherwise.
pub(crate) const RATE_DEFAULT: i32 = 300;

/// Destinations that are counted before those whose second is over are forgotten.
const WINDOWS_MAX: usize = 1024;

/// Seconds after which those that found no place come again, at most.
const WAIT_MAX: i64 = 300;

/// What the current second of a destination has seen.
#[derive(Debug, Clone, Copy)]
struct Window {
    second: i64,
    taken: i64,
}

/// The counts, by destination.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<HashMap<String, Window>>);

impl Rates {
    /// Takes a place in the current second; where there is none, the seconds to wait: those that
    /// come too early are spread over the seconds after.
    pub(crate) fn take(&self, arn: &str, per_second: i32, now: Timestamp) -> Result<(), i64> {
        let second = now.millis().div_euclid(1000);
        let per_second = i64::from(per_second.max(1));
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() > WINDOWS_MAX {
            windows.retain(|_, window| window.second == second);
        }
        let window = windows.entry(arn.to_owned()).or_insert(Window { second, taken: 0 });
        if window.second != second {
            *window = Window { second, taken: 0 };
        }
        window.taken = window.taken.saturating_add(1);
        match window.taken - per_second {
            over if over <= 0 => Ok(()),
            over => Err((1 + (over - 1) / per_second).min(WAIT_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_places_and_the_rest_is_spread_over_those_after() {
        let rates = Rates::default();
        let at = |ms: i64| Timestamp::from_millis(ms);
        let taken: Vec<_> = (0..7).map(|_| rates.take("a", 2, at(1_500))).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Err(1), Err(1), Err(2), Err(2), Err(3)]);
        assert_eq!(rates.take("b", 2, at(1_500)), Ok(()), "another destination");
        assert_eq!(rates.take("a", 2, at(2_000)), Ok(()), "the next second");
    }
}
