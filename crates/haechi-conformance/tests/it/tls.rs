//! Encryption in flight, judged by OpenSSL and curl: versions, chains, plain HTTP refused.

use std::path::Path;
use std::process::{Command, Stdio};

use haechi_conformance::{Launch, Outcome, Server, outcome, program, send};

/// `openssl s_client` that verifies the chain against `authority` and says what it agreed on.
fn s_client(server: &Server, authority: &Path, options: &[&str]) -> Outcome {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-brief", "-verify_return_error", "-verify_ip", "127.0.0.1"]);
    command.arg("-connect").arg(format!("127.0.0.1:{}", server.port()));
    command.arg("-CAfile").arg(authority).args(options).stdin(Stdio::null());
    outcome(&mut command)
}

fn authority(server: &Server) -> std::path::PathBuf {
    server.ready().ca_bundle.clone().unwrap().into()
}

#[test]
fn tls_1_3_and_1_2_are_verified_with_the_local_authority() {
    let server = Launch::new().start();
    for (option, version) in [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")] {
        let told = s_client(&server, &authority(&server), &[option]);
        assert!(told.success, "{version}: {}", told.stderr);
        assert!(told.stderr.contains(&format!("Protocol version: {version}")), "{}", told.stderr);
        assert!(told.stderr.contains("Verification: OK"), "{}", told.stderr);
    }
}

#[test]
fn tls_1_1_is_refused() {
    let server = Launch::new().start();
    // Security level 0, else OpenSSL itself would not offer it and the test would see nothing.
    let told = s_client(&server, &authority(&server), &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]);
    assert!(!told.success, "{}", told.stderr);
    assert!(told.stderr.contains(" alert "), "{}", told.stderr);
}

#[test]
fn another_authority_does_not_verify_it() {
    let server = Launch::new().start();
    let other = Launch::new().start();
    let told = s_client(&server, &authority(&other), &[]);
    assert!(!told.success);
    assert!(told.stderr.contains("verify error"), "{}", told.stderr);
}

#[test]
fn the_certificate_names_localhost_and_the_services_below_it() {
    let server = Launch::new().start();
    for name in ["localhost", "kms.us-east-1.localhost"] {
        let host = ["-verify_hostname", name, "-servername", name];
        let told = s_client(&server, &authority(&server), &host);
        assert!(told.success, "{name}: {}", told.stderr);
    }
    let told = s_client(&server, &authority(&server), &["-verify_hostname", "example.com"]);
    assert!(!told.success);
}

#[test]
fn http_2_and_http_1_1_are_spoken_on_the_same_port() {
    let server = Launch::new().start();
    for (option, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let mut curl = program("curl");
        curl.args(["--silent", "--show-error", option, "--output", "/dev/null"]);
        curl.args(["--write-out", "%{http_version} %{http_code}", "--cacert"]);
        curl.arg(authority(&server)).arg(format!("{}/healthz", server.ready().endpoint));
        let told = outcome(&mut curl).ok();
        assert!(told.starts_with(&format!("{version} ")), "{told}");
    }
}

#[test]
fn plain_http_gets_no_answer_without_dev() {
    let server = Launch::new().start();
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = send(&server, request);
    assert!(answer.status.is_none_or(|status| status >= 400), "{answer:?}");
    // And TLS goes on.
    server.aws(&["sts", "get-caller-identity"]).ok();
}

#[test]
fn plain_http_is_never_served_beyond_loopback() {
    let refusal = Launch::dev().listen("0.0.0.0:0").refusal();
    assert!(refusal.output.contains("loopback"), "{}", refusal.output);
}
