//! `haechi iam explain`: a denial is explained while the server runs and when it does not, and
//! CloudTrail shows nothing of what is kept for that.

use haechi_conformance::{Launch, Server};
use serde_json::Value;

const DECRYPT_DEMO: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:Project":"demo"}}}]}"#;

/// A server with a key, and alice, who may decrypt what belongs to the project `demo`; the key's ARN.
fn stage() -> (Server, String) {
    let server = Launch::new().start();
    let key = ["kms", "create-key", "--query", "KeyMetadata.Arn", "--output", "text"];
    let key = server.aws(&key).ok();
    server.aws(&["iam", "create-user", "--user-name", "alice"]).ok();
    let put = ["iam", "put-user-policy", "--user-name", "alice", "--policy-name", "decrypt"];
    server.aws(&[&put[..], &["--policy-document", DECRYPT_DEMO]].concat()).ok();
    (server, key)
}

/// Lets alice decrypt something of another project; the id of the denial's event.
fn denied(server: &Server, key: &str) -> String {
    let context = ["--encryption-context", "Project=prod"];
    let encrypt = ["kms", "encrypt", "--key-id", key, "--plaintext", "aGVsbG8="];
    let text = ["--query", "CiphertextBlob", "--output", "text"];
    let blob = server.aws(&[&encrypt[..], &context, &text].concat()).ok();
    let blob = server.fileb("blob", &blob);
    let create = ["iam", "create-access-key", "--user-name", "alice"];
    let pair = ["--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text"];
    let access_key = server.aws(&[&create[..], &pair].concat()).ok();
    let decrypt = ["kms", "decrypt", "--ciphertext-blob", &blob];
    server
        .aws_as(access_key.split_once('\t').unwrap(), &[&decrypt[..], &context].concat())
        .fails_with("AccessDeniedException");
    let told = server.operator(&["audit", "tail"], &["--json", "--lines", "1"]).ok();
    assert!(!told.contains("sessionPolicies") && !told.contains("resourceAccount"), "{told}");
    let record: Value = serde_json::from_str(&told).expect("CloudTrail's record and nothing else");
    assert_eq!(record["errorCode"], "AccessDenied");
    record["eventID"].as_str().unwrap().to_owned()
}

#[test]
fn a_denial_is_explained_with_and_without_a_server_by_the_policies_of_now() {
    let (mut server, key) = stage();
    let event = denied(&server, &key);
    let seen = "- StringEquals kms:EncryptionContext:Project: wants demo; saw prod";
    let text = server.operator(&["iam", "explain"], &["--event", &event]).ok();
    assert!(text.contains("DENIED because no identity-based policy allows"), "{text}");
    assert!(text.contains(seen), "{text}");
    assert_eq!(server.terminate(), Some(0));
    let without = server.operator(&["iam", "explain"], &["--event", &event]).ok();
    assert_eq!(without, text, "without a server the command opens the data directory");
    server.restart();

    let wider = DECRYPT_DEMO.replace("demo", "prod");
    let put = ["iam", "put-user-policy", "--user-name", "alice", "--policy-name", "wider"];
    server.aws(&[&put[..], &["--policy-document", &wider]].concat()).ok();
    let text = server.operator(&["iam", "explain"], &["--event", &event]).ok();
    assert!(text.contains("ALLOWED by an identity-based policy"), "{text}");
    server.operator(&["iam", "explain"], &["--event", "nothing"]).fails_with("no event nothing");
    let looked_up = server.aws(&["cloudtrail", "lookup-events", "--max-results", "20"]).ok();
    assert!(!looked_up.contains("resourceAccount"), "{looked_up}");
}

#[test]
fn a_request_that_nobody_made_is_explained_with_policies_to_be_tried() {
    let (server, key) = stage();
    let alice = format!("arn:aws:iam::{}:user/alice", server.ready().account_id);
    let ask = ["--principal", &alice, "--action", "kms:Decrypt", "--resource", &key, "--json"];
    let explain = |more: &[&str]| -> Value {
        let told = server.operator(&["iam", "explain"], &[&ask[..], more].concat()).ok();
        serde_json::from_str(&told).unwrap()
    };
    let decision = |json: &Value| json["explanation"]["decision"].clone();
    let denied = explain(&[]);
    assert_eq!(decision(&denied)["Deny"]["kind"], "Identity");
    let context = ["--context", "kms:EncryptionContext:Project=demo"];
    assert_eq!(decision(&explain(&context))["Allow"], "Identity");
    let deny = server.scratch().join("deny.json");
    std::fs::write(&deny, DECRYPT_DEMO.replace("Allow", "Deny")).unwrap();
    let tried = ["--policy", deny.to_str().unwrap()];
    let tried = explain(&[&context[..], &tried].concat());
    assert_eq!(decision(&tried)["Deny"]["explicit"], true);

    let create = ["kms", "create-grant", "--key-id", &key, "--grantee-principal", &alice];
    server.aws(&[&create[..], &["--operations", "Decrypt"]].concat()).ok();
    let granted = explain(&[]);
    assert_eq!(decision(&granted)["Allow"], "Grant");
    assert_eq!(granted["explanation"]["granted"], "Principal");
}

#[test]
fn policies_in_files_are_explained_without_any_server() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("policy.json");
    std::fs::write(&file, format!(r#"{{"PolicyDocument":{DECRYPT_DEMO}}}"#)).unwrap();
    let ask = [
        "iam",
        "explain",
        "--files-only",
        "--policy",
        file.to_str().unwrap(),
        "--principal",
        "arn:aws:iam::111122223333:role/app",
        "--action",
        "kms:Decrypt",
        "--context",
        "kms:EncryptionContext:Project=demo",
    ];
    let output = haechi_conformance::haechi(&ask).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("ALLOWED by an identity-based policy"), "{text}");
}
