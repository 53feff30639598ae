//! `cargo xtask crash [--rounds N]`: the `kill -9` loops of the storage engines, as long as one likes.
//!
//! Each round starts a process that writes and acknowledges, kills it without warning, opens the
//! data again and compares. The loops themselves are tests of the engines' crates (their names
//! contain `crash`); this command only sets how often they go round.

use crate::process;

/// The crates that hold data on disk, each with tests named `crash…`.
pub const ENGINES: &[&str] = &["haechi-store-sqlite", "haechi-log"];

/// What the tests of an engine are told to run these.
pub const ARGUMENTS: &[&str] = &["crash", "--nocapture", "--test-threads=1"];

/// The variable that says how often.
pub const ROUNDS: &str = "HAECHI_CRASH_ROUNDS";

/// Rounds that `cargo xtask test` runs: what the project promises for every change.
pub const ROUNDS_PER_CHANGE: u32 = 200;

const ROUNDS_BY_HAND: u32 = 2000;

/// Runs the loops with `--rounds N` (2000 unless told).
pub fn run(arguments: &[String]) -> Result<(), String> {
    let rounds = match arguments {
        [] => ROUNDS_BY_HAND,
        [flag, rounds] if flag == "--rounds" => {
            rounds.parse().map_err(|_| format!("`--rounds {rounds}`: not a number"))?
        }
        _ => return Err("usage: cargo xtask crash [--rounds N]".into()),
    };
    let mut command = process::cargo(&["test"]);
    for engine in ENGINES {
        command.args(["--package", engine]);
    }
    command.args(["--test", "it", "--"]).args(ARGUMENTS).env(ROUNDS, rounds.to_string());
    process::run(&mut command)
}
