//! The server is killed while parameters change: each change that was acknowledged is there when it
//! comes back, with all its versions, and one that was on its way is there whole or not at all.

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
    command.arg(script("ssm_crash.py")).args(arguments);
    command
}

#[test]
fn no_version_of_a_parameter_is_lost_or_half_there_after_a_crash() {
    let mut server = Launch::new().start();
    let notes = server.scratch().join("notes.jsonl");
    let path = notes.to_str().unwrap();
    let mut checked = "0".to_owned();
    for round in 0..ROUNDS {
        let mut write = half(&server, &["write", path]);
        let writer = write.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Not before the first answer, so that each round has something to lose.
        while lines(&notes) <= checked.parse::<usize>().unwrap() + 1 {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Another instant of the writes in each round.
        std::thread::sleep(WRITING + Duration::from_millis(41 * round));
        server.kill9();
        let written = writer.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&written.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&written.stderr).into_owned();
        assert!(written.status.success(), "{told}\n{complaint}");
        server.restart();
        checked = outcome(&mut half(&server, &["check", path, &checked])).ok();
    }
    assert!(checked.parse::<usize>().unwrap() >= 4 * 4, "only {checked} notes were taken");
}

fn lines(path: &std::path::Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}
