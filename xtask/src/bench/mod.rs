//! `cargo xtask bench NAME`: measurements that print numbers and judge nothing.
//!
//! One file per benchmark, listed in [`BENCHMARKS`]. A benchmark builds what it needs in release
//! mode, measures the floor (a bare hyper server) in the same run and prints the ratio: a number
//! without the floor of its machine means nothing. Load and floor are `crates/haechi-bench`.

mod cluster;
mod kms;
mod policy;
mod process;
mod profile;
mod secrets;
mod statistics;

/// A benchmark: its name, what it measures in one line, and the function that runs it with the
/// rest of the command line.
type Benchmark = (&'static str, &'static str, fn(&[String]) -> Result<(), String>);

const BENCHMARKS: &[Benchmark] = &[
    (
        "kms",
        "Encrypt, GenerateDataKey, Decrypt against a bare server; start, memory, growth with keys",
        kms::run,
    ),
    (
        "secrets",
        "Reads of secrets and parameters against a bare server; the same where there are many",
        secrets::run,
    ),
    ("policy", "A decision by number of policies and of principals; memory", policy::run),
    ("oaep", "How long RSA-OAEP takes to refuse, by the cause: is the clock an oracle?", oaep),
    (
        "cluster",
        "Encrypt on one, two and three nodes: CPU time, and what they ask etcd",
        cluster::run,
    ),
    ("store", "etcd through haechi's store against a bare client of the same servers", store),
    ("lambda", "A warm invocation against the same program without isolation", lambda),
    ("profile", "Where the CPU time of an Encrypt goes, by stage; a flame graph", profile::run),
];

/// Runs the benchmark that the first argument names; without one, lists them.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let Some((name, rest)) = arguments.split_first() else {
        for (name, summary, _) in BENCHMARKS {
            println!("{name:12} {summary}");
        }
        return Ok(());
    };
    match BENCHMARKS.iter().find(|(known, ..)| known == name) {
        Some((.., benchmark)) => benchmark(rest),
        None => Err(format!("there is no benchmark `{name}`; `cargo xtask bench` lists them")),
    }
}

/// The measurement itself is a bench of `haechi-store-etcd`.
fn store(_: &[String]) -> Result<(), String> {
    let bench = ["bench", "--package", "haechi-store-etcd", "--bench", "throughput"];
    crate::process::run(&mut crate::process::cargo(&bench))
}

/// The measurement itself is a bench of `haechi-sandbox`.
fn lambda(_: &[String]) -> Result<(), String> {
    let bench = ["bench", "--package", "haechi-sandbox", "--bench", "warm"];
    crate::process::run(&mut crate::process::cargo(&bench))
}

/// The measurement itself is a bench of `haechi-crypto`.
fn oaep(_: &[String]) -> Result<(), String> {
    let bench = ["bench", "--package", "haechi-crypto", "--bench", "oaep"];
    crate::process::run(&mut crate::process::cargo(&bench))
}
