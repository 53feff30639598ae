//! The server is killed while identities change: whatever a client was told of is there when it
//! comes back, and what was deleted is gone, on the first request.

use std::process::Stdio;
use std::time::Duration;

use haechi_conformance::{Launch, Server, outcome, python, script};

/// Rounds, and how long each writes: of no consequence for what must hold.
const ROUNDS: u64 = 4;
const WRITING: Duration = Duration::from_millis(1500);

/// The Python half, with further arguments.
fn half(server: &Server, arguments: &[&str]) -> std::process::Command {
    let mut command = server.client(python());
    command.env("HAECHI_ACCOUNT", &server.ready().account_id);
    command.arg(script("iam_crash.py")).args(arguments);
    command
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash_and_what_was_deleted_is_not() {
    let mut server = Launch::new().start();
    let facts = server.scratch().join("facts.jsonl");
    let path = facts.to_str().unwrap();
    let mut checked = "0".to_owned();
    for round in 0..ROUNDS {
        let mut write = half(&server, &["write", path]);
        let writer = write.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Not before the first answer, so that each round has something to lose.
        while lines(&facts) <= checked.parse::<usize>().unwrap() {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Another instant of the writes in each round.
        std::thread::sleep(WRITING + Duration::from_millis(37 * round));
        server.kill9();
        let written = writer.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&written.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&written.stderr).into_owned();
        assert!(written.status.success(), "{told}\n{complaint}");
        server.restart();
        checked = outcome(&mut half(&server, &["check", path, &checked])).ok();
    }
    assert!(checked.parse::<usize>().unwrap() >= 4 * 4, "only {checked} changes were acknowledged");
}

fn lines(path: &std::path::Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}
