//! A server of the test's own: a folder and a process, which end with it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use haechi_rotate::{Login, Tls};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub struct RealServer {
    /// Of its certificate, if it has one.
    pub authority: String,
    _folder: TempDir,
    pub port: u16,
    process: Child,
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody has now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The first of these programs that there is.
pub fn program(candidates: &[&str]) -> PathBuf {
    let found = candidates.iter().find_map(|candidate| {
        if candidate.contains('/') {
            return Path::new(candidate).exists().then(|| PathBuf::from(candidate));
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(candidate)).find(|path| path.exists())
    });
    found.unwrap_or_else(|| panic!("none of {candidates:?} is there: run `cargo xtask test` once"))
}

/// Runs a program to its end.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
}

/// A command as a user who is not root, if we are: database servers insist.
pub fn unprivileged(program: &Path, user: &str) -> Command {
    if is_root() {
        let mut command = Command::new("setpriv");
        let user = format!("--reuid={user}");
        command.args([&user, "--regid=nogroup", "--clear-groups", "--"]).arg(program);
        return command;
    }
    Command::new(program)
}

pub fn is_root() -> bool {
    Path::new("/proc/self").exists()
        && std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .any(|line| line.starts_with("Uid:\t0\t"))
}

/// A key and a certificate for 127.0.0.1 in a folder, which is its own authority; answers the PEM.
pub fn certificate(folder: &Path, user: &str) -> String {
    let (key, certificate) = (folder.join("server.key"), folder.join("server.crt"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=test", "-addext"]);
    openssl.args(["subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]);
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    run(&mut openssl);
    run(Command::new("chmod").arg("0600").arg(&key));
    if is_root() {
        run(Command::new("chown").arg(user).arg(&key).arg(&certificate));
    }
    std::fs::read_to_string(certificate).unwrap()
}

/// A folder that the server may write.
pub fn folder(user: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    if is_root() {
        run(Command::new("chown").arg(user).arg(folder.path()));
    }
    folder
}

impl RealServer {
    /// Starts a server and waits until somebody listens.
    pub fn start(folder: TempDir, port: u16, mut command: Command) -> RealServer {
        let log = std::fs::File::create(std::env::temp_dir().join(format!("server-{port}.log")));
        let log = log.unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        let server = RealServer { authority: String::new(), _folder: folder, port, process };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        for _ in 0..600 {
            if TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the server does not listen");
    }

    pub fn login(&self, username: &str, password: &str) -> Login {
        Login {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            username: username.to_owned(),
            password: Zeroizing::new(password.to_owned()),
            database: None,
            tls: Tls::Off,
        }
    }
}
