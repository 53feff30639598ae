//! How many events a second meet the rules of a bus, as a ratio to a floor measured in the same run:
//! parsing the event's JSON, which nobody can do without.
//!
//! The rules are as people write them: a source each, some with conditions on the detail; an event
//! satisfies one rule in fifty.

#![expect(clippy::expect_used, reason = "a bench that cannot set itself up has nothing to measure")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use haechi_rules::{Event, Pattern};
use serde_json::{Value, json};

const MEASURED: Duration = Duration::from_secs(1);

fn event(number: usize) -> String {
    json!({
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "order",
        "source": format!("shop.{}", number % 50),
        "account": "111122223333",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:s3:::orders"],
        "detail": {
            "id": number,
            "customer": {"name": "Alice", "country": "de", "address": "10.0.3.7"},
            "items": [{"sku": "a-1", "count": 2}, {"sku": "b-7", "count": 1}],
            "total": 129.5,
            "state": "paid",
        },
    })
    .to_string()
}

fn rule(number: usize) -> Pattern {
    let source = format!("shop.{}", number % 50);
    let pattern = match number % 4 {
        0 => json!({"source": [source]}),
        1 => json!({"source": [source], "detail-type": ["order", "refund"]}),
        2 => json!({"source": [source], "detail": {"total": [{"numeric": [">", 100]}]}}),
        _ => json!({"source": [source], "detail": {
            "state": [{"anything-but": ["cancelled"]}],
            "customer": {"address": [{"cidr": "10.0.0.0/16"}], "country": [{"prefix": "d"}]},
        }}),
    };
    Pattern::from_json(&pattern).expect("a pattern")
}

/// Events a second.
fn rate(events: &[String], mut one: impl FnMut(&str) -> usize) -> f64 {
    let (begun, mut count, mut sum) = (Instant::now(), 0_u32, 0);
    while begun.elapsed() < MEASURED {
        for event in events {
            sum += one(event);
        }
        count += u32::try_from(events.len()).expect("few events");
    }
    black_box(sum);
    f64::from(count) / begun.elapsed().as_secs_f64()
}

fn main() {
    let events: Vec<String> = (0..200).map(event).collect();
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("an event");
    let floor = rate(&events, |text| parse(text).as_object().map_or(0, serde_json::Map::len));
    println!("parsing alone: {floor:.0} events/s, {:.2} us", 1e6 / floor);
    for count in [1, 100, 1000] {
        let rules: Vec<Pattern> = (0..count).map(rule).collect();
        let matched = rate(&events, |text| {
            let event = parse(text);
            let seen = Event::new(&event);
            rules.iter().filter(|rule| rule.wants(&seen)).count()
        });
        let (micros, ratio) = (1e6 / matched, matched / floor);
        println!(
            "{count:>5} rules: {matched:.0} events/s, {micros:.2} us, {ratio:.3} of the floor"
        );
    }
}
