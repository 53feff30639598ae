//! What lies on disk: modes, nothing readable, everything found again, nothing touched by a
//! stranger's key.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use haechi_conformance::{Launch, Server, entries, fingerprint, mode, places_of};

const PLAINTEXT: &str = "known-plaintext-1c9d7d1c";
const ALIAS: &str = "alias/known-alias-8f0e";
const USER: &str = "known-user-5b7a";
const SID: &str = "KnownPolicySid3d21";
const TAG: &str = "known-tag-77aa";

/// Fills a server with content whose every name can be searched for; answers further secrets.
fn fill(server: &Server) -> Vec<String> {
    let text = ["--output", "text"];
    let aws = |arguments: &[&str]| server.aws(&[arguments, &text[..]].concat()).ok();
    let description = format!("--description={PLAINTEXT}");
    let tags = format!("--tags=TagKey=name,TagValue={TAG}");
    let create = ["kms", "create-key", "--query", "KeyMetadata.KeyId", &description, &tags];
    let key_id = aws(&create);
    aws(&["kms", "create-alias", "--alias-name", ALIAS, "--target-key-id", &key_id]);
    let data_key = aws(&[
        "kms",
        "generate-data-key",
        "--key-id",
        ALIAS,
        "--key-spec=AES_256",
        "--query=Plaintext",
    ]);
    let file = server.scratch().join("plaintext");
    std::fs::write(&file, PLAINTEXT).unwrap();
    let plaintext = format!("--plaintext=fileb://{}", file.display());
    aws(&["kms", "encrypt", "--key-id", ALIAS, &plaintext]);
    aws(&["iam", "create-user", "--user-name", USER]);
    let secret = aws(&[
        "iam",
        "create-access-key",
        "--user-name",
        USER,
        "--query=AccessKey.SecretAccessKey",
    ]);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"{SID}","Effect":"Allow",
            "Action":"kms:*","Resource":"*"}}]}}"#
    );
    let put = ["iam", "put-user-policy", "--user-name", USER, "--policy-name", "known-policy"];
    aws(&[&put[..], &["--policy-document", &policy]].concat());
    vec![data_key, secret]
}

#[test]
fn folders_are_0700_and_files_0600() {
    let server = Launch::new().start();
    fill(&server);
    assert_eq!(mode(server.data()), 0o700);
    assert_eq!(mode(&server.ready_file()), 0o600);
    for entry in entries(server.data()) {
        // The certificate of the local authority is public: clients of other users trust it.
        let is_certificate = entry.path.extension().is_some_and(|extension| extension == "pem")
            && entry.mode == 0o644;
        let expected = if entry.is_folder { 0o700 } else { 0o600 };
        assert!(entry.mode == expected || is_certificate, "{entry:?}");
    }
}

#[test]
fn nothing_that_was_stored_can_be_read_from_the_disk() {
    let mut server = Launch::new().start();
    let secrets = fill(&server);
    let mut needles = [PLAINTEXT, SID, TAG].map(str::to_owned).to_vec();
    needles.extend(secrets);
    for needle in &needles {
        let places = places_of(needle.as_bytes(), server.data());
        assert!(places.is_empty(), "`{needle}` stands in {places:?}");
    }
    // Names that AWS's audit records carry stand in the audit log, and nowhere else.
    for name in [ALIAS, USER] {
        let places = places_of(name.as_bytes(), server.data());
        let elsewhere: Vec<_> =
            places.iter().filter(|path| !path.to_string_lossy().contains("audit")).collect();
        assert!(elsewhere.is_empty(), "`{name}` stands in {elsewhere:?}");
    }
    // The root secret stands in the credentials file, and nowhere else.
    let places = places_of(server.ready().secret_access_key.as_bytes(), server.data());
    assert!(places.iter().all(|path| path.ends_with("credentials")), "{places:?}");
    assert_eq!(server.terminate(), Some(0));
    for needle in &needles {
        let places = places_of(needle.as_bytes(), server.data());
        assert!(places.is_empty(), "after the end `{needle}` stands in {places:?}");
    }
}

#[test]
fn a_restart_finds_everything_again() {
    let mut server = Launch::new().start();
    fill(&server);
    let before = (server.ready().account_id.clone(), server.ready().access_key_id.clone());
    let describe = ["kms", "describe-key", "--key-id", ALIAS];
    let user = ["iam", "get-user", "--user-name", USER];
    let (key, alice) = (server.aws(&describe).ok(), server.aws(&user).ok());
    assert_eq!(server.terminate(), Some(0));
    server.restart();
    assert_eq!((server.ready().account_id.clone(), server.ready().access_key_id.clone()), before);
    assert_eq!(server.aws(&describe).ok(), key);
    assert_eq!(server.aws(&user).ok(), alice);
}

#[test]
fn sigterm_and_ctrl_c_stop_it_cleanly() {
    let mut server = Launch::new().start();
    assert_eq!(server.terminate(), Some(0));
    server.restart();
    assert_eq!(server.interrupt(), Some(0));
    let mut server = Launch::dev().start();
    assert_eq!(server.terminate(), Some(0));
}

/// The root key of the default seal: the file that says so in its name.
fn root_key_file(data: &Path) -> std::path::PathBuf {
    let is_root_key = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.contains("root") && name.contains("key")
    };
    let mut files = entries(data).into_iter().filter(|entry| !entry.is_folder);
    files.find(|entry| is_root_key(&entry.path)).expect("a root key file").path
}

#[test]
fn a_wrong_root_key_refuses_to_start_and_touches_nothing() {
    let mut server = Launch::new().start();
    let mut stranger = Launch::new().start();
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(stranger.terminate(), Some(0));
    let root_key = root_key_file(server.data());
    let right = std::fs::read(&root_key).unwrap();
    std::fs::write(&root_key, std::fs::read(root_key_file(stranger.data())).unwrap()).unwrap();

    let before = fingerprint(server.data());
    let refusal = Launch::new().data(server.data()).refusal();
    assert!(refusal.output.contains("root key"), "{}", refusal.output);
    assert!(fingerprint(server.data()) == before, "the refusal changed the data directory");

    std::fs::write(&root_key, right).unwrap();
    server.restart();
    server.aws(&["kms", "list-keys"]).ok();
}

#[test]
fn a_second_server_on_the_same_directory_refuses_to_start() {
    let server = Launch::new().start();
    let refusal = Launch::new().data(server.data()).refusal();
    assert_ne!(refusal.code, Some(0));
    server.aws(&["kms", "list-keys"]).ok();
}

#[test]
fn a_corrupt_database_is_an_error_that_names_the_file_and_not_a_loss() {
    let mut server = Launch::new().start();
    fill(&server);
    assert_eq!(server.terminate(), Some(0));
    let database = entries(server.data())
        .into_iter()
        .filter(|entry| entry.path.is_file())
        .find(|entry| std::fs::read(&entry.path).unwrap().starts_with(b"SQLite format 3\0"))
        .expect("an SQLite file")
        .path;
    let whole = std::fs::read(&database).unwrap();
    let mut broken = whole.clone();
    for byte in &mut broken[..4096] {
        *byte ^= 0x5a;
    }
    std::fs::write(&database, &broken).unwrap();
    let refusal = Launch::new().data(server.data()).refusal();
    let name = database.file_name().unwrap().to_string_lossy().into_owned();
    assert!(refusal.output.contains(&name), "{}", refusal.output);
    assert!(std::fs::read(&database).unwrap() == broken, "a refusal must not write");
    std::fs::write(&database, whole).unwrap();
    server.restart();
    server.aws(&["kms", "describe-key", "--key-id", ALIAS]).ok();
}

#[test]
fn a_data_directory_that_others_can_read_is_refused() {
    let mut server = Launch::new().start();
    assert_eq!(server.terminate(), Some(0));
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(server.data(), open).unwrap();
    let refusal = Launch::new().data(server.data()).refusal();
    assert!(refusal.output.contains("chmod 700"), "{}", refusal.output);
}
