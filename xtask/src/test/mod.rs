//! `cargo xtask test`: the one test command. It installs what the tests need and runs every check
//! there is; `.ci/run` calls exactly this.
//!
//! Each step goes on after a failure of another, so that one run shows everything; only without a
//! build there is nothing to test. At the end: what failed tests said, the time of each step and
//! `N passed, N failed`, where a step that is not a test run (formatting, tidy, …) counts as one.

mod count;
pub mod environment;
mod failures;
mod programs;

use std::process::Command;
use std::time::{Duration, Instant};

use crate::{chaos, codegen, crash, fuzz, next, process, tidy};
use count::Count;
use failures::Failures;
use programs::Program;

/// Fuzzing of each target for every change; `cargo xtask fuzz --seconds N` goes on for longer.
const FUZZ_SECONDS: &str = "30";

/// Simulated schedules of nodes for every change; `cargo xtask sim jobs` runs more.
const SCHEDULES: &str = "100";

/// Tests of one program that run at the same time: twice what the smallest machine that CI has could
/// compute at once, for most of them wait (for a disk, a lease, a server) most of the time.
const TESTS_AT_ONCE: &str = "--test-threads=4";

/// The steps that have run.
#[derive(Default)]
struct Run {
    steps: Vec<(&'static str, Duration, Count)>,
    failures: Failures,
}

/// Runs every check; with `--quick` only the tests.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let quick = match arguments {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => return Err("usage: cargo xtask test [--quick]".into()),
    };
    let mut run = Run::default();
    let mut built = Vec::new();
    let ready = run.check("Debian packages", environment::debian_packages)
        && run.check("build and clients", || build_beside_clients().map(|all| built = all));
    if ready {
        let (conformance, own): (Vec<Program>, Vec<Program>) =
            built.into_iter().partition(|program| program.is_of("haechi-conformance"));
        let with = |programs: &[Program], arguments: &[&str]| -> Vec<Command> {
            programs.iter().map(|program| program.command(arguments)).collect()
        };
        run.tests("tests", with(&own, &["--quiet", TESTS_AT_ONCE]));
        run.tests("real clients", with(&conformance, &[TESTS_AT_ONCE]));
        run.tests("kill -9 rounds", kill_rounds(&own));
    }
    run.check("tidy", || tidy::run(&[]));
    run.check("codegen --check", || codegen::run(&["--check".to_owned()]));
    if !quick {
        run.check("format", || {
            process::run(&mut process::cargo(&["fmt", "--all", "--", "--check"]))
        });
        run.check("clippy", clippy);
        run.check("supply chain", supply_chain);
        run.check("simulation", || {
            let few = ["--schedules", SCHEDULES].map(str::to_owned);
            chaos::nodes(&few, false)
        });
        run.check("fuzz", || fuzz::run(&["--seconds".to_owned(), FUZZ_SECONDS.to_owned()]));
    }
    run.finish()
}

/// Builds all programs while the clients are fetched, which mostly waits for others.
fn build_beside_clients() -> Result<Vec<Program>, String> {
    std::thread::scope(|scope| {
        let clients = scope.spawn(environment::clients);
        // The real-client tests start the binary itself, in two versions; the present one is the
        // last to be built.
        let built = next::beside_tests().and_then(|()| programs::build());
        let fetched =
            clients.join().unwrap_or_else(|_| Err("installing the clients failed".into()));
        built.and_then(|built| fetched.map(|()| built))
    })
}

/// The loops of `crash.rs` for every change.
fn kill_rounds(programs: &[Program]) -> Vec<Command> {
    let engines = programs.iter().filter(|program| {
        program.is_from_outside() && crash::ENGINES.iter().any(|engine| program.is_of(engine))
    });
    let rounds = |program: &Program| {
        let mut command = program.command(crash::ARGUMENTS);
        command.env(crash::ROUNDS, crash::ROUNDS_PER_CHANGE.to_string());
        command
    };
    engines.map(rounds).collect()
}

impl Run {
    /// Runs a step that counts as one check.
    fn check(&mut self, name: &'static str, step: impl FnOnce() -> Result<(), String>) -> bool {
        println!("\n==> {name}");
        let start = Instant::now();
        let outcome = step();
        if let Err(message) = &outcome {
            eprintln!("{name}: {message}");
        }
        let passed = outcome.is_ok();
        let count = Count { passed: passed.into(), failed: (!passed).into() };
        self.steps.push((name, start.elapsed(), count));
        passed
    }

    /// Runs a step that counts the tests it ran. A program that fails without a failed test (a crash
    /// of the harness) counts as one failure, and so does a step without any test.
    fn tests(&mut self, name: &'static str, programs: Vec<Command>) {
        println!("\n==> {name}");
        let start = Instant::now();
        let mut count = Count::default();
        for mut program in programs {
            let before = count.failed;
            let outcome = process::watch(&mut program, |line| {
                count.add_line(line);
                self.failures.add_line(line);
            });
            if let Err(message) = &outcome {
                eprintln!("{name}: {message}");
            }
            if outcome != Ok(true) && count.failed == before {
                count.failed = count.failed.saturating_add(1);
            }
        }
        if count == Count::default() {
            count.failed = 1;
        }
        self.steps.push((name, start.elapsed(), count));
    }

    fn finish(&self) -> Result<(), String> {
        let mut total = Count::default();
        let failures = self.failures.shown();
        if !failures.is_empty() {
            println!("\n==> what failed\n{}", failures.join("\n"));
        }
        println!("\n==> summary");
        for (name, took, count) in &self.steps {
            total.add(*count);
            let verdict = if count.failed == 0 { "ok" } else { "FAILED" };
            println!(
                "{name:<18} {:>5} s {:>6} passed {:>4} failed  {verdict}",
                took.as_secs(),
                count.passed,
                count.failed
            );
        }
        println!("{} passed, {} failed", total.passed, total.failed);
        if total.failed == 0 { Ok(()) } else { Err("not everything passed".into()) }
    }
}

fn clippy() -> Result<(), String> {
    let mut command = process::cargo(&["clippy", "--workspace", "--all-targets", "--quiet"]);
    process::run(command.args(["--", "--deny", "warnings"]))?;
    let mut next = process::cargo(&["clippy", "--workspace", "--all-targets", "--quiet"]);
    process::run(next.args(["--features", "haechi/next-format", "--", "--deny", "warnings"]))
}

/// Licences, sources, bans always; known vulnerabilities wherever the database can be fetched.
fn supply_chain() -> Result<(), String> {
    let cargo_deny = environment::cargo_deny()?;
    let check = |what: &[&str]| {
        let mut command = process::program(&cargo_deny, &["check", "--hide-inclusion-graph"]);
        process::run(command.args(what))
    };
    check(&["bans", "licenses", "sources"])?;
    let database = process::output(&mut process::program(&cargo_deny, &["fetch", "db"]));
    if let Err(reason) = database {
        println!("known vulnerabilities: NOT CHECKED, the database cannot be fetched: {reason}");
        return Ok(());
    }
    check(&["advisories"])
}
