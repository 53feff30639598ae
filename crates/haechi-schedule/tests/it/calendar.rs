//! `rate` and `cron` in UTC.

use haechi_schedule::TimeZone;

use super::times;

#[track_caller]
fn assert_times(expression: &str, after: &str, expected: &[&str]) {
    assert_eq!(times(expression, &TimeZone::UTC, after, expected.len()), expected, "{expression}");
}

#[test]
fn rates_are_always_as_long_apart() {
    let now = "2026-01-01T10:20:30Z";
    assert_times("rate(1 minute)", now, &["2026-01-01T10:21:30Z", "2026-01-01T10:22:30Z"]);
    assert_times("rate(36 hours)", now, &["2026-01-02T22:20:30Z", "2026-01-04T10:20:30Z"]);
    assert_times("rate(2 days)", now, &["2026-01-03T10:20:30Z", "2026-01-05T10:20:30Z"]);
}

#[test]
fn cron_follows_the_calendar_as_in_the_examples_of_the_guide() {
    let now = "2026-01-01T10:20:30Z";
    for (expression, expected) in [
        ("cron(15 10 * * ? *)", ["2026-01-02T10:15:00Z", "2026-01-03T10:15:00Z"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01T18:00:00Z", "2026-01-02T18:00:00Z"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01T08:00:00Z", "2026-03-01T08:00:00Z"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-01T10:30:00Z", "2026-01-01T10:40:00Z"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01T10:25:00Z", "2026-01-01T10:30:00Z"]),
        ("cron(0 9 ? * 2#1 *)", ["2026-01-05T09:00:00Z", "2026-02-02T09:00:00Z"]),
        ("cron(0 10 ? * 6L *)", ["2026-01-30T10:00:00Z", "2026-02-27T10:00:00Z"]),
        ("cron(* * ? * SAT#3 *)", ["2026-01-17T00:00:00Z", "2026-01-17T00:01:00Z"]),
        ("cron(5,35 14 * * ? *)", ["2026-01-01T14:05:00Z", "2026-01-01T14:35:00Z"]),
        ("cron(0 0 L * ? *)", ["2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"]),
        ("cron(0 0 3W * ? *)", ["2026-01-02T00:00:00Z", "2026-02-03T00:00:00Z"]),
        ("cron(0 0 1W * ? *)", ["2026-02-02T00:00:00Z", "2026-03-02T00:00:00Z"]),
        ("cron(0 0 LW * ? *)", ["2026-01-30T00:00:00Z", "2026-02-27T00:00:00Z"]),
        ("cron(0 0 ? * L *)", ["2026-01-03T00:00:00Z", "2026-01-10T00:00:00Z"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
        ("cron(0 0 1 jan ? 2030/10)", ["2030-01-01T00:00:00Z", "2040-01-01T00:00:00Z"]),
        ("cron(59 23 31 12 ? 2198-2199)", ["2198-12-31T23:59:00Z", "2199-12-31T23:59:00Z"]),
    ] {
        assert_times(expression, now, &expected);
    }
}

#[test]
fn what_has_passed_for_good_never_comes() {
    for expression in
        ["cron(15 10 ? * 6L 2002-2005)", "cron(0 0 31 2 ? *)", "at(2025-12-31T23:59:59)"]
    {
        assert!(times(expression, &TimeZone::UTC, "2026-01-01T00:00:00Z", 1).is_empty());
    }
    let three = "cron(0 0 1 1 ? 2027-2029)";
    assert_eq!(times(three, &TimeZone::UTC, "2026-01-01T00:00:00Z", 10).len(), 3);
}
