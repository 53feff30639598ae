//! `haechi account`: accounts that the operator makes, with and without a server that runs.

use haechi_conformance::{Launch, haechi, mode};

/// The output of `haechi account …` on a data directory, and whether it was done.
fn account(data: &str, arguments: &[&str]) -> (bool, String) {
    let all = [&["account"], arguments, &["--data", data]].concat();
    let output = haechi(&all).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn an_account_that_the_operator_makes_is_listed_and_its_root_key_signs() {
    let mut server = Launch::new().start();
    let data = server.data().to_str().unwrap().to_owned();
    let file = server.scratch().join("staging");
    let file_name = file.to_str().unwrap().to_owned();
    let email = ["--email", "staging@example.com"];
    let create = [&["create", "staging", "--credentials", &file_name][..], &email].concat();
    let (done, output) = account(&data, &create);
    assert!(done, "{output}");
    assert_eq!(mode(&file), 0o600);
    let words: Vec<&str> = output.split_whitespace().collect();
    let id = words[words.iter().position(|word| *word == "account").unwrap() + 1].to_owned();
    let (done, output) = account(&data, &["list"]);
    assert!(done && output.contains(&format!("{id}  staging  staging@example.com")), "{output}");
    let (_, output) = account(&data, &["list", "--json"]);
    let lines: Vec<serde_json::Value> = serde_json::from_str(&output).unwrap();
    let made = lines.iter().find(|line| line["account"] == id.as_str()).unwrap();
    assert_eq!(made["name"], "staging");
    let (done, output) = account(&data, &[&["create", "again"][..], &email].concat());
    assert!(!done && output.contains("Name another"), "{output}");

    let listed = account(&data, &["list"]);
    let own = server.ready().account_id.clone();
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(account(&data, &["list"]), listed, "without a server the command opens the data");
    server.restart();
    assert_eq!(server.ready().account_id, own, "the account of the credentials file is served");
    let profile = std::fs::read_to_string(&file).unwrap();
    let value = |name: &str| {
        let line = profile.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(" = ").to_owned()
    };
    let key = (value("aws_access_key_id"), value("aws_secret_access_key"));
    let identity = ["sts", "get-caller-identity", "--query=Account", "--output=text"];
    assert_eq!(server.aws_as((&key.0, &key.1), &identity).ok().trim(), id);
}

#[test]
fn what_the_operator_does_is_in_the_audit_log() {
    let server = Launch::new().start();
    let data = server.data().to_str().unwrap().to_owned();
    let (done, output) = account(&data, &["create", "audited", "--email", "audited@example.com"]);
    assert!(done, "{output}");
    let (done, _) = account(&data, &["create", "again", "--email", "audited@example.com"]);
    assert!(!done);
    let told = server.operator(&["audit", "tail"], &["--json", "--lines", "1000"]).ok();
    let records = told.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let records: Vec<_> =
        records.filter(|record| record["eventName"] == "account.create").collect();
    assert_eq!(records.len(), 2, "{told}");
    let names: Vec<_> =
        records.iter().map(|record| record["requestParameters"]["name"].as_str()).collect();
    assert!(names.contains(&Some("audited")) && names.contains(&Some("again")), "{told}");
    assert_eq!(records.iter().filter(|one| one["errorCode"] == "Failed").count(), 1, "{told}");
}
