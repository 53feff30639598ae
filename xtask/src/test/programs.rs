//! The test programs of the workspace, built once and run one after the other.
//!
//! `cargo test --package A` chooses other features for the libraries beneath than `--workspace` does,
//! for all packages count that are named, and builds most of them anew: minutes for each choice. So all
//! programs are built with one choice, and started here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process;

/// A test program.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Program {
    /// The folder of its package.
    folder: PathBuf,
    /// The target's name: `it` of the tests beside a package's sources.
    target: String,
    path: PathBuf,
}

/// Builds all of them, and the programs that they start.
pub fn build() -> Result<Vec<Program>, String> {
    let mut cargo = process::cargo(&["test", "--workspace", "--no-run", "--quiet"]);
    cargo.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let output = cargo.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err("the tests do not compile".into());
    }
    let mut programs: Vec<Program> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(program).collect();
    programs.sort();
    Ok(programs)
}

/// The test program of which cargo tells in a line.
fn program(line: &str) -> Option<Program> {
    let told: Value = serde_json::from_str(line).ok()?;
    if told.pointer("/profile/test")?.as_bool() != Some(true) {
        return None;
    }
    let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str);
    Some(Program {
        folder: Path::new(text("/manifest_path")?).parent()?.to_path_buf(),
        target: text("/target/name")?.to_owned(),
        path: text("/executable")?.into(),
    })
}

impl Program {
    /// Whether it is one of this package.
    pub fn is_of(&self, package: &str) -> bool {
        self.folder.file_name().is_some_and(|folder| folder == package)
    }

    /// Whether it is the program of `tests/it`.
    pub fn is_from_outside(&self) -> bool {
        self.target == "it"
    }

    /// Starts it where cargo would.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(&self.folder);
        command.env("CARGO_MANIFEST_DIR", &self.folder);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::{Program, program};

    #[test]
    fn test_programs_are_found_among_what_cargo_tells() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/p/haechi-log/Cargo.toml",
            "target":{"name":"it"},"profile":{"test":true},"executable":"/t/it-1"}"#;
        let found = program(line).unwrap();
        let folder = "/p/haechi-log".into();
        assert_eq!(found, Program { folder, target: "it".to_owned(), path: "/t/it-1".into() });
        assert!(found.is_of("haechi-log") && found.is_from_outside());
        for other in [
            line.replace("true", "false"),
            line.replace("\"/t/it-1\"", "null"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            String::new(),
        ] {
            assert_eq!(program(&other), None, "{other}");
        }
    }
}
