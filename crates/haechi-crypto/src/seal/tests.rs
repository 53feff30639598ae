//! File and passphrase seals, and `seal.json`. The PKCS#11 seal is tested in `tests/it/softhsm.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::random::seeded::SeededRandom;

fn file_request() -> SealRequest {
    SealRequest::File { path: ROOT_KEY_FILE_NAME.into() }
}

fn passphrase_request(passphrase: &str) -> SealRequest {
    let passphrase = SecretVec::copy_from(passphrase.as_bytes());
    SealRequest::Passphrase { passphrase, cost: Argon2idCost::default() }
}

fn created(request: &SealRequest, directory: &Path) -> (SealConfig, RootKey) {
    let (config, root) = create(request, directory, &SeededRandom::new(1)).unwrap();
    config.save(directory).unwrap();
    (config, root)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn error(result: Result<RootKey, SealError>) -> SealError {
    result.err().expect("a refusal")
}

#[test]
fn a_file_seal_gives_the_same_root_key_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (_, root) = created(&file_request(), directory.path());
    let config = SealConfig::load(directory.path()).unwrap().unwrap();
    assert_eq!(config.secret_needed(), SecretNeeded::Nothing);
    let again = config.unseal(directory.path(), None).unwrap();
    assert_eq!(again.expose(), root.expose());
    assert_eq!(mode(&directory.path().join(ROOT_KEY_FILE_NAME)), 0o600);
    assert_eq!(mode(&directory.path().join(SEAL_FILE_NAME)), 0o600);
    let text = fs::read_to_string(directory.path().join(ROOT_KEY_FILE_NAME)).unwrap();
    assert_eq!(text.len(), 65);
    assert_eq!(crate::hex::decode(&text), root.expose());
}

#[test]
fn a_root_key_file_that_others_can_reach_is_refused_with_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = created(&file_request(), directory.path());
    let path = directory.path().join(ROOT_KEY_FILE_NAME);
    for loose in [0o640, 0o604, 0o620, 0o601, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(loose)).unwrap();
        let refused = error(config.unseal(directory.path(), None));
        assert!(matches!(refused, SealError::LoosePermissions { mode, .. } if mode == loose));
        assert!(refused.to_string().contains("chmod 600 "), "{refused}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(config.unseal(directory.path(), None).is_ok());
}

#[test]
fn a_missing_or_malformed_root_key_file_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = created(&file_request(), directory.path());
    let path = directory.path().join(ROOT_KEY_FILE_NAME);
    for content in ["", "abc", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64)] {
        fs::write(&path, content).unwrap();
        let refused = error(config.unseal(directory.path(), None));
        assert!(matches!(refused, SealError::RootKeyMalformed { .. }), "{content:?}: {refused}");
    }
    fs::remove_file(&path).unwrap();
    let refused = error(config.unseal(directory.path(), None));
    assert!(matches!(&refused, SealError::RootKeyMissing { path: named } if *named == path));
}

#[test]
fn another_root_key_is_refused_before_anything_else() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = created(&file_request(), directory.path());
    let path = directory.path().join(ROOT_KEY_FILE_NAME);
    fs::write(&path, "0".repeat(64)).unwrap();
    assert!(matches!(error(config.unseal(directory.path(), None)), SealError::WrongRootKey));
}

#[test]
fn an_interrupted_first_start_goes_on_with_the_root_key_that_it_wrote() {
    let directory = tempfile::tempdir().unwrap();
    let random = SeededRandom::new(1);
    let (_, first) = create(&file_request(), directory.path(), &random).unwrap();
    let (config, second) = create(&file_request(), directory.path(), &random).unwrap();
    assert_eq!(first.expose(), second.expose());
    assert!(config.verify(&first).is_ok());
}

#[test]
fn a_passphrase_seal_opens_with_its_passphrase_only() {
    let directory = tempfile::tempdir().unwrap();
    let (config, root) = created(&passphrase_request("correct horse"), directory.path());
    assert_eq!(config.secret_needed(), SecretNeeded::Passphrase);
    let unseal = |passphrase: &str| {
        let passphrase = SecretVec::copy_from(passphrase.as_bytes());
        config.unseal(directory.path(), Some(&passphrase))
    };
    assert_eq!(unseal("correct horse").unwrap().expose(), root.expose());
    for wrong in ["correct horsf", "correct horse ", ""] {
        assert!(matches!(error(unseal(wrong)), SealError::WrongPassphrase), "{wrong:?}");
    }
    let refused = error(config.unseal(directory.path(), None));
    assert!(matches!(refused, SealError::SecretMissing { what: "passphrase" }));
    assert!(!directory.path().join(ROOT_KEY_FILE_NAME).exists());
}

#[test]
fn argon2id_agrees_with_openssl() {
    // Computed with OpenSSL's ARGON2ID: "password", salt "somesalt0123456".
    let seal: PassphraseSeal = serde_json::from_str(
        r#"{"cost": {"memory_kib": 65536, "passes": 3, "lanes": 1},
            "salt": "c29tZXNhbHQwMTIzNDU2", "wrapped_root_key": ""}"#,
    )
    .unwrap();
    let key = seal.derive(&SecretVec::copy_from(b"password")).unwrap();
    let expected: [u8; 32] = crate::hex::array(ARGON2ID_EXPECTED);
    assert!(*key.expose() == expected);
}

const ARGON2ID_EXPECTED: &str = "1107ef669b4be6221b11cf00c5f68568715aea8caee1cf62a5ba565ac37eb533";

#[test]
fn a_short_passphrase_and_a_weak_or_huge_cost_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let make = |request| create(&request, directory.path(), &SeededRandom::new(1)).err().unwrap();
    let refused = make(passphrase_request("1234567"));
    assert!(matches!(refused, SealError::PassphraseTooShort { length: 7, minimum: 8 }));
    let default = Argon2idCost::default();
    for cost in [
        Argon2idCost { memory_kib: 65_535, ..default },
        Argon2idCost { memory_kib: u32::MAX, ..default },
        Argon2idCost { passes: 2, ..default },
        Argon2idCost { passes: 65, ..default },
        Argon2idCost { lanes: 0, ..default },
        Argon2idCost { lanes: 17, ..default },
    ] {
        let passphrase = SecretVec::copy_from(b"correct horse");
        let refused = make(SealRequest::Passphrase { passphrase, cost });
        assert!(matches!(refused, SealError::CostOutOfRange { .. }), "{cost:?}");
    }
}

#[test]
fn the_epoch_is_kept_grows_only_and_cannot_be_edited() {
    let directory = tempfile::tempdir().unwrap();
    let random = SeededRandom::new(2);
    let (mut config, root) = created(&file_request(), directory.path());
    assert_eq!(config.epoch(), 0);
    config.advance_epoch(&root, 7, &random).unwrap();
    config.save(directory.path()).unwrap();
    let mut config = SealConfig::load(directory.path()).unwrap().unwrap();
    assert_eq!(config.epoch(), 7);
    assert!(config.unseal(directory.path(), None).is_ok());
    let back = config.advance_epoch(&root, 6, &random);
    assert!(matches!(back, Err(SealError::EpochBackwards { current: 7, requested: 6 })));
    let other = RootKey::generate(&random).unwrap();
    let foreign = config.advance_epoch(&other, 8, &random);
    assert!(matches!(foreign, Err(SealError::WrongRootKey)));

    let path = directory.path().join(SEAL_FILE_NAME);
    let edited = fs::read_to_string(&path).unwrap().replace("\"epoch\": 7", "\"epoch\": 0");
    fs::write(&path, edited).unwrap();
    let config = SealConfig::load(directory.path()).unwrap().unwrap();
    assert_eq!(config.epoch(), 0);
    assert!(matches!(error(config.unseal(directory.path(), None)), SealError::WrongRootKey));
}

#[test]
fn no_seal_yet_is_not_an_error_and_a_malformed_one_is() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(SealConfig::load(directory.path()).unwrap(), None);
    let (config, _) = created(&file_request(), directory.path());
    let json = serde_json::to_string(&config).unwrap();
    for broken in [
        "",
        "{}",
        &json.replace("\"version\":1", "\"version\":2"),
        &json.replace("\"file\"", "\"shamir\""),
        &json.replace("\"epoch\"", "\"epocb\""),
        &json[..json.len() - 1],
    ] {
        fs::write(directory.path().join(SEAL_FILE_NAME), broken).unwrap();
        let refused = SealConfig::load(directory.path()).unwrap_err();
        assert!(matches!(refused, SealError::ConfigMalformed { .. }), "{broken}: {refused}");
    }
}

#[test]
fn seal_json_holds_no_root_key_in_any_form() {
    let directory = tempfile::tempdir().unwrap();
    let (config, root) = created(&passphrase_request("correct horse"), directory.path());
    let json = serde_json::to_value(&config).unwrap();
    let mut binary = fs::read(directory.path().join(SEAL_FILE_NAME)).unwrap();
    for pointer in ["/check", "/seal/wrapped_root_key", "/seal/salt"] {
        use base64::Engine;
        let text = json.pointer(pointer).unwrap().as_str().unwrap();
        binary.extend(base64::engine::general_purpose::STANDARD.decode(text).unwrap());
    }
    assert!(!binary.windows(8).any(|window| root.expose().windows(8).any(|key| key == window)));
}

#[test]
fn a_secret_file_loses_one_newline_and_must_be_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pin");
    for (content, expected) in
        [("1234\n", "1234"), ("1234", "1234"), ("1 \r\n", "1 "), ("\n\n", "\n")]
    {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_secret_file(&path).unwrap().expose(), expected.as_bytes());
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = read_secret_file(&path).err().unwrap();
    assert!(matches!(refused, SealError::LoosePermissions { mode: 0o644, .. }));
    fs::write(&path, vec![b'x'; 70_000]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(read_secret_file(&path), Err(SealError::Io { .. })));
}

#[test]
fn a_shamir_seal_opens_with_lines_of_shares_and_names_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let (config, root, shares) = create_shared(3, 2, None, &SeededRandom::new(5)).unwrap();
    config.save(directory.path()).unwrap();
    let json = fs::read_to_string(directory.path().join(SEAL_FILE_NAME)).unwrap();
    assert!(json.contains("\"type\": \"shamir\""), "{json}");
    let config = SealConfig::load(directory.path()).unwrap().unwrap();
    assert_eq!(config.secret_needed(), SecretNeeded::Shares(2));
    let lines = |places: &[usize]| {
        let lines: Vec<&[u8]> = places.iter().map(|place| shares[*place].expose()).collect();
        SecretVec::from(lines.join(&b'\n'))
    };
    let again = config.unseal(directory.path(), Some(&lines(&[2, 0]))).unwrap();
    assert_eq!(again.expose(), root.expose());
    for (given, secret) in [(0, None), (1, Some(lines(&[1])))] {
        let refused = error(config.unseal(directory.path(), secret.as_ref()));
        let expected = SealError::SharesMissing { given, threshold: 2 };
        assert_eq!(refused.to_string(), expected.to_string());
    }
    let refused = error(config.unseal(directory.path(), Some(&lines(&[1, 1]))));
    assert!(matches!(refused, SealError::ShareRepeated { index: 2 }), "{refused}");
}
