//! The two ways to say a day.

use jiff::civil::{Date, Weekday};

use super::set::{Set, number};

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// By its number in the month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DayOfMonth {
    /// `?`, `*`.
    Any,
    /// `1`, `1-5`, `1,15`, `1/7`.
    Days(Set),
    /// `L`.
    Last,
    /// `LW`: the last one from Monday to Friday.
    LastWeekday,
    /// `15W`: the one from Monday to Friday that is nearest, within the month.
    Weekday(i16),
}

impl DayOfMonth {
    pub(super) fn parse(text: &str) -> Option<DayOfMonth> {
        Some(match text {
            "?" | "*" => DayOfMonth::Any,
            "L" => DayOfMonth::Last,
            "LW" => DayOfMonth::LastWeekday,
            _ => match text.strip_suffix('W') {
                Some(day) => DayOfMonth::Weekday(number(day, (1, 31), &[])?),
                None => DayOfMonth::Days(Set::parse(text, (1, 31), &[])?),
            },
        })
    }

    pub(super) fn contains(&self, day: Date) -> bool {
        match self {
            DayOfMonth::Any => true,
            DayOfMonth::Days(days) => days.contains(i16::from(day.day())),
            DayOfMonth::Last => day == day.last_of_month(),
            DayOfMonth::LastWeekday => day == nearest_weekday(day.last_of_month()),
            DayOfMonth::Weekday(number) => {
                let named = i8::try_from(*number)
                    .ok()
                    .and_then(|number| Date::new(day.year(), day.month(), number).ok());
                named.is_some_and(|named| day == nearest_weekday(named))
            }
        }
    }
}

/// The day from Monday to Friday that is nearest to another, and in its month.
fn nearest_weekday(day: Date) -> Date {
    let (back, forth) = match day.weekday() {
        Weekday::Saturday => (1, 2),
        Weekday::Sunday => (-1, -2),
        _ => return day,
    };
    let moved = |days: i8| Date::new(day.year(), day.month(), day.day() - days).ok();
    // Saturday goes to Friday, Sunday to Monday, unless that is another month.
    moved(back).or_else(|| moved(-forth)).unwrap_or(day)
}

/// By the day of the week, of which 1 is Sunday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DayOfWeek {
    /// `?`, `*`.
    Any,
    /// `2`, `MON-FRI`, `MON,WED`.
    Days(Set),
    /// `6L`: the last of the month.
    Last(i16),
    /// `6#3`: the third of the month.
    Nth(i16, i16),
}

impl DayOfWeek {
    pub(super) fn parse(text: &str) -> Option<DayOfWeek> {
        if matches!(text, "?" | "*") {
            return Some(DayOfWeek::Any);
        }
        if text == "L" {
            return Some(DayOfWeek::Days(Set::parse("7", (1, 7), &[])?));
        }
        if let Some(day) = text.strip_suffix('L') {
            return Some(DayOfWeek::Last(number(day, (1, 7), &WEEKDAYS)?));
        }
        if let Some((day, nth)) = text.split_once('#') {
            let nth = number(nth, (1, 5), &[])?;
            return Some(DayOfWeek::Nth(number(day, (1, 7), &WEEKDAYS)?, nth));
        }
        Some(DayOfWeek::Days(Set::parse(text, (1, 7), &WEEKDAYS)?))
    }

    pub(super) fn contains(&self, day: Date) -> bool {
        let weekday = i16::from(day.weekday().to_sunday_one_offset());
        let number = i16::from(day.day());
        match self {
            DayOfWeek::Any => true,
            DayOfWeek::Days(days) => days.contains(weekday),
            DayOfWeek::Last(wanted) => {
                weekday == *wanted && number + 7 > i16::from(day.days_in_month())
            }
            DayOfWeek::Nth(wanted, nth) => weekday == *wanted && (number - 1) / 7 + 1 == *nth,
        }
    }
}
