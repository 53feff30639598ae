//! `cargo xtask next`: the next version of haechi, `target/debug/haechi-next`, which tests of rolling
//! upgrades run beside the present one.
//!
//! A feature of the `haechi` crate alone, so that nothing else is compiled twice.

use crate::process;

/// Builds it; afterwards `target/debug/haechi` is the present version, as always.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask next".into());
    }
    let build = ["build", "--package", "haechi"];
    process::run(process::cargo(&build).args(["--features", "next-format"]))?;
    keep()?;
    process::run(&mut process::cargo(&build))
}

/// Builds it with the libraries that the workspace's tests have, as the program that those of haechi
/// need; `target/debug/haechi` is the next version until they are built as they are.
pub fn beside_tests() -> Result<(), String> {
    let mut tests = process::cargo(&["test", "--workspace", "--no-run", "--quiet", "--test", "it"]);
    process::run(tests.args(["--features", "haechi/next-format"]))?;
    keep()
}

fn keep() -> Result<(), String> {
    let built = process::root().join("target/debug");
    let (binary, next) = (built.join("haechi"), built.join("haechi-next"));
    let copied = std::fs::copy(&binary, &next);
    copied.map(|_| ()).map_err(|error| format!("{}: {error}", next.display()))
}
