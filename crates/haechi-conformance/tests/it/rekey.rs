//! The root key of several nodes is changed while they serve.

use std::path::{Path, PathBuf};

use haechi_conformance::{Outcome, Server};
use serde_json::Value;

use crate::nodes::{Load, Nodes, launch, until};

fn rekey(server: &Server, rest: &[&str]) -> Outcome {
    server.operator(&["operator", "rekey"], rest)
}

/// What an operator copies: the seal, and the file of the root key that it names.
fn copied(from: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let seal = std::fs::read(from.join("seal.json")).unwrap();
    std::fs::write(to.join("seal.json"), &seal).unwrap();
    let keys = std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path());
    let text = String::from_utf8_lossy(&seal).into_owned();
    for key in keys.filter(|path| path.extension().is_some_and(|end| end == "key")) {
        let name = key.file_name().unwrap().to_str().unwrap();
        if text.contains(name) {
            std::fs::copy(&key, to.join(name)).unwrap();
        }
    }
    to.to_path_buf()
}

/// The root keys that nodes serve under.
fn roots(nodes: &Nodes) -> Vec<String> {
    let listed = nodes.listed();
    let mut roots: Vec<String> =
        listed.iter().map(|node| node["root"].as_str().unwrap().to_owned()).collect();
    roots.sort();
    roots.dedup();
    roots
}

/// Root keys that open the records.
fn kept(nodes: &Nodes) -> Vec<String> {
    let rows = nodes.etcd.etcdctl(&[], &["get", "--keys-only", "--prefix", "haechi/d/"]).stdout;
    let under = |line: &str| {
        let (_, rest) = line.split_once("/keyring/")?;
        Some(rest.split('/').next().unwrap_or_default().to_owned())
    };
    let mut kept: Vec<String> = rows.lines().filter_map(under).collect();
    kept.sort();
    kept.dedup();
    kept
}

#[test]
fn the_root_key_is_changed_node_by_node_under_load() {
    let nodes = Nodes::start(3);
    let load = Load::start(&nodes);
    let before = roots(&nodes);
    load.fault("the root key was changed on node 0");
    let told = rekey(&nodes.servers[0], &[]).ok();
    assert!(told.contains("--adopt"), "{told}");
    until("node 0 tells", || roots(&nodes).len() == 2);
    load.goes_on(&[0, 1, 2]);
    // A second change would leave somebody behind.
    rekey(&nodes.servers[1], &[]).fails_with("another root key");
    rekey(&nodes.servers[0], &["--finish"]).fails_with("serves under another root key");
    assert_eq!(kept(&nodes).len(), 2);
    let new = copied(nodes.servers[0].data(), &nodes.folder.path().join("copied"));
    for node in [1, 2] {
        load.fault(&format!("node {node} went over to it"));
        let told = rekey(&nodes.servers[node], &["--adopt", new.to_str().unwrap()]).ok();
        assert!(told.contains("has gone over"), "{told}");
        load.goes_on(&[0, 1, 2]);
    }
    until("the old root key opens nothing any more", || kept(&nodes).len() == 1);
    assert_eq!((roots(&nodes), roots(&nodes) == before), (kept(&nodes), false));
    load.end();
    let mut servers = nodes.servers;
    for server in &mut servers {
        assert_eq!(server.terminate(), Some(0));
        server.restart();
    }
}

#[test]
fn a_node_that_is_lost_in_the_middle_of_a_change_comes_back_or_says_what_it_needs() {
    let mut nodes = Nodes::start(3);
    let value = |server: &Server| {
        let read = ["get-parameter", "--name", "/a", "--query", "Parameter.Value"];
        server.aws(&[&["ssm"], &read[..]].concat()).ok()
    };
    let put = ["ssm", "put-parameter", "--name", "/a", "--type", "String", "--value", "1"];
    nodes.servers[0].aws(&put).ok();
    nodes.servers[2].kill9();
    rekey(&nodes.servers[0], &[]).ok();
    // The one that was lost has the old root key still, and the change has not ended.
    nodes.servers[2].restart();
    assert_eq!(value(&nodes.servers[2]), "\"1\"");
    // The one that has the new root key is lost before any other has it.
    let new = copied(nodes.servers[0].data(), &nodes.folder.path().join("copied"));
    nodes.servers[0].kill9();
    nodes.settle(2);
    for node in [1, 2] {
        assert_eq!(value(&nodes.servers[node]), "\"1\"");
    }
    rekey(&nodes.servers[1], &["--adopt", new.to_str().unwrap()]).ok();
    nodes.servers[2].kill9();
    until("the lost nodes' leases have ended", || rekey(&nodes.servers[1], &["--finish"]).success);
    assert_eq!(kept(&nodes).len(), 1);
    nodes.servers[0].restart();
    assert_eq!(value(&nodes.servers[0]), "\"1\"");
    let behind = nodes.servers[2].data().to_path_buf();
    let refusal = launch(&nodes.etcd, &behind).refusal();
    assert!(refusal.output.contains("Copy seal.json of a node that serves"), "{}", refusal.output);
    copied(&new, &behind);
    nodes.servers[2].restart();
    assert_eq!(value(&nodes.servers[2]), "\"1\"");
}

#[test]
fn a_node_that_slept_through_a_change_ends_and_says_so() {
    let mut nodes = Nodes::start(2);
    nodes.servers[1].pause();
    until("its lease has ended", || nodes.listed().len() == 1);
    let told = rekey(&nodes.servers[0], &[]).ok();
    assert!(!told.contains("--adopt"), "{told}");
    nodes.servers[1].resume();
    assert_eq!(nodes.servers[1].ended(), Some(1));
    let output = nodes.servers[1].output();
    assert!(output.contains("Copy seal.json of a node that serves"), "{output}");
}

#[test]
fn a_cluster_goes_over_to_a_passphrase() {
    let nodes = Nodes::start(2);
    let secret = nodes.folder.path().join("secret");
    std::fs::write(&secret, "correct horse battery staple\n").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, private).unwrap();
    let secret = secret.to_str().unwrap();
    rekey(&nodes.servers[0], &["--seal", "passphrase", "--new-secret-file", secret]).ok();
    let new = copied(nodes.servers[0].data(), &nodes.folder.path().join("copied"));
    let new = new.to_str().unwrap();
    let wrong = nodes.folder.path().join("wrong");
    std::fs::write(&wrong, "wrong horse\n").unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&wrong, private).unwrap();
    let wrong = wrong.to_str().unwrap();
    let refused = rekey(&nodes.servers[1], &["--adopt", new, "--new-secret-file", wrong]);
    assert!(!refused.success);
    rekey(&nodes.servers[1], &["--adopt", new, "--new-secret-file", secret]).ok();
    until("both are under one root key", || kept(&nodes).len() == 1 && roots(&nodes).len() == 1);
    let seal = std::fs::read(nodes.servers[1].data().join("seal.json")).unwrap();
    let seal: Value = serde_json::from_slice(&seal).unwrap();
    assert!(seal.to_string().contains("passphrase"), "{seal}");
}
