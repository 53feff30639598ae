//! Summer time: Berlin went forward at 01:00Z on 2026-03-29, and goes back at 01:00Z on 2026-10-25.

use haechi_schedule::zone;

use super::times;

#[track_caller]
fn assert_times(expression: &str, after: &str, expected: &[&str]) {
    let berlin = zone("Europe/Berlin").unwrap();
    assert_eq!(times(expression, &berlin, after, expected.len()), expected, "{expression}");
}

#[test]
fn a_time_that_spring_leaves_out_is_left_out() {
    assert_times(
        "cron(30 2 * * ? *)",
        "2026-03-28T00:00:00Z",
        &["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"],
    );
    assert_times(
        "cron(0/30 1-3 29 3 ? *)",
        "2026-03-28T00:00:00Z",
        &[
            "2026-03-29T00:00:00Z",
            "2026-03-29T00:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T01:30:00Z",
        ],
    );
}

#[test]
fn a_time_that_comes_twice_in_autumn_falls_due_once() {
    assert_times(
        "cron(30 2 * * ? *)",
        "2026-10-24T12:00:00Z",
        &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
    );
    // In the hour that comes again.
    assert_times("cron(* * * * ? *)", "2026-10-25T01:10:00Z", &["2026-10-25T02:00:00Z"]);
}

#[test]
fn rates_do_not_care() {
    assert_times("rate(1 day)", "2026-03-28T12:00:00Z", &["2026-03-29T12:00:00Z"]);
}

#[test]
fn once_is_by_the_clock_of_the_zone() {
    assert_times("at(2026-07-01T12:00:00)", "2026-01-01T00:00:00Z", &["2026-07-01T10:00:00Z"]);
    // 02:30 does not exist that night.
    assert_times("at(2026-03-29T02:30:00)", "2026-01-01T00:00:00Z", &["2026-03-29T01:30:00Z"]);
    assert_times("at(2026-10-25T02:30:00)", "2026-01-01T00:00:00Z", &["2026-10-25T00:30:00Z"]);
}
