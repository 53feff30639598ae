//! Request times: seconds since the Unix epoch, in the two spellings that requests use.

use std::fmt;

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Month names of RFC 9110's `IMF-fixdate`.
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Timestamp {
    /// From seconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// This time moved by `seconds` (negative: earlier); stops at the ends of the number range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Reads ISO 8601 basic format, `20130524T000000Z`, as `X-Amz-Date` carries it.
    #[must_use]
    pub fn parse_basic(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(8)?;
        let time = rest.strip_prefix('T')?.strip_suffix('Z')?;
        if time.len() != 6 {
            return None;
        }
        let (year, month_day) = date.split_at_checked(4)?;
        let (month, day) = month_day.split_at_checked(2)?;
        let (hour, minute_second) = time.split_at_checked(2)?;
        let (minute, second) = minute_second.split_at_checked(2)?;
        Self::from_civil(
            [number(year)?, number(month)?, number(day)?],
            [number(hour)?, number(minute)?, number(second)?],
        )
    }

    /// Reads the `Date` header: ISO 8601 basic format, or RFC 9110's `IMF-fixdate`
    /// (`Fri, 24 May 2013 00:00:00 GMT`).
    #[must_use]
    pub fn parse_http(text: &str) -> Option<Self> {
        Self::parse_basic(text).or_else(|| Self::parse_imf(text))
    }

    fn parse_imf(text: &str) -> Option<Self> {
        let mut words = text.split_once(", ")?.1.split(' ');
        let day = number(words.next()?)?;
        let name = words.next()?;
        let month = MONTHS.iter().position(|month| *month == name)?;
        let year = number(words.next()?)?;
        let mut clock = words.next()?.split(':');
        let time = [number(clock.next()?)?, number(clock.next()?)?, number(clock.next()?)?];
        if words.next() != Some("GMT") || words.next().is_some() || clock.next().is_some() {
            return None;
        }
        Self::from_civil([year, i64::try_from(month).ok()? + 1, day], time)
    }

    fn from_civil([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<Self> {
        let in_range = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 61;
        in_range.then(|| {
            Self(days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
        })
    }

    /// The time in ISO 8601 basic format, `20130524T000000Z`, without allocating.
    pub(crate) fn basic(self) -> [u8; 16] {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        let mut text = *b"00000000T000000Z";
        let fields = [
            (0..4, year.clamp(0, 9999)),
            (4..6, month),
            (6..8, day),
            (9..11, second / 3600),
            (11..13, second / 60 % 60),
            (13..15, second % 60),
        ];
        for (range, mut value) in fields {
            for digit in text.get_mut(range).unwrap_or_default().iter_mut().rev() {
                *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
                value /= 10;
            }
        }
        text
    }

    /// The date of this time, `20130524`, as credential scopes carry it.
    #[must_use]
    pub fn date(self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }
}

/// ISO 8601 basic format, `20130524T000000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.basic()))
    }
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar. Years start in March
/// here, so that the leap day is the last of its year; an era is 400 years.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_format_is_read_and_written_back() {
        let time = Timestamp::parse_basic("20150830T123600Z").unwrap();
        assert_eq!(time.unix_seconds(), 1_440_938_160);
        assert_eq!(time.to_string(), "20150830T123600Z");
        assert_eq!(time.date(), "20150830");
    }

    #[test]
    fn every_day_of_eight_centuries_survives_the_round_trip() {
        for day in -146_097..146_097 {
            let (year, month, of_month) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, of_month), day);
        }
    }

    #[test]
    fn a_leap_day_exists_only_in_leap_years() {
        assert!(Timestamp::parse_basic("20240229T000000Z").is_some());
        assert!(Timestamp::parse_basic("20230229T000000Z").is_none());
        assert!(Timestamp::parse_basic("19000229T000000Z").is_none());
        assert!(Timestamp::parse_basic("20000229T000000Z").is_some());
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "20150830",
            "2015-08-30T12:36:00Z",
            "20150830T123600",
            "20150830T1236000Z",
            "20150830T12360Z",
            "20151330T123600Z",
            "20150830T243600Z",
            "+0150830T123600Z",
            "2015083０T12360Z",
        ] {
            assert_eq!(Timestamp::parse_basic(text), None, "{text}");
        }
    }

    #[test]
    fn the_date_header_may_be_an_http_date() {
        let expected = Timestamp::parse_basic("20130524T000102Z");
        assert_eq!(Timestamp::parse_http("Fri, 24 May 2013 00:01:02 GMT"), expected);
        assert_eq!(Timestamp::parse_http("20130524T000102Z"), expected);
        assert_eq!(Timestamp::parse_http("Fri, 24 May 2013 00:01:02 CET"), None);
        assert_eq!(Timestamp::parse_http("Fri, 24 May 2013 00:01 GMT"), None);
    }

    #[test]
    fn extreme_times_do_not_panic() {
        for seconds in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(Timestamp::from_unix_seconds(seconds).to_string().len(), 16);
        }
    }
}
