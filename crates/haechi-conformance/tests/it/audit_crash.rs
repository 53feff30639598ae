//! The server is killed while keys are made. The record of a call is written after its change: a
//! key that is there when the server comes back has a record, whichever came first.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use haechi_conformance::{Launch, Server, outcome, python, script};
use serde_json::Value;

/// Rounds, and how long each makes keys: of no consequence for what must hold.
const ROUNDS: u64 = 4;
const WRITING: Duration = Duration::from_millis(700);

fn half(server: &Server, what: &str) -> Command {
    let mut command = server.client(python());
    command.env("HAECHI_ACCOUNT", &server.ready().account_id);
    command.arg(script("audit_crash.py")).arg(what);
    command
}

fn records(server: &Server) -> Vec<Value> {
    let told = server.operator(&["audit", "tail"], &["--json", "--lines", "100000"]).ok();
    told.lines().map(|line| serde_json::from_str(line).expect("a record per line")).collect()
}

/// The keys that a record tells of: as the answer, or as a row that was written.
fn told(record: &Value) -> Vec<String> {
    if let Some(id) = record["responseElements"]["keyMetadata"]["keyId"].as_str() {
        return vec![id.to_owned()];
    }
    let rows = record["additionalEventData"]["wrote"].as_array().cloned().unwrap_or_default();
    rows.iter()
        .filter_map(|row| Some(row.as_str()?.split("/key/").nth(1)?.replace('/', "")))
        .collect()
}

#[test]
fn no_key_is_there_after_a_crash_that_no_record_tells_of() {
    let mut server = Launch::new().options(&["--request-quotas", "false"]).start();
    for round in 0..ROUNDS {
        let mut write = half(&server, "write");
        let writer = write.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let before = outcome(&mut half(&server, "list")).ok().lines().count();
        // Not before the first key, so that each round has something to lose.
        while outcome(&mut half(&server, "list")).ok().lines().count() <= before {}
        std::thread::sleep(WRITING + Duration::from_millis(41 * round));
        server.kill9();
        let written = writer.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&written.stderr).into_owned();
        assert!(written.status.success(), "{complaint}");
        server.restart();
        let there = outcome(&mut half(&server, "list")).ok();
        let records = records(&server);
        let told: BTreeSet<String> = records.iter().flat_map(told).collect();
        for key in there.lines() {
            assert!(told.contains(key), "nothing tells of {key}");
        }
        let ids: Vec<&str> = records.iter().filter_map(|one| one["eventID"].as_str()).collect();
        let different: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), different.len(), "a call was recorded twice");
    }
}
