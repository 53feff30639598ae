//! When a rotation falls due.
//!
//! A schedule answers the next window after a time: its start, when haechi begins, and its end,
//! which is `NextRotationDate`. All in UTC.
//!
//! Source: User Guide, "Schedule expressions"; API Reference, RotationRulesType.

use haechi_schedule::{Cron, Expression, Rate as Every, TimeZone, Unit};
use haechi_secretsmanager_model::Error;
use haechi_secretsmanager_model::shapes::RotationRulesType;
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Hours between two rotations at the least.
const HOURS_MIN: i64 = 4;

/// `RotationRules`, as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rules {
    pub(crate) after_days: Option<i64>,
    pub(crate) duration: Option<String>,
    pub(crate) expression: Option<String>,
}

/// A time in which a rotation is to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

enum Rate {
    Days(i64),
    Hours(i64),
    Cron(Box<Cron>),
}

/// Rules that were understood.
pub(crate) struct Schedule {
    rate: Rate,
    window_hours: Option<i64>,
}

impl Rules {
    /// The rules of a request, if it has any.
    pub(crate) fn of(rules: &RotationRulesType) -> Rules {
        Rules {
            after_days: rules.automatically_after_days,
            duration: rules.duration.clone(),
            expression: rules.schedule_expression.clone(),
        }
    }

    /// As an answer shows them, if there are any: once a secret was rotated, with the days that an
    /// expression stands for, where it counts days.
    pub(crate) fn shape(&self, was_rotated: bool) -> Option<RotationRulesType> {
        let text = self.expression.as_deref().filter(|_| was_rotated);
        let days = match text.and_then(understood) {
            Some(Expression::Rate(Every { value, unit: Unit::Days })) => Some(value),
            _ => None,
        };
        let shape = RotationRulesType {
            automatically_after_days: self.after_days.or(days),
            duration: self.duration.clone(),
            schedule_expression: self.expression.clone(),
        };
        Some(shape).filter(|_| *self != Rules::default())
    }

    /// Refuses rules that cannot be understood, and such by which no rotation will ever come.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), Error> {
        match self.schedule()? {
            Some(schedule) if schedule.next(now).is_none() => {
                Err(invalid(self.expression.as_deref().unwrap_or_default()))
            }
            _ => Ok(()),
        }
    }

    /// Understands the rules; `None` if they order no rotation by time.
    pub(crate) fn schedule(&self) -> Result<Option<Schedule>, Error> {
        let rate = match (self.after_days, self.expression.as_deref()) {
            (Some(_), Some(_)) => {
                return Err(words::parameter(
                    "You can't specify both AutomaticallyAfterDays and ScheduleExpression in the \
                     same rotation rules.",
                ));
            }
            (None, None) if self.duration.is_some() => {
                return Err(words::parameter(
                    "Duration needs AutomaticallyAfterDays or ScheduleExpression.",
                ));
            }
            (None, None) => return Ok(None),
            (Some(days), None) => Rate::Days(days),
            (None, Some(text)) => expression(text)?,
        };
        let window_hours = self.duration.as_deref().map(hours).transpose()?;
        if let Some(window) = window_hours
            && window > rate.gap_hours_min()
        {
            return Err(words::parameter(
                "The rotation window must not extend into the next rotation window.",
            ));
        }
        if let (Rate::Cron(cron), Some(window)) = (&rate, window_hours)
            && cron.hours().any(|hour| i64::from(hour) + window > 24)
        {
            return Err(words::parameter(
                "The rotation window must not extend into the next UTC day.",
            ));
        }
        Ok(Some(Schedule { rate, window_hours }))
    }
}

fn hours(text: &str) -> Result<i64, Error> {
    let number = text.strip_suffix('h').and_then(|digits| digits.parse().ok());
    number
        .filter(|hours| (1..=24).contains(hours))
        .ok_or_else(|| words::parameter("The rotation window Duration must be between 1h and 24h."))
}

fn invalid(text: &str) -> Error {
    words::parameter(format!("The ScheduleExpression {text} is not valid."))
}

fn expression(text: &str) -> Result<Rate, Error> {
    let too_often = || {
        words::parameter(format!("A secret can be rotated every {HOURS_MIN} hours at the most."))
    };
    match understood(text).ok_or_else(|| invalid(text))? {
        Expression::Rate(Every { value, unit: Unit::Hours }) if value <= 24 * 999 => {
            if value < HOURS_MIN { Err(too_often()) } else { Ok(Rate::Hours(value)) }
        }
        Expression::Rate(Every { value, unit: Unit::Days }) if value <= 999 => {
            Ok(Rate::Days(value))
        }
        Expression::Cron(cron) if cron.minutes().eq([0]) => {
            if gap_hours_min(&cron) < HOURS_MIN {
                Err(too_often())
            } else {
                Ok(Rate::Cron(cron))
            }
        }
        _ => Err(invalid(text)),
    }
}

/// Reads an expression; `rate(1 days)` and `rate(2 day)` are understood too.
fn understood(text: &str) -> Option<Expression> {
    let other_number = || {
        let rate = text.strip_prefix("rate(")?.strip_suffix(')')?.trim();
        let other = rate.strip_suffix('s').map_or_else(|| format!("{rate}s"), str::to_owned);
        Every::parse(rate).or_else(|| Every::parse(&other)).map(Expression::Rate)
    };
    Expression::parse(text).or_else(other_number)
}

/// The least hours between two times, within a day and across midnight.
fn gap_hours_min(cron: &Cron) -> i64 {
    let hours: Vec<i64> = cron.hours().map(i64::from).collect();
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return 0 };
    let within = hours.iter().zip(hours.iter().skip(1)).map(|(a, b)| b - a);
    within.chain([first + 24 - last]).min().unwrap_or(24)
}

impl Rate {
    fn gap_hours_min(&self) -> i64 {
        match self {
            Rate::Days(days) => days * 24,
            Rate::Hours(hours) => *hours,
            Rate::Cron(cron) => gap_hours_min(cron),
        }
    }
}

impl Schedule {
    /// The first window that begins after a time; `None` if there is none any more.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Window> {
        let after = after.millis();
        let (start, whole_day) = match &self.rate {
            Rate::Days(days) => ((after.div_euclid(DAY_MS) + days) * DAY_MS, true),
            Rate::Hours(hours) => ((after.div_euclid(HOUR_MS) + hours) * HOUR_MS, false),
            Rate::Cron(cron) => (cron.next(after, &TimeZone::UTC)?, cron.hours().count() == 1),
        };
        let end = match self.window_hours {
            Some(hours) => start + hours * HOUR_MS,
            None if whole_day => (start.div_euclid(DAY_MS) + 1) * DAY_MS - 1000,
            None => start + HOUR_MS,
        };
        Some(Window { start: Timestamp::from_millis(start), end: Timestamp::from_millis(end) })
    }
}

#[cfg(test)]
mod tests;
