//! The results for people (tables in Markdown, as docs/performance.md shows them) and for programs.

use serde_json::{Value, json};

use super::super::statistics::median;
use super::{Sample, Series};

/// Prints the rounds' medians, product beside floor.
pub fn speed(series: &[Series]) {
    println!(
        "| operation | transport | req/s | floor | ratio | CPU µs | of it log | floor | ratio | p50 ms | p99 ms |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for series in series {
        let (product, floor) = (&series.product, &series.floor);
        println!(
            "| {} | {} | {:.0} | {:.0} | **{:.2}** | {:.1} | {:.1} | {:.1} | **{:.2}** | {:.2} | {:.2} |",
            series.operation,
            if series.tls { "TLS 1.3" } else { "plain" },
            of(product, |sample| sample.per_second),
            of(floor, |sample| sample.per_second),
            series.speed_ratio(),
            of(product, |sample| sample.cpu_us),
            of(product, log_us),
            of(floor, |sample| sample.cpu_us),
            series.cpu_ratio(),
            of(product, |sample| sample.p50_us) / 1000.0,
            of(product, |sample| sample.p99_us) / 1000.0,
        );
    }
    let generator = series.iter().map(|series| of(&series.floor, |sample| sample.generator_us));
    println!("\nThe generator took {:.1} µs for a request of the floor.", median(generator));
}

/// CPU time of the audit log's thread.
fn log_us(sample: &Sample) -> f64 {
    sample.threads_us.get("haechi-log").copied().unwrap_or(0.0)
}

fn of(samples: &[Sample], what: impl Fn(&Sample) -> f64) -> f64 {
    median(samples.iter().map(what))
}

/// One operation over one transport, with each round.
pub fn series_json(series: &Series) -> Value {
    let samples = |samples: &[Sample]| samples.iter().map(sample_json).collect::<Vec<_>>();
    json!({
        "operation": series.operation,
        "tls": series.tls,
        "speed_ratio": series.speed_ratio(),
        "cpu_ratio": series.cpu_ratio(),
        "product": samples(&series.product),
        "floor": samples(&series.floor),
    })
}

fn sample_json(sample: &Sample) -> Value {
    json!({
        "per_second": sample.per_second,
        "cpu_us": sample.cpu_us,
        "threads_us": sample.threads_us,
        "p50_us": sample.p50_us,
        "p99_us": sample.p99_us,
        "p999_us": sample.p999_us,
        "generator_us": sample.generator_us,
        "answer_bytes": sample.answer_bytes,
        "request_bytes": sample.request_bytes,
    })
}

/// Prints start, memory and speed by number of keys.
pub fn growth(growth: &Value) {
    let binary = growth.get("binary_bytes").and_then(Value::as_f64).unwrap_or(0.0);
    println!("\nRelease binary: {:.1} MB\n", binary / 1e6);
    println!(
        "| keys | start to first answer ms | CPU ms of it | idle RSS MB | Encrypt req/s over all keys | CPU µs | p99 ms of 1,000 keys | RSS after MB | store MB | CreateKey/s |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for row in growth.get("rows").and_then(Value::as_array).into_iter().flatten() {
        let number = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        println!(
            "| {:.0} | {:.0} | {:.0} | {:.1} | {:.0} | {:.1} | {:.2} | {:.1} | {:.1} | {:.0} |",
            number("keys"),
            number("first_answer_ms"),
            number("first_answer_cpu_ms"),
            number("idle_kib") * 1024.0 / 1e6,
            number("encrypt_per_second"),
            number("encrypt_cpu_us"),
            number("warm_p99_us") / 1000.0,
            number("loaded_kib") * 1024.0 / 1e6,
            number("store_bytes") / 1e6,
            number("created") / number("created_seconds").max(1e-9),
        );
    }
}
