//! A test that needs a process of its own runs itself again in a child.

use std::env;
use std::process::Command;

const MARK: &str = "HAECHI_CRYPTO_TEST_CHILD";

/// Whether this process is the child of [`run`].
pub fn is_child() -> bool {
    env::var_os(MARK).is_some()
}

/// Runs the test of this name, alone, in a child with more environment; fails if it fails.
pub fn run(test: &str, environment: &[(&str, &std::path::Path)]) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "the child failed:\n{text}");
    assert!(text.contains("1 passed"), "the child ran no test named {test}:\n{text}");
}
