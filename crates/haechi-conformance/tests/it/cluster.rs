//! Three nodes of haechi over three members of etcd, with real clients, while faults befall them.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use haechi_conformance::etcd::Setup;
use haechi_conformance::postgres::Postgres;
use haechi_conformance::{Launch, Server, haechi, outcome};
use serde_json::Value;

use crate::nodes::{Load, Nodes, advance, invite, launch, until};

#[test]
fn what_is_taken_back_on_one_node_is_refused_on_all_within_a_second() {
    let nodes = Nodes::start(3);
    println!("{}", outcome(&mut nodes.script("cluster_revocation.py")).ok());
}

#[test]
fn lookup_events_on_any_node_tells_of_the_calls_of_all() {
    let mut nodes = Nodes::start(3);
    println!("{}", outcome(&mut nodes.script("cluster_lookup.py")).ok());
    let lookup = ["cloudtrail", "lookup-events", "--query", "length(Events)"];
    // One that stands still may have what is newer: no list without it while it counts.
    nodes.servers[2].pause();
    let mut once = nodes.servers[0].client(haechi_conformance::aws());
    let refused = outcome(once.env("AWS_MAX_ATTEMPTS", "1").args(lookup));
    assert!(refused.stderr.contains("cannot be read now"), "{}", refused.stderr);
    nodes.settle(2);
    nodes.servers[0].aws(&lookup).ok();
    nodes.servers[2].resume();
    nodes.settle(3);
    nodes.servers[2].aws(&lookup).ok();
    let told = nodes.servers[1].operator(&["audit", "verify"], &[]).ok();
    println!("{told}");
    nodes.servers[2].kill9();
}

#[test]
fn encrypting_asks_the_store_nothing_on_any_node() {
    let nodes = Nodes::start_over(Setup::members(1).start(), 2, |_, _, launch| launch);
    let mut script = nodes.script("cluster_hot_path.py");
    println!("{}", outcome(script.env("ETCD", nodes.etcd.endpoint(0))).ok());
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
