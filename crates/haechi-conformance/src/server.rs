//! The real `haechi` binary: start it, kill it, start it again on what it left.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::aws_cli;
use crate::client::{self, Outcome};

/// A server that is not ready after this never will be (a debug build with a passphrase seal on a
/// busy machine takes a few seconds).
const READY_WITHIN: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(20);

/// How to start a server.
#[derive(Clone, Default)]
pub struct Launch {
    options: Vec<String>,
    variables: Vec<(String, String)>,
    data: Option<PathBuf>,
    listen: Option<String>,
    admin_listen: Option<String>,
    in_memory: bool,
    next_version: bool,
    entrance: Option<[String; 4]>,
}

/// What the ready file says.
#[derive(Clone, Debug)]
pub struct Ready {
    /// `https://127.0.0.1:PORT`, or `http://…` with `--dev`.
    pub endpoint: String,
    /// The account that the first start made.
    pub account_id: String,
    /// The Region that clients are told.
    pub region: String,
    /// Root's access key.
    pub access_key_id: String,
    /// Root's secret.
    pub secret_access_key: String,
    /// The file with the local CA; none on plain HTTP.
    pub ca_bundle: Option<String>,
}

/// A server that did not start.
#[derive(Debug)]
pub struct Refusal {
    /// Exit code.
    pub code: Option<i32>,
    /// What it printed.
    pub output: String,
}

/// A running server; killed when dropped.
pub struct Server {
    launch: Launch,
    folder: TempDir,
    data: PathBuf,
    child: Child,
    ready: Ready,
}

/// The binary under test, with a clean environment.
pub fn haechi(arguments: &[&str]) -> Command {
    let mut command = client::program(present());
    command.args(arguments);
    command
}

fn present() -> PathBuf {
    let path = std::env::var_os("HAECHI_BIN").map_or_else(built, PathBuf::from);
    assert!(path.exists(), "{} is missing: `cargo build -p haechi` first", path.display());
    path
}

/// The next version of it, which writes records of another format.
fn next() -> PathBuf {
    let path = built().with_file_name("haechi-next");
    assert!(path.exists(), "{} is missing: `cargo xtask next` first", path.display());
    path
}

/// Where cargo puts the binary: beside the folder of the test binary that runs now.
fn built() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.ancestors().nth(2).unwrap().join("haechi")
}

impl Launch {
    /// A server as `haechi serve` is without options: TLS, everything verified, data on disk.
    pub fn new() -> Launch {
        Launch::default()
    }

    /// A server with `--dev`: in memory, plain HTTP, unknown access keys are root.
    pub fn dev() -> Launch {
        Launch { in_memory: true, ..Launch::default() }.options(&["--dev"])
    }

    /// Adds options to `haechi serve`.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Launch {
        self.options.extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// Gives another value to an option that was added.
    #[must_use]
    pub fn instead(mut self, option: &str, value: &str) -> Launch {
        let place = self.options.iter().position(|known| known == option).unwrap();
        value.clone_into(&mut self.options[place + 1]);
        self
    }

    /// Sets an environment variable for the server.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Launch {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the next version instead of the present one.
    #[must_use]
    pub fn next_version(mut self) -> Launch {
        self.next_version = true;
        self
    }

    /// Starts it in a network namespace (`Network::entrance`).
    #[must_use]
    pub fn inside(mut self, entrance: [String; 4]) -> Launch {
        self.entrance = Some(entrance);
        self
    }

    /// Listens elsewhere than on a free port of loopback.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Launch {
        self.listen = Some(address.to_owned());
        self
    }

    /// Opens the operator's port, which is off unless a test wants it.
    #[must_use]
    pub fn admin_listen(mut self, address: &str) -> Launch {
        self.admin_listen = Some(address.to_owned());
        self
    }

    /// Starts on a data directory that exists or is to be made, also with `--dev`.
    #[must_use]
    pub fn data(mut self, data: &Path) -> Launch {
        self.data = Some(data.to_path_buf());
        self.in_memory = false;
        self
    }

    /// Starts and waits until it serves; fails the test with the server's words if it does not.
    pub fn start(self) -> Server {
        self.try_start().unwrap_or_else(|refusal| {
            panic!("haechi did not start ({:?}):\n{}", refusal.code, refusal.output)
        })
    }

    /// Starts and expects that it refuses to.
    pub fn refusal(self) -> Refusal {
        match self.try_start() {
            Ok(server) => panic!("haechi started on {}", server.ready.endpoint),
            Err(refusal) => refusal,
        }
    }

    fn try_start(self) -> Result<Server, Refusal> {
        let listen = self.listen.clone().unwrap_or_else(|| "127.0.0.1:0".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let data = self.data.clone().unwrap_or_else(|| folder.path().join("data"));
        let (child, ready) = spawn(&self, folder.path(), &data, &listen)?;
        Ok(Server { launch: self, folder, data, child, ready })
    }
}

/// Starts the process and waits for its ready file, or for its end.
fn spawn(
    launch: &Launch,
    folder: &Path,
    data: &Path,
    listen: &str,
) -> Result<(Child, Ready), Refusal> {
    let ready_file = folder.join("ready.json");
    let _ = std::fs::remove_file(&ready_file);
    let log = folder.join("server.log");
    let output = File::options().create(true).append(true).open(&log).unwrap();
    let admin_listen = launch.admin_listen.as_deref().unwrap_or("off");
    let path = if launch.next_version { next() } else { present() };
    let mut command = match &launch.entrance {
        Some([entrance, arguments @ ..]) => {
            let mut command = client::program(entrance);
            command.args(arguments).arg(path);
            command
        }
        None => client::program(path),
    };
    command.args(["serve", "--listen", listen, "--admin-listen", admin_listen]);
    command.arg("--ready-file").arg(&ready_file);
    if !launch.in_memory {
        command.arg("--data").arg(data);
    }
    // Tests are faster than AWS lets anyone be; a test of quotas asks for them by the flag.
    command.env("HAECHI_REQUEST_QUOTAS", "false");
    command.args(&launch.options).envs(launch.variables.iter().cloned());
    command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    loop {
        if let Some(ready) = Ready::read(&ready_file) {
            return Ok((child, ready));
        }
        if let Some(status) = child.try_wait().unwrap() {
            let output = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Refusal { code: status.code(), output });
        }
        if start.elapsed() > READY_WITHIN {
            let _ = child.kill();
            let _ = child.wait();
            let output = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("haechi was not ready after {READY_WITHIN:?}:\n{output}");
        }
        std::thread::sleep(POLL);
    }
}

impl Ready {
    fn read(path: &Path) -> Option<Ready> {
        // Not there yet, or not whole yet.
        let ready: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let text = |name: &str| ready.get(name).and_then(Value::as_str).map(str::to_owned);
        let needed = |name: &str| text(name).unwrap_or_else(|| panic!("no {name} in {ready}"));
        Some(Ready {
            endpoint: needed("endpoint"),
            account_id: needed("account_id"),
            region: needed("region"),
            access_key_id: needed("access_key_id"),
            secret_access_key: needed("secret_access_key"),
            ca_bundle: text("ca_bundle"),
        })
    }
}

impl Server {
    /// What the ready file said.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The file that the server wrote when it was ready.
    pub fn ready_file(&self) -> PathBuf {
        self.folder.path().join("ready.json")
    }

    /// The data directory (of a server in memory: a path where nothing is).
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A folder for the test's own files, removed with the server.
    pub fn scratch(&self) -> PathBuf {
        let scratch = self.folder.path().join("scratch");
        std::fs::create_dir_all(&scratch).unwrap();
        scratch
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        let (_, port) = self.ready.endpoint.rsplit_once(':').unwrap();
        port.trim_end_matches('/').parse().unwrap()
    }

    /// Everything that it has printed since its first start.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap()
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it with SIGTERM and answers its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM)
    }

    /// Ends it as `Ctrl-C` does and answers its exit code.
    pub fn interrupt(&mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::INT)
    }

    fn signal(&mut self, signal: rustix::process::Signal) -> Option<i32> {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.unwrap(), signal).unwrap();
        self.child.wait().unwrap().code()
    }

    /// Waits until it has ended by itself, and answers its exit code.
    pub fn ended(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < READY_WITHIN, "haechi still runs:\n{}", self.output());
            std::thread::sleep(POLL);
        }
    }

    /// Stops it as it stands (SIGSTOP): it keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.send(rustix::process::Signal::STOP);
    }

    /// Lets it go on after [`Server::pause`].
    pub fn resume(&self) {
        self.send(rustix::process::Signal::CONT);
    }

    fn send(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.unwrap(), signal).unwrap();
    }

    /// Replaces the program by its next version, as an operator does: from the next start on.
    pub fn upgrade(&mut self) {
        self.launch.next_version = true;
    }

    /// Starts it again on the same data directory and port.
    pub fn restart(&mut self) {
        let port = format!("127.0.0.1:{}", self.port());
        let listen = self.launch.listen.clone().filter(|listen| !listen.ends_with(":0"));
        let listen = listen.unwrap_or(port);
        let (child, ready) = spawn(&self.launch, self.folder.path(), &self.data, &listen)
            .unwrap_or_else(|refusal| {
                panic!("haechi did not start again ({:?}):\n{}", refusal.code, refusal.output)
            });
        self.child = child;
        self.ready = ready;
    }

    /// A client program with everything that it needs to find this server as root.
    pub fn client(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = client::program(program);
        command
            .env("AWS_ENDPOINT_URL", &self.ready.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.ready.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.ready.secret_access_key)
            .env("AWS_REGION", &self.ready.region)
            .env("AWS_DEFAULT_REGION", &self.ready.region);
        if let Some(ca_bundle) = &self.ready.ca_bundle {
            command.env("AWS_CA_BUNDLE", ca_bundle).env("NODE_EXTRA_CA_CERTS", ca_bundle);
        }
        command
    }

    /// Node.js with the AWS clients for JavaScript, as root.
    pub fn node(&self) -> Command {
        let mut command = self.client("node");
        command.env("NODE_PATH", client::node_modules());
        command
    }

    /// Runs the AWS CLI as root, its environment set by hand.
    pub fn aws(&self, arguments: &[&str]) -> Outcome {
        aws_cli::outcome(self.client(client::aws()).args(arguments))
    }

    /// Runs the AWS CLI with another access key.
    pub fn aws_as(&self, key: (&str, &str), arguments: &[&str]) -> Outcome {
        let mut command = self.client(client::aws());
        command.env("AWS_ACCESS_KEY_ID", key.0).env("AWS_SECRET_ACCESS_KEY", key.1);
        aws_cli::outcome(command.args(arguments))
    }

    /// Writes base64 text as the bytes it stands for and answers `fileb://PATH`: the one way to
    /// hand over bytes that AWS CLI v1 and v2 read alike.
    pub fn fileb(&self, name: &str, base64: &str) -> String {
        let path = self.scratch().join(name);
        let mut decode = client::program("base64");
        decode.arg("--decode").stdin(Stdio::piped()).stdout(File::create(&path).unwrap());
        let mut child = decode.spawn().unwrap();
        child.stdin.take().unwrap().write_all(base64.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "not base64: {base64}");
        format!("fileb://{}", path.display())
    }

    /// Runs `haechi exec --data DIR -- COMMAND…`: the server's own way to set the environment.
    pub fn exec(&self, command: &[&str]) -> Outcome {
        let mut haechi = haechi(&["exec", "--data"]);
        client::outcome(haechi.arg(&self.data).arg("--").args(command))
    }

    /// Runs an operator command, with `--data DIR` after it.
    pub fn operator(&self, command: &[&str], rest: &[&str]) -> Outcome {
        let mut haechi = haechi(command);
        haechi.envs(self.launch.variables.iter().cloned());
        client::outcome(haechi.arg("--data").arg(&self.data).args(rest))
    }

    /// Runs a Python script of `tests/scripts` as root and fails the test if the script fails.
    pub fn run_script(&self, name: &str) {
        self.run_script_with(self.client(client::python()), name);
    }

    /// The same with another interpreter: a command that `client` or `node` made.
    pub fn run_script_with(&self, mut command: Command, name: &str) {
        command.arg(client::script(name)).env("HAECHI_ACCOUNT", &self.ready.account_id);
        let outcome = client::outcome(&mut command);
        assert!(
            outcome.success,
            "{name} failed:\n{}\n{}\nthe server said:\n{}",
            outcome.stdout,
            outcome.stderr,
            last_lines(&self.output())
        );
        println!("{}", outcome.stdout);
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
