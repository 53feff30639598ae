//! Start, memory and speed as the keys become many.

use std::path::Path;

use serde_json::{Value, json};

use super::super::process::{Server, bench, binary, product, resident_kib};
use super::super::statistics::median;
use super::{Sample, latency, sample, shown};

/// Numbers of keys: one, as a new installation, and many.
const KEYS: &[usize] = &[1, 10_000, 100_000];

/// With `--large`.
const KEYS_LARGE: usize = 1_000_000;

/// Keys that are in use, of however many there are.
const WARM_KEYS: usize = 1000;

/// Requests a second for them: about half of what a core can do.
const RATE: f64 = 15_000.0;

/// Starts that are timed, for each number of keys.
const STARTS: usize = 7;

/// Measures with each number of keys, in the data directory that `speed` left; answers a row each.
pub fn measure(directory: &Path, large: bool, seconds: f64) -> Result<Value, String> {
    let counts = KEYS.iter().copied().chain(large.then_some(KEYS_LARGE));
    let rows: Result<Vec<Value>, String> =
        counts.map(|keys| row(directory, keys, seconds)).collect();
    let binary = std::fs::metadata(binary("haechi")).map_err(|error| error.to_string())?;
    Ok(json!({ "binary_bytes": binary.len(), "rows": rows? }))
}

fn row(directory: &Path, keys: usize, seconds: f64) -> Result<Value, String> {
    eprintln!("{keys} keys");
    let (data, ready) = (directory.join("data"), directory.join("ready.json"));
    let target = shown(&directory.join("target.json"));
    let start = || {
        let mut arguments = product(&data);
        arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
        Server::start(&binary("haechi"), &arguments, &ready)
    };
    let (count, server) = (keys.to_string(), start()?);
    let seeded =
        bench(&["seed", "--target", &target, "--ready", &shown(&ready), "--keys", &count])?;
    drop(server);
    let firsts = first_answers(&target, &data)?;
    let of = |name: &str| median(firsts.iter().filter_map(|first| first.get(name)?.as_f64()));
    let server = start()?;
    let pid = server.pid();
    // Many different requests, so that they ask for many keys.
    let loaded = bench(&[
        "load",
        "--target",
        &target,
        "--server",
        &shown(&ready),
        "--operation",
        "Encrypt",
        "--pid",
        &pid.to_string(),
        "--warm-up",
        "2",
        "--pool",
        "65536",
    ])?;
    let loaded = sample(&loaded)?;
    let warm = warm_p99_us(&server, Path::new(&target), &ready, seconds)?;
    Ok(json!({
        "keys": keys,
        "created": seeded.get("created"),
        "created_seconds": seeded.get("seconds"),
        "first_answer_ms": of("first_answer_ms"),
        "first_answer_cpu_ms": of("cpu_us") / 1000.0,
        "idle_kib": of("resident_kib"),
        "encrypt_per_second": loaded.per_second,
        "encrypt_cpu_us": loaded.cpu_us,
        "warm_p99_us": warm,
        "loaded_kib": resident_kib(pid)?,
        "store_bytes": size(&data.join("store"))?,
    }))
}

/// How long Encrypt takes under keys that are in use, at [`RATE`], whatever other keys there are.
fn warm_p99_us(server: &Server, target: &Path, ready: &Path, seconds: f64) -> Result<f64, String> {
    let (ready, warm) = (shown(ready), WARM_KEYS.to_string());
    let how = ["--server", &ready, "--operation", "Encrypt", "--keys", &warm, "--warm-up", "2"];
    let rounds = (0..3).map(|_| latency::at_rate(server, target, RATE, seconds, &how));
    let rounds: Result<Vec<Sample>, String> = rounds.collect();
    Ok(median(rounds?.iter().map(|sample| sample.p99_us)))
}

fn first_answers(target: &str, data: &Path) -> Result<Vec<Value>, String> {
    let mut arguments = vec!["first", "--target", target, "--", "taskset", "-c", "0"];
    let (program, product) = (binary("haechi"), product(data));
    arguments.push(&program);
    arguments.extend(product.iter().map(String::as_str));
    (0..STARTS).map(|_| bench(&arguments)).collect()
}

/// Bytes of a file, or of all files under a directory.
pub fn size(path: &Path) -> Result<u64, String> {
    let broken = |error: std::io::Error| format!("{}: {error}", path.display());
    let metadata = std::fs::metadata(path).map_err(broken)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let entries = std::fs::read_dir(path).map_err(broken)?;
    entries.map(|entry| size(&entry.map_err(broken)?.path())).sum()
}
