//! What expressions mean, and what is none.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calendar;
mod parsing;
mod zones;

use haechi_schedule::{Expression, TimeZone};
use jiff::Timestamp;

fn ms(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

/// The first times of an expression after another, in UTC, as long as there are any.
fn times(expression: &str, zone: &TimeZone, after: &str, count: usize) -> Vec<String> {
    let expression = Expression::parse(expression).unwrap();
    let start = ms(after);
    let next = |time: &i64| expression.next(*time, start, zone);
    let found = std::iter::successors(next(&start), next).take(count);
    found.map(|time| Timestamp::from_millisecond(time).unwrap().to_string()).collect()
}
