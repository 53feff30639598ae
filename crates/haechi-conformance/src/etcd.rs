//! Real etcd clusters of a test's own: one member or several, on loopback or in network namespaces,
//! with TLS if wanted, and the faults that befall them.
//!
//! Every process dies with the test, also when the test is killed or keeps its cluster in a static:
//! a watchdog waits for the end of a pipe that only the test holds.

mod certificates;
mod faults;
mod network;
mod status;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::{Outcome, outcome};

pub use certificates::Certificates;
pub use faults::Fault;
pub use network::Network;

/// Tries until a cluster has a leader; each waits a twentieth of a second.
const TRIES: usize = 1200;

/// The bytes of a small disk: a log of etcd's takes 64 MiB beforehand, and a second one is made.
const SMALL_DISK: u64 = 160 << 20;

/// What a cluster is started with. `Setup::default()` is one member on loopback without TLS.
#[derive(Clone, Debug)]
pub struct Setup {
    /// How many members.
    pub members: usize,
    /// Whether clients and peers speak TLS, both with certificates.
    pub tls: bool,
    /// Whether each member has a network namespace of its own, so that [`Cluster::cut`] works.
    /// Needs root.
    pub namespaces: bool,
    /// A member whose disk is small, so that [`Cluster::fill`] fills it. Needs root.
    pub small_disk: Option<usize>,
    /// Further flags of each member, such as `--quota-backend-bytes=16777216`.
    pub flags: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { members: 1, tls: false, namespaces: false, small_disk: None, flags: Vec::new() }
    }
}

impl Setup {
    /// So many members.
    pub fn members(members: usize) -> Self {
        Self { members, ..Self::default() }
    }

    /// Starts the cluster; it has a leader when this returns.
    pub fn start(self) -> Cluster {
        Cluster::start(self)
    }
}

/// A process and the one that ends it should the test die.
struct Running {
    child: Child,
    watchdog: Child,
}

struct Member {
    name: String,
    data: PathBuf,
    host: String,
    client_port: u16,
    peer_port: u16,
    running: Option<Running>,
}

/// A running cluster. Its processes are killed and its files removed when it is dropped.
pub struct Cluster {
    folder: TempDir,
    setup: Setup,
    members: Vec<Member>,
    certificates: Option<Certificates>,
    network: Option<Network>,
    /// Makes a cluster that is started anew another one.
    token: u32,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in 0..self.members.len() {
            self.kill(member);
        }
        if let Some(member) = self.setup.small_disk {
            outcome(Command::new("umount").arg("--lazy").arg(self.data(member)));
        }
    }
}

impl Cluster {
    fn start(setup: Setup) -> Cluster {
        let folder = TempDir::with_prefix("haechi-etcd-").unwrap();
        let network = setup.namespaces.then(|| Network::new(setup.members));
        let hosts: Vec<String> = (0..setup.members)
            .map(|member| network.as_ref().map_or("127.0.0.1".into(), |net| net.host(member)))
            .collect();
        let certificates = setup.tls.then(|| Certificates::new(folder.path(), &hosts));
        // All ports are held until all are known, so that no two are the same.
        let ports: Vec<TcpListener> =
            (0..setup.members * 2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let port = |index: usize| ports[index].local_addr().unwrap().port();
        let members = hosts
            .into_iter()
            .enumerate()
            .map(|(index, host)| Member {
                name: format!("m{index}"),
                data: folder.path().join(format!("m{index}")),
                host,
                client_port: port(index * 2),
                peer_port: port(index * 2 + 1),
                running: None,
            })
            .collect();
        drop(ports);
        let mut cluster = Cluster { folder, setup, members, certificates, network, token: 0 };
        if let Some(member) = cluster.setup.small_disk {
            let disk = cluster.data(member);
            std::fs::create_dir(disk).unwrap();
            let size = format!("size={SMALL_DISK},mode=700");
            let mut mount = Command::new("mount");
            mount.args(["-t", "tmpfs", "-o", &size, "haechi-test"]).arg(disk);
            outcome(&mut mount).ok();
        }
        for member in 0..cluster.members.len() {
            cluster.run(member);
        }
        cluster.wait();
        cluster
    }

    /// Where the members listen for clients, as URLs.
    pub fn endpoints(&self) -> Vec<String> {
        (0..self.members.len()).map(|member| self.endpoint(member)).collect()
    }

    /// Where one member listens for clients.
    pub fn endpoint(&self, member: usize) -> String {
        let Member { host, client_port, .. } = &self.members[member];
        format!("{}://{host}:{client_port}", self.scheme())
    }

    /// The files for TLS, if it was wanted.
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// The data directory of a member.
    pub fn data(&self, member: usize) -> &Path {
        &self.members[member].data
    }

    /// The process of a member, if it runs.
    pub fn process(&self, member: usize) -> Option<u32> {
        self.members[member].running.as_ref().map(|running| running.child.id())
    }

    /// How many members there are, running or not.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Kills a member with SIGKILL, if it runs.
    pub fn kill(&mut self, member: usize) {
        if let Some(mut running) = self.members[member].running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
            let _ = running.watchdog.kill();
            let _ = running.watchdog.wait();
        }
    }

    /// Starts a member that was killed, with the data that it had.
    pub fn restart(&mut self, member: usize) {
        self.kill(member);
        self.run(member);
    }

    /// Starts a member anew, with nothing of what it had; alone it becomes another cluster.
    pub fn reset(&mut self, member: usize) {
        self.kill(member);
        let data = &self.members[member].data;
        if data.exists() {
            std::fs::remove_dir_all(data).unwrap();
        }
        self.token += 1;
        self.run(member);
    }

    /// Leaves no room on a member's [`Setup::small_disk`].
    pub fn fill(&self, member: usize) {
        let mut file = std::fs::File::create(self.data(member).join("junk")).unwrap();
        let full = std::io::copy(&mut std::io::repeat(7), &mut file).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    }

    /// Makes room again.
    pub fn clear(&self, member: usize) {
        std::fs::remove_file(self.data(member).join("junk")).unwrap();
    }

    /// Whether a member's process runs: one whose disk is full ends by itself.
    pub fn runs(&mut self, member: usize) -> bool {
        let running = self.members[member].running.as_mut();
        running.is_some_and(|running| running.child.try_wait().unwrap().is_none())
    }

    /// Stops a member's clock: SIGSTOP. It keeps its connections and answers nothing.
    pub fn pause(&self, member: usize) {
        self.signal(member, Signal::STOP);
    }

    /// Lets a paused member go on.
    pub fn resume(&self, member: usize) {
        self.signal(member, Signal::CONT);
    }

    /// Cuts a member off from the others; clients still reach it. With `one_way` it hears nothing
    /// but is heard. Needs [`Setup::namespaces`].
    pub fn cut(&self, member: usize, one_way: bool) {
        self.network.as_ref().expect("a cluster in namespaces").cut(member, one_way);
    }

    /// Undoes [`Cluster::cut`].
    pub fn heal(&self, member: usize) {
        self.network.as_ref().expect("a cluster in namespaces").heal(member);
    }

    /// The member that leads by the word of one that answers, if any does.
    pub fn leader(&self) -> Option<usize> {
        (0..self.members.len()).find(|member| {
            self.members[*member].running.is_some()
                && self.status(*member).is_some_and(|(me, leader)| me == leader)
        })
    }

    /// Waits until a leader is known.
    ///
    /// # Panics
    /// After a minute without one.
    pub fn wait(&self) -> usize {
        for _ in 0..TRIES {
            if let Some(leader) = self.leader() {
                return leader;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("etcd elects no leader: {}", self.log(0));
    }

    /// Runs `etcdctl` against the members named, or all.
    pub fn etcdctl(&self, members: &[usize], arguments: &[&str]) -> Outcome {
        let endpoints: Vec<String> = if members.is_empty() {
            self.endpoints()
        } else {
            members.iter().map(|member| self.endpoint(*member)).collect()
        };
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").arg(format!("--endpoints={}", endpoints.join(",")));
        command.args(["--dial-timeout=1s", "--command-timeout=5s"]);
        if let Some(files) = &self.certificates {
            command.arg("--cacert").arg(&files.ca);
            command.arg("--cert").arg(&files.client).arg("--key").arg(&files.client_key);
        }
        outcome(command.args(arguments))
    }

    /// What a member wrote to its log, errors only.
    pub fn log(&self, member: usize) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("m{member}.log")))
            .unwrap_or_default()
    }

    /// A member's id and its leader's, by its own word.
    fn status(&self, member: usize) -> Option<(u64, u64)> {
        if !self.setup.tls {
            let Member { host, client_port, .. } = &self.members[member];
            return status::status(host, *client_port);
        }
        let answer = self.etcdctl(&[member], &["endpoint", "status", "--write-out=json"]);
        let status: serde_json::Value = serde_json::from_str(&answer.stdout).ok()?;
        let status = &status[0]["Status"];
        let leader = status["leader"].as_u64().filter(|leader| *leader != 0)?;
        Some((status["header"]["member_id"].as_u64()?, leader))
    }

    fn signal(&self, member: usize, signal: Signal) {
        let process = self.process(member).expect("a running member");
        let process = Pid::from_raw(process.try_into().unwrap()).unwrap();
        kill_process(process, signal).unwrap();
    }

    fn scheme(&self) -> &'static str {
        if self.setup.tls { "https" } else { "http" }
    }

    fn run(&mut self, index: usize) {
        let scheme = self.scheme();
        let peer = |member: &Member| format!("{scheme}://{}:{}", member.host, member.peer_port);
        let everyone: Vec<String> =
            self.members.iter().map(|member| format!("{}={}", member.name, peer(member))).collect();
        let member = &self.members[index];
        let mut command = match &self.network {
            Some(network) => network.program(index, "etcd"),
            None => Command::new("etcd"),
        };
        let client = format!("{scheme}://{}:{}", member.host, member.client_port);
        command.arg(format!("--name={}", member.name)).arg("--data-dir").arg(&member.data);
        command.arg(format!("--listen-client-urls={client}"));
        command.arg(format!("--advertise-client-urls={client}"));
        command.arg(format!("--listen-peer-urls={}", peer(member)));
        command.arg(format!("--initial-advertise-peer-urls={}", peer(member)));
        command.arg(format!("--initial-cluster={}", everyone.join(",")));
        command.arg(format!("--initial-cluster-token=haechi-{}", self.token));
        command.args(["--logger=zap", "--log-level=error"]).args(&self.setup.flags);
        if let Some(files) = &self.certificates {
            for side in ["", "peer-"] {
                command.arg(format!("--{side}client-cert-auth"));
                command.arg(format!("--{side}cert-file={}", files.server.display()));
                command.arg(format!("--{side}key-file={}", files.server_key.display()));
                command.arg(format!("--{side}trusted-ca-file={}", files.ca.display()));
            }
        }
        let log = self.folder.path().join(format!("m{index}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("etcd is missing: `cargo xtask test` installs it");
        let watchdog = watchdog(child.id(), self.folder.path(), self.network.as_ref());
        self.members[index].running = Some(Running { child, watchdog });
    }
}

/// Ends `process` when this process has ended, and removes what it left.
fn watchdog(process: u32, folder: &Path, network: Option<&Network>) -> Child {
    let mut command = Command::new("sh");
    let tidy = network.map_or_else(String::new, Network::removal);
    let script = format!(
        "cat >/dev/null; kill -9 {process}; sleep 1; umount -l \"$0\"/m*; rm -rf \"$0\"; {tidy}"
    );
    command.args(["-c", &script]).arg(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}
