//! AWS's schedule expressions: `rate(5 minutes)`, `cron(0 12 * * ? *)`, `at(2026-01-01T12:00:00)`,
//! and when they fall due. Rules of EventBridge, schedules of EventBridge Scheduler and rotations of
//! Secrets Manager speak it, each with limits of its own. Pure: no I/O, no clock.
//!
//! What it guarantees:
//! * The times of an expression only grow, and lie after the time asked for.
//! * By the calendar of a time zone, what falls into an hour that the spring leaves out is left out,
//!   and what falls into one that comes twice in autumn falls due the first time only.
//! * Work is bounded: an expression of whatever kind is answered within some thousand steps.
//!
//! Times are milliseconds since the epoch.
//!
//! Source of behaviour: EventBridge user guide, "Creating an Amazon EventBridge rule that runs on a
//! schedule"; EventBridge Scheduler user guide, "Schedule types".
//!
//! ```text
//! rate.rs   Rate   every so many minutes, hours or days
//! cron.rs   Cron   by the calendar
//! at.rs     at     once
//! ```

mod at;
mod cron;
mod rate;

pub use at::at;
pub use cron::Cron;
pub use jiff::tz::TimeZone;
pub use rate::{Rate, Unit};

/// A time zone by its name in the IANA time zone database, which is built in: `Europe/Berlin`.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// A schedule that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `rate(value unit)`.
    Rate(Rate),
    /// `cron(minutes hours day-of-month month day-of-week year)`.
    Cron(Box<Cron>),
    /// `at(yyyy-mm-ddThh:mm:ss)`, a time without a zone.
    At(jiff::civil::DateTime),
}

impl Expression {
    /// Reads an expression; `None` if it is none.
    pub fn parse(text: &str) -> Option<Expression> {
        let (kind, rest) = text.split_once('(')?;
        let inner = rest.strip_suffix(')')?;
        match kind {
            "rate" => Rate::parse(inner).map(Expression::Rate),
            "cron" => Cron::parse(inner).map(|cron| Expression::Cron(Box::new(cron))),
            "at" => at::parse(inner).map(Expression::At),
            _ => None,
        }
    }

    /// The first time after `after_ms`; `None` if there is none any more. Rates count from
    /// `origin_ms`, calendars go by `zone`.
    pub fn next(&self, after_ms: i64, origin_ms: i64, zone: &TimeZone) -> Option<i64> {
        match self {
            Expression::Rate(rate) => rate.next(after_ms, origin_ms),
            Expression::Cron(cron) => cron.next(after_ms, zone),
            Expression::At(time) => at(*time, zone).filter(|time| *time > after_ms),
        }
    }
}
