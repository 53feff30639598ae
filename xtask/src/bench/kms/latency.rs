//! How long one waits for an answer when the server has time: at half of what it can do, asked at
//! random times whether or not it has answered (an open loop).

use std::path::Path;

use serde_json::{Value, json};

use super::super::process::{Server, bench};
use super::super::statistics::median;
use super::{Sample, Series, sample, shown};

/// Measures each operation at half of the throughput that its series found. Answers a row each.
pub fn measure(
    server: &Server,
    target: &Path,
    series: &[Series],
    (rounds, seconds): (usize, f64),
) -> Result<Value, String> {
    let rows = series.iter().map(|series| {
        let rate = median(series.product.iter().map(|sample| sample.per_second)) / 2.0;
        let tls: &[&str] = if series.tls { &["--tls"] } else { &[] };
        let how = [&["--operation", series.operation], tls].concat();
        let samples: Result<Vec<Sample>, String> =
            (0..rounds).map(|_| at_rate(server, target, rate, seconds, &how)).collect();
        let samples = samples?;
        let of = |what: fn(&Sample) -> f64| median(samples.iter().map(what));
        Ok(json!({
            "operation": series.operation,
            "tls": series.tls,
            "rate": rate,
            "per_second": of(|sample| sample.per_second),
            "p50_us": of(|sample| sample.p50_us),
            "p99_us": of(|sample| sample.p99_us),
            "p999_us": of(|sample| sample.p999_us),
        }))
    });
    rows.collect()
}

/// One round at a rate; `how` are further options of the load.
pub fn at_rate(
    server: &Server,
    target: &Path,
    rate: f64,
    seconds: f64,
    how: &[&str],
) -> Result<Sample, String> {
    let (target, pid) = (shown(target), server.pid().to_string());
    let (rate, seconds) = (rate.to_string(), seconds.to_string());
    let load = ["load", "--target", &target, "--pid", &pid, "--rate", &rate, "--seconds", &seconds];
    sample(&bench(&[&load[..], how].concat())?)
}

/// Prints the rows.
pub fn table(rows: &Value) {
    println!("\n| operation | transport | asked/s | answered/s | p50 ms | p99 ms | p99.9 ms |");
    println!("|---|---|--:|--:|--:|--:|--:|");
    for row in rows.as_array().into_iter().flatten() {
        let number = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        let tls = row.get("tls").and_then(Value::as_bool).unwrap_or(false);
        println!(
            "| {} | {} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} |",
            row.get("operation").and_then(Value::as_str).unwrap_or_default(),
            if tls { "TLS 1.3" } else { "plain" },
            number("rate"),
            number("per_second"),
            number("p50_us") / 1000.0,
            number("p99_us") / 1000.0,
            number("p999_us") / 1000.0,
        );
    }
}
