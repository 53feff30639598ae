//! `rate(value unit)`: from a start on, always as long apart.

/// How long the unit of a rate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `minute`, `minutes`.
    Minutes,
    /// `hour`, `hours`.
    Hours,
    /// `day`, `days`: 24 hours.
    Days,
}

impl Unit {
    /// Its length in milliseconds.
    pub const fn millis(self) -> i64 {
        match self {
            Unit::Minutes => 60_000,
            Unit::Hours => 3_600_000,
            Unit::Days => 86_400_000,
        }
    }
}

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many units; at least one.
    pub value: i64,
    /// Of which length.
    pub unit: Unit,
}

/// The longest rate in units, so that no time overflows: a million years of days.
const VALUE_MAX: i64 = 365_000_000;

impl Rate {
    /// Reads `5 minutes`: a positive number, one space, and a unit, which stands in the singular for
    /// one and in the plural for others.
    pub fn parse(text: &str) -> Option<Rate> {
        let (number, unit) = text.split_once(' ')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let value: i64 = number.parse().ok().filter(|_| is_number)?;
        let unit = match (unit, value == 1) {
            ("minute", true) | ("minutes", false) => Unit::Minutes,
            ("hour", true) | ("hours", false) => Unit::Hours,
            ("day", true) | ("days", false) => Unit::Days,
            _ => return None,
        };
        (1..=VALUE_MAX).contains(&value).then_some(Rate { value, unit })
    }

    /// From one time to the next, in milliseconds.
    pub const fn millis(self) -> i64 {
        self.value * self.unit.millis()
    }

    /// The first of the times `origin`, `origin + rate`, … after another.
    pub fn next(self, after_ms: i64, origin_ms: i64) -> Option<i64> {
        if after_ms < origin_ms {
            return Some(origin_ms);
        }
        let passed = after_ms.checked_sub(origin_ms)? / self.millis();
        origin_ms.checked_add(passed.checked_add(1)?.checked_mul(self.millis())?)
    }
}
