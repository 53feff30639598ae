//! Keys of custom key stores in SoftHSM2. Each test runs in a child process with a token of its own,
//! because SoftHSM reads its configuration from the environment.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use haechi_crypto::token_keys::{TokenError, TokenKeys};
use haechi_crypto::{ExternalCiphertext, SecretVec, SystemRandom};

use crate::child;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "kmsuser-4321";

/// In the parent: makes a token named `kms` and runs the test in a child. In the child: true.
fn in_child_with_token(test: &str) -> bool {
    if child::is_child() {
        return true;
    }
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let configuration = directory.path().join("softhsm2.conf");
    let text = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
    fs::write(&configuration, text).unwrap();
    let output = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "kms", "--so-pin", "8765", "--pin", PIN])
        .env("SOFTHSM2_CONF", &configuration)
        .output()
        .expect("SoftHSM2: run `cargo xtask test`, or: apt-get install softhsm2");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    child::run(&format!("token_keys::{test}"), &[("SOFTHSM2_CONF", &configuration)]);
    false
}

fn log_in(token: &str, pin: &str) -> Result<Arc<TokenKeys>, TokenError> {
    TokenKeys::log_in(Path::new(MODULE), token, &SecretVec::copy_from(pin.as_bytes()))
}

#[test]
fn a_key_encrypts_in_the_token_and_cannot_leave_it() {
    if !in_child_with_token("a_key_encrypts_in_the_token_and_cannot_leave_it") {
        return;
    }
    let (token, random) = (log_in("kms", PIN).unwrap(), SystemRandom::new());
    token.generate_key("key-1").unwrap();
    token.generate_key("key-2").unwrap();
    let sealed = token.encrypt("key-1", b"context", b"secret", &random).unwrap();
    assert_eq!((sealed.ciphertext.len(), sealed.metadata.len()), (6, 0));
    assert_eq!(token.decrypt("key-1", b"context", &sealed).unwrap().expose(), b"secret");
    let refused = |label: &str, aad: &[u8], sealed: &ExternalCiphertext| {
        token.decrypt(label, aad, sealed).err()
    };
    assert_eq!(refused("key-1", b"other", &sealed), Some(TokenError::InvalidCiphertext));
    assert_eq!(refused("key-2", b"context", &sealed), Some(TokenError::InvalidCiphertext));
    let mut changed = sealed.clone();
    changed.ciphertext[0] ^= 1;
    assert_eq!(refused("key-1", b"context", &changed), Some(TokenError::InvalidCiphertext));
    let missing = TokenError::NoKey { label: "key-3".to_owned() };
    assert_eq!(refused("key-3", b"context", &sealed), Some(missing.clone()));

    // The token itself refuses to tell the key.
    let library = Pkcs11::new(MODULE).unwrap();
    drop(library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)));
    let slot = library.get_slots_with_initialized_token().unwrap()[0];
    let session = library.open_ro_session(slot).unwrap();
    let keys = session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let attributes =
            [AttributeType::Extractable, AttributeType::Sensitive, AttributeType::Value];
        let found = session.get_attributes(key, &attributes).unwrap();
        assert!(found.contains(&Attribute::Extractable(false)), "{found:?}");
        assert!(found.contains(&Attribute::Sensitive(true)), "{found:?}");
        assert!(!found.iter().any(|told| matches!(told, Attribute::Value(_))), "{found:?}");
    }

    token.destroy_key("key-1").unwrap();
    token.destroy_key("key-1").unwrap();
    let missing = Some(TokenError::NoKey { label: "key-1".to_owned() });
    assert_eq!(refused("key-1", b"context", &sealed), missing);
    let mut drawn = [[0; 32]; 2];
    drawn.iter_mut().for_each(|bytes| token.fill_random(bytes).unwrap());
    assert_ne!(drawn[0], drawn[1]);
}

#[test]
fn a_login_needs_the_pin_also_while_somebody_is_logged_in() {
    if !in_child_with_token("a_login_needs_the_pin_also_while_somebody_is_logged_in") {
        return;
    }
    assert_eq!(log_in("kms", "wrong-pin").err(), Some(TokenError::WrongPin));
    let token = log_in("kms", PIN).unwrap();
    assert_eq!(log_in("kms", "wrong-pin").err(), Some(TokenError::WrongPin));
    assert!(Arc::ptr_eq(&log_in("kms", PIN).unwrap(), &token));
    drop(token);
    assert_eq!(log_in("kms", "wrong-pin").err(), Some(TokenError::WrongPin));
    log_in("kms", PIN).unwrap().generate_key("key").unwrap();

    let nowhere = Some(TokenError::NoToken { label: "nowhere".to_owned(), found: 0 });
    assert_eq!(log_in("nowhere", PIN).err(), nowhere);
    assert_eq!(TokenKeys::is_present(Path::new(MODULE), "nowhere").err(), nowhere);
    TokenKeys::is_present(Path::new(MODULE), "kms").unwrap();
    let no_module = TokenKeys::is_present(Path::new("/nonexistent.so"), "kms").err();
    assert!(matches!(no_module, Some(TokenError::Module { .. })), "{no_module:?}");
}
