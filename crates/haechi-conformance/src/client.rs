//! Real clients as child processes, in an environment that holds nothing but what a test gives.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a finished process left.
#[derive(Debug)]
pub struct Outcome {
    /// Whether it exited with 0.
    pub success: bool,
    /// Exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, trimmed at the end.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output of a success; fails the test otherwise.
    pub fn ok(self) -> String {
        assert!(self.success, "the command failed:\n{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Standard error of a failure whose text contains `expected`; fails the test otherwise.
    pub fn fails_with(self, expected: &str) -> String {
        assert!(!self.success, "the command should have failed, it said:\n{}", self.stdout);
        assert!(self.stderr.contains(expected), "no `{expected}` in:\n{}", self.stderr);
        self.stderr
    }
}

/// Runs a command to its end.
pub fn outcome(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    Outcome {
        success: output.status.success(),
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).trim_end().to_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The AWS CLI of the test environment.
pub fn aws() -> PathBuf {
    installed("python/bin/aws")
}

/// The Python that has boto3.
pub fn python() -> PathBuf {
    installed("python/bin/python3")
}

/// The Python that has the AWS Encryption SDK, version 4, and the Amazon S3 Encryption Client.
pub fn encryption_python() -> PathBuf {
    installed("python-encryption/bin/python3")
}

/// A command of the third Python environment: `aws-encryption-cli` (on version 3 of the SDK), `sops`,
/// `python3` with the newest openssl.
pub fn python_command(name: &str) -> PathBuf {
    installed("python-command-line/bin").join(name)
}

/// Where Node.js finds the AWS SDK and the AWS Encryption SDK for JavaScript: its `NODE_PATH`.
pub fn node_modules() -> PathBuf {
    installed("node/node_modules")
}

/// A script under `tests/scripts`.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(name)
}

/// A program that inherits nothing that could change what a client does: no AWS setting, no proxy,
/// no trust store, no configuration file of the user's home.
pub fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    clean(&mut command);
    command
}

/// Takes everything away from `command` that could change what a client does.
pub fn clean(command: &mut Command) {
    let certificates = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let meddles = name.starts_with("AWS_")
            || name.starts_with("HAECHI_")
            || name.to_ascii_lowercase().ends_with("_proxy")
            || certificates.contains(&name.as_ref());
        if meddles {
            command.env_remove(name.as_ref());
        }
    }
    command
        .env("AWS_CONFIG_FILE", "/nonexistent/config")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_PAGER", "")
        .env("PYTHONDONTWRITEBYTECODE", "1");
}

fn installed(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(".test-env").join(name);
    assert!(
        path.exists(),
        "{} is missing: `cargo xtask test` installs the clients once",
        path.display()
    );
    path
}
