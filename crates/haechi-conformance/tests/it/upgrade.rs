//! Two builds of haechi over one store: the present version, and one that writes the next format of
//! records (`cargo xtask next`).

use haechi_conformance::etcd::Cluster;
use haechi_conformance::{Launch, Server};

use crate::nodes::{Load, Nodes, launch, until};

/// What etcd says of the format of records; nothing before it has risen.
fn format(etcd: &Cluster) -> String {
    let rows = etcd.etcdctl(&[], &["get", "--prefix", "haechi/d/"]).stdout;
    let mut lines = rows.lines();
    lines.find(|line| line.ends_with("//cluster/format"));
    lines.next().unwrap_or_default().to_owned()
}

fn put(server: &Server, name: &str) {
    let put = ["ssm", "put-parameter", "--type", "String", "--value", name, "--name", name];
    server.aws(&put).ok();
}

fn read(server: &Server, name: &str) -> String {
    let read = ["ssm", "get-parameter", "--output", "text", "--query", "Parameter.Value"];
    server.aws(&[&read[..], &["--name", name]].concat()).ok()
}

/// How many nodes run which version.
fn versions(nodes: &Nodes) -> (usize, usize) {
    let listed = nodes.listed();
    let next = |node: &&serde_json::Value| node["version"].as_str().unwrap().ends_with("+next");
    let next = listed.iter().filter(next).count();
    (listed.len() - next, next)
}

#[test]
fn nodes_are_upgraded_one_by_one_under_load_and_the_next_format_counts_once_all_know_it() {
    let mut nodes = Nodes::start(3);
    let load = Load::start(&nodes);
    for node in 0..3 {
        load.fault(&format!("node {node} was replaced by the next version"));
        assert_eq!(format(&nodes.etcd), "", "an older one runs, and would not understand");
        assert_eq!(nodes.servers[node].terminate(), Some(0));
        nodes.servers[node].upgrade();
        nodes.servers[node].restart();
        nodes.settle(3);
        load.goes_on(&[0, 1, 2]);
        assert_eq!(versions(&nodes), (2 - node, node + 1));
        // Either version reads what the other writes.
        let name = format!("/after/{node}");
        put(&nodes.servers[node], &name);
        nodes.servers.iter().for_each(|server| assert_eq!(read(server, &name), name));
    }
    until("the format has risen", || format(&nodes.etcd) == "2");
    load.goes_on(&[0, 1, 2]);
    put(&nodes.servers[1], "/in/the/next/format");
    let of_before_and_after = ["/after/0", "/after/2", "/in/the/next/format"];
    for server in &nodes.servers {
        of_before_and_after.iter().for_each(|name| assert_eq!(read(server, name), *name));
    }
    load.end();
    let data = nodes.servers[0].data().to_path_buf();
    assert_eq!(nodes.servers[0].terminate(), Some(0));
    let refusal = launch(&nodes.etcd, &data).refusal();
    assert!(refusal.output.contains("use a newer version"), "{}", refusal.output);
}

#[test]
fn an_older_node_that_slept_while_the_format_rose_ends_and_serves_nothing_of_it() {
    let mut nodes = Nodes::start(2);
    nodes.servers[1].terminate();
    nodes.servers[1].upgrade();
    nodes.servers[1].restart();
    nodes.settle(2);
    // Its lease ends, so that it counts no more.
    nodes.servers[0].pause();
    until("the format has risen", || format(&nodes.etcd) == "2");
    put(&nodes.servers[1], "/in/the/next/format");
    nodes.servers[0].resume();
    assert_eq!(nodes.servers[0].ended(), Some(1));
    let output = nodes.servers[0].output();
    assert!(output.contains("use a newer version"), "{output}");
    nodes.servers[0].upgrade();
    nodes.servers[0].restart();
    assert_eq!(read(&nodes.servers[0], "/in/the/next/format"), "/in/the/next/format");
}

#[test]
fn an_embedded_store_is_of_the_next_format_once_the_next_version_has_served_it() {
    let mut server = Launch::new().start();
    put(&server, "/of/before");
    assert_eq!(server.terminate(), Some(0));
    server.upgrade();
    server.restart();
    put(&server, "/of/after");
    assert_eq!(read(&server, "/of/before"), "/of/before");
    assert_eq!(server.terminate(), Some(0));
    let refusal = Launch::new().data(server.data()).refusal();
    assert!(refusal.output.contains("use a newer version"), "{}", refusal.output);
    server.restart();
    assert_eq!(read(&server, "/of/after"), "/of/after");
}
