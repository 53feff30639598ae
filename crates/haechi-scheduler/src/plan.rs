//! When a schedule falls due. Pure.
//!
//! Source: User Guide, "Schedule types in EventBridge Scheduler", "Configuring flexible time windows".

use haechi_schedule::{Expression, TimeZone, zone};
use haechi_scheduler_model::Error;

use crate::invalid;
use crate::store::Timing;

const MINUTE_MS: i64 = 60_000;

/// Reads an expression. The Scheduler's rates may be of one unit in the plural and of many in the
/// singular: `rate(1 hours)`, `rate(2 minute)` (recorded).
fn parsed(text: &str) -> Option<Expression> {
    let rate = text.strip_prefix("rate(").and_then(|rate| rate.strip_suffix(')'));
    let Some((count, unit)) = rate.and_then(|rate| rate.split_once(' ')) else {
        return Expression::parse(text);
    };
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let plural = if count == "1" { "" } else { "s" };
    Expression::parse(&format!("rate({count} {unit}{plural})"))
}

impl Timing {
    /// Its expression and time zone.
    ///
    /// # Errors
    /// In AWS's words, if one of them is none.
    pub(crate) fn read(&self) -> Result<(Expression, TimeZone), Error> {
        let expression = parsed(&self.expression)
            .ok_or_else(|| invalid(format!("Invalid Schedule Expression {}.", self.expression)))?;
        let zone = match self.zone.as_deref() {
            None => TimeZone::UTC,
            Some(name) => zone(name)
                .ok_or_else(|| invalid(format!("Invalid ScheduleExpressionTimezone {name}.")))?,
        };
        Ok((expression, zone))
    }

    /// The first time after another, not before the start and not after the end; none if there is
    /// none any more. A rate begins with its origin.
    pub(crate) fn next(&self, after_ms: i64) -> Result<Option<i64>, Error> {
        let (expression, zone) = self.read()?;
        let after_ms = match (&expression, self.start_ms) {
            // Once is once: start and end do not matter.
            (Expression::At(_), _) => {
                return Ok(expression.next(after_ms, self.origin_ms, &zone));
            }
            (_, Some(start)) => after_ms.max(start - 1),
            (_, None) => after_ms,
        };
        let next = expression.next(after_ms, self.origin_ms, &zone);
        Ok(next.filter(|next| self.end_ms.is_none_or(|end| *next <= end)))
    }

    /// When the target is called for a time: then, or at a random moment of the flexible window.
    pub(crate) fn called_ms(&self, due_ms: i64, random: u64) -> i64 {
        let Some(minutes) = self.window_minutes else { return due_ms };
        let window = u64::try_from(i64::from(minutes) * MINUTE_MS).unwrap_or(1).max(1);
        due_ms + i64::try_from(random % window).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600_000;

    fn timing(expression: &str) -> Timing {
        Timing {
            expression: expression.to_owned(),
            zone: None,
            start_ms: None,
            end_ms: None,
            origin_ms: NOW,
            window_minutes: None,
        }
    }

    #[test]
    fn a_rate_begins_at_once_or_with_its_start() {
        let rate = timing("rate(5 minutes)");
        assert_eq!(rate.next(NOW - 1).unwrap(), Some(NOW));
        assert_eq!(rate.next(NOW).unwrap(), Some(NOW + 5 * MINUTE_MS));
        let start = NOW + 90_000;
        let later = Timing { start_ms: Some(start), origin_ms: start, ..rate };
        assert_eq!(later.next(NOW).unwrap(), Some(start));
        assert_eq!(later.next(start).unwrap(), Some(start + 5 * MINUTE_MS));
    }

    #[test]
    fn nothing_falls_due_before_the_start_or_after_the_end() {
        let (start, end) = (Some(NOW + 60_000), Some(NOW + 120_000));
        let cron = Timing { start_ms: start, end_ms: end, ..timing("cron(* * * * ? *)") };
        assert_eq!(cron.next(NOW).unwrap(), start);
        assert_eq!(cron.next(NOW + 60_000).unwrap(), end);
        assert_eq!(cron.next(NOW + 120_000).unwrap(), None);
    }

    #[test]
    fn once_is_by_the_clock_of_its_zone_whatever_start_and_end() {
        let at = Timing {
            zone: Some("Europe/Berlin".to_owned()),
            start_ms: Some(NOW + 86_400_000 * 365),
            ..timing("at(2026-07-01T12:00:00)")
        };
        assert_eq!(at.next(NOW).unwrap(), Some(1_782_900_000_000));
        assert_eq!(at.next(1_782_900_000_000).unwrap(), None);
    }

    #[test]
    fn a_flexible_window_is_never_left() {
        let flexible = Timing { window_minutes: Some(15), ..timing("rate(1 day)") };
        for random in [0, 1, u64::MAX, 899_999, 900_000] {
            let called = flexible.called_ms(NOW, random);
            assert!((NOW..NOW + 15 * MINUTE_MS).contains(&called), "{random}");
        }
        assert_eq!(timing("rate(1 day)").called_ms(NOW, 7), NOW);
    }

    #[test]
    fn units_may_stand_in_singular_and_plural() {
        for text in ["rate(1 hours)", "rate(1 hour)", "rate(2 hour)", "rate(2 hours)"] {
            assert!(parsed(text).is_some(), "{text}");
        }
        assert_eq!(parsed("rate(2 minute)"), parsed("rate(2 minutes)"));
        for text in [
            "rate(1 weeks)",
            "rate(10 minutess)",
            "rate(1 minutess)",
            "rate(10 s)",
            "rate( 10 minutes )",
        ] {
            assert!(parsed(text).is_none(), "{text}");
        }
    }
}
