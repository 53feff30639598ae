//! `cargo xtask bench secrets`: what reading a secret or parameter costs, beside a bare hyper server
//! in the same run, and whether it costs more where there are many.
//!
//! Pinning, floor and rounds are those of `bench kms`. A floor answers as many bytes as the call that
//! it is compared with. `--counts` says with how many parameters, and as many secrets, to measure.

use std::path::Path;

use serde_json::{Value, json};

use super::kms::{Sample, sample, shown, size, start};
use super::process::{Server, bench, binary, product, resident_kib};
use super::statistics::median;
use crate::process;

/// How many there are of each, unless `--counts` says otherwise.
const COUNTS: &[usize] = &[10, 1_000, 100_000];

struct Options {
    rounds: usize,
    seconds: f64,
    counts: Vec<usize>,
}

/// One call in rounds.
struct Rounds {
    name: String,
    product: Vec<Sample>,
    floor: Vec<Sample>,
}

/// Measures, prints.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let options = options(arguments)?;
    let packages = ["--package", "haechi", "--package", "haechi-bench"];
    process::run(process::cargo(&["build", "--release"]).args(packages))?;
    let directory = process::root().join("target/tmp/bench-secrets");
    if directory.exists() {
        std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    drop(start(&directory)?);
    println!(
        "| of each | call | req/s | floor | ratio | CPU µs | floor | ratio | p50 ms | p99 ms |"
    );
    println!("|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    let mut growth = Vec::new();
    let mut from = 0;
    for count in options.counts.iter().copied() {
        growth.push(measure(&options, &directory, from, count)?);
        from = count;
    }
    println!(
        "\n| of each | PutParameter/s | CreateSecret/s | idle RSS MB | RSS after MB | store MB |"
    );
    println!("|--:|--:|--:|--:|--:|--:|");
    for row in growth {
        let number = |name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        println!(
            "| {} | {:.0} | {:.0} | {:.1} | {:.1} | {:.1} |",
            number("count"),
            number("created") / number("parameters_seconds").max(1e-9),
            number("created") / number("secrets_seconds").max(1e-9),
            number("idle_kib") * 1024.0 / 1e6,
            number("loaded_kib") * 1024.0 / 1e6,
            number("store_bytes") / 1e6,
        );
    }
    std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())
}

fn options(arguments: &[String]) -> Result<Options, String> {
    const USAGE: &str =
        "usage: cargo xtask bench secrets [--rounds 5] [--seconds 1.5] [--counts 10,1000,100000]";
    let mut options = Options { rounds: 5, seconds: 1.5, counts: COUNTS.to_vec() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match argument.as_str() {
            "--rounds" => options.rounds = value.parse().map_err(|_| USAGE)?,
            "--seconds" => options.seconds = value.parse().map_err(|_| USAGE)?,
            "--counts" => {
                let counts: Result<_, _> = value.split(',').map(str::parse).collect();
                options.counts = counts.map_err(|_| USAGE)?;
            }
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

/// Has `count` of each, prints a row for each call, and answers what the many take up.
fn measure(
    options: &Options,
    directory: &Path,
    from: usize,
    count: usize,
) -> Result<Value, String> {
    let (data, ready) = (directory.join("data"), directory.join("ready.json"));
    let target = shown(&directory.join("target.json"));
    let serve = || {
        let mut arguments = product(&data);
        arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
        Server::start(&binary("haechi"), &arguments, &ready)
    };
    eprintln!("{count} of each");
    let seeding = serve()?;
    let (from, wanted, shown_ready) = (from.to_string(), count.to_string(), shown(&ready));
    let make = ["secrets", "--target", &target, "--ready", &shown_ready, "--from", &from];
    let made = bench(&[&make[..], &["--count", &wanted]].concat())?;
    drop(seeding);
    let server = serve()?;
    let idle_kib = resident_kib(server.pid())?;
    let names = made.get("calls").and_then(Value::as_array).into_iter().flatten();
    let names = names.filter_map(Value::as_str).map(str::to_owned);
    let mut calls: Vec<Rounds> =
        names.map(|name| Rounds { name, product: vec![], floor: vec![] }).collect();
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for call in &mut calls {
            call.measure(options, (&target, &ready), &server, directory)?;
        }
    }
    for call in &calls {
        call.row(count);
    }
    Ok(json!({
        "count": count,
        "created": made.get("created"),
        "parameters_seconds": made.get("parameters_seconds"),
        "secrets_seconds": made.get("secrets_seconds"),
        "idle_kib": idle_kib,
        "loaded_kib": resident_kib(server.pid())?,
        "store_bytes": size(&data.join("store"))?,
    }))
}

impl Rounds {
    fn measure(
        &mut self,
        options: &Options,
        (target, ready): (&str, &Path),
        server: &Server,
        directory: &Path,
    ) -> Result<(), String> {
        let seconds = options.seconds.to_string();
        let load = |ready: &Path, pid: u32| {
            let (ready, pid) = (shown(ready), pid.to_string());
            let how = ["load", "--target", target, "--server", &ready, "--operation", &self.name];
            sample(&bench(&[&how[..], &["--pid", &pid, "--seconds", &seconds]].concat())?)
        };
        let product = load(ready, server.pid())?;
        let floor_ready = directory.join("floor.json");
        let bytes = product.answer_bytes.to_string();
        let floor = ["floor", "--answer-bytes", &bytes].map(str::to_owned);
        let floor = Server::start(&binary("haechi-bench"), &floor, &floor_ready)?;
        self.floor.push(load(&floor_ready, floor.pid())?);
        self.product.push(product);
        Ok(())
    }

    fn row(&self, count: usize) {
        let of = |samples: &[Sample], what: fn(&Sample) -> f64| median(samples.iter().map(what));
        let ratio = |of: fn(&Sample, &Sample) -> f64| {
            median(self.product.iter().zip(&self.floor).map(|(product, floor)| of(product, floor)))
        };
        println!(
            "| {count} | {} | {:.0} | {:.0} | **{:.2}** | {:.1} | {:.1} | **{:.2}** | {:.2} | {:.2} |",
            self.name,
            of(&self.product, |sample| sample.per_second),
            of(&self.floor, |sample| sample.per_second),
            ratio(|product, floor| product.per_second / floor.per_second),
            of(&self.product, |sample| sample.cpu_us),
            of(&self.floor, |sample| sample.cpu_us),
            ratio(|product, floor| floor.cpu_us / product.cpu_us),
            of(&self.product, |sample| sample.p50_us) / 1000.0,
            of(&self.product, |sample| sample.p99_us) / 1000.0,
        );
    }
}
