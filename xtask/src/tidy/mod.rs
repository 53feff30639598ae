//! `cargo xtask tidy`: the rules of the house that neither rustc nor clippy can check.
//!
//! - [`arrows`]: which crate may depend on which (ARCHITECTURE.md draws it);
//! - [`pages`]: every module says at its top why it exists;
//! - [`injection`]: time and randomness come from outside, except in the named places;
//! - [`size`]: a long file gives its reason.
//!
//! Each rule is a function from text to findings, so that each has a test that breaks it.

mod arrows;
mod injection;
mod pages;
mod size;
mod source;

use crate::process;

/// Checks every rule and reports every finding.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("`tidy` takes no options".into());
    }
    let metadata =
        process::output(&mut process::cargo(&["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut findings = arrows::check(&arrows::packages(&metadata));
    for file in source::files(&process::root())? {
        findings.extend(pages::check(&file));
        findings.extend(injection::check(&file));
        findings.extend(size::check(&file));
    }
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("{count} to mend")),
    }
}
