//! Files and their modes, plain HTTP, signals, `exec`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;

use crate::run::{Server, haechi};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_it_writes_is_for_its_owner_only() {
    let server = Server::start(&[]);
    assert_eq!(mode(&server.data), 0o700);
    assert_eq!(mode(&server.ready_file), 0o600);
    for name in ["credentials", "root.key", "endpoint.json", "seal.json"] {
        assert_eq!(mode(&server.data.join(name)), 0o600, "{name}");
    }
    for name in ["endpoint", "account_id", "region", "access_key_id", "secret_access_key"] {
        assert!(!server.text(name).is_empty(), "{name}");
    }
    assert!(server.text("ca_bundle").ends_with("ca.pem"));
}

#[test]
fn plain_http_is_told_to_use_tls() {
    let server = Server::start(&[]);
    assert!(server.text("endpoint").starts_with("https://"));
    let body = "x".repeat(8000);
    let request = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\n\r\n{body}");
    let answer = server.plain(request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with("listen.plaintext = true only."), "{answer}");
}

#[test]
fn sigterm_and_ctrl_c_end_it_well_also_with_idle_connections() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::start(&["--dev"]);
        let silent = std::net::TcpStream::connect(server.address()).unwrap();
        server.plain(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
        server.signal(signal);
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        let log = std::fs::read_to_string(server.data.with_extension("log")).unwrap();
        assert!(!log.contains("cut off"), "{log}");
        drop(silent);
    }
}

#[test]
fn dev_serves_a_directory_that_was_made_without_it() {
    let mut server = Server::start(&["--account-id", "111111111111"]);
    server.signal(Signal::TERM);
    server.child.wait().unwrap();
    let again = Server::on(&server.data, &["--dev"]);
    assert_eq!(again.text("account_id"), "111111111111");
    assert_eq!(again.text("access_key_id"), server.text("access_key_id"));
    assert!(again.text("endpoint").starts_with("http://"));
}

#[test]
fn the_controls_of_dev_are_for_no_web_page() {
    let server = Server::start(&["--dev"]);
    let reset = |header: &str| {
        let head = "POST /_haechi/reset HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
        server.plain(format!("{head}{header}Content-Length: 0\r\n\r\n").as_bytes())
    };
    assert!(reset("Origin: https://example.com\r\n").contains("AccessDenied"));
    assert!(reset("").starts_with("HTTP/1.1 200 OK"));
}

#[test]
fn exec_leads_a_client_here_and_nowhere_else() {
    let server = Server::start(&["--listen", "0.0.0.0:0"]);
    let mut exec = haechi(&["exec", "--data"]);
    exec.arg(&server.data).args(["--", "env"]);
    exec.env("AWS_ENDPOINT_URL_KMS", "http://elsewhere").env("AWS_PROFILE", "other");
    exec.env("AWS_SESSION_TOKEN", "t").env("AWS_USE_FIPS_ENDPOINT", "true");
    exec.env("NO_PROXY", "other.example").env_remove("no_proxy");
    let output = String::from_utf8(exec.output().unwrap().stdout).unwrap();
    let value = |name: &str| {
        let mut lines = output.lines().filter_map(|line| line.split_once('='));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    };
    for gone in
        ["AWS_ENDPOINT_URL_KMS", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_USE_FIPS_ENDPOINT"]
    {
        assert_eq!(value(gone), None);
    }
    assert!(value("AWS_ENDPOINT_URL").unwrap().starts_with("https://127.0.0.1:"));
    assert_eq!(value("AWS_ENDPOINT_URL_STS"), value("AWS_ENDPOINT_URL"));
    assert_eq!(value("AWS_SECRET_ACCESS_KEY"), Some(server.text("secret_access_key").as_str()));
    assert_eq!(value("NO_PROXY"), Some("other.example,127.0.0.1"));
    assert!(Path::new(value("AWS_CA_BUNDLE").unwrap()).exists());
}

#[test]
fn exec_answers_with_the_exit_code_of_what_it_ran() {
    let server = Server::start(&[]);
    let run = |command: &[&str]| {
        haechi(&["exec", "--data"]).arg(&server.data).arg("--").args(command).status().unwrap()
    };
    assert_eq!(run(&["sh", "-c", "exit 7"]).code(), Some(7));
    assert_eq!(run(&["no-such-program"]).code(), Some(1));
}
