//! Starts the binary.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(120);

/// The binary, with nothing of the tester's environment that it heeds.
pub fn haechi(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haechi"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HAECHI_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a command prints, given this on standard input, and whether it was done.
pub fn operate(data: &Path, arguments: &[&str], typed: &str) -> (bool, String) {
    let mut command = haechi(arguments);
    command.arg("--data").arg(data);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that needs none does not read it.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// Runs it to its end; answers exit code and standard error.
pub fn refused(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// A server on a folder of its own.
pub struct Server {
    pub child: Child,
    pub ready: serde_json::Value,
    pub ready_file: PathBuf,
    pub data: PathBuf,
    _folder: Option<TempDir>,
}

impl Server {
    pub fn start(options: &[&str]) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut server = Server::on(&data, options);
        server._folder = Some(folder);
        server
    }

    pub fn on(data: &Path, options: &[&str]) -> Server {
        let ready_file = data.with_extension("ready.json");
        let _ = std::fs::remove_file(&ready_file);
        let log = data.with_extension("log");
        let output = File::create(&log).unwrap();
        let mut command = serve(data, &ready_file, options);
        command.stdout(output.try_clone().unwrap()).stderr(output);
        let mut child = command.spawn().unwrap();
        let begun = Instant::now();
        while !ready_file.exists() {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("{status}: {}", std::fs::read_to_string(&log).unwrap());
            }
            assert!(begun.elapsed() < PATIENCE, "{}", std::fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
        let ready = serde_json::from_slice(&std::fs::read(&ready_file).unwrap()).unwrap();
        Server { child, ready, ready_file, data: data.to_path_buf(), _folder: None }
    }

    pub fn text(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap().to_owned()
    }

    pub fn address(&self) -> String {
        self.text("endpoint").split_once("://").unwrap().1.to_owned()
    }

    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Sends bytes in the open; answers all that comes back.
    pub fn plain(&self, bytes: &[u8]) -> String {
        let mut stream = std::net::TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn serve(data: &Path, ready_file: &Path, options: &[&str]) -> Command {
    let mut command = haechi(&["serve"]);
    if !options.contains(&"--admin-listen") {
        command.args(["--admin-listen", "off"]);
    }
    if !options.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.arg("--data").arg(data).arg("--ready-file").arg(ready_file).args(options);
    command
}
