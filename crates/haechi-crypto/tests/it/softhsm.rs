//! The PKCS#11 seal against SoftHSM2, a token in software.
//!
//! SoftHSM reads its configuration from the environment, so each test runs in a child process with
//! a token directory of its own. Without SoftHSM these tests fail: `cargo xtask test` installs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use haechi_crypto::seal::{SEAL_FILE_NAME, SecretNeeded, create};
use haechi_crypto::{SealConfig, SealError, SealRequest, SecretVec, SystemRandom};

use crate::child;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "4321";
const MISSING: &str =
    "SoftHSM2 is not installed; run `cargo xtask test`, or: apt-get install softhsm2";

/// In the parent: makes a token named `haechi` and runs the test in a child. In the child: true.
fn in_child_with_token(test: &str) -> bool {
    if child::is_child() {
        return true;
    }
    assert!(Path::new(MODULE).exists(), "{MISSING}");
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let configuration = directory.path().join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
    fs::write(&configuration, text).unwrap();
    let output = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "haechi", "--so-pin", "8765", "--pin", PIN])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect(MISSING);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    child::run(&format!("softhsm::{test}"), &[("SOFTHSM2_CONF", &configuration)]);
    false
}

fn request(token_label: &str, key_label: &str, pin: &str) -> SealRequest {
    SealRequest::Pkcs11 {
        module: MODULE.into(),
        token_label: token_label.into(),
        key_label: key_label.into(),
        pin: secret(pin),
    }
}

fn secret(text: &str) -> SecretVec {
    SecretVec::copy_from(text.as_bytes())
}

fn session() -> Session {
    let library = Pkcs11::new(MODULE).unwrap();
    // Whoever comes second finds it initialised.
    drop(library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)));
    let slot = library.get_slots_with_initialized_token().unwrap()[0];
    let session = library.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::from(PIN))).unwrap();
    session
}

fn refusal(request: &SealRequest, directory: &Path) -> SealError {
    create(request, directory, &SystemRandom::new()).err().expect("a refusal")
}

#[test]
fn a_root_key_wrapped_by_the_token_comes_back_with_its_pin_only() {
    if !in_child_with_token("a_root_key_wrapped_by_the_token_comes_back_with_its_pin_only") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let request = request("haechi", "root-wrapping", PIN);
    let (config, root) = create(&request, directory.path(), &SystemRandom::new()).unwrap();
    config.save(directory.path()).unwrap();
    drop(root);

    let config = SealConfig::load(directory.path()).unwrap().unwrap();
    assert_eq!(config.secret_needed(), SecretNeeded::Pin);
    // `unseal` succeeds only if the check value opens: it is the same root key.
    config.unseal(directory.path(), Some(&secret(PIN))).unwrap();
    config.unseal(directory.path(), Some(&secret(PIN))).expect("a second time");
    let refused = config.unseal(directory.path(), None).err().unwrap();
    assert!(matches!(refused, SealError::SecretMissing { what: "PIN" }));
    let refused = config.unseal(directory.path(), Some(&secret("0000"))).err().unwrap();
    assert!(matches!(refused, SealError::WrongPin { .. }), "{refused}");
    assert!(refused.to_string().contains("locks"), "{refused}");
}

#[test]
fn the_wrapping_key_is_made_once_and_cannot_leave_the_token() {
    if !in_child_with_token("the_wrapping_key_is_made_once_and_cannot_leave_the_token") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let random = SystemRandom::new();
    for _ in 0..2 {
        create(&request("haechi", "root-wrapping", PIN), directory.path(), &random).unwrap();
    }
    let session = session();
    let keys = session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
    assert_eq!(keys.len(), 1);
    let asked =
        [AttributeType::Extractable, AttributeType::Sensitive, AttributeType::NeverExtractable];
    let found = session.get_attributes(keys[0], &asked).unwrap();
    let expected = [
        Attribute::Extractable(false),
        Attribute::Sensitive(true),
        Attribute::NeverExtractable(true),
    ];
    assert_eq!(found, expected);
    let value = session.get_attributes(keys[0], &[AttributeType::Value]).unwrap();
    assert!(value.is_empty(), "the key's value can be read");
}

#[test]
fn an_extractable_wrapping_key_is_refused() {
    if !in_child_with_token("an_extractable_wrapping_key_is_refused") {
        return;
    }
    let session = session();
    let template = [
        Attribute::Token(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(true),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::ValueLen(32.into()),
        Attribute::Label(b"loose".to_vec()),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    drop(session);
    let directory = tempfile::tempdir().unwrap();
    let refused = refusal(&request("haechi", "loose", PIN), directory.path());
    assert!(matches!(refused, SealError::TokenKeyExtractable { .. }), "{refused}");
}

#[test]
fn a_missing_token_key_or_library_and_a_changed_seal_are_named() {
    if !in_child_with_token("a_missing_token_key_or_library_and_a_changed_seal_are_named") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let refused = refusal(&request("other", "k", PIN), directory.path());
    assert!(matches!(&refused, SealError::TokenNotFound { found, .. } if found == "haechi"));

    let module = PathBuf::from("/nonexistent/pkcs11.so");
    let (token_label, key_label) = ("haechi".to_owned(), "k".to_owned());
    let absent =
        SealRequest::Pkcs11 { module: module.clone(), token_label, key_label, pin: secret(PIN) };
    let refused = refusal(&absent, directory.path());
    assert!(matches!(&refused, SealError::Pkcs11Module { module: named, .. } if *named == module));

    let random = SystemRandom::new();
    let made = create(&request("haechi", "k", PIN), directory.path(), &random);
    let (config, _) = made.unwrap();
    let json = serde_json::to_string(&config).unwrap();
    let changed = json.replace("\"key_label\":\"k\"", "\"key_label\":\"other\"");
    fs::write(directory.path().join(SEAL_FILE_NAME), changed).unwrap();
    let changed = SealConfig::load(directory.path()).unwrap().unwrap();
    let refused = changed.unseal(directory.path(), Some(&secret(PIN))).err().unwrap();
    assert!(matches!(refused, SealError::TokenKey { count: 0, .. }), "{refused}");

    // Another key under the same label: the token's own GCM tag refuses.
    let session = session();
    for key in session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap() {
        session.destroy_object(key).unwrap();
    }
    drop(session);
    create(&request("haechi", "k", PIN), directory.path(), &random).unwrap();
    let refused = config.unseal(directory.path(), Some(&secret(PIN))).err().unwrap();
    assert!(matches!(refused, SealError::Token { .. }), "{refused}");
}
