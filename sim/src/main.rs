//! Deterministic simulation of haechi's own nodes: the real records, caches, leases, shards and jobs
//! (`haechi-core`) over a store whose answers come late or never, on machines that sleep, are cut
//! off, die, start again, and whose clocks jump, in virtual time.
//!
//! A schedule is a seed, and decides everything. `cargo xtask sim jobs` runs many; one that fails is
//! named and fails again in the same way: `--seed S --schedules 1`.
//!
//! ```text
//! random.rs     draws, in streams of their own
//! world.rs      machines, and the store as they see it
//! node.rs       a node's life, a job's handler
//! schedule.rs   what happens in a schedule, and what must hold
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a simulation stops at what it did not foresee"
)]

mod node;
mod random;
mod schedule;
mod world;

use std::process::ExitCode;

use world::Control;

/// Told after so many schedules, so that a run that is cut off can go on from there.
const TELL_EVERY: u64 = 1000;

/// Stores that break a promise, and what is said then.
const CONTROLS: &[(Control, &str)] =
    &[(Control::LossyWatch, "decides by"), (Control::HastyLeases, "ran twice at once")];

const CONTROL_SCHEDULES: u64 = 100;

fn main() -> ExitCode {
    let (mut count, mut first) = (200, 1);
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().and_then(|text| text.parse().ok());
        match (flag.as_str(), value) {
            ("--schedules", Some(value)) => count = value,
            ("--seed", Some(value)) => first = value,
            _ => {
                eprintln!("usage: haechi-sim [--schedules N] [--seed S]");
                return ExitCode::FAILURE;
            }
        }
    }
    if !schedule::repeats(first..first + 3) {
        eprintln!("the same seed is not the same schedule");
        return ExitCode::FAILURE;
    }
    for (control, promise) in CONTROLS {
        let broken = (1..=CONTROL_SCHEDULES)
            .filter(|seed| {
                let broken = schedule::run(*seed, *control).broken;
                broken.iter().any(|what| what.contains(promise))
            })
            .count();
        println!("{control:?}: found in {broken} of {CONTROL_SCHEDULES} schedules");
        if broken == 0 {
            eprintln!("the simulation does not see what it looks for");
            return ExitCode::FAILURE;
        }
    }
    if count == 1 {
        schedule::run(first, Control::None).trace.iter().for_each(|line| println!("{line}"));
    }
    let (mut failed, mut hours) = (0, 0.0);
    for seed in first..first + count {
        let outcome = schedule::run(seed, Control::None);
        hours += outcome.virtual_time.as_secs_f64() / 3600.0;
        if !outcome.broken.is_empty() {
            failed += 1;
            println!("seed {seed}: {:?}", outcome.broken);
        }
        let done = seed - first + 1;
        if done % TELL_EVERY == 0 {
            println!("{done} schedules from {first}, {failed} failed, {hours:.0} virtual hours");
        }
    }
    println!("nodes: {count} schedules from {first}, {failed} failed, {hours:.1} virtual hours");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
