//! Dates of the `Date` operators: seconds since 1970, or W3C's profile of ISO 8601.

/// A moment, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date(i128);

const NANOSECONDS: i128 = 1_000_000_000;

/// The years that Java's milliseconds since 1970 reach.
const YEARS: std::ops::RangeInclusive<i64> = -292_275_054..=292_278_993;

impl Date {
    /// Reads `1577836801`, `1577836801.5`, `2020`, `2020-01`, `2020-01-01`, `2020-01-01T00:00Z`,
    /// `2020-01-01T00:00:01.5+02:00`. Four digits alone are a year, as W3C has it; others are
    /// seconds since 1970. A time without zone is UTC. IAM takes more than W3C (LocalStack's
    /// `test_create_policy_valid_document`): `01T`, `-292275054`, hours of one digit, zones without
    /// minutes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_iso = text.contains(['-', 'T', 't']) || digits(text, 4, 4).is_some();
        if is_iso { iso(text) } else { epoch(text) }
    }
}

fn epoch(text: &str) -> Option<Date> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds = digits(seconds, 1, 19)?;
    Some(Date(i128::from(seconds) * NANOSECONDS + nanoseconds(fraction)?))
}

fn iso(text: &str) -> Option<Date> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let (sign, date) = date.strip_prefix('-').map_or((1, date), |rest| (-1, rest));
    let mut parts = date.split('-');
    let year = sign * digits(parts.next()?, 1, 9)?;
    let month = parts.next().map_or(Some(1), |text| digits(text, 2, 2))?;
    let day = parts.next().map_or(Some(1), |text| digits(text, 2, 2))?;
    if parts.next().is_some() || !YEARS.contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let of_day = time.map_or(Some(0), time_of_day)?;
    let days = i128::from(days_since_1970(year, month, day));
    Some(Date(days * 86_400 * NANOSECONDS + of_day))
}

/// Nanoseconds since midnight UTC, which a zone may put before or behind the day.
fn time_of_day(text: &str) -> Option<i128> {
    if text.is_empty() {
        return Some(0);
    }
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at_checked(zone_at)?;
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 1, 2)?;
    let minute = parts.next().map_or(Some(0), |text| digits(text, 2, 2))?;
    let (second, fraction) = match parts.next() {
        Some(text) => {
            let (second, fraction) = text.split_once('.').unwrap_or((text, ""));
            (digits(second, 2, 2)?, nanoseconds(fraction)?)
        }
        None => (0, 0),
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second - zone_seconds(zone)?;
    Some(i128::from(seconds) * NANOSECONDS + fraction)
}

fn zone_seconds(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+')?),
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let (hours, minutes) = (digits(hours, 2, 2)?, digits(minutes, 2, 2)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn digits(text: &str, length_min: usize, length_max: usize) -> Option<i64> {
    let valid = (length_min..=length_max).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit());
    if valid { text.parse().ok() } else { None }
}

/// The nanoseconds of a decimal fraction of nine digits at most.
fn nanoseconds(fraction: &str) -> Option<i128> {
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days of the Gregorian calendar, counted in years that begin in March so that the leap day
/// comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i128 {
        Date::parse(text).unwrap().0 / NANOSECONDS
    }

    #[test]
    fn each_way_to_write_a_moment_is_the_same_moment() {
        for text in [
            "1577836800",
            "1577836800.0",
            "2020",
            "2020-01",
            "2020-01-01",
            "2020-01-01T00:00Z",
            "2020-01-01T00:00:00Z",
            "2020-01-01T00:00:00.000Z",
            "2020-01-01T02:00:00+02:00",
            "2019-12-31T23:30:00-00:30",
            "2020-01-01t00:00:00",
        ] {
            assert_eq!(seconds(text), 1_577_836_800, "{text}");
        }
        assert_eq!(seconds("2024-02-29T12:00:00Z"), 1_709_208_000);
        assert_eq!(seconds("1970-01-01"), 0);
        assert_eq!(seconds("1969-12-31"), -86_400);
        assert_eq!(seconds("1970"), 0);
        assert_eq!((seconds("200"), seconds("20000")), (200, 20_000));
        assert_eq!(seconds("1997-07-16T19:20:30.45+01:00"), 869_077_230);
    }

    #[test]
    fn what_iam_takes_beside_w3c_is_taken() {
        assert_eq!(Date::parse("01T"), Date::parse("1-01-01"));
        assert!(Date::parse("-292275054") < Date::parse("-1-01-01"));
        assert_eq!(
            Date::parse("2016-12-13t2:00:00.593194+23"),
            Date::parse("2016-12-12T03:00:00.593194Z")
        );
        assert!(Date::parse("9223372036854775807").is_some());
    }

    #[test]
    fn fractions_of_a_second_count() {
        assert!(Date::parse("2020-01-01T00:00:00.5Z") > Date::parse("2020-01-01T00:00:00.25Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "2023-02-29",
            "2020-13-01",
            "2020-00-01",
            "2020-1-1",
            "2020-01-01T24:00:00Z",
            "2020-01-01T00:60Z",
            "2020-01-01T00:00:00Zx",
            "2020-01-01T00:00:00+2",
            "99999999999999999999",
            "9223372036854775808",
            "-292275055",
            "234-13",
            "2016-12-13t2:00:00.593194+1",
            "2016-12-13t2:00:00.1999999999+10:59",
            "2020-01-01-01",
        ] {
            assert!(Date::parse(text).is_none(), "{text}");
        }
    }
}
