//! `haechi backup` and `haechi restore`: what came back is what went in, and nobody reads it on the
//! way.

use haechi_conformance::{Launch, fingerprint, haechi, mode, outcome};

#[test]
fn a_backup_of_a_running_server_is_restored_elsewhere() {
    let server = Launch::new().start();
    let text = ["--output", "text"];
    let key_id = server
        .aws(&[&["kms", "create-key", "--query", "KeyMetadata.KeyId"], &text[..]].concat())
        .ok();
    let hello = server.fileb("hello", "aGVsbG8=");
    let plaintext = ["--plaintext", &hello, "--query", "CiphertextBlob"];
    let blob = server
        .aws(&[&["kms", "encrypt", "--key-id", &key_id], &plaintext[..], &text[..]].concat())
        .ok();
    let backup = server.scratch().join("haechi.backup");
    let backup_path = backup.to_str().unwrap();
    server.operator(&["backup"], &[backup_path]).ok();
    assert_eq!(mode(&backup), 0o600);
    // What is made after the backup is not in it.
    let later = server
        .aws(&[&["kms", "create-key", "--query", "KeyMetadata.KeyId"], &text[..]].concat())
        .ok();

    let elsewhere = server.scratch().join("restored");
    let mut restore = haechi(&["restore", "--data"]);
    outcome(restore.arg(&elsewhere).arg(&backup)).ok();
    assert_eq!(mode(&elsewhere), 0o700);
    // The root key is not in the backup: who holds only the backup holds nothing.
    let root_key = std::fs::read(server.data().join("root.key")).unwrap();
    let held = std::fs::read(&backup).unwrap();
    assert!(!held.windows(root_key.len()).any(|window| window == root_key));
    let refusal = Launch::new().data(&elsewhere).refusal();
    assert!(refusal.output.contains("root.key"), "{}", refusal.output);
    std::fs::copy(server.data().join("root.key"), elsewhere.join("root.key")).unwrap();
    let restored = Launch::new().data(&elsewhere).start();
    assert_eq!(restored.ready().account_id, server.ready().account_id);
    let blob = server.fileb("blob", &blob);
    let decrypt = ["kms", "decrypt", "--ciphertext-blob", &blob, "--query", "Plaintext"];
    assert_eq!(restored.aws(&[&decrypt[..], &text[..]].concat()).ok(), "aGVsbG8=");
    restored.aws(&["kms", "describe-key", "--key-id", &later]).fails_with("(NotFoundException)");
}

#[test]
fn a_restore_never_overwrites() {
    let mut server = Launch::new().start();
    let backup = server.scratch().join("haechi.backup");
    server.operator(&["backup"], &[backup.to_str().unwrap()]).ok();
    assert_eq!(server.terminate(), Some(0));
    let before = fingerprint(server.data());
    let restored = server.operator(&["restore"], &[backup.to_str().unwrap()]);
    assert!(!restored.success);
    assert!(fingerprint(server.data()) == before, "the refused restore changed something");
}

#[test]
fn a_damaged_backup_is_refused_and_leaves_nothing_behind() {
    let server = Launch::new().start();
    server.aws(&["kms", "create-key"]).ok();
    let backup = server.scratch().join("haechi.backup");
    server.operator(&["backup"], &[backup.to_str().unwrap()]).ok();
    let mut bytes = std::fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&backup, &bytes).unwrap();
    let elsewhere = server.scratch().join("restored");
    let mut restore = haechi(&["restore", "--data"]);
    let restored = outcome(restore.arg(&elsewhere).arg(&backup));
    assert!(!restored.success, "a changed backup was restored");
    assert!(!elsewhere.exists(), "half a restore was left behind");
}

#[test]
fn a_backup_from_before_a_rekey_is_useless_once_the_old_root_key_is_destroyed() {
    let server = Launch::new().start();
    let text = ["--output", "text"];
    let create = ["kms", "create-key", "--query", "KeyMetadata.KeyId"];
    let key_id = server.aws(&[&create[..], &text[..]].concat()).ok();
    let backup = server.scratch().join("before.backup");
    server.operator(&["backup"], &[backup.to_str().unwrap()]).ok();
    let old_root = std::fs::read(server.data().join("root.key")).unwrap();
    server.operator(&["operator", "rekey"], &[]).ok();
    std::fs::remove_file(server.data().join("root.key")).unwrap();
    server.aws(&["kms", "describe-key", "--key-id", &key_id]).ok();

    let elsewhere = server.scratch().join("restored");
    let mut restore = haechi(&["restore", "--data"]);
    outcome(restore.arg(&elsewhere).arg(&backup)).ok();
    let root = elsewhere.join("root.key");
    // What carries the new root key does not open it.
    let mut new_roots =
        std::fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().path());
    let is_root = |path: &std::path::PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with("root-")
    };
    let new_root = new_roots.find(is_root).expect("the new root key");
    std::fs::copy(new_root, &root).unwrap();
    Launch::new().data(&elsewhere).refusal();
    // Until it is destroyed, the old one brings back all that the backup holds: deleted keys too.
    std::fs::write(&root, old_root).unwrap();
    let restored = Launch::new().data(&elsewhere).start();
    restored.aws(&["kms", "describe-key", "--key-id", &key_id]).ok();
}
