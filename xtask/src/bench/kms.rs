//! `cargo xtask bench kms`: what a KMS call costs, beside a bare hyper server in the same run.
//!
//! Product and floor run pinned to one core, the load generator on another. Floor and product take
//! turns in short rounds, and what is told are medians of the rounds, because machines are shared:
//! only ratios within a run mean something. The ratio of CPU time is the steadier one: it does not
//! see what other programs take from the core, nor the disk.
//!
//! Four parts, each of which `--only` picks: `speed` (symmetric keys, beside the bare server),
//! `latency` (the same at half load), `operations` (every kind of key, beside bare cryptography) and
//! `growth` (start, memory and speed with many keys).

mod growth;
mod latency;
mod operations;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::process::{Server, bench, binary, product};
use super::statistics::median;
use crate::process;
pub use growth::size;

/// What is measured.
const OPERATIONS: &[&str] = &["Encrypt", "GenerateDataKey", "Decrypt"];

/// What can be chosen.
pub struct Options {
    rounds: usize,
    seconds: f64,
    /// Also with a million keys.
    large: bool,
    /// The parts to be measured; empty for all. Others need what `speed` finds.
    only: Vec<String>,
    json: Option<PathBuf>,
}

/// One operation over one transport, in rounds.
pub struct Series {
    operation: &'static str,
    tls: bool,
    floor: Vec<Sample>,
    product: Vec<Sample>,
}

/// What one round showed.
pub struct Sample {
    pub per_second: f64,
    pub cpu_us: f64,
    threads_us: BTreeMap<String, f64>,
    pub p50_us: f64,
    pub p99_us: f64,
    p999_us: f64,
    generator_us: f64,
    pub answer_bytes: u64,
    request_bytes: u64,
}

/// Measures, prints.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = options(arguments)?;
    process::run(&mut process::cargo(&[
        "build",
        "--release",
        "--package",
        "haechi",
        "--package",
        "haechi-bench",
    ]))?;
    let directory = process::root().join("target/tmp/bench-kms");
    if directory.exists() {
        std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    let mut result = serde_json::Map::new();
    let (target, started) = (directory.join("target.json"), start(&directory)?);
    let rounds = (options.rounds, options.seconds);
    let series = speed(&options, &directory, &started)?;
    if options.has("speed") {
        table::speed(&series);
        result.insert("speed".into(), series.iter().map(table::series_json).collect());
    }
    if options.has("latency") {
        let latency = latency::measure(&started, &target, &series, rounds)?;
        latency::table(&latency);
        result.insert("latency".into(), latency);
    }
    if options.has("operations") {
        // Without TLS, as all of these.
        let floor = series.iter().filter(|series| !series.tls).flat_map(|series| &series.floor);
        let floor_us = median(floor.map(|sample| sample.cpu_us));
        let operations = operations::measure(&started, &target, options.briefly(), floor_us)?;
        operations::table(&operations);
        result.insert("operations".into(), operations);
    }
    drop(started);
    if options.has("growth") {
        let growth = growth::measure(&directory, options.large, options.seconds)?;
        table::growth(&growth);
        result.insert("growth".into(), growth);
    }
    let result = Value::Object(result);
    if let Some(path) = &options.json {
        std::fs::write(path, format!("{result:#}\n"))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())
}

fn options(arguments: &[String]) -> Result<Options, String> {
    const USAGE: &str = "usage: cargo xtask bench kms [--rounds 7] [--seconds 1.5] [--large] \
        [--only speed|latency|operations|growth]… [--json FILE]";
    let mut options = Options { rounds: 7, seconds: 1.5, large: false, only: vec![], json: None };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        let number = |text: &String| text.parse::<f64>().map_err(|_| USAGE.to_owned());
        match argument.as_str() {
            "--rounds" => options.rounds = value()?.parse().map_err(|_| USAGE)?,
            "--seconds" => options.seconds = number(value()?)?,
            "--json" => options.json = Some(PathBuf::from(value()?)),
            "--large" => options.large = true,
            "--only" => options.only.push(value()?.clone()),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

impl Options {
    /// Rounds and seconds where half a hundred kinds of calls take turns: three minutes for all.
    fn briefly(&self) -> (usize, f64) {
        (self.rounds.min(3), self.seconds.min(0.4))
    }

    /// What `speed` measures for its own table, or so much of it as the other parts need.
    fn series(&self) -> (usize, Vec<(&'static str, bool)>) {
        let all =
            OPERATIONS.iter().flat_map(|operation| [false, true].map(|tls| (*operation, tls)));
        if self.has("speed") {
            (self.rounds, all.collect())
        } else if self.has("latency") {
            (self.rounds.min(3), all.collect())
        } else if self.has("operations") {
            (self.rounds.min(3), all.take(1).collect())
        } else {
            (0, Vec::new())
        }
    }

    fn has(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

/// A server on a data directory that exists, and a target with a user and a key.
pub fn start(directory: &Path) -> Result<Server, String> {
    let (ready, target) = (directory.join("ready.json"), directory.join("target.json"));
    let mut arguments = product(&directory.join("data"));
    arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
    // An existing directory: the first start only makes it.
    drop(Server::start(&binary("haechi"), &arguments, &ready)?);
    let server = Server::start(&binary("haechi"), &arguments, &ready)?;
    bench(&["prepare", "--ready", &shown(&ready), "--target", &shown(&target)])?;
    Ok(server)
}

fn speed(options: &Options, directory: &Path, server: &Server) -> Result<Vec<Series>, String> {
    let target = directory.join("target.json");
    let (rounds, what) = options.series();
    let mut series: Vec<Series> = what
        .into_iter()
        .map(|(operation, tls)| Series { operation, tls, floor: vec![], product: vec![] })
        .collect();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for series in &mut series {
            let load = Load { options, target: &target, series };
            let product = load.measure(None, server.pid())?;
            let (answer_bytes, ready) =
                (product.answer_bytes.to_string(), directory.join("floor.json"));
            let mut floor: Vec<String> =
                ["floor", "--answer-bytes", &answer_bytes].map(str::to_owned).to_vec();
            if load.series.tls {
                floor.push("--tls".to_owned());
            }
            let floor = Server::start(&binary("haechi-bench"), &floor, &ready)?;
            let sample = load.measure(Some(&ready), floor.pid())?;
            series.floor.push(sample);
            series.product.push(product);
        }
    }
    Ok(series)
}

struct Load<'a> {
    options: &'a Options,
    target: &'a Path,
    series: &'a Series,
}

impl Load<'_> {
    fn measure(&self, server: Option<&Path>, pid: u32) -> Result<Sample, String> {
        let (target, seconds) = (shown(self.target), self.options.seconds.to_string());
        let (pid, server) = (pid.to_string(), server.map(shown));
        let mut arguments = vec!["load", "--target", &target, "--operation", self.series.operation];
        arguments.extend(["--pid", &pid, "--seconds", &seconds]);
        if let Some(server) = &server {
            arguments.extend(["--server", server]);
        }
        if self.series.tls {
            arguments.push("--tls");
        }
        sample(&bench(&arguments)?)
    }
}

/// A sample of what `haechi-bench load` printed.
pub fn sample(printed: &Value) -> Result<Sample, String> {
    let number = |name: &str| {
        let number = printed.get(name).and_then(Value::as_f64);
        number.ok_or_else(|| format!("{printed}: there is no {name}"))
    };
    let whole = |name: &str| printed.get(name).and_then(Value::as_u64).unwrap_or(0);
    let requests = number("requests")?.max(1.0);
    let threads = printed.get("threads_ns").and_then(Value::as_object);
    let threads_us: BTreeMap<String, f64> = threads
        .into_iter()
        .flatten()
        .map(|(name, ns)| (name.clone(), ns.as_f64().unwrap_or(0.0) / 1000.0 / requests))
        .collect();
    Ok(Sample {
        per_second: requests / number("seconds")?,
        cpu_us: threads_us.values().sum(),
        threads_us,
        p50_us: number("p50_us")?,
        p99_us: number("p99_us")?,
        p999_us: number("p999_us")?,
        generator_us: number("generator_ns")? / 1000.0 / requests,
        answer_bytes: whole("answer_bytes"),
        request_bytes: whole("request_bytes"),
    })
}

impl Series {
    /// The median of the rounds' ratios: requests a second, product to floor.
    fn speed_ratio(&self) -> f64 {
        self.ratio(|product, floor| product.per_second / floor.per_second)
    }

    /// The median of the rounds' ratios: CPU time of a request, floor to product.
    fn cpu_ratio(&self) -> f64 {
        self.ratio(|product, floor| floor.cpu_us / product.cpu_us)
    }

    fn ratio(&self, of: impl Fn(&Sample, &Sample) -> f64) -> f64 {
        median(self.product.iter().zip(&self.floor).map(|(product, floor)| of(product, floor)))
    }
}

pub fn shown(path: &Path) -> String {
    path.display().to_string()
}
