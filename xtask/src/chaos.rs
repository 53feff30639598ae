//! `cargo xtask chaos [--rounds N] [--seed S]`: random faults on clusters under load, as long as one
//! likes. And the simulated schedules of `cargo xtask sim`.
//!
//! Both are tests of the crates that keep the promises (their names contain `chaos` or `sim_`); the
//! commands only set how many and which. Everything random comes from the seed that is printed.

use std::process::Command;

use crate::process;
use crate::test::environment;

/// The crates that have tests named `chaos…`.
const CLUSTERS: &[&str] = &["haechi-store-etcd"];

const ROUNDS_BY_HAND: u64 = 1000;
const SCHEDULES_BY_HAND: u64 = 100_000;

/// Runs the rounds.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let (rounds, seed) = options(arguments, "--rounds", ROUNDS_BY_HAND)?;
    // etcd, and the networks in which its members lose each other.
    environment::debian_packages()?;
    let mut command = process::cargo(&["test"]);
    for package in CLUSTERS {
        command.args(["--package", package]);
    }
    command.args(["--test", "it", "chaos", "--", "--nocapture", "--test-threads=1"]);
    set(&mut command, "CHAOS", "ROUNDS", (rounds, seed));
    process::run(&mut command)
}

/// Runs schedules of haechi's own nodes: the program in `sim/`, a workspace of its own, as its
/// clock is a feature of tokio that the product must not be built with.
pub fn nodes(arguments: &[String], optimised: bool) -> Result<(), String> {
    let (schedules, seed) = options(arguments, "--schedules", SCHEDULES_BY_HAND)?;
    let mut command = process::cargo(&["run", "--quiet", "--manifest-path", "sim/Cargo.toml"]);
    command.arg("--target-dir").arg(process::root().join("target"));
    if optimised {
        command.arg("--release");
    }
    command.args(["--", "--schedules", &schedules.to_string(), "--seed", &seed.to_string()]);
    process::run(&mut command)
}

/// Runs the simulated schedules of a crate: its tests named `sim_…`.
pub fn simulate(package: &str, arguments: &[String]) -> Result<(), String> {
    let (schedules, seed) = options(arguments, "--schedules", SCHEDULES_BY_HAND)?;
    // Unoptimised a hundred thousand take ten times as long.
    let mut command = process::cargo(&["test", "--release", "--package", package]);
    command.args(["--test", "it", "sim_", "--", "--nocapture"]);
    set(&mut command, "SIM", "SCHEDULES", (schedules, seed));
    process::run(&mut command)
}

fn set(command: &mut Command, what: &str, count_name: &str, (count, seed): (u64, u64)) {
    command.env(format!("HAECHI_{what}_{count_name}"), count.to_string());
    command.env(format!("HAECHI_{what}_SEED"), seed.to_string());
}

/// The count and the first seed (1 unless told).
fn options(arguments: &[String], count_flag: &str, otherwise: u64) -> Result<(u64, u64), String> {
    let (mut count, mut seed) = (otherwise, 1);
    let mut words = arguments.iter();
    while let Some(flag) = words.next() {
        let target = match flag.as_str() {
            flag if flag == count_flag => &mut count,
            "--seed" => &mut seed,
            unknown => return Err(format!("`{unknown}`: there are {count_flag} N and --seed S")),
        };
        let value = words.next().ok_or_else(|| format!("`{flag}` needs a number"))?;
        *target = value.parse().map_err(|_| format!("`{flag} {value}`: not a number"))?;
    }
    Ok((count, seed))
}

#[cfg(test)]
mod tests {
    use super::options;

    #[test]
    fn counts_and_seeds_are_numbers() {
        let parse = |text: &str| {
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            options(&words, "--rounds", 7)
        };
        assert_eq!(parse(""), Ok((7, 1)));
        assert_eq!(parse("--seed 5 --rounds 3"), Ok((3, 5)));
        assert!(parse("--rounds").is_err());
        assert!(parse("--rounds x").is_err());
        assert!(parse("--schedules 3").is_err());
    }
}
