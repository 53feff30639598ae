//! What is an expression, and what is none.

use haechi_schedule::{Expression, TimeZone, zone};
use proptest::prelude::*;

#[test]
fn what_aws_refuses_is_refused() {
    for wrong in [
        "rate(10 seconds)",
        "rate(10 years)",
        "rate(1 minutes)",
        "rate(1 hours)",
        "rate(1 days)",
        "rate(10 minute)",
        "rate(10 hour)",
        "rate(10 day)",
        "rate()",
        "rate(10)",
        "rate(10 minutess)",
        "rate(foo minutes)",
        "rate(0 minutes)",
        "rate(-10 minutes)",
        "rate(+10 minutes)",
        "rate(10 MINUTES)",
        "rate( 10 minutes )",
        " rate(10 minutes)",
        "rate(99999999999999999999 days)",
        "cron(0 1 * * * *)",
        "cron(7 20 * * NOT *)",
        "cron(INVALID)",
        "cron(0 dummy ? * MON-FRI *)",
        "cron(71 8 1 * ? *)",
        "cron(0 8 ? * ? *)",
        "cron(0 24 1 * ? *)",
        "cron(0 8 1 * ?)",
        "cron(0 8 1 * ? * *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 1 13 ? *)",
        "cron(0 8 1 * ? 2200)",
        "cron(0 8 1 * ? 1969)",
        "cron(*/0 8 1 * ? *)",
        "cron(5-1 8 1 * ? *)",
        "cron(0 8 ? * 6#6 *)",
        "cron(0 8 ? * 8L *)",
        "at(2021-12-31T23:59:59Z)",
        "at(2021-12-31)",
        "at(2021-12-31 23:59:59)",
        "at(2021-13-31T23:59:59)",
        "at(2021-02-29T23:59:59)",
        "every(1 day)",
        "",
    ] {
        assert_eq!(Expression::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn zones_have_the_names_of_the_tz_database() {
    for name in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"] {
        assert!(zone(name).is_some(), "{name}");
    }
    for name in ["", "Europe/Nowhere", "CEST", "../etc/passwd", "+01:00"] {
        assert!(zone(name).is_none(), "{name}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_fail(text in "(rate|cron|at)\\([ 0-9A-Za-z,*/?#TW:-]{0,40}\\)") {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn times_only_grow(
        minutes in "(\\*|[0-5]?[0-9]|0/7|3-9)",
        hours in "(\\*|1?[0-9]|0/5)",
        day in "(\\*|[12]?[1-9]|L|LW|15W)",
        month in "(\\*|[1-9]|JAN-MAR)",
        after in 0_i64..7_000_000_000_000,
        place in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    ) {
        let text = format!("cron({minutes} {hours} {day} {month} ? *)");
        let expression = Expression::parse(&text).unwrap();
        let zone: TimeZone = zone(place).unwrap();
        let mut last = after;
        for _ in 0..5 {
            let Some(next) = expression.next(last, 0, &zone) else { break };
            prop_assert!(next > last, "{text} {next} {last}");
            prop_assert_eq!(next % 60_000, 0);
            last = next;
        }
    }

    #[test]
    fn a_rate_meets_its_origin_and_nothing_between(
        value in 2_i64..10_000,
        origin in 0_i64..4_000_000_000_000,
        passed in 0_i64..4_000_000_000_000,
    ) {
        let expression = Expression::parse(&format!("rate({value} minutes)")).unwrap();
        let after = origin + passed;
        let next = expression.next(after, origin, &TimeZone::UTC).unwrap();
        prop_assert!(next > after && next <= after + value * 60_000);
        prop_assert_eq!((next - origin) % (value * 60_000), 0);
    }
}
