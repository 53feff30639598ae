//! The main job with the AWS CLI: envelope encryption of a real file, through a power cut.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use haechi_conformance::{Launch, Server, aws, outcome};

const FILE_BYTES: usize = 100 * 1024 * 1024;

/// `haechi exec --data DIR -- aws ARGUMENTS…`, as a user types it.
fn exec_aws(server: &Server, arguments: &[&str]) -> haechi_conformance::Outcome {
    let aws = aws();
    let mut command = vec![aws.to_str().unwrap()];
    command.extend(arguments);
    server.exec(&command)
}

fn openssl_aes(direction: &str, key_hex: &str, from: &Path, to: &Path) {
    let mut command = Command::new("openssl");
    command.args(["enc", "-aes-256-ctr", direction, "-K", key_hex, "-iv"]);
    command.arg("00112233445566778899aabbccddeeff").arg("-in").arg(from).arg("-out").arg(to);
    outcome(&mut command).ok();
}

/// Base64 on standard input to lower-case hexadecimal, without a library of ours.
fn base64_to_hex(text: &str) -> String {
    let mut command = Command::new("sh");
    command.args(["-c", "printf %s \"$1\" | base64 -d | od -An -v -tx1 | tr -d ' \\n'", "-", text]);
    outcome(&mut command).ok()
}

/// A file of noise that is the same on every run.
fn write_noise(path: &Path) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..FILE_BYTES / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes()).unwrap();
    }
    file.flush().unwrap();
}

#[test]
fn a_file_encrypted_under_a_data_key_comes_back_after_kill_9() {
    let mut server = Launch::new().start();
    let scratch = server.scratch();
    let (plain, sealed, opened) =
        (scratch.join("plain"), scratch.join("sealed"), scratch.join("opened"));
    write_noise(&plain);

    let key_id = exec_aws(
        &server,
        &["kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text"],
    )
    .ok();
    let alias = "alias/walk";
    exec_aws(&server, &["kms", "create-alias", "--alias-name", alias, "--target-key-id", &key_id])
        .ok();
    let data_key = exec_aws(
        &server,
        &[
            "kms",
            "generate-data-key",
            "--key-id",
            alias,
            "--key-spec",
            "AES_256",
            "--encryption-context",
            "file=walk",
            "--query",
            "[Plaintext,CiphertextBlob]",
            "--output",
            "text",
        ],
    )
    .ok();
    let (plaintext_key, encrypted_key) = data_key.split_once('\t').unwrap();
    let key_hex = base64_to_hex(plaintext_key);
    assert_eq!(key_hex.len(), 64, "an AES-256 key");
    openssl_aes("-e", &key_hex, &plain, &sealed);
    // From here on only the encrypted data key is kept.
    let blob = server.fileb("data-key.encrypted", encrypted_key);

    server.kill9();
    server.restart();

    let decrypt = [
        "kms",
        "decrypt",
        "--ciphertext-blob",
        &blob,
        "--encryption-context",
        "file=walk",
        "--query",
        "Plaintext",
        "--output",
        "text",
    ];
    let again = base64_to_hex(&exec_aws(&server, &decrypt).ok());
    openssl_aes("-d", &again, &sealed, &opened);
    assert!(
        std::fs::read(&plain).unwrap() == std::fs::read(&opened).unwrap(),
        "the file that came back is not the file that went in"
    );
    assert!(std::fs::read(&plain).unwrap() != std::fs::read(&sealed).unwrap());
}

#[test]
fn a_data_key_opens_only_as_it_was_sealed() {
    let server = Launch::new().start();
    let key_id =
        server.aws(&["kms", "create-key", "--query", "KeyMetadata.KeyId", "--output", "text"]).ok();
    let blob = server
        .aws(&[
            "kms",
            "generate-data-key-without-plaintext",
            "--key-id",
            &key_id,
            "--key-spec",
            "AES_256",
            "--encryption-context",
            "file=walk",
            "--query",
            "CiphertextBlob",
            "--output",
            "text",
        ])
        .ok();
    let decrypt = |blob: &str, context: &str| {
        let file = server.fileb("blob", blob);
        let ciphertext = ["kms", "decrypt", "--ciphertext-blob", &file];
        let rest = ["--encryption-context", context, "--query", "Plaintext", "--output", "text"];
        server.aws(&[&ciphertext[..], &rest[..]].concat())
    };
    decrypt(&blob, "file=walk").ok();
    decrypt(&blob, "file=other").fails_with("(InvalidCiphertextException)");

    // Eight places over the whole blob; every place is a matter of the cipher's own tests.
    for position in (0..blob.trim_end_matches('=').len()).step_by(blob.len().div_ceil(8)) {
        let mut changed = blob.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        decrypt(&changed, "file=walk").fails_with("(InvalidCiphertextException)");
    }

    server.aws(&["kms", "disable-key", "--key-id", &key_id]).ok();
    let told = decrypt(&blob, "file=walk").fails_with("(DisabledException)");
    assert!(told.contains(&format!("key/{key_id} is disabled.")), "{told}");
    server.aws(&["kms", "enable-key", "--key-id", &key_id]).ok();
    decrypt(&blob, "file=walk").ok();
}

#[test]
fn a_user_may_do_what_her_policy_says_and_nothing_else() {
    let server = Launch::new().start();
    let key_arn =
        server.aws(&["kms", "create-key", "--query", "KeyMetadata.Arn", "--output", "text"]).ok();
    server.aws(&["iam", "create-user", "--user-name", "alice"]).ok();
    let access_key = server
        .aws(&[
            "iam",
            "create-access-key",
            "--user-name",
            "alice",
            "--query",
            "AccessKey.[AccessKeyId,SecretAccessKey]",
            "--output",
            "text",
        ])
        .ok();
    let alice = access_key.split_once('\t').unwrap();
    let hello = server.fileb("hello", "aGVsbG8=");
    let encrypt = ["kms", "encrypt", "--key-id", &key_arn, "--plaintext", &hello];

    let told = server.aws_as(alice, &encrypt).fails_with("(AccessDeniedException)");
    let expected = format!(
        "when calling the Encrypt operation: User: arn:aws:iam::{}:user/alice is not authorized \
         to perform: kms:Encrypt on resource: {key_arn} because no identity-based policy allows \
         the kms:Encrypt action",
        server.ready().account_id
    );
    assert!(told.contains(&expected), "{told}");

    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"kms:Encrypt","Resource":"{key_arn}"}}]}}"#
    );
    let put = ["iam", "put-user-policy", "--user-name", "alice", "--policy-name", "encrypt"];
    server.aws(&[&put[..], &["--policy-document", &policy]].concat()).ok();
    let blob = server
        .aws_as(alice, &[&encrypt[..], &["--query", "CiphertextBlob", "--output", "text"]].concat())
        .ok();
    let blob = server.fileb("blob", &blob);
    server
        .aws_as(alice, &["kms", "decrypt", "--ciphertext-blob", &blob])
        .fails_with("is not authorized to perform: kms:Decrypt");
    server.aws_as(alice, &["iam", "list-users"]).fails_with("(AccessDenied)");

    let explicit = policy.replace("Allow", "Deny");
    let put = ["iam", "put-user-policy", "--user-name", "alice", "--policy-name", "never"];
    server.aws(&[&put[..], &["--policy-document", &explicit]].concat()).ok();
    server.aws_as(alice, &encrypt).fails_with("with an explicit deny in an identity-based policy");
}
