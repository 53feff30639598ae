//! The programs that a benchmark runs, each on its own core, ended when they are dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process;

/// The server's core.
const SERVER_CORE: &str = "0";

/// The load generator's core.
pub const LOAD_CORE: &str = "1";

/// How long a server may take to serve.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where cargo puts release binaries.
pub fn release_directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    process::root().join(target.unwrap_or_else(|| "target".into())).join("release")
}

/// A release binary.
pub fn binary(name: &str) -> String {
    release_directory().join(name).display().to_string()
}

/// The product's command line on a data directory, default settings but for plain HTTP.
pub fn product(data: &Path) -> Vec<String> {
    let data = data.display().to_string();
    [
        "serve",
        "--data",
        &data,
        "--plaintext",
        "true",
        "--admin-listen",
        "off",
        "--log",
        "error",
        "--request-quotas",
        "false",
    ]
    .iter()
    .map(|argument| (*argument).to_owned())
    .collect()
}

/// A running server.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts a server on its core and waits for its ready file.
    pub fn start(program: &str, arguments: &[String], ready: &Path) -> Result<Server, String> {
        if ready.exists() {
            std::fs::remove_file(ready).map_err(|error| format!("{}: {error}", ready.display()))?;
        }
        let mut command = pinned(SERVER_CORE, program);
        command.args(arguments).stdout(Stdio::null());
        command.arg("--ready-file").arg(ready);
        let child = command.spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
        let server = Server { child };
        let began = Instant::now();
        while !ready.exists() {
            if began.elapsed() > PATIENCE {
                return Err(format!("{program} does not serve"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // The product writes it in one go, but not by renaming.
        std::thread::sleep(Duration::from_millis(50));
        Ok(server)
    }

    /// The process (taskset replaces itself by the program).
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM first, so that the product closes its store as it does in life.
        let told = Command::new("kill").arg(self.pid().to_string()).status();
        if !told.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// KiB of memory that a process has.
pub fn resident_kib(pid: u32) -> Result<u64, String> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("{path} does not tell VmRSS"))
}

/// Runs a command of `haechi-bench` on the generator's core; answers the JSON that it prints.
pub fn bench(arguments: &[&str]) -> Result<Value, String> {
    bench_on(LOAD_CORE, arguments)
}

/// The same on the server's core, while the server has nothing to do.
pub fn bench_beside(arguments: &[&str]) -> Result<Value, String> {
    bench_on(SERVER_CORE, arguments)
}

fn bench_on(core: &str, arguments: &[&str]) -> Result<Value, String> {
    let mut command = pinned(core, &binary("haechi-bench"));
    command.args(arguments);
    let printed = process::output(&mut command)?;
    if printed.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&printed).map_err(|error| format!("{printed}: {error}"))
}

fn pinned(core: &str, program: &str) -> Command {
    process::program("taskset", &["-c", core, program])
}
