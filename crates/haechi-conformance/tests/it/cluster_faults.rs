//! Faults of etcd's members and of haechi's nodes, over TLS with client certificates: full disks,
//! networks that lose everything or one direction, nodes that stand still or whose clock is wrong.
//! After each everything acknowledged is on all nodes, and what was read is linearizable.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use haechi_conformance::etcd::Setup;
use haechi_conformance::{Launch, Relay, haechi, outcome};
use serde_json::Value;

use crate::nodes::{Load, Nodes, launch, until};

/// Whether networks can be made and disks mounted.
pub fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let root = status.contains("\nUid:\t0\t");
    if !root {
        println!("not root: no networks are cut, no disks are full");
    }
    root
}

#[test]
fn members_of_etcd_that_are_cut_off_or_full_and_two_dead_nodes_lose_nothing() {
    if !is_root() {
        return;
    }
    let small = 2;
    let setup = Setup { tls: true, namespaces: true, small_disk: Some(small), ..Setup::members(3) };
    let mut nodes = Nodes::start_over(setup.start(), 3, |_, _, launch| launch);
    let load = Load::start(&nodes);
    let all = [0, 1, 2];

    load.fault("the leader of etcd was cut off from the others");
    let leader = nodes.etcd.wait();
    nodes.etcd.cut(leader, false);
    load.goes_on(&all);
    nodes.etcd.heal(leader);
    nodes.etcd.wait();

    load.fault("the leader of etcd heard nothing of the others");
    let leader = nodes.etcd.wait();
    nodes.etcd.cut(leader, true);
    load.goes_on(&all);
    nodes.etcd.heal(leader);
    nodes.etcd.wait();

    load.fault("the disk of a member was full");
    nodes.etcd.fill(small);
    load.goes_on(&all);
    load.goes_on(&all);
    println!("the member with the full disk runs: {}", nodes.etcd.runs(small));
    nodes.etcd.clear(small);
    nodes.etcd.restart(small);
    nodes.etcd.wait();
    load.goes_on(&all);

    load.fault("node 1 was killed");
    nodes.servers[1].kill9();
    load.goes_on(&[0, 2]);
    load.fault("node 2 was killed while node 1 was dead");
    nodes.servers[2].kill9();
    println!("all duties were taken over after {:?}", nodes.settle(1));
    load.goes_on(&[0]);
    nodes.servers[1].restart();
    nodes.servers[2].restart();
    nodes.settle(3);
    load.goes_on(&all);
    load.end();
}

/// The library that gives a program another time of day, if the machine has it.
fn faketime() -> Option<PathBuf> {
    let places = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"];
    let library = |place: &str| Path::new(place).join("faketime/libfaketime.so.1");
    places.into_iter().map(library).find(|library| library.exists())
}

/// Launches a node whose clock is off by what `file` says.
fn with_clock(launch: Launch, library: &Path, file: &Path) -> Launch {
    launch
        .variable("LD_PRELOAD", library.to_str().unwrap())
        .variable("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap())
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .variable("FAKETIME_CACHE_DURATION", "1")
}

#[test]
fn nodes_that_stand_still_are_cut_off_or_have_a_wrong_clock_lose_nothing() {
    let etcd = Setup { tls: true, ..Setup::members(3) }.start();
    // Node 1 reaches etcd over these.
    let relays: Vec<Relay> = (0..3).map(|_| Relay::new()).collect();
    let mut endpoints = Vec::new();
    for (relay, endpoint) in relays.iter().zip(etcd.endpoints()) {
        relay.lead_to(endpoint.rsplit_once(':').unwrap().1.parse().unwrap());
        endpoints.push(format!("https://{}", relay.address()));
    }
    let folder = tempfile::tempdir().unwrap();
    let (library, clock) = (faketime(), folder.path().join("clock"));
    std::fs::write(&clock, "+0").unwrap();
    let nodes = Nodes::start_over(etcd, 3, |node, _, launch| match (node, &library) {
        (1, _) => launch.instead("--etcd-endpoint", &endpoints.join(",")),
        (_, Some(library)) => with_clock(launch, library, &clock),
        (_, None) => launch,
    });
    let load = Load::start(&nodes);
    let all = [0, 1, 2];

    load.fault("node 1 was stopped for 30 seconds");
    nodes.servers[1].pause();
    println!("the duties of node 1 were taken over after {:?}", nodes.settle(2));
    load.goes_on(&[0, 2]);
    std::thread::sleep(Duration::from_secs(30));
    nodes.servers[1].resume();
    nodes.settle(3);
    load.goes_on(&all);

    load.fault("node 1 was cut off from etcd");
    relays.iter().for_each(|relay| relay.cut(true));
    println!("the duties of node 1 were taken over after {:?}", nodes.settle(2));
    load.goes_on(&[0, 2]);
    relays.iter().for_each(|relay| relay.cut(false));
    nodes.settle(3);
    load.goes_on(&all);

    for (there, what) in [(false, "heard nothing of etcd"), (true, "was not heard by etcd")] {
        load.fault(&format!("node 1 {what}"));
        relays.iter().for_each(|relay| relay.hold(there, true));
        println!("the duties of node 1 were taken over after {:?}", nodes.settle(2));
        load.goes_on(&[0, 2]);
        relays.iter().for_each(|relay| relay.hold(there, false));
        nodes.settle(3);
        load.goes_on(&all);
    }

    if library.is_none() {
        println!("no libfaketime: no clock is wrong");
        return load.end();
    }
    for off in ["-600", "+600"] {
        load.fault(&format!("the clock of node 2 jumped to {off} s"));
        std::fs::write(&clock, off).unwrap();
        // Signatures are good for five minutes, so callers are refused there; its duties go on.
        let list = ["kms", "list-keys"];
        until("node 2 takes no signature", || {
            let answer = nodes.servers[2].aws(&list);
            !answer.success && answer.stderr.contains("Signature")
        });
        load.goes_on(&[0, 1]);
        load.goes_on(&[0, 1]);
    }
    load.fault("the clock of node 2 was right again");
    std::fs::write(&clock, "+0").unwrap();
    load.goes_on(&all);
    load.end();
}

/// A node that starts sealed; killed when dropped.
struct Sealed {
    child: Child,
    data: PathBuf,
}

impl Drop for Sealed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sealed {
    fn start(endpoint: &str, data: PathBuf) -> Sealed {
        let mut command = haechi(&["serve", "--listen", "127.0.0.1:0", "--admin-listen", "off"]);
        command.args(["--store", "etcd", "--etcd-endpoint", endpoint, "--data"]).arg(&data);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Sealed { child: command.spawn().unwrap(), data }
    }

    fn unseal(&self, share: &str) -> bool {
        let mut command = haechi(&["operator", "unseal", "--data"]);
        command.arg(&self.data).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{share}").unwrap();
        child.wait().unwrap().success()
    }

    /// The states of all nodes, in the order of their names.
    fn states(&self) -> Vec<String> {
        let mut command = haechi(&["operator", "nodes", "--json", "--data"]);
        let listed = outcome(command.arg(&self.data));
        let Ok(Value::Array(nodes)) = serde_json::from_str(&listed.stdout) else { return vec![] };
        let mut states: Vec<String> =
            nodes.iter().map(|node| node["state"].as_str().unwrap().to_owned()).collect();
        states.sort();
        states
    }
}

#[test]
fn each_node_is_unsealed_with_shares_and_shown_sealed_until_then() {
    let etcd = Setup::members(1).start();
    let folder = tempfile::tempdir().unwrap();
    let data = |node: usize| folder.path().join(format!("node{node}"));
    let mut init = haechi(&["operator", "init", "--shares", "3", "--threshold", "2", "--data"]);
    let printed = outcome(init.arg(data(0))).ok();
    let lines = printed.lines().map(str::trim);
    let shares: Vec<&str> = lines.filter(|line| line.starts_with("haechi1-")).collect();
    assert_eq!(shares.len(), 3, "{printed}");
    std::fs::create_dir(data(1)).unwrap();
    std::fs::set_permissions(data(1), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::copy(data(0).join("seal.json"), data(1).join("seal.json")).unwrap();

    let nodes = [0, 1].map(|node| Sealed::start(&etcd.endpoint(0), data(node)));
    let show = |expected: [&str; 2]| {
        until("the nodes show their states", || nodes[0].states() == expected);
    };
    show(["sealed", "sealed"]);
    assert!(nodes[0].unseal(shares[0]));
    show(["sealed", "sealed"]);
    assert!(nodes[0].unseal(shares[2]));
    show(["sealed", "serving"]);
    assert!(nodes[1].unseal(shares[1]));
    assert!(nodes[1].unseal(shares[2]));
    show(["serving", "serving"]);
}

#[test]
fn a_full_etcd_refuses_writes_in_clear_words_and_nothing_else() {
    let quota = "--quota-backend-bytes=20971520".to_owned();
    let etcd = Setup { flags: vec![quota], ..Setup::members(1) }.start();
    let folder = tempfile::tempdir().unwrap();
    let server = launch(&etcd, &folder.path().join("data")).start();
    let put = |name: &str| {
        let put = ["ssm", "put-parameter", "--type", "String", "--value", "1", "--name", name];
        server.aws(&put)
    };
    let get = |name: &str| server.aws(&["ssm", "get-parameter", "--name", name]);
    put("/before").ok();
    let junk = "7".repeat(100_000);
    let mut count = 0;
    until("etcd is full", || {
        count += 1;
        !etcd.etcdctl(&[], &["put", &format!("junk/{count}"), &junk]).success
    });
    put("/full").fails_with("The storage is full. Nothing was changed.");
    get("/before").ok();
    get("/full").fails_with("ParameterNotFound");
    etcd.etcdctl(&[], &["del", "--prefix", "junk/"]).ok();
    let status = etcd.etcdctl(&[], &["endpoint", "status", "--write-out=json"]).ok();
    let status: Value = serde_json::from_str(&status).unwrap();
    let revision = status[0]["Status"]["header"]["revision"].to_string();
    etcd.etcdctl(&[], &["compact", &revision]).ok();
    etcd.etcdctl(&[], &["defrag"]).ok();
    etcd.etcdctl(&[], &["alarm", "disarm"]).ok();
    until("writes go on", || put("/after").success);
    get("/after").ok();
}
