//! What an operator watches: `/healthz`, `/readyz` and `/metrics`, on a port of their own.

use std::net::TcpListener;

use haechi_conformance::{Launch, Server, outcome, program};

/// A server with its operator's port on one that was free a moment ago; answers the port.
fn server() -> (Server, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (Launch::new().admin_listen(&format!("127.0.0.1:{port}")).start(), port)
}

fn fetch(port: u16, path: &str) -> String {
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--fail"]);
    outcome(curl.arg(format!("http://127.0.0.1:{port}{path}"))).ok()
}

#[test]
fn it_says_that_it_lives_and_is_ready() {
    let (_server, port) = server();
    fetch(port, "/healthz");
    fetch(port, "/readyz");
}

#[test]
fn metrics_count_calls_and_hold_no_secret() {
    let (server, port) = server();
    for _ in 0..3 {
        server.aws(&["kms", "create-key"]).ok();
    }
    let metrics = fetch(port, "/metrics");
    let counted = metrics
        .lines()
        .any(|line| !line.starts_with('#') && line.contains("CreateKey") && line.ends_with(" 3"));
    assert!(counted, "{metrics}");
    assert!(!metrics.contains(&server.ready().secret_access_key));
    assert!(!metrics.contains(&server.ready().access_key_id));
}

#[test]
fn the_operators_port_stays_on_loopback() {
    let refusal = Launch::new().admin_listen("0.0.0.0:0").refusal();
    assert!(refusal.output.contains("loopback"), "{}", refusal.output);
}
