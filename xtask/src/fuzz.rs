//! `cargo xtask fuzz [TARGET…] [--seconds 60]`: libFuzzer on the stable toolchain.
//!
//! The targets are the binaries of `fuzz/Cargo.toml`, a workspace of its own. The flags below are
//! what makes the compiler count branches and comparisons for libFuzzer; all of them are stable.
//! There is no address sanitizer (it needs nightly): the code under test is safe Rust, so what
//! fuzzing looks for here is a panic, an overflow, a broken promise (the targets assert them), too
//! much memory or an endless loop.
//!
//! What a run learns stays in `fuzz/corpus/TARGET` (not committed); `fuzz/seeds/TARGET` is where it
//! starts from (committed), and an input that ever crashed belongs there.

use std::path::Path;
use std::process::Child;

use crate::process;

const SECONDS: u32 = 60;

/// Fuzzers that run at the same time: the cores of the smallest machine that CI has.
const AT_ONCE: usize = 2;

/// An input longer than the largest request that any target reads teaches nothing.
const INPUT_BYTES_MAX: u32 = 64 * 1024;

/// One input that takes longer is a finding.
const INPUT_SECONDS_MAX: u32 = 10;

const MEMORY_MIB_MAX: u32 = 2048;

const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];

/// Named apart from the host's triple so that build scripts and macros are not instrumented.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Fuzzes the named targets, or all.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let mut seconds = SECONDS;
    let mut chosen = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let value = arguments.next().ok_or("`--seconds` needs a number")?;
            seconds = value.parse().map_err(|_| format!("`--seconds {value}`: not a number"))?;
        } else {
            chosen.push(argument.clone());
        }
    }
    let known = targets()?;
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        return Err(format!("no fuzz target `{unknown}`; there are: {}", known.join(", ")));
    }
    build()?;
    let names = if chosen.is_empty() { known } else { chosen };
    let mut failed = Vec::new();
    for pair in names.chunks(AT_ONCE) {
        let children: Vec<(&String, Child)> = pair
            .iter()
            .map(|name| Ok((name, start(name, seconds)?)))
            .collect::<Result<_, String>>()?;
        for (name, mut child) in children {
            let status = child.wait().map_err(|error| format!("{name}: {error}"))?;
            println!("fuzz {name}: {}", if status.success() { "nothing found" } else { "FOUND" });
            report(name);
            if !status.success() {
                failed.push(name.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "fuzzing found something in {}: the input is under fuzz/artifacts, what it did in \
         fuzz/target/TARGET.log; move the input to fuzz/seeds once it is mended",
        failed.join(", ")
    ))
}

/// The names of the binaries in `fuzz/Cargo.toml`.
pub fn targets() -> Result<Vec<String>, String> {
    let metadata = process::output(&mut process::cargo(&[
        "metadata",
        "--no-deps",
        "--format-version=1",
        "--manifest-path=fuzz/Cargo.toml",
    ]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let targets = metadata.pointer("/packages/0/targets").and_then(|list| list.as_array());
    let names = targets
        .into_iter()
        .flatten()
        .filter(|target| target.pointer("/kind/0").and_then(|kind| kind.as_str()) == Some("bin"))
        .filter_map(|target| target.get("name").and_then(|name| name.as_str()));
    Ok(names.map(str::to_owned).collect())
}

/// Builds every target, instrumented, into `fuzz/target`.
pub fn build() -> Result<(), String> {
    let mut command = process::cargo(&["build", "--release", "--bins", "--target", TRIPLE]);
    command.args(["--manifest-path", "fuzz/Cargo.toml", "--target-dir", "fuzz/target"]);
    // Through CARGO_ENCODED_RUSTFLAGS and with --target: it reaches this build alone.
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    process::run(&mut command)
}

fn start(name: &str, seconds: u32) -> Result<Child, String> {
    let root = process::root();
    let fuzz = root.join("fuzz");
    let corpus = fuzz.join("corpus").join(name);
    let seeds = fuzz.join("seeds").join(name);
    let artifacts = fuzz.join("artifacts").join(name);
    for folder in [&corpus, &seeds, &artifacts] {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
    }
    let log = log_path(name);
    let file = std::fs::File::create(&log)
        .map_err(|error| format!("cannot create {}: {error}", log.display()))?;
    let binary = fuzz.join("target").join(TRIPLE).join("release").join(name);
    let mut command = process::program(&binary, &[]);
    command.arg(&corpus).arg(&seeds).args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-artifact_prefix={}/", artifacts.display()),
        "-print_final_stats=1".to_owned(),
    ]);
    println!("fuzz {name}: {seconds} s");
    command.stderr(file).spawn().map_err(|error| format!("cannot start {name}: {error}"))
}

/// Prints the end of what a fuzzer wrote: how many inputs it ran, or what it found.
fn report(name: &str) {
    let Ok(log) = std::fs::read(log_path(name)) else { return };
    let log = String::from_utf8_lossy(&log);
    let told = log.lines().filter(|line| {
        line.starts_with("stat::number_of_executed_units")
            || line.contains("panicked at")
            || line.contains("ERROR: libFuzzer")
    });
    for line in told {
        println!("  {line}");
    }
}

fn log_path(name: &str) -> std::path::PathBuf {
    Path::new(&process::root()).join("fuzz/target").join(format!("{name}.log"))
}
