//! Every call leaves one CloudTrail record, allowed or denied, without a secret in it.

use haechi_conformance::{Launch, Server};
use serde_json::Value;

fn records(server: &Server) -> Vec<Value> {
    let told = server.operator(&["audit", "tail"], &["--json", "--lines", "100000"]).ok();
    told.lines().map(|line| serde_json::from_str(line).expect("a record per line")).collect()
}

fn of<'a>(records: &'a [Value], name: &str) -> Vec<&'a Value> {
    records.iter().filter(|record| record["eventName"] == name).collect()
}

#[test]
fn every_call_leaves_one_record_in_the_shape_of_cloudtrail() {
    let server = Launch::new().start();
    let text = ["--output", "text"];
    let create = ["kms", "create-key", "--query", "KeyMetadata.KeyId"];
    let key_id = server.aws(&[&create[..], &text[..]].concat()).ok();
    let context = ["--encryption-context", "purpose=audit"];
    let encrypt =
        ["kms", "encrypt", "--key-id", &key_id, "--plaintext", "c2VjcmV0LXBsYWludGV4dA=="];
    server.aws(&[&encrypt[..], &context[..]].concat()).ok();
    server.aws(&["kms", "describe-key", "--key-id", "nothing"]).fails_with("NotFoundException");

    let records = records(&server);
    let encrypts = of(&records, "Encrypt");
    assert_eq!(encrypts.len(), 1, "{records:#?}");
    let record = encrypts[0];
    assert!(record["eventVersion"].as_str().unwrap().starts_with("1."));
    assert_eq!(record["eventSource"], "kms.amazonaws.com");
    assert_eq!(record["awsRegion"], server.ready().region.as_str());
    assert_eq!(record["sourceIPAddress"], "127.0.0.1");
    assert!(record["userAgent"].as_str().unwrap().contains("aws-cli"));
    assert_eq!(record["eventType"], "AwsApiCall");
    assert_eq!(record["eventCategory"], "Management");
    assert_eq!(record["readOnly"], true);
    assert_eq!(record["recipientAccountId"], server.ready().account_id.as_str());
    assert_eq!(record["userIdentity"]["type"], "Root");
    assert_eq!(record["userIdentity"]["accessKeyId"], server.ready().access_key_id.as_str());
    assert_eq!(record["requestParameters"]["encryptionContext"]["purpose"], "audit");
    assert!(record["responseElements"].is_null());
    assert!(record["requestID"].is_string() && record["eventID"].is_string());
    assert_eq!(of(&records, "CreateKey").len(), 1);
    let described = of(&records, "DescribeKey");
    assert_eq!(described.len(), 1);
    assert_eq!(described[0]["errorCode"], "NotFoundException");
}

#[test]
fn a_denied_call_and_a_forged_one_leave_records_too() {
    let server = Launch::new().start();
    server.aws(&["iam", "create-user", "--user-name", "eve"]).ok();
    let key = ["--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text"];
    let create = ["iam", "create-access-key", "--user-name", "eve"];
    let access_key = server.aws(&[&create[..], &key[..]].concat()).ok();
    let (id, secret) = access_key.split_once('\t').unwrap();
    server.aws_as((id, secret), &["kms", "list-keys"]).fails_with("AccessDeniedException");
    server.aws_as((id, "wrong"), &["kms", "list-aliases"]).fails_with("InvalidSignatureException");

    let records = records(&server);
    let denied = of(&records, "ListKeys");
    assert_eq!(denied.len(), 1, "{records:#?}");
    let arn = format!("arn:aws:iam::{}:user/eve", server.ready().account_id);
    assert_eq!(denied[0]["errorCode"], "AccessDenied");
    assert!(denied[0]["errorMessage"].as_str().unwrap().contains("is not authorized to perform"));
    assert_eq!(denied[0]["userIdentity"]["type"], "IAMUser");
    assert_eq!(denied[0]["userIdentity"]["userName"], "eve");
    assert_eq!(denied[0]["userIdentity"]["arn"], arn.as_str());
    let forged = of(&records, "ListAliases");
    assert_eq!(forged.len(), 1, "{records:#?}");
    assert!(forged[0]["errorCode"].is_string());
}

#[test]
fn no_secret_is_in_the_audit_log() {
    let server = Launch::new().start();
    let text = ["--output", "text"];
    let create = ["kms", "create-key", "--query", "KeyMetadata.KeyId"];
    let key_id = server.aws(&[&create[..], &text[..]].concat()).ok();
    let encrypt =
        ["kms", "encrypt", "--key-id", &key_id, "--plaintext", "c2VjcmV0LXBsYWludGV4dA=="];
    server.aws(&encrypt).ok();
    let generate = ["kms", "generate-data-key", "--key-id", &key_id, "--key-spec=AES_256"];
    let plaintext = ["--query", "Plaintext"];
    let data_key = server.aws(&[&generate[..], &plaintext[..], &text[..]].concat()).ok();
    server.aws(&["iam", "create-user", "--user-name", "bob"]).ok();
    let secret = ["--query", "AccessKey.SecretAccessKey"];
    let create = ["iam", "create-access-key", "--user-name", "bob"];
    let secret = server.aws(&[&create[..], &secret[..], &text[..]].concat()).ok();
    let root = server.ready().secret_access_key.clone();

    let log = server.operator(&["audit", "tail"], &["--json", "--lines", "100000"]).ok();
    assert!(log.contains("GenerateDataKey") && log.contains("CreateAccessKey"));
    let said = server.output();
    for needle in ["c2VjcmV0LXBsYWludGV4dA==", "secret-plaintext", &data_key, &secret, &root] {
        assert!(!log.contains(needle), "the audit log holds {needle}");
        assert!(!said.contains(needle), "the server's own log holds {needle}");
    }
}

#[test]
fn the_record_is_there_before_the_answer_and_survives_kill_9() {
    let mut server = Launch::new().start();
    for _ in 0..3 {
        server.aws(&["kms", "create-key"]).ok();
    }
    server.kill9();
    server.restart();
    assert_eq!(of(&records(&server), "CreateKey").len(), 3);
}
