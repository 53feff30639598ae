//! `cargo xtask bench profile`: where the CPU time of a KMS Encrypt goes, by stage.
//!
//! Samples the pinned server under load with `perf` (Debian: `linux-perf`), puts each sample into the first stage of
//! [`STAGES`] that one of its frames names, and prints the microseconds a call spends there: the
//! stage's share of the samples times the CPU time a call that the kernel counted while `perf` was
//! not looking. With `--svg FILE`, the flame graph of the same samples (needs `inferno-flamegraph`).

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use super::kms::{sample, shown};
use super::process::{LOAD_CORE, Server, bench, binary, product};
use crate::process;

/// Stages, and what a frame of theirs contains; the first that matches wins.
const STAGES: &[(&str, &[&str])] = &[
    ("audit log: `fdatasync`", &["SegmentFile>::sync"]),
    ("audit log: write, seal, hash chain, wake-ups of its thread", &["haechi_log::writer"]),
    ("audit record", &["haechi_gateway::record::", "haechi_gateway::redact"]),
    ("audit log: handing records over", &["haechi_gateway::recorder::", "haechi_log::"]),
    ("KMS: randomness", &["SystemRandom as haechi_crypto::random::Random>::fill"]),
    ("KMS: derivation, AES-GCM", &["haechi_kms::Kms>::seal", "haechi_crypto::ciphertext"]),
    ("policy", &["haechi_policy::"]),
    ("organization's guardrails", &["GuardrailSource", "Organizations>::guardrails"]),
    ("KMS: key look-up, grants, rules", &["haechi_kms::"]),
    ("IAM look-up", &["Identities>::", "haechi_iam::"]),
    ("authenticate (SigV4)", &["haechi_sigv4::", "haechi_gateway::authenticate"]),
    ("identify", &["haechi_gateway::identify"]),
    (
        "decode, validate",
        &["haechi_wire::decode", "Endpoint>::decode", "haechi_gateway::serve::decode"],
    ),
    ("encode", &["haechi_gateway::answer", "haechi_wire::write", "haechi_wire::json"]),
    ("metrics", &["haechi_gateway::metrics"]),
    (
        "gateway: joining the stages, reading the body, ids",
        &["haechi_gateway::listener::Serving::request", "haechi_gateway::serve"],
    ),
    (
        "floor: hyper reads and parses",
        &[
            "hyper::proto::h1::conn::Conn<I,B,T>::poll_read",
            "Conn<I,B,T>::mid_message_detect_eof",
            "try_io_read",
        ],
    ),
    (
        "floor: hyper writes (mostly the kernel's TCP)",
        &["poll_flush", "poll_write", "encode_head", "write_head"],
    ),
];

/// What no stage names: scheduling and epoll, the floor's kind of work.
const REST: &str = "floor: tokio, hyper: the rest";

/// Samples a second; odd, so that it does not beat with timers.
const FREQUENCY: &str = "997";

/// Seconds under `perf`.
const SECONDS: &str = "10";

/// Profiles, prints.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let svg = match arguments {
        [] => None,
        [flag, file] if flag == "--svg" => Some(Path::new(file)),
        _ => return Err("usage: cargo xtask bench profile [--svg FILE]".into()),
    };
    let packages = ["build", "--release", "--package", "haechi", "--package", "haechi-bench"];
    // With the names of functions, which the released binary goes without.
    process::run(process::cargo(&packages).env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"))?;
    let directory = process::root().join("target/tmp/bench-profile");
    if directory.exists() {
        std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())?;
    }
    std::fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    let (call_us, stacks) = samples(&directory)?;
    table(call_us, &stacks);
    if let Some(svg) = svg {
        flame_graph(&stacks, svg)?;
    }
    std::fs::remove_dir_all(&directory).map_err(|error| error.to_string())
}

/// CPU microseconds a call, and the stacks that were seen, outermost frame first, with how often.
fn samples(directory: &Path) -> Result<(f64, BTreeMap<Vec<String>, u64>), String> {
    let file = |name: &str| shown(&directory.join(name));
    let (ready, target, data) = (file("ready.json"), file("target.json"), file("perf.data"));
    let mut arguments = product(&directory.join("data"));
    arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
    let server = Server::start(&binary("haechi"), &arguments, Path::new(&ready))?;
    bench(&["prepare", "--ready", &ready, "--target", &target])?;
    let pid = server.pid().to_string();
    let mut load = vec!["load", "--target", &target, "--server", &ready, "--pid", &pid];
    load.extend(["--operation", "Encrypt", "--warm-up", "1", "--seconds"]);
    let alone = bench(&[&load[..], &["5"]].concat())?;
    let call_us = sample(&alone)?.cpu_us;
    let haechi_bench = binary("haechi-bench");
    let load = [&["-c", LOAD_CORE, &haechi_bench], &load[..], &["14"]].concat();
    let mut load = process::program("taskset", &load)
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start the load: {error}"))?;
    std::thread::sleep(std::time::Duration::from_secs(3));
    let perf = ["record", "-F", FREQUENCY, "-e", "cpu-clock", "--call-graph", "dwarf,16384", "-p"];
    let perf = [&perf[..], &[&pid, "-o", &data, "--", "sleep", SECONDS]].concat();
    let recorded = process::output(&mut process::program("perf", &perf));
    load.wait().map_err(|error| format!("the load: {error}"))?;
    recorded?;
    let script = ["script", "-i", &data, "-F", "comm,ip,sym"];
    let script = process::output(&mut process::program("perf", &script))?;
    Ok((call_us, stacks(&script)))
}

/// Counts the stacks of `perf script`: blocks of a thread's name and its frames, innermost first.
fn stacks(script: &str) -> BTreeMap<Vec<String>, u64> {
    let mut counted = BTreeMap::new();
    for block in script.split("\n\n") {
        let mut lines = block.lines().filter(|line| !line.trim().is_empty());
        let Some(thread) = lines.next() else { continue };
        let frames = lines.filter_map(|line| line.trim().split_once(' ')).map(|(_, symbol)| symbol);
        let frames = frames.filter(|symbol| *symbol != "[unknown]").map(str::to_owned);
        let mut stack: Vec<String> = frames.collect();
        stack.push(thread.trim().to_owned());
        stack.reverse();
        *counted.entry(stack).or_insert(0) += 1;
    }
    counted
}

/// The stage that a stack belongs to.
fn stage(stack: &[String]) -> &'static str {
    let named =
        |parts: &[&str]| stack.iter().any(|frame| parts.iter().any(|part| frame.contains(part)));
    STAGES.iter().find(|(_, parts)| named(parts)).map_or(REST, |(name, _)| name)
}

fn table(call_us: f64, stacks: &BTreeMap<Vec<String>, u64>) {
    let mut stages: BTreeMap<&str, u64> = BTreeMap::new();
    for (stack, count) in stacks {
        *stages.entry(stage(stack)).or_default() += count;
    }
    let total: u64 = stages.values().sum();
    let mut stages: Vec<_> = stages.into_iter().collect();
    stages.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("Encrypt, plain HTTP: {call_us:.1} µs of CPU a call, {total} samples\n");
    println!("| stage | µs | share |\n|---|--:|--:|");
    for (name, count) in stages {
        let share = count as f64 / total as f64;
        println!("| {name} | {:.2} | {:.1} % |", share * call_us, share * 100.0);
    }
}

fn flame_graph(stacks: &BTreeMap<Vec<String>, u64>, svg: &Path) -> Result<(), String> {
    let file = std::fs::File::create(svg).map_err(|error| format!("{}: {error}", svg.display()))?;
    let mut inferno =
        process::program("inferno-flamegraph", &["--title", "KMS Encrypt", "--minwidth", "0.3"])
            .stdin(Stdio::piped())
            .stdout(file)
            .spawn()
            .map_err(|error| {
                format!("cannot start inferno-flamegraph (`cargo install inferno` has it): {error}")
            })?;
    let folded: String =
        stacks.iter().map(|(stack, count)| format!("{} {count}\n", stack.join(";"))).collect();
    if let Some(mut input) = inferno.stdin.take() {
        input.write_all(folded.as_bytes()).map_err(|error| error.to_string())?;
    }
    let ended = inferno.wait().map_err(|error| error.to_string())?;
    if ended.success() { Ok(()) } else { Err(format!("inferno-flamegraph failed ({ended})")) }
}
