//! Any text as an event pattern, then an event under it; any text as a schedule, then its times.
//!
//! Input: the first text up to a NUL, then the event. Nothing may panic or take long, and times only
//! grow.
#![no_main]

use haechi_rules::Pattern;
use haechi_schedule::{Expression, TimeZone, zone};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (first, event) = text.split_once('\0').unwrap_or((text, "{}"));
    if let Ok(pattern) = Pattern::parse(first)
        && let Ok(event) = serde_json::from_str(event)
    {
        let _ = pattern.matches(&event);
    }
    let Some(expression) = Expression::parse(first) else { return };
    let zone = zone(event).unwrap_or(TimeZone::UTC);
    let mut last = 1_767_225_600_000;
    for _ in 0..4 {
        let Some(next) = expression.next(last, 0, &zone) else { return };
        assert!(next > last, "{first}");
        last = next;
    }
});
