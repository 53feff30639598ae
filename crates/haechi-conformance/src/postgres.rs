//! A real PostgreSQL of the test's own, on loopback.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::client::outcome;

/// The superuser.
pub const ADMIN: (&str, &str) = ("admin", "admin's");

/// Tries until it listens; each waits a tenth of a second.
const TRIES: usize = 600;

/// A running PostgreSQL; killed when dropped.
pub struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
    child: Child,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Servers of databases refuse to be root.
fn unprivileged(program: &Path) -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    if !status.lines().any(|line| line.starts_with("Uid:\t0\t")) {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program);
    command
}

impl Postgres {
    /// Makes a cluster and starts it; `psql` says when it is ready.
    pub fn start() -> Postgres {
        let versions = std::fs::read_dir("/usr/lib/postgresql");
        let versions = versions.expect("PostgreSQL is missing: `cargo xtask test` installs it");
        let bin = versions.map(|entry| entry.unwrap().path()).max().unwrap().join("bin");
        let folder = TempDir::new().unwrap();
        let (data, password) = (folder.path().join("data"), folder.path().join("password"));
        std::fs::write(&password, ADMIN.1).unwrap();
        outcome(Command::new("chmod").arg("0777").arg(folder.path())).ok();
        let mut init = unprivileged(&bin.join("initdb"));
        init.arg("--pwfile").arg(&password).arg("-D").arg(&data);
        init.args(["--username", ADMIN.0, "--auth=scram-sha-256", "--no-sync"]);
        outcome(&mut init).ok();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = run(&bin, &data, port);
        let postgres = Postgres { folder, bin, port, child };
        postgres.wait();
        postgres
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it with SIGKILL and starts it again.
    pub fn crash(&mut self) {
        // The leader's children notice that it is gone.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let data = self.folder.path().join("data");
        let _ = std::fs::remove_file(data.join("postmaster.pid"));
        self.child = run(&self.bin, &data, self.port);
        self.wait();
    }

    fn wait(&self) {
        for _ in 0..TRIES {
            if self.logs_in(ADMIN.0, ADMIN.1) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL does not let its superuser in");
    }

    /// Runs a statement as the superuser.
    pub fn run(&self, statement: &str) {
        outcome(&mut self.psql(ADMIN.0, ADMIN.1, statement)).ok();
    }

    /// Whether a user is let in.
    pub fn logs_in(&self, user: &str, password: &str) -> bool {
        outcome(&mut self.psql(user, password, "SELECT 1")).success
    }

    fn psql(&self, user: &str, password: &str, statement: &str) -> Command {
        let mut command = Command::new("psql");
        let port = self.port;
        command.args(["--no-psqlrc", "--quiet", "--command", statement]);
        command.arg(format!("host=127.0.0.1 port={port} user={user} dbname=postgres"));
        command.env("PGPASSWORD", password);
        command
    }
}

fn run(bin: &Path, data: &Path, port: u16) -> Child {
    let mut command = unprivileged(&bin.join("postgres"));
    command.arg("-D").arg(data).args(["-F", "-c", "listen_addresses=127.0.0.1"]);
    command.args(["-c", &format!("port={port}"), "-c", "unix_socket_directories="]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
