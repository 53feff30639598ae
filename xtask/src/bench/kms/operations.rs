//! Every kind of key: what the product does with it in a second, beside the bare cryptography on the
//! same core, and beside that with a bare server around it.

use std::path::Path;

use serde_json::{Value, json};

use super::super::process::{Server, bench, bench_beside};
use super::super::statistics::median;
use super::{Sample, sample, shown};

/// One call in rounds.
struct Rounds {
    name: String,
    /// Calls a second of bare cryptography.
    bare: Vec<f64>,
    product: Vec<Sample>,
}

/// Measures every call in turn, round by round; `floor_us` is what a bare server takes for one.
/// Answers a row each.
pub fn measure(
    server: &Server,
    target: &Path,
    (rounds, seconds): (usize, f64),
    floor_us: f64,
) -> Result<Value, String> {
    let made = bench(&["calls", "--target", &shown(target)])?;
    let names = made.get("calls").and_then(Value::as_array).into_iter().flatten();
    let names = names.filter_map(Value::as_str);
    let mut calls: Vec<Rounds> =
        names.map(|name| Rounds { name: name.to_owned(), bare: vec![], product: vec![] }).collect();
    for round in 1..=rounds {
        eprintln!("every kind of key: round {round} of {rounds}");
        for call in &mut calls {
            call.measure(server, target, seconds)?;
        }
    }
    Ok(calls.iter().map(|call| call.row(floor_us)).collect())
}

impl Rounds {
    fn measure(&mut self, server: &Server, target: &Path, seconds: f64) -> Result<(), String> {
        let (target, pid, name) = (shown(target), server.pid().to_string(), &self.name);
        let seconds = seconds.to_string();
        let bare = bench_beside(&["bare", "--call", name, "--seconds", &seconds])?;
        self.bare.push(bare.get("per_second").and_then(Value::as_f64).unwrap_or(0.0));
        // Making an RSA key takes up to seconds, and the load ends when all connections have ended.
        let slow = name.starts_with("GenerateDataKeyPair RSA");
        let connections = if slow { "2" } else { "64" };
        let load = ["load", "--target", &target, "--operation", name, "--pid", &pid];
        let how = ["--seconds", &seconds, "--connections", connections, "--warm-up", "0.1"];
        self.product.push(sample(&bench(&[&load[..], &how].concat())?)?);
        Ok(())
    }

    fn row(&self, floor_us: f64) -> Value {
        let of = |what: fn(&Sample) -> f64| median(self.product.iter().map(what));
        let bare = median(self.bare.iter().copied());
        let (per_second, cpu_us) = (of(|sample| sample.per_second), of(|sample| sample.cpu_us));
        let bare_us = 1e6 / bare.max(1e-9);
        json!({
            "call": self.name,
            "per_second": per_second,
            "bare_per_second": bare,
            "ratio": per_second / bare.max(1e-9),
            "cpu_us": cpu_us,
            "bare_us": bare_us,
            "ratio_with_floor": (bare_us + floor_us) / cpu_us.max(1e-9),
            "p50_us": of(|sample| sample.p50_us),
            "p99_us": of(|sample| sample.p99_us),
        })
    }
}

/// Prints the rows.
pub fn table(rows: &Value) {
    println!(
        "\n| call | calls/s | bare crypto | ratio | CPU µs | bare crypto + bare server µs over it | p50 ms | p99 ms |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for row in rows.as_array().into_iter().flatten() {
        let number = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        println!(
            "| {} | {:.0} | {:.0} | **{:.2}** | {:.1} | **{:.2}** | {:.2} | {:.2} |",
            row.get("call").and_then(Value::as_str).unwrap_or_default(),
            number("per_second"),
            number("bare_per_second"),
            number("ratio"),
            number("cpu_us"),
            number("ratio_with_floor"),
            number("p50_us") / 1000.0,
            number("p99_us") / 1000.0,
        );
    }
}
