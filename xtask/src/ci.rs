//! `cargo xtask ci`: what decides whether a change goes in. It is `cargo xtask test`, whole.
//!
//! One command for both, so that nothing can pass on a developer's machine and fail in CI by design.

/// Runs every check.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("`ci` takes no options; `test --quick` runs only the tests".into());
    }
    crate::test::run(&[])
}
