//! `--dev`: any account by its id, known keys enforced, a clock that moves, a reset.

use haechi_conformance::{Launch, Outcome, Server, outcome, program};

/// Runs the AWS CLI as an access key that nobody made.
fn as_unknown(server: &Server, id: &str, arguments: &[&str]) -> Outcome {
    server.aws_as((id, "whatever"), arguments)
}

/// POSTs to the test interface; answers `status body`.
fn post(server: &Server, path: &str, body: &str) -> String {
    let mut curl = program("curl");
    curl.args(["--silent", "--show-error", "--request", "POST", "--data", body]);
    curl.args(["--header", "Content-Type: application/json"]);
    curl.args(["--write-out", " %{http_code}"]);
    if let Some(authority) = &server.ready().ca_bundle {
        curl.args(["--cacert", authority]);
    }
    curl.arg(format!("{}{path}", server.ready().endpoint));
    outcome(&mut curl).ok()
}

const ACCOUNT: &[&str] = &["sts", "get-caller-identity", "--query", "Account", "--output", "text"];
const CREATE_KEY: &[&str] =
    &["kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text"];

#[test]
fn an_unknown_access_key_is_root_of_an_account() {
    let server = Launch::dev().start();
    assert!(server.ready().endpoint.starts_with("http://127.0.0.1:"));
    assert_eq!(as_unknown(&server, "111122223333", ACCOUNT).ok(), "111122223333");
    assert_eq!(as_unknown(&server, "444455556666", ACCOUNT).ok(), "444455556666");
    assert_eq!(as_unknown(&server, "AKIAIOSFODNN7EXAMPLE", ACCOUNT).ok(), "000000000000");
    let other = Launch::dev().options(&["--dev-account", "123456789012"]).start();
    assert_eq!(as_unknown(&other, "test", ACCOUNT).ok(), "123456789012");
}

#[test]
fn accounts_are_separate() {
    let server = Launch::dev().start();
    let key_id = as_unknown(&server, "111122223333", CREATE_KEY).ok();
    let describe = ["kms", "describe-key", "--key-id", &key_id];
    as_unknown(&server, "111122223333", &describe).ok();
    as_unknown(&server, "444455556666", &describe).fails_with("(NotFoundException)");
}

#[test]
fn a_known_access_key_is_verified_and_enforced_as_always() {
    let server = Launch::dev().start();
    assert_eq!(server.aws(ACCOUNT).ok(), server.ready().account_id);
    let root = server.ready().access_key_id.clone();
    server
        .aws_as((&root, "wrong"), &["kms", "list-keys"])
        .fails_with("(InvalidSignatureException)");
    server.aws(&["iam", "create-user", "--user-name", "carol"]).ok();
    let create = ["iam", "create-access-key", "--user-name", "carol"];
    let query = ["--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text"];
    let access_key = server.aws(&[&create[..], &query[..]].concat()).ok();
    let carol = access_key.split_once('\t').unwrap();
    server.aws_as(carol, &["kms", "list-keys"]).fails_with("(AccessDeniedException)");
    server.aws_as((carol.0, "wrong"), ACCOUNT).fails_with("(SignatureDoesNotMatch)");
}

#[test]
fn a_deleted_access_key_and_one_of_a_session_without_its_token_are_refused_and_not_root() {
    let server = Launch::dev().start();
    server.aws(&["iam", "create-user", "--user-name", "carol"]).ok();
    let create = ["iam", "create-access-key", "--user-name", "carol"];
    let query = ["--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text"];
    let access_key = server.aws(&[&create[..], &query[..]].concat()).ok();
    let carol = access_key.split_once('\t').unwrap();
    let token = ["sts", "get-session-token", "--query", "Credentials.AccessKeyId"];
    let session = server.aws_as(carol, &[&token[..], &["--output", "text"]].concat()).ok();
    assert!(session.starts_with("ASIA"), "{session}");
    server.aws_as((&session, "wrong"), ACCOUNT).fails_with("(InvalidClientTokenId)");
    let delete = ["iam", "delete-access-key", "--user-name", "carol", "--access-key-id", carol.0];
    server.aws(&delete).ok();
    for secret in [carol.1, "wrong"] {
        server.aws_as((carol.0, secret), ACCOUNT).fails_with("(InvalidClientTokenId)");
    }
}

#[test]
fn the_clock_moves_and_a_key_scheduled_for_deletion_goes() {
    let server = Launch::dev().start();
    let key_id = server.aws(CREATE_KEY).ok();
    let alias = ["--alias-name", "alias/doomed", "--target-key-id", &key_id];
    server.aws(&[&["kms", "create-alias"], &alias[..]].concat()).ok();
    let schedule = ["kms", "schedule-key-deletion", "--pending-window-in-days", "7", "--key-id"];
    server.aws(&[&schedule[..], &[&key_id]].concat()).ok();
    let describe = ["kms", "describe-key", "--key-id", &key_id];

    let six_days = 6 * 24 * 60 * 60;
    let told = post(&server, "/_haechi/clock", &format!("{{\"advance_seconds\": {six_days}}}"));
    assert!(told.ends_with(" 200"), "{told}");
    // Root's requests carry the wall clock's date; only unknown keys are not checked for it.
    let state = ["--query", "KeyMetadata.KeyState", "--output", "text"];
    let account = server.ready().account_id.clone();
    let described = as_unknown(&server, &account, &[&describe[..], &state[..]].concat()).ok();
    assert_eq!(described, "PendingDeletion");

    let told = post(&server, "/_haechi/clock", "{\"advance_seconds\": 172800}");
    assert!(told.ends_with(" 200"), "{told}");
    as_unknown(&server, &account, &describe).fails_with("(NotFoundException)");
    as_unknown(&server, &account, &["kms", "describe-key", "--key-id", "alias/doomed"])
        .fails_with("(NotFoundException)");
}

#[test]
fn a_reset_empties_it() {
    let server = Launch::dev().start();
    let key_id = as_unknown(&server, "111122223333", CREATE_KEY).ok();
    let told = post(&server, "/_haechi/reset", "");
    assert!(told.ends_with(" 200"), "{told}");
    as_unknown(&server, "111122223333", &["kms", "describe-key", "--key-id", &key_id])
        .fails_with("(NotFoundException)");
    let then = post(&server, "/_haechi/clock", "{\"advance_seconds\": 864000}");
    post(&server, "/_haechi/reset", "");
    let now = post(&server, "/_haechi/clock", "{\"advance_seconds\": 0}");
    assert!(now < then, "the time is set back: {now} {then}");
    // Root is there again, with the key of the ready file.
    assert_eq!(server.aws(ACCOUNT).ok(), server.ready().account_id);
}

#[test]
fn neither_clock_nor_reset_exists_outside_dev() {
    let server = Launch::new().start();
    let key_id = server.aws(CREATE_KEY).ok();
    for path in ["/_haechi/clock", "/_haechi/reset"] {
        let told = post(&server, path, "{\"advance_seconds\": 1}");
        assert!(!told.ends_with(" 200"), "{path}: {told}");
    }
    server.aws(&["kms", "describe-key", "--key-id", &key_id]).ok();
}

#[test]
fn dev_says_loudly_that_it_is_for_tests_and_keeps_data_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Launch::dev().data(&data).start();
    assert!(server.output().contains("--dev"), "{}", server.output());
    let key_id = server.aws(CREATE_KEY).ok();
    server.kill9();
    server.restart();
    server.aws(&["kms", "describe-key", "--key-id", &key_id]).ok();
}
