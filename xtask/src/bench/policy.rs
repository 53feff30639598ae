//! `cargo xtask bench policy`: what a decision costs, by policies and by principals.
//!
//! Two tables: of the evaluator alone, beside a floor of plain string comparisons (`haechi-policy`),
//! and of the look-up of an access key with the decision after it, with few and with many principals
//! in the store (`haechi-iam`).

use crate::process;

/// Measures, prints.
pub fn run(arguments: &[String]) -> Result<(), String> {
    const USAGE: &str = "usage: cargo xtask bench policy [--principals 20000]";
    let principals = match arguments {
        [] => "20000",
        [name, count] if name == "--principals" => count.as_str(),
        _ => return Err(USAGE.into()),
    };
    // A filter that no benchmark's name has: the table alone.
    let decisions = ["bench", "--quiet", "--package", "haechi-policy", "--bench", "decision"];
    process::run(process::cargo(&decisions).args(["--", "table alone"]))?;
    let lookups = ["bench", "--quiet", "--package", "haechi-iam", "--bench", "principals"];
    process::run(process::cargo(&lookups).env("HAECHI_PRINCIPALS", principals))
}
