//! The operator's command line: help, `services`, `env`, `exec`, and the first words of `serve`.

use std::process::Stdio;

use haechi_conformance::{Launch, haechi, outcome};
use serde_json::Value;

#[test]
fn help_shows_commands_and_examples() {
    let told = outcome(&mut haechi(&["--help"])).ok();
    let commands = ["serve", "exec", "env", "backup", "restore", "audit", "services"];
    for word in commands.into_iter().chain(["aws kms"]) {
        assert!(told.contains(word), "no {word} in:\n{told}");
    }
}

#[test]
fn services_lists_what_is_done_and_what_is_missing() {
    let told = outcome(&mut haechi(&["services", "--json"])).ok();
    let told: Value = serde_json::from_str(&told).unwrap();
    let text = told.to_string();
    for done in ["GenerateDataKey", "CreateUser", "GetCallerIdentity"] {
        assert!(text.contains(&format!("\"{done}\"")), "{done} is not listed in {told:#}");
    }
    // Missing today; whoever adds it finds this line.
    assert!(text.contains("\"ListOrganizationsFeatures\""), "missing operations are listed too");
}

#[test]
fn a_command_whose_reader_leaves_early_ends_quietly() {
    let mut command = haechi(&["services"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Nobody reads from here on; the program has hardly begun.
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn an_operation_that_is_missing_says_so() {
    let server = Launch::new().start();
    // Only what is not done answers this: nobody has uploaded anything.
    server.aws(&["iam", "list-organizations-features"]).fails_with("(UnsupportedOperation)");
    // A service that is not here at all: AWS's own words for a wrong address.
    server.aws(&["dynamodb", "list-tables"]).fails_with("when calling the ListTables operation");
}

#[test]
fn env_prints_what_a_shell_can_read() {
    let server = Launch::new().start();
    let exports = server.operator(&["env"], &[]).ok();
    let mut shell = haechi_conformance::program("sh");
    let script = format!("{exports}\nexec \"$0\" sts get-caller-identity --query Account");
    shell.args(["-c", &script]).arg(haechi_conformance::aws()).args(["--output", "text"]);
    let told = outcome(&mut shell);
    assert!(told.stdout.contains(&server.ready().account_id), "{told:?}");
}

#[test]
fn exec_hands_on_the_exit_code() {
    let server = Launch::new().start();
    assert_eq!(server.exec(&["sh", "-c", "exit 7"]).code, Some(7));
    assert_eq!(server.exec(&["true"]).code, Some(0));
}

#[test]
fn exec_removes_settings_that_would_lead_elsewhere() {
    let server = Launch::new().start();
    let mut exec = haechi(&["exec", "--data"]);
    exec.arg(server.data()).args(["--", "env"]);
    exec.env("AWS_PROFILE", "production").env("AWS_SESSION_TOKEN", "of another account");
    exec.env("AWS_ENDPOINT_URL_KMS", "https://kms.us-east-1.amazonaws.com");
    let told = outcome(&mut exec).ok();
    for name in ["AWS_PROFILE=", "AWS_SESSION_TOKEN=", "AWS_ENDPOINT_URL_KMS="] {
        assert!(!told.contains(name), "{name} is still there:\n{told}");
    }
    assert!(told.contains(&format!("AWS_ENDPOINT_URL={}", server.ready().endpoint)), "{told}");
}

#[test]
fn the_first_start_says_where_everything_is_and_keeps_the_secret_to_itself() {
    let server = Launch::new().start();
    let told = server.output();
    let ready = server.ready();
    for word in [&ready.endpoint, &ready.account_id, &ready.region, "credentials", "haechi exec"] {
        assert!(told.contains(word), "no {word} in:\n{told}");
    }
    assert!(!told.contains(&ready.secret_access_key), "the secret was printed");
}

#[test]
fn a_mistake_in_the_configuration_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("haechi.toml");
    std::fs::write(&file, "# first line\nlisten = 17\n").unwrap();
    let refusal = Launch::new().options(&["--config", file.to_str().unwrap()]).refusal();
    assert!(refusal.output.contains("haechi.toml"), "{}", refusal.output);
    assert!(refusal.output.contains("line 2"), "{}", refusal.output);
}
