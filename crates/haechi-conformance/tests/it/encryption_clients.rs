//! The clients that encrypt on the user's side with data keys of KMS: messages that one language
//! seals in one Region are opened by another language in another Region.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use haechi_conformance::{
    Launch, Outcome, Server, encryption_python, outcome, python_command, script,
};

const PLAINTEXT: &str = "haechi guards the gate: 해태";
const AWAY: &str = "eu-west-1";

/// A multi-Region key: its ARN at home, and its replica's.
fn multi_region_key(server: &Server) -> (String, String) {
    let text = ["--output", "text", "--query"];
    let create = ["kms", "create-key", "--multi-region"];
    let home = server.aws(&[&create[..], &text, &["KeyMetadata.Arn"]].concat()).ok();
    let replicate = ["kms", "replicate-key", "--key-id", &home, "--replica-region", AWAY];
    let away = server.aws(&[&replicate[..], &text, &["ReplicaKeyMetadata.Arn"]].concat()).ok();
    (home, away)
}

/// The Encryption SDK in a language, as a command.
type Language = fn(&Server) -> Command;

const LANGUAGES: [(&str, Language); 2] = [("Python", python), ("JavaScript", javascript)];

fn python(server: &Server) -> Command {
    let mut command = server.client(encryption_python());
    command.arg(script("message.py"));
    command
}

fn javascript(server: &Server) -> Command {
    let mut command = server.node();
    command.arg(script("message.js"));
    command
}

fn seal(mut command: Command) {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PLAINTEXT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {told}", command.get_args());
}

fn open(server: &Server, language: Language, verb: &str, name: &str, message: &Path) -> Outcome {
    outcome(language(server).args([verb, name]).arg(message))
}

#[test]
fn python_and_javascript_open_each_others_messages_in_another_region() {
    let server = Launch::new().start();
    let (home, away) = multi_region_key(&server);
    for (sealer, sealing) in LANGUAGES {
        // Sealed at home and read away, and the other way round.
        for (own, other, region) in [(&home, &away, AWAY), (&away, &home, &server.ready().region)] {
            let message: PathBuf = server.scratch().join("message");
            let mut command = sealing(&server);
            command.args(["seal", own]).arg(&message);
            seal(command);
            for (opener, opening) in LANGUAGES {
                for (verb, name) in [("open", other.as_str()), ("discover", region)] {
                    let opened = open(&server, opening, verb, name, &message).ok();
                    assert_eq!(opened, PLAINTEXT, "{sealer} to {opener}: {verb} {name}");
                }
            }
        }
    }
}

#[test]
fn a_disabled_replica_opens_nothing_while_the_primary_does() {
    let server = Launch::new().start();
    let (home, away) = multi_region_key(&server);
    let message = server.scratch().join("message");
    let mut command = javascript(&server);
    command.args(["seal", &home]).arg(&message);
    seal(command);
    server.aws(&["--region", AWAY, "kms", "disable-key", "--key-id", &away]).ok();
    for (language, opening) in LANGUAGES {
        let refused = open(&server, opening, "open", &away, &message);
        assert!(!refused.success, "{language} opened {refused:?}");
        assert_eq!(open(&server, opening, "open", &home, &message).ok(), PLAINTEXT, "{language}");
    }
}

#[test]
fn the_encryption_command_line_exchanges_messages_with_both() {
    let server = Launch::new().start();
    let (home, _) = multi_region_key(&server);
    let folder = server.scratch();
    let plain = folder.join("plain");
    std::fs::write(&plain, PLAINTEXT).unwrap();
    let run = |direction: &str, from: &Path, to: &Path, rest: &[&str]| {
        let mut command = server.client(python_command("aws-encryption-cli"));
        command.args([direction, "--suppress-metadata", "--wrapping-keys"]);
        command.arg(format!("key={home}")).arg("--input").arg(from).arg("--output").arg(to);
        outcome(command.args(rest)).ok();
    };
    let sealed = folder.join("sealed");
    let context = ["--encryption-context", "purpose=conformance", "ключ=значение"];
    run("--encrypt", &plain, &sealed, &context);
    for (language, opening) in LANGUAGES {
        assert_eq!(open(&server, opening, "open", &home, &sealed).ok(), PLAINTEXT, "{language}");
        let message = folder.join(format!("from-{language}"));
        let opened = folder.join(format!("opened-{language}"));
        let mut command = opening(&server);
        command.args(["seal", &home]).arg(&message);
        seal(command);
        run("--decrypt", &message, &opened, &[]);
        assert_eq!(std::fs::read_to_string(&opened).unwrap(), PLAINTEXT, "{language}");
    }
}

#[test]
fn sops_keeps_a_file_that_only_its_key_opens() {
    let server = Launch::new().start();
    let (key, _) = multi_region_key(&server);
    let file = server.scratch().join("secrets.yaml");
    let text = "user: alice\npassword: open sesame\nports:\n-   80\n-   443";
    std::fs::write(&file, text).unwrap();
    let sops =
        |words: &[&str]| outcome(server.client(python_command("sops")).args(words).arg(&file));
    let sealed = sops(&["--encrypt", "--kms", &key]).ok();
    assert!(sealed.contains("user: ENC[") && !sealed.contains("open sesame"), "{sealed}");
    std::fs::write(&file, sealed).unwrap();
    assert_eq!(sops(&["--decrypt"]).ok(), text);
    server.aws(&["kms", "disable-key", "--key-id", &key]).ok();
    assert!(!sops(&["--decrypt"]).success);
}

#[test]
fn keyrings_of_asymmetric_keys_and_the_s3_encryption_client_work() {
    let server = Launch::new().start();
    server.run_script_with(server.client(encryption_python()), "encryption_keyrings.py");
}

#[test]
fn the_sdk_for_javascript_works() {
    let server = Launch::new().start();
    server.run_script_with(server.node(), "kms_javascript.js");
}
