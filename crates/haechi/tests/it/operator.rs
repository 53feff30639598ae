//! The operator's commands on a server that runs: at its socket, and nowhere else.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::process::Signal;

use crate::run::{Server, haechi};

/// What a command prints, and whether it was done.
fn operate(data: &Path, arguments: &[&str]) -> (bool, String) {
    let output = haechi(arguments).arg("--data").arg(data).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// Says this at the socket; answers both lines.
fn say(data: &Path, said: &str) -> [String; 2] {
    let mut stream = UnixStream::connect(data.join("operator.sock")).unwrap();
    stream.write_all(said.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines();
    [lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap()]
}

#[test]
fn commands_answer_alike_with_a_server_and_without() {
    let mut server = Server::start(&["--account-id", "111111111111"]);
    let data = server.data.clone();
    let (done, output) =
        operate(&data, &["account", "create", "staging", "--email", "staging@example.com"]);
    assert!(done, "{output}");
    let (done, beside) = operate(&data, &["account", "list"]);
    assert!(done && beside.contains("staging@example.com"), "{beside}");
    let (done, usage) = operate(&data, &["kms", "usage", "--json"]);
    assert!(done && usage.contains("\"accounts\":{}"), "{usage}");
    server.signal(Signal::TERM);
    server.child.wait().unwrap();
    assert_eq!(operate(&data, &["account", "list"]), (true, beside));
    assert_eq!(operate(&data, &["kms", "usage", "--json"]), (true, usage));
}

#[test]
fn a_refusal_comes_back_in_the_servers_words() {
    let server = Server::start(&[]);
    let (done, output) = operate(&server.data, &["account", "key", "12"]);
    assert!(!done && output.contains("an account has 12 digits"), "{output}");
}

#[test]
fn the_socket_is_private_and_names_other_versions_and_unknown_asks() {
    let server = Server::start(&[]);
    let mode = std::fs::metadata(server.data.join("operator.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let [head, words] = say(&server.data, "{\"version\":2,\"ask\":\"account.list\"}\n{}\n");
    assert_eq!(head, "{\"version\":1,\"outcome\":\"refused\"}");
    assert!(words.contains("version 1") && words.contains("version 2"), "{words}");
    let [_, words] = say(&server.data, "{\"version\":1,\"ask\":\"no.such\"}\n{}\n");
    assert!(words.contains("knows no command no.such"), "{words}");
    let [head, words] = say(&server.data, "{\"version\":1,\"ask\":\"account.list\"}\n{}\n");
    assert_eq!(head, "{\"version\":1,\"outcome\":\"answered\"}");
    assert!(words.starts_with("[{\"account\":\""), "{words}");
}
