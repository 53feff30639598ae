//! The server is killed while events are on their way: each that was acknowledged arrives when it
//! comes back, and none that nobody put. And while connections are made, each with its secret.

use std::process::Stdio;
use std::time::Duration;

use haechi_conformance::{Launch, Server, outcome, python, script};

/// Rounds, and how long each writes: of no consequence for what must hold.
const ROUNDS: u64 = 3;
const WRITING: Duration = Duration::from_millis(1200);

/// The Python half, with further arguments.
fn half(server: &Server, name: &str, arguments: &[&str]) -> std::process::Command {
    let mut command = server.client(python());
    command.env("HAECHI_ACCOUNT", &server.ready().account_id);
    command.arg(script(name)).args(arguments);
    command
}

#[test]
fn no_event_is_lost_or_invented_in_a_crash() {
    crashes("event_crash.py");
}

#[test]
fn a_connection_has_its_secret_whenever_the_server_is_killed() {
    crashes("connection_crash.py");
}

/// Kills the server under the Python half `put` again and again, and has it `check`.
fn crashes(name: &str) {
    let mut server = Launch::new().start();
    let half = |server: &Server, arguments: &[&str]| half(server, name, arguments);
    let notes = server.scratch().join("notes.txt");
    let path = notes.to_str().unwrap();
    outcome(&mut half(&server, &["prepare"])).ok();
    for round in 0..ROUNDS {
        let before = lines(&notes);
        let mut put = half(&server, &["put", path]);
        let putting = put.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Not before the first answer, so that each round has something to lose.
        while lines(&notes) <= before + 1 {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Another instant of the deliveries in each round.
        std::thread::sleep(WRITING + Duration::from_millis(37 * round));
        server.kill9();
        let put = putting.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&put.stderr).into_owned();
        assert!(put.status.success(), "{complaint}");
        server.restart();
    }
    let arrived = outcome(&mut half(&server, &["check", path])).ok();
    assert!(arrived.trim().parse::<usize>().unwrap() >= 6, "only {arrived} were put");
}

fn lines(path: &std::path::Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}
