use super::*;

fn rules(expression: &str, duration: Option<&str>) -> Rules {
    Rules {
        after_days: None,
        duration: duration.map(str::to_owned),
        expression: Some(expression.to_owned()),
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn next(expression: &str, duration: Option<&str>, after: &str) -> (String, String) {
    let schedule = rules(expression, duration).schedule().unwrap().unwrap();
    let window = schedule.next(at(after)).unwrap();
    (window.start.iso8601(), window.end.iso8601())
}

#[track_caller]
fn assert_next(expression: &str, duration: Option<&str>, after: &str, start: &str, end: &str) {
    let expected = (start.to_owned(), end.to_owned());
    assert_eq!(next(expression, duration, after), expected, "{expression}");
}

#[test]
fn rates_count_from_the_last_rotation() {
    let (now, end) = ("2026-01-01T10:20:30Z", "2026-01-11T23:59:59Z");
    assert_next("rate(10 days)", None, now, "2026-01-11T00:00:00Z", end);
    assert_next("rate(1 day)", Some("3h"), now, "2026-01-02T00:00:00Z", "2026-01-02T03:00:00Z");
    assert_next("rate(4 hours)", None, now, "2026-01-01T14:00:00Z", "2026-01-01T15:00:00Z");
}

#[test]
fn cron_follows_the_calendar_as_in_the_examples_of_the_guide() {
    let now = "2026-01-01T10:20:30Z";
    for (expression, start) in [
        ("cron(0 8 * * ? *)", "2026-01-02T08:00:00Z"),
        ("cron(0 8 1 * ? *)", "2026-02-01T08:00:00Z"),
        ("cron(0 0/8 * * ? *)", "2026-01-01T16:00:00Z"),
        ("cron(0 1 ? * SUN#1 *)", "2026-01-04T01:00:00Z"),
        ("cron(0 17 ? JAN,APR,JUL,OCT MON#3 *)", "2026-01-19T17:00:00Z"),
        ("cron(0 16 ? * SATL *)", "2026-01-31T16:00:00Z"),
        ("cron(0 3 L 2 ? *)", "2026-02-28T03:00:00Z"),
        ("cron(0 12 29 2 ? *)", "2028-02-29T12:00:00Z"),
        ("cron(0 9 ? * MON-FRI 2027)", "2027-01-01T09:00:00Z"),
    ] {
        assert_eq!(next(expression, Some("1h"), now).0, start, "{expression}");
    }
    assert_next("cron(0 8 1 * ? *)", None, now, "2026-02-01T08:00:00Z", "2026-02-01T23:59:59Z");
}

#[test]
fn a_time_that_has_passed_for_good_never_comes() {
    let schedule = rules("cron(0 8 1 1 ? 2020)", None).schedule().unwrap().unwrap();
    assert_eq!(schedule.next(at("2026-01-01T00:00:00Z")), None);
}

#[test]
fn more_often_than_every_four_hours_is_refused() {
    for often in
        ["rate(3 hours)", "cron(0 0/3 * * ? *)", "cron(0 1,22 * * ? *)", "cron(0 * * * ? *)"]
    {
        assert!(rules(often, None).schedule().is_err(), "{often}");
    }
    assert!(rules("cron(0 0/4 * * ? *)", None).schedule().is_ok());
}

#[test]
fn a_window_ends_before_the_next_begins() {
    assert!(rules("rate(4 hours)", Some("4h")).schedule().is_ok());
    assert!(rules("rate(4 hours)", Some("5h")).schedule().is_err());
    assert!(rules("cron(0 20 * * ? *)", Some("4h")).schedule().is_ok());
    assert!(rules("cron(0 20 * * ? *)", Some("5h")).schedule().is_err(), "into the next day");
    for wrong in ["0h", "25h", "h", "3"] {
        assert!(rules("rate(10 days)", Some(wrong)).schedule().is_err(), "{wrong}");
    }
}

#[test]
fn an_expression_in_days_is_told_as_days_once_a_secret_was_rotated() {
    for (expression, rotated, days) in [
        ("rate(10 days)", true, Some(10)),
        ("rate(10 days)", false, None),
        ("rate(12 hours)", true, None),
    ] {
        let shape = rules(expression, None).shape(rotated).unwrap();
        assert_eq!(shape.automatically_after_days, days, "{expression} {rotated}");
        assert_eq!(shape.schedule_expression.as_deref(), Some(expression));
    }
}

#[test]
fn what_is_no_schedule_is_refused() {
    for wrong in [
        "rate(0 days)",
        "rate(1000 days)",
        "rate(5 minutes)",
        "rate(days)",
        "cron(5 8 * * ? *)",
        "cron(0 8 1 * 1 *)",
        "cron(0 8 ? * ? *)",
        "cron(0 24 1 * ? *)",
        "cron(0 8 1 * ?)",
        "at(2026-01-01T00:00:00)",
        "",
    ] {
        assert!(rules(wrong, None).schedule().is_err(), "{wrong}");
    }
    let both = Rules { after_days: Some(1), ..rules("rate(1 day)", None) };
    assert!(both.schedule().is_err());
    assert!(Rules::default().schedule().unwrap().is_none());
}
