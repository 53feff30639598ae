//! Starting other programs, so that every command reports a failure in the same words.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}

/// `cargo`, the one that runs this, in the root of the repository.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // `cargo run` sets these for xtask itself; a nested cargo must not take them for its own.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME"] {
        command.env_remove(name);
    }
    if *BUILT_ONCE.get_or_init(is_built_once) {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

static BUILT_ONCE: OnceLock<bool> = OnceLock::new();

/// Whether nobody has developed in this tree, as on a machine that only checks it: what cargo keeps
/// so that the next build is quick takes a third of the time of a first one.
fn is_built_once() -> bool {
    let kept = std::fs::read_dir(root().join("target/debug/incremental"));
    !kept.into_iter().flatten().flatten().any(|of_crate| {
        // `cargo xtask` built itself before it could say anything.
        !of_crate.file_name().to_string_lossy().starts_with("xtask-")
    })
}

/// Any other program, in the root of the repository.
pub fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Runs to the end with the terminal as it is; an error names the command.
pub fn run(command: &mut Command) -> Result<(), String> {
    let line = shown(command);
    let status = command.status().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed ({status})")) }
}

/// Runs to the end and returns what it printed; an error carries what it said.
pub fn output(command: &mut Command) -> Result<String, String> {
    let line = shown(command);
    let output = command.output().map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{line}` failed ({}): {}", output.status, said.trim()))
}

/// Runs to the end, printing each line of standard output as it comes and showing it to `watch`.
/// Answers whether the program succeeded.
pub fn watch(command: &mut Command, mut watch: impl FnMut(&str)) -> Result<bool, String> {
    let line = shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start `{line}`: {error}"))?;
    if let Some(stdout) = child.stdout.take() {
        for text in BufReader::new(stdout).lines() {
            let text = text.map_err(|error| format!("cannot read from `{line}`: {error}"))?;
            println!("{text}");
            watch(&text);
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for `{line}`: {error}"))?;
    Ok(status.success())
}

/// Whether a program of this name can be started at all.
pub fn exists(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
