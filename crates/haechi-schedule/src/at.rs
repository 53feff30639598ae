//! `at(yyyy-mm-ddThh:mm:ss)`: once, by the clock of a time zone.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads `2026-01-01T12:00:00`, and nothing shorter or longer.
pub(crate) fn parse(text: &str) -> Option<DateTime> {
    let has_form = text.len() == 19
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        });
    text.parse().ok().filter(|_| has_form)
}

/// When a clock shows a time: the first time, if it shows it twice; in an hour that is left out, as
/// if the clock had not been put forward. Milliseconds since the epoch.
pub fn at(time: DateTime, zone: &TimeZone) -> Option<i64> {
    let instant = zone.to_ambiguous_timestamp(time).compatible().ok()?;
    Some(instant.as_millisecond())
}
