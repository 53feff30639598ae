//! Several nodes of haechi over one etcd, and load on them: what tests of faults begin with.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use haechi_conformance::etcd::{Cluster, Setup};
use haechi_conformance::{Launch, Server, haechi, outcome, python, script, send};
use haechi_histories::{Action, Call, Verdict, linearizable};
use serde_json::Value;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Nodes over one etcd.
pub struct Nodes {
    pub servers: Vec<Server>,
    pub etcd: Cluster,
    pub folder: tempfile::TempDir,
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

pub fn launch(etcd: &Cluster, data: &Path) -> Launch {
    let launch = Launch::new().data(data).options(&["--store", "etcd"]);
    let launch = launch.options(&["--etcd-endpoint", &etcd.endpoints().join(",")]);
    let Some(files) = etcd.certificates() else { return launch };
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (ca, cert, key) = (path(&files.ca), path(&files.client), path(&files.client_key));
    launch.options(&["--etcd-ca", &ca, "--etcd-cert", &cert, "--etcd-key", &key])
}

/// Makes a data directory that opens what the nodes of another one have.
pub fn invite(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    for file in ["seal.json", "root.key"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

impl Nodes {
    pub fn start(count: usize) -> Nodes {
        Nodes::start_with(count, false)
    }

    /// With `movable` the last of them runs with `--dev`, so that its clock can be moved.
    pub fn start_with(count: usize, movable: bool) -> Nodes {
        let dev = move |node: usize, account: &str, launch: Launch| {
            let dev = ["--dev", "--dev-account", account];
            if movable && node + 1 == count { launch.options(&dev) } else { launch }
        };
        Nodes::start_over(Setup::members(3).start(), count, dev)
    }

    /// Over an etcd that runs; `change` is given each further node's number, the account, and how
    /// it is launched.
    pub fn start_over(
        etcd: Cluster,
        count: usize,
        change: impl Fn(usize, &str, Launch) -> Launch,
    ) -> Nodes {
        let folder = tempfile::tempdir().unwrap();
        let data = |node: usize| folder.path().join(format!("node{node}"));
        let mut servers = vec![launch(&etcd, &data(0)).start()];
        for node in 1..count {
            invite(&data(0), &data(node));
            let account = &servers[0].ready().account_id;
            servers.push(change(node, account, launch(&etcd, &data(node))).start());
        }
        let nodes = Nodes { servers, etcd, folder };
        nodes.settle(count);
        nodes
    }

    /// Nodes as `haechi operator nodes` lists them.
    pub fn listed(&self) -> Vec<Value> {
        let data = self.servers[0].data();
        let mut command = haechi(&["operator", "nodes", "--json", "--data"]);
        let listed = outcome(command.arg(data));
        if listed.success { serde_json::from_str(&listed.stdout).unwrap() } else { Vec::new() }
    }

    /// Waits until so many nodes have shared all duties fairly; answers how long that took.
    pub fn settle(&self, count: usize) -> Duration {
        until("the nodes have shared their duties", || {
            let shares: Vec<usize> = self
                .listed()
                .iter()
                .map(|node| node["shards"].as_array().map_or(0, Vec::len))
                .collect();
            shares.len() == count
                && shares.iter().sum::<usize>() == 16
                && shares.iter().all(|share| *share <= 16_usize.div_ceil(count))
        })
    }

    fn endpoints(&self) -> String {
        let all: Vec<&str> =
            self.servers.iter().map(|server| server.ready().endpoint.as_str()).collect();
        serde_json::to_string(&all).unwrap()
    }

    pub fn script(&self, name: &str) -> Command {
        let mut command = self.servers[0].client(python());
        command.env("NODES", self.endpoints()).env("FOLDER", self.folder.path());
        command.env("HAECHI_ACCOUNT", &self.servers[0].ready().account_id);
        command.env("PYTHONPATH", script("harness.py").parent().unwrap());
        command.arg(script(name));
        command
    }
}

/// Moves the clock of a server with `--dev`.
pub fn advance(server: &Server, seconds: u32) {
    let body = format!("{{\"advance_seconds\": {seconds}}}");
    let head = "POST /_haechi/clock HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(send(server, request.as_bytes()).status, Some(200));
}

/// Load that goes on while faults befall the nodes.
pub struct Load {
    child: Child,
    folder: PathBuf,
}

impl Load {
    pub fn start(nodes: &Nodes) -> Load {
        let folder = nodes.folder.path().to_path_buf();
        let log = std::fs::File::create(folder.join("load.log")).unwrap();
        let mut command = nodes.script("cluster_load.py");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let load = Load { child: command.spawn().unwrap(), folder };
        until("the load has begun", || {
            let counts = load.progress();
            !counts.is_empty() && counts.iter().all(|count| *count > 10)
        });
        load
    }

    fn progress(&self) -> Vec<u64> {
        let read = std::fs::read(self.folder.join("progress.json")).unwrap_or_default();
        serde_json::from_slice(&read).unwrap_or_default()
    }

    /// Notes a fault that begins now.
    #[expect(clippy::disallowed_methods, reason = "a test of the real program")]
    pub fn fault(&self, name: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let path = self.folder.join("faults");
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{now} {name}").unwrap();
    }

    /// Waits until these nodes take writes again.
    pub fn goes_on(&self, nodes: &[usize]) {
        let before = self.progress();
        until("writes go on", || {
            let now = self.progress();
            nodes.iter().all(|node| now[*node] > before[*node] + 10)
        });
    }

    /// Ends it; everything acknowledged must be everywhere.
    pub fn end(mut self) {
        std::fs::write(self.folder.join("stop"), "").unwrap();
        let status = self.child.wait().unwrap();
        let log = std::fs::read_to_string(self.folder.join("load.log")).unwrap();
        let told: Vec<&str> = log.lines().filter(|line| !line.starts_with("- ")).collect();
        println!("{}", told.join("\n"));
        assert!(status.success(), "{log}");
        let history = std::fs::read_to_string(self.folder.join("history")).unwrap();
        judge(&history);
    }
}

/// What was read and written is possible of registers.
fn judge(history: &str) {
    let lines: Vec<Value> =
        history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for register in 0..3 {
        let of_it = lines.iter().filter(|line| line["register"] == register);
        let calls: Vec<Call> = of_it
            .map(|line| {
                let value = line["value"].as_u64();
                let read = line["action"] == "read";
                let action = if read { Action::Read(value) } else { Action::Write(value) };
                let (begun, ended) = (line["begun"].as_u64().unwrap(), line["ended"].as_u64());
                Call { begun, ended, action }
            })
            .collect();
        assert!(calls.len() > 100, "hardly anything was tried: {} calls", calls.len());
        assert_eq!(linearizable(None, &calls), Verdict::Possible, "register {register}");
        println!("register {register}: {} calls are linearizable", calls.len());
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
