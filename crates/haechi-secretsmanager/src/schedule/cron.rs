//! `cron(minutes hours day-of-month month day-of-week year)`, as Secrets Manager takes it: minutes
//! are 0, and one of the two days is `?`.
//!
//! Source: User Guide, "Schedule expressions", "Cron expressions".

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Days looked ahead: a February 29th comes within eight years.
const DAYS_MAX: i64 = 8 * 366 + 1;

#[derive(Debug)]
enum DayOfMonth {
    Any,
    Days(Vec<i64>),
    /// `L`.
    Last,
}

#[derive(Debug)]
enum DayOfWeek {
    Any,
    /// 1 is Sunday.
    Days(Vec<i64>),
    /// `6L`: the last of the month.
    Last(i64),
    /// `6#3`: the third of the month.
    Nth(i64, i64),
}

/// A schedule by the calendar.
#[derive(Debug)]
pub(super) struct Cron {
    hours: Vec<i64>,
    day_of_month: DayOfMonth,
    months: Vec<i64>,
    day_of_week: DayOfWeek,
    years: Vec<i64>,
}

impl Cron {
    /// Reads the fields between the parentheses.
    pub(super) fn parse(text: &str) -> Option<Cron> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, day_of_month, month, day_of_week, year] = *fields.as_slice() else {
            return None;
        };
        if minutes != "0" || (day_of_month == "?") == (day_of_week == "?") {
            return None;
        }
        Some(Cron {
            hours: set(hours, (0, 23), &[], 0)?,
            day_of_month: match day_of_month {
                "?" | "*" => DayOfMonth::Any,
                "L" => DayOfMonth::Last,
                days => DayOfMonth::Days(set(days, (1, 31), &[], 0)?),
            },
            months: set(month, (1, 12), &MONTHS, 1)?,
            day_of_week: day_of_week_of(day_of_week)?,
            years: set(year, (1970, 2199), &[], 0)?,
        })
    }

    /// Whether it falls due once on its days.
    pub(super) fn is_daily(&self) -> bool {
        self.hours.len() == 1
    }

    /// The least hours between two times, within a day and across midnight.
    pub(super) fn gap_hours_min(&self) -> i64 {
        let (Some(first), Some(last)) = (self.hours.first(), self.hours.last()) else { return 0 };
        let within = self.hours.iter().zip(self.hours.iter().skip(1)).map(|(a, b)| b - a);
        within.chain([first + 24 - last]).min().unwrap_or(24)
    }

    /// The first time after another, both in milliseconds since the epoch.
    pub(super) fn next(&self, after_ms: i64) -> Option<i64> {
        let epoch = date(1970, 1, 1);
        let first = after_ms.div_euclid(super::DAY_MS);
        let mut day = epoch.checked_add(first.days()).ok()?;
        for day_number in first..first + DAYS_MAX {
            if self.on(day) {
                let times = self.hours.iter().map(|hour| hour * super::HOUR_MS);
                let mut times = times.map(|time| day_number * super::DAY_MS + time);
                if let Some(time) = times.find(|time| *time > after_ms) {
                    return Some(time);
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn on(&self, day: Date) -> bool {
        let number = i64::from(day.day());
        let month_day = match &self.day_of_month {
            DayOfMonth::Any => true,
            DayOfMonth::Days(days) => days.contains(&number),
            DayOfMonth::Last => day == day.last_of_month(),
        };
        let is = |weekday: i64| sunday_is_one(day.weekday()) == weekday;
        let week_day = match &self.day_of_week {
            DayOfWeek::Any => true,
            DayOfWeek::Days(days) => days.iter().any(|weekday| is(*weekday)),
            DayOfWeek::Last(weekday) => is(*weekday) && number + 7 > i64::from(day.days_in_month()),
            DayOfWeek::Nth(weekday, nth) => is(*weekday) && (number - 1) / 7 + 1 == *nth,
        };
        month_day
            && week_day
            && self.months.contains(&i64::from(day.month()))
            && self.years.contains(&i64::from(day.year()))
    }
}

fn sunday_is_one(weekday: Weekday) -> i64 {
    i64::from(weekday.to_sunday_one_offset())
}

fn day_of_week_of(text: &str) -> Option<DayOfWeek> {
    if matches!(text, "?" | "*") {
        return Some(DayOfWeek::Any);
    }
    if text == "L" {
        return Some(DayOfWeek::Days(vec![7]));
    }
    if let Some(day) = text.strip_suffix('L') {
        return Some(DayOfWeek::Last(number(day, (1, 7), &WEEKDAYS, 1)?));
    }
    if let Some((day, nth)) = text.split_once('#') {
        let nth = number(nth, (1, 5), &[], 0)?;
        return Some(DayOfWeek::Nth(number(day, (1, 7), &WEEKDAYS, 1)?, nth));
    }
    Some(DayOfWeek::Days(set(text, (1, 7), &WEEKDAYS, 1)?))
}

/// A number within bounds, or the name of one; the first name is `base`.
fn number(text: &str, bounds: (i64, i64), names: &[&str], base: i64) -> Option<i64> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    let value = match named {
        Some(index) => i64::try_from(index).ok()? + base,
        None => text.parse().ok()?,
    };
    (bounds.0..=bounds.1).contains(&value).then_some(value)
}

/// `*`, `1`, `1-5`, `1,3`, `*/8`, `2/6`; sorted.
fn set(text: &str, bounds: (i64, i64), names: &[&str], base: i64) -> Option<Vec<i64>> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<usize>().ok()?)),
            None => (part, None),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*" | "?", _) => bounds,
            (_, Some((from, to))) => {
                (number(from, bounds, names, base)?, number(to, bounds, names, base)?)
            }
            (one, None) => {
                let from = number(one, bounds, names, base)?;
                (from, if step.is_some() { bounds.1 } else { from })
            }
        };
        if from > to || step == Some(0) {
            return None;
        }
        values.extend((from..=to).step_by(step.unwrap_or(1)));
    }
    values.sort_unstable();
    values.dedup();
    Some(values)
}
