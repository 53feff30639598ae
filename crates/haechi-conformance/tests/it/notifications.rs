//! Endpoints outside: HTTP receivers and a mail relay of topics, and API destinations; and topics
//! that are published to while the server is killed.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use haechi_conformance::{Launch, Server, outcome, python, script};

/// Rounds, and how long each publishes: of no consequence for what must hold.
const ROUNDS: u64 = 3;
const PUBLISHING: Duration = Duration::from_millis(1500);

/// A certificate for `localhost` that vouches for itself, and its key, as `receiver.pem`.
pub(crate) fn certificate(folder: &Path) -> String {
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out certificate.pem";
    let status = Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    std::fs::write(folder.join("receiver.pem"), read("key.pem") + &read("certificate.pem"))
        .unwrap();
    folder.join("certificate.pem").to_str().unwrap().to_owned()
}

#[test]
fn endpoints_outside_confirm_get_messages_and_leave() {
    let folder = tempfile::tempdir().unwrap();
    let ca = certificate(folder.path());
    // The script gets the listener itself: a port that is only found free can be taken by then.
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let smtp = relay.local_addr().unwrap().port();
    let config = folder.path().join("haechi.toml");
    std::fs::write(
        &config,
        format!(
            "[sns]\nca_bundle = \"{ca}\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\nfrom = \"no-reply@example.com\"\n"
        ),
    )
    .unwrap();
    let server = Launch::new().options(&["--config", config.to_str().unwrap()]).start();
    let mut command = server.client(python());
    command.stdin(OwnedFd::from(relay)).env("HAECHI_RECEIVER", folder.path().join("receiver.pem"));
    server.run_script_with(command, "sns_endpoints.py");
}

#[test]
fn api_destinations_are_called_as_their_connections_say() {
    let folder = tempfile::tempdir().unwrap();
    let ca = certificate(folder.path());
    let config = folder.path().join("haechi.toml");
    std::fs::write(&config, format!("[outbound]\nca_bundle = \"{ca}\"\n")).unwrap();
    let server = Launch::new().options(&["--config", config.to_str().unwrap()]).start();
    let mut command = server.client(python());
    command.env("HAECHI_RECEIVER", folder.path().join("receiver.pem"));
    server.run_script_with(command, "api_destinations.py");
}

#[test]
fn a_server_without_a_relay_subscribes_no_mailbox() {
    let server = Launch::new().start();
    let topic = server.aws(&[
        "sns",
        "create-topic",
        "--name",
        "t",
        "--query",
        "TopicArn",
        "--output",
        "text",
    ]);
    let arn = topic.ok().trim().to_owned();
    let subscribe = ["sns", "subscribe", "--topic-arn", &arn, "--protocol", "email"];
    let refused =
        server.aws(&[&subscribe[..], &["--notification-endpoint", "a@example.com"]].concat());
    refused.fails_with("UnsupportedOperation");
}

/// The Python half of the crash, with further arguments.
fn half(server: &Server, arguments: &[&str]) -> Command {
    let mut command = server.client(python());
    command.env("HAECHI_ACCOUNT", &server.ready().account_id);
    command.arg(script("sns_crash.py")).args(arguments);
    command
}

#[test]
fn no_message_that_was_acknowledged_is_lost_in_a_crash() {
    let mut server = Launch::new().start();
    let notes = server.scratch().join("notes.jsonl");
    let path = notes.to_str().unwrap();
    outcome(&mut half(&server, &["prepare"])).ok();
    let mut published = 0;
    for round in 0..ROUNDS {
        let mut publish = half(&server, &["publish", path]);
        let publisher = publish.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Not before the first answers, so that each round has something to lose.
        while lines(&notes) <= published + 4 {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(PUBLISHING + Duration::from_millis(37 * round));
        server.kill9();
        let ended = publisher.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{complaint}");
        published = lines(&notes);
        server.restart();
    }
    let told = outcome(&mut half(&server, &["check", path])).ok();
    println!("{told}");
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}
