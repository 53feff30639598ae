//! `cron(minutes hours day-of-month month day-of-week year)`: by the calendar.
//!
//! | field | values | wildcards |
//! |---|---|---|
//! | minutes | 0-59 | `, - * /` |
//! | hours | 0-23 | `, - * /` |
//! | day-of-month | 1-31 | `, - * ? / L W` |
//! | month | 1-12 or JAN-DEC | `, - * /` |
//! | day-of-week | 1-7 or SUN-SAT | `, - * ? L #` |
//! | year | 1970-2199 | `, - * /` |
//!
//! One of the two days is `?`.

mod day;
mod set;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::{AmbiguousOffset, TimeZone};

use day::{DayOfMonth, DayOfWeek};
use set::Set;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// Days that one search looks at: a 29th of February on a certain day of the week comes within
/// forty years, also across 2100.
const DAYS_MAX: usize = 40 * 366;

/// A schedule by the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    day_of_month: DayOfMonth,
    months: Set,
    day_of_week: DayOfWeek,
    years: Set,
}

impl Cron {
    /// Reads the fields between the parentheses; `None` if they are none.
    pub fn parse(text: &str) -> Option<Cron> {
        let mut fields = text.split(' ').filter(|field| !field.is_empty());
        let minutes = Set::parse(fields.next()?, (0, 59), &[])?;
        let hours = Set::parse(fields.next()?, (0, 23), &[])?;
        let day_of_month = fields.next()?;
        let months = Set::parse(fields.next()?, (1, 12), &MONTHS)?;
        let day_of_week = fields.next()?;
        let years = Set::parse(fields.next()?, (1970, 2199), &[])?;
        if fields.next().is_some() || (day_of_month == "?") == (day_of_week == "?") {
            return None;
        }
        let day_of_month = DayOfMonth::parse(day_of_month)?;
        let day_of_week = DayOfWeek::parse(day_of_week)?;
        Some(Cron { minutes, hours, day_of_month, months, day_of_week, years })
    }

    /// The minutes of an hour at which it falls due, in order.
    pub fn minutes(&self) -> impl Iterator<Item = i16> + '_ {
        self.minutes.iter()
    }

    /// The hours of a day at which it falls due, in order.
    pub fn hours(&self) -> impl Iterator<Item = i16> + '_ {
        self.hours.iter()
    }

    /// The first time after another, both in milliseconds since the epoch.
    pub fn next(&self, after_ms: i64, zone: &TimeZone) -> Option<i64> {
        let after = Timestamp::from_millisecond(after_ms).ok()?;
        let mut day = zone.to_datetime(after).date();
        // The clock may have been put back since: times of the day before are then to come again,
        // but fall due the first time only; so the search begins with the day itself.
        for _ in 0..DAYS_MAX {
            if !self.years.contains(day.year()) {
                // A whole year at once.
                let year = self.years.iter().find(|year| *year > day.year())?;
                day = date(year, 1, 1);
                continue;
            }
            if self.falls_on(day)
                && let Some(time) = self.time_on(day, after, zone)
            {
                return Some(time);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The first time of a day after another.
    fn time_on(&self, day: Date, after: Timestamp, zone: &TimeZone) -> Option<i64> {
        for hour in self.hours.iter() {
            for minute in self.minutes.iter() {
                let time = day.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
                let ambiguous = zone.to_ambiguous_timestamp(time);
                if matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. }) {
                    continue;
                }
                if let Ok(instant) = ambiguous.earlier()
                    && instant > after
                {
                    return Some(instant.as_millisecond());
                }
            }
        }
        None
    }

    fn falls_on(&self, day: Date) -> bool {
        self.months.contains(i16::from(day.month()))
            && self.day_of_month.contains(day)
            && self.day_of_week.contains(day)
    }
}
