//! Three nodes of haechi over three members of etcd, with real clients, while faults befall them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use haechi_conformance::etcd::{Cluster, Setup};
use haechi_conformance::postgres::Postgres;
use haechi_conformance::{Launch, Server, haechi, outcome, python, script, send};
use serde_json::Value;

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nodes over one etcd.
struct Nodes {
    servers: Vec<Server>,
    etcd: Cluster,
    folder: tempfile::TempDir,
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

fn launch(etcd: &Cluster, data: &Path) -> Launch {
    let endpoints = etcd.endpoints().join(",");
    Launch::new().data(data).options(&["--store", "etcd", "--etcd-endpoint", &endpoints])
}

/// Makes a data directory that opens what the nodes of another one have.
fn invite(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    for file in ["seal.json", "root.key"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

impl Nodes {
    fn start(count: usize) -> Nodes {
        Nodes::start_with(count, false)
    }

    /// With `movable` the last of them runs with `--dev`, so that its clock can be moved.
    fn start_with(count: usize, movable: bool) -> Nodes {
        let etcd = Setup::members(3).start();
        let folder = tempfile::tempdir().unwrap();
        let data = |node: usize| folder.path().join(format!("node{node}"));
        let mut servers = vec![launch(&etcd, &data(0)).start()];
        for node in 1..count {
            invite(&data(0), &data(node));
            let launch = launch(&etcd, &data(node));
            let dev = ["--dev", "--dev-account", &servers[0].ready().account_id];
            let options: &[&str] = if movable && node + 1 == count { &dev } else { &[] };
            servers.push(launch.options(options).start());
        }
        let nodes = Nodes { servers, etcd, folder };
        nodes.settle(count);
        nodes
    }

    /// Nodes as `haechi operator nodes` lists them.
    fn listed(&self) -> Vec<Value> {
        let data = self.servers[0].data();
        let mut command = haechi(&["operator", "nodes", "--json", "--data"]);
        let listed = outcome(command.arg(data));
        if listed.success { serde_json::from_str(&listed.stdout).unwrap() } else { Vec::new() }
    }

    /// Waits until so many nodes have shared all duties fairly; answers how long that took.
    fn settle(&self, count: usize) -> Duration {
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

    fn script(&self, name: &str) -> Command {
        let mut command = self.servers[0].client(python());
        command.env("NODES", self.endpoints()).env("FOLDER", self.folder.path());
        command.env("HAECHI_ACCOUNT", &self.servers[0].ready().account_id);
        command.env("PYTHONPATH", script("harness.py").parent().unwrap());
        command.arg(script(name));
        command
    }
}

/// Moves the clock of a server with `--dev`.
fn advance(server: &Server, seconds: u32) {
    let body = format!("{{\"advance_seconds\": {seconds}}}");
    let head = "POST /_haechi/clock HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    assert_eq!(send(server, request.as_bytes()).status, Some(200));
}

/// Load that goes on while faults befall the nodes.
struct Load {
    child: Child,
    folder: PathBuf,
}

impl Load {
    fn start(nodes: &Nodes) -> Load {
        let folder = nodes.folder.path().to_path_buf();
        let log = std::fs::File::create(folder.join("load.log")).unwrap();
        let mut command = nodes.script("cluster_load.py");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let load = Load { child: command.spawn().unwrap(), folder };
        until("the load has begun", || {
            let counts = load.progress();
            !counts.is_empty() && counts.iter().all(|count| *count > 20)
        });
        load
    }

    fn progress(&self) -> Vec<u64> {
        let read = std::fs::read(self.folder.join("progress.json")).unwrap_or_default();
        serde_json::from_slice(&read).unwrap_or_default()
    }

    /// Notes a fault that begins now.
    #[expect(clippy::disallowed_methods, reason = "a test of the real program")]
    fn fault(&self, name: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let path = self.folder.join("faults");
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{now} {name}").unwrap();
    }

    /// Waits until these nodes take writes again.
    fn goes_on(&self, nodes: &[usize]) {
        let before = self.progress();
        until("writes go on", || {
            let now = self.progress();
            nodes.iter().all(|node| now[*node] > before[*node] + 20)
        });
    }

    /// Ends it; everything acknowledged must be everywhere.
    fn end(mut self) {
        std::fs::write(self.folder.join("stop"), "").unwrap();
        let status = self.child.wait().unwrap();
        let log = std::fs::read_to_string(self.folder.join("load.log")).unwrap();
        let told: Vec<&str> = log.lines().filter(|line| !line.starts_with("node ")).collect();
        println!("{}", told.join("\n"));
        assert!(status.success(), "{log}");
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn what_is_taken_back_on_one_node_is_refused_on_all_within_a_second() {
    let nodes = Nodes::start(3);
    println!("{}", outcome(&mut nodes.script("cluster_revocation.py")).ok());
}

#[test]
fn a_node_without_the_seal_of_the_others_does_not_join() {
    let nodes = Nodes::start(1);
    let data = nodes.folder.path().join("stranger");
    let refusal = launch(&nodes.etcd, &data).refusal();
    assert!(refusal.output.contains("copy seal.json"), "{}", refusal.output);
    // Another root key.
    invite(nodes.servers[0].data(), &nodes.folder.path().join("wrong"));
    let wrong = nodes.folder.path().join("wrong");
    let other = Launch::new().start();
    for file in ["seal.json", "root.key"] {
        std::fs::copy(other.data().join(file), wrong.join(file)).unwrap();
    }
    let refusal = launch(&nodes.etcd, &wrong).refusal();
    assert!(refusal.output.contains("root key"), "{}", refusal.output);
}

#[test]
fn whatever_befalls_etcd_and_the_nodes_everything_acknowledged_is_on_all_nodes() {
    let mut nodes = Nodes::start_with(3, true);
    let load = Load::start(&nodes);
    let all = [0, 1, 2];

    load.fault("the leader of etcd was killed");
    let leader = nodes.etcd.wait();
    nodes.etcd.kill(leader);
    load.goes_on(&all);
    nodes.etcd.restart(leader);
    nodes.etcd.wait();

    for node in [1, 2] {
        load.fault(&format!("node {node} was killed"));
        nodes.servers[node].kill9();
        println!("the duties of node {node} were taken over after {:?}", nodes.settle(2));
        load.goes_on(&[0, 3 - node]);
        nodes.servers[node].restart();
        nodes.settle(3);
        load.goes_on(&all);
    }

    load.fault("node 1 was stopped for 8 seconds");
    nodes.servers[1].pause();
    println!("the duties of node 1 were taken over after {:?}", nodes.settle(2));
    std::thread::sleep(Duration::from_secs(2));
    nodes.servers[1].resume();
    nodes.settle(3);
    load.goes_on(&all);

    load.fault("the clock of node 2 jumped ahead by ten minutes");
    advance(&nodes.servers[2], 600);
    load.goes_on(&all);
    // The program's clock moves ahead only; a new start takes the machine's again.
    load.fault("node 2 was killed, and its clock is back");
    nodes.servers[2].kill9();
    nodes.servers[2].restart();
    nodes.settle(3);
    load.goes_on(&all);

    load.fault("node 1 was stopped by its operator");
    assert_eq!(nodes.servers[1].terminate(), Some(0));
    println!("the duties of node 1 were handed over after {:?}", nodes.settle(2));
    nodes.servers[1].restart();
    nodes.settle(3);
    load.goes_on(&all);
    load.end();
}

/// What etcd says of the format of records; nothing before it has risen.
fn format(etcd: &Cluster) -> String {
    let rows = etcd.etcdctl(&[], &["get", "--prefix", "haechi/d/"]).stdout;
    let mut lines = rows.lines();
    lines.find(|line| line.ends_with("//cluster/format"));
    lines.next().unwrap_or_default().to_owned()
}

#[test]
fn a_newer_version_serves_beside_the_older_and_its_format_counts_once_all_know_it() {
    let mut nodes = Nodes::start(2);
    nodes.servers[1].terminate();
    let data = nodes.servers[1].data().to_path_buf();
    let newer = launch(&nodes.etcd, &data).variable("HAECHI_TEST_FORMAT", "2");
    nodes.servers[1] = newer.start();
    nodes.settle(2);
    let put = ["ssm", "put-parameter", "--name", "/by/newer", "--type", "String", "--value", "1"];
    nodes.servers[1].aws(&put).ok();
    let read = ["ssm", "get-parameter", "--name", "/by/newer", "--query", "Parameter.Value"];
    assert_eq!(nodes.servers[0].aws(&read).ok(), "\"1\"");
    assert_eq!(format(&nodes.etcd), "", "the older one would not understand");
    let data = nodes.servers[0].data().to_path_buf();
    assert_eq!(nodes.servers[0].terminate(), Some(0));
    until("the format has risen", || format(&nodes.etcd) == "2");
    let refusal = launch(&nodes.etcd, &data).refusal();
    assert!(refusal.output.contains("use a newer version"), "{}", refusal.output);
    let newer = launch(&nodes.etcd, &data).variable("HAECHI_TEST_FORMAT", "2");
    nodes.servers[0] = newer.start();
    nodes.settle(2);
    assert_eq!(nodes.servers[0].aws(&read).ok(), "\"1\"");
}

#[test]
fn records_move_to_etcd_and_back_and_into_a_backup() {
    let etcd = Setup::members(1).start();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Launch::new().data(&data).start();
    let key = ["kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text"];
    let key = server.aws(&key).ok();
    let encrypt = ["kms", "encrypt", "--key-id", &key, "--plaintext", "aGFlY2hp"];
    let blob = server.aws(&[&encrypt[..], &["--query", "CiphertextBlob"]].concat()).ok();
    let blob = blob.trim_matches('"').to_owned();
    let decrypt = |server: &Server| {
        let blob = server.fileb("blob", &blob);
        let decrypt = ["kms", "decrypt", "--ciphertext-blob", &blob, "--query", "Plaintext"];
        server.aws(&decrypt).ok()
    };
    let plain = decrypt(&server);
    let opens = |server: &Server| assert_eq!(decrypt(server), plain);
    let migrate = |from: &str, to: &str, more: &[&str]| {
        let mut command = haechi(&["migrate", "--from", from, "--to", to, "--data"]);
        outcome(command.arg(&data).args(more))
    };
    let endpoint = etcd.endpoint(0);
    let there: &[&str] = &["--etcd-endpoint", &endpoint];
    migrate("embedded", "etcd", there).fails_with("in use by another haechi");
    assert_eq!(server.terminate(), Some(0));
    let told = migrate("embedded", "etcd", there).ok();
    assert!(told.contains("Both stores hold the same"), "{told}");
    server.restart();
    opens(&server);
    assert!(!data.join("store").exists());
    migrate("etcd", "embedded", &[]).fails_with("in use by another haechi");
    let backup = folder.path().join("backup");
    outcome(haechi(&["backup", "--data"]).arg(&data).arg(&backup)).ok();
    assert_eq!(server.terminate(), Some(0));
    migrate("etcd", "embedded", &[]).ok();
    server.restart();
    opens(&server);
    assert!(data.join("store").exists());
    assert_eq!(server.terminate(), Some(0));
    // There is something in etcd by now.
    migrate("embedded", "etcd", there).fails_with("is not empty");
    let restored = folder.path().join("restored");
    outcome(haechi(&["restore", "--data"]).arg(&restored).arg(&backup)).ok();
    std::fs::copy(data.join("root.key"), restored.join("root.key")).unwrap();
    opens(&Launch::new().data(&restored).start());
}

#[test]
fn a_rotation_whose_node_dies_is_ended_by_another() {
    let mut nodes = Nodes::start(2);
    let postgres = Postgres::start();
    postgres.run("CREATE ROLE app LOGIN PASSWORD 'first'");
    let port = postgres.port().to_string();
    let mut attach = haechi(&["secrets", "attach", "postgres", "shop/db", "--user", "app"]);
    attach.args(["--host", "127.0.0.1", "--port", &port, "--data"]).arg(nodes.servers[0].data());
    attach.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = attach.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"first\n").unwrap();
    assert!(child.wait().unwrap().success());
    let value = |server: &Server| -> String {
        let read = ["get-secret-value", "--secret-id", "shop/db", "--query", "SecretString"];
        let text = server.aws(&[&["secretsmanager"], &read[..], &["--output", "text"]].concat());
        let value: Value = serde_json::from_str(&text.ok()).unwrap();
        value["password"].as_str().unwrap().to_owned()
    };
    // The password that it begins with lets in before, too.
    until("the first rotation is done", || {
        let now = value(&nodes.servers[0]);
        now != "first" && postgres.logs_in("app", &now)
    });
    for round in 0..6_u64 {
        let victim = usize::try_from(round % 2).unwrap();
        let other = 1 - victim;
        let before = value(&nodes.servers[other]);
        nodes.servers[victim]
            .aws(&["secretsmanager", "rotate-secret", "--secret-id", "shop/db"])
            .ok();
        std::thread::sleep(Duration::from_millis(9 * round));
        nodes.servers[victim].kill9();
        let took = until("the rotation is ended", || {
            let now = value(&nodes.servers[other]);
            now != before && postgres.logs_in("app", &now)
        });
        println!("round {round}: ended {took:?} after node {victim} was killed");
        nodes.servers[victim].restart();
        nodes.settle(2);
    }
}
