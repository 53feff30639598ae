//! Records move from the data directory to etcd while clients write.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use haechi_conformance::etcd::{Cluster, Setup};
use haechi_conformance::{Launch, Outcome, Server, haechi, outcome, python, script};
use serde_json::Value;

use crate::nodes::until;

fn migrate(data: &Path, etcd: &Cluster) -> Outcome {
    let mut command = haechi(&["migrate", "--from", "embedded", "--to", "etcd", "--data"]);
    outcome(command.arg(data).args(["--etcd-endpoint", &etcd.endpoint(0)]))
}

/// Clients that write and read; what was acknowledged is looked for at the end.
struct Load {
    child: std::process::Child,
    folder: tempfile::TempDir,
}

impl Load {
    fn start(server: &Server) -> Load {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = server.client(python());
        command.env("PYTHONPATH", script("harness.py").parent().unwrap());
        command.env("HAECHI_ACCOUNT", &server.ready().account_id);
        command.env("FOLDER", folder.path()).arg(script("moving_load.py"));
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let load = Load { child: command.spawn().unwrap(), folder };
        load.goes_on();
        load
    }

    fn acknowledged(&self) -> usize {
        let told = std::fs::read_to_string(self.folder.path().join("acknowledged"));
        told.map_or(0, |told| told.lines().count())
    }

    fn goes_on(&self) {
        let before = self.acknowledged();
        until("writes go on", || self.acknowledged() > before + 20);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it: everything that was acknowledged must be there.
    fn end(mut self) -> String {
        std::fs::write(self.folder.path().join("stop"), "").unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
        self.log()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// On a port that it keeps, as it has no other in its configuration.
fn served() -> Server {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Launch::new().listen(&free.to_string()).start()
}

fn noted(server: &Server) -> Option<Value> {
    let json = std::fs::read(server.data().join("store.json")).ok()?;
    Some(serde_json::from_slice(&json).unwrap())
}

#[test]
fn records_move_to_etcd_while_clients_write_and_nothing_acknowledged_is_lost() {
    let etcd = Setup::members(1).start();
    let mut server = served();
    let load = Load::start(&server);
    let told = migrate(server.data(), &etcd).ok();
    assert!(told.contains("Both stores hold the same"), "{told}");
    load.goes_on();
    assert!(noted(&server).is_some());
    until("the old records are set aside", || {
        server.data().join("store.before-migration").exists()
    });
    assert!(!server.data().join("store").exists());
    println!("{told}\n{}", load.end());
    // It is the same process, started anew, and a node now.
    let mut nodes = haechi(&["operator", "nodes", "--json", "--data"]);
    let nodes: Value = serde_json::from_str(&outcome(nodes.arg(server.data())).ok()).unwrap();
    assert_eq!(nodes.as_array().unwrap().len(), 1);
    assert_eq!(server.terminate(), Some(0));
    server.restart();
    migrate(server.data(), &etcd).fails_with("do not lie where --from says");
}

#[test]
fn a_move_whose_server_or_command_is_killed_anywhere_is_done_again_and_goes_on() {
    let etcd = Setup::members(1).start();
    let mut server = served();
    let load = Load::start(&server);
    let mut kills = 0;
    for round in 0..12_u64 {
        let mut command = haechi(&["migrate", "--from", "embedded", "--to", "etcd", "--data"]);
        command.arg(server.data()).args(["--etcd-endpoint", &etcd.endpoint(0)]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut moving = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(40 + 60 * round));
        moving.kill().unwrap();
        moving.wait().unwrap();
        if round % 3 != 2 {
            server.kill9();
            kills += 1;
            server.restart();
        }
        load.goes_on();
        if noted(&server).is_some() {
            break;
        }
    }
    println!("the server was killed {kills} times; moved: {}", noted(&server).is_some());
    if noted(&server).is_none() {
        let told = migrate(server.data(), &etcd).ok();
        assert!(told.contains("Both stores hold the same"), "{told}");
    }
    load.goes_on();
    load.end();
}

#[test]
fn a_move_that_etcd_refuses_leaves_everything_served_as_it_was() {
    let etcd = Setup::members(1).start();
    let server = served();
    let other = Launch::new().options(&["--store", "etcd", "--etcd-endpoint", &etcd.endpoint(0)]);
    let other = other.start();
    // A node that a busy machine has kept from renewing its lease is soon there again.
    until("it is refused for the node", || {
        let refused = migrate(server.data(), &etcd);
        assert!(!refused.success);
        refused.stderr.contains("nodes run over this etcd")
    });
    drop(other);
    let writes = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let put = ["ssm", "put-parameter", "--name", "/a", "--value", "b", "--overwrite"];
                server.aws(&[&put[..], &["--type", "String"]].concat()).ok();
                writes.fetch_add(1, Ordering::Relaxed);
            }
        });
        let begun = Instant::now();
        // The lease of the node that was killed ends; its records are still there.
        until("it is refused for what is there", || {
            let refused = migrate(server.data(), &etcd);
            assert!(!refused.success);
            refused.stderr.contains("is not empty") || begun.elapsed() > Duration::from_secs(30)
        });
        stop.store(true, Ordering::Relaxed);
    });
    assert!(writes.load(Ordering::Relaxed) > 1);
    assert!(noted(&server).is_none());
}
