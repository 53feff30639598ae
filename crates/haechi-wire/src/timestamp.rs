//! Points in time as AWS's protocols carry them.

/// Milliseconds since 1970-01-01T00:00:00Z, the finest that AWS's answers show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// From whole seconds since the epoch; saturates.
    pub const fn from_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Later by some seconds; saturates.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// `2024-06-05T17:23:49Z`: as the query protocol and CloudTrail write it.
    pub fn iso8601(self) -> String {
        // By hand: each record of the audit log has one, and patterns are read anew each time.
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        let at = jiff::tz::Offset::UTC.to_datetime(instant);
        if at.year() < 0 {
            return self.format("%Y-%m-%dT%H:%M:%SZ");
        }
        let (date, time) = (at.date(), at.time());
        let [c1, c2] = two_digits(at.year() / 100);
        let [y1, y2] = two_digits(at.year() % 100);
        let [m1, m2] = two_digits(date.month().into());
        let [d1, d2] = two_digits(date.day().into());
        let [h1, h2] = two_digits(time.hour().into());
        let [n1, n2] = two_digits(time.minute().into());
        let [s1, s2] = two_digits(time.second().into());
        String::from_iter([
            c1, c2, y1, y2, '-', m1, m2, '-', d1, d2, 'T', h1, h2, ':', n1, n2, ':', s1, s2, 'Z',
        ])
    }

    /// `20240605T172349Z`: as Signature Version 4 writes it.
    pub fn basic(self) -> String {
        self.format("%Y%m%dT%H%M%SZ")
    }

    /// In UTC, by a `strftime` pattern. Times that no calendar shows are shown as the epoch.
    pub fn format(self, pattern: &str) -> String {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or_default().strftime(pattern).to_string()
    }

    /// Reads ISO 8601 or epoch seconds (with or without a fraction).
    pub fn parse(text: &str) -> Option<Timestamp> {
        if let Ok(parsed) = text.parse::<jiff::Timestamp>() {
            return Some(Timestamp(parsed.as_millisecond()));
        }
        Timestamp::from_epoch(text.parse().ok()?)
    }

    /// Reads the date of an HTTP header: `Tue, 29 Apr 2014 18:30:38 GMT`. Source: RFC 9110, 5.6.7.
    pub fn parse_http_date(text: &str) -> Option<Timestamp> {
        let zoned = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Timestamp(zoned.as_millisecond()))
    }

    /// From seconds since the epoch with a fraction; `None` if no calendar shows it.
    pub fn from_epoch(seconds: f64) -> Option<Timestamp> {
        let millis = (seconds * 1000.0).round();
        // Year 9999: beyond it the calendar below ends too.
        if !millis.is_finite() || millis.abs() > 253_402_300_799_000.0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
        Some(Timestamp(millis as i64))
    }
}

/// The last two digits of a number that is not negative.
fn two_digits(value: i16) -> [char; 2] {
    let digit = |value: i16| char::from(b'0' + u8::try_from(value % 10).unwrap_or_default());
    [digit(value / 10), digit(value)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_spellings_and_writes_iso() {
        assert_eq!(
            Timestamp::parse("2013-01-01T00:00:00Z"),
            Some(Timestamp::from_seconds(1_356_998_400))
        );
        assert_eq!(
            Timestamp::parse("1356998400.5"),
            Some(Timestamp::from_millis(1_356_998_400_500))
        );
        assert_eq!(Timestamp::from_seconds(1_356_998_400).iso8601(), "2013-01-01T00:00:00Z");
        for seconds in [0, 951_827_696, 1_735_689_599, 253_402_300_799, -1, -62_135_596_801] {
            let at = Timestamp::from_seconds(seconds);
            assert_eq!(at.iso8601(), at.format("%Y-%m-%dT%H:%M:%SZ"), "{seconds}");
        }
        assert_eq!(Timestamp::from_seconds(1_356_998_400).basic(), "20130101T000000Z");
        assert_eq!(Timestamp::parse("1e300"), None);
        assert_eq!(Timestamp::parse("yesterday"), None);
    }
}
