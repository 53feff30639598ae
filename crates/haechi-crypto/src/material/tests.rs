//! Tokens: bound to everything that says what the material is for.

use super::*;
use crate::RootKey;
use crate::ciphertext::{Blob, BlobKind, EncryptionContext, MaterialHandle, encrypt};
use crate::random::seeded::SeededRandom;

const CONTEXT: MaterialContext<'static> = MaterialContext {
    account: "123456789012",
    key_id: "1234abcd-12ab-34cd-56ef-1234567890ab",
    material_id: "0f",
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
};

fn keyring(seed: u64) -> Keyring {
    let random = SeededRandom::new(seed);
    Keyring::create(&RootKey::generate(&random).unwrap(), 0, &random).unwrap().0
}

fn symmetric(material: KeyMaterial) -> SymmetricMaterial {
    let KeyMaterial::Symmetric(material) = material else { panic!("not symmetric") };
    material
}

fn token(keyring: &Keyring) -> (SymmetricMaterial, Vec<u8>) {
    let random = SeededRandom::new(5);
    let material = KeyMaterial::Symmetric(SymmetricMaterial::generate(&random).unwrap());
    let token = material.wrap(keyring, &CONTEXT, &random).unwrap();
    (symmetric(material), token)
}

#[test]
fn unwrapped_material_opens_what_the_original_sealed() {
    let keyring = keyring(1);
    let (original, token) = token(&keyring);
    let (random, none) = (SeededRandom::new(6), EncryptionContext::new());
    let handle = MaterialHandle::generate(&random).unwrap();
    let kind = BlobKind::Encrypt;
    let blob = encrypt(kind, &original, &handle, &none, b"secret", &random).unwrap();
    let unwrapped = symmetric(KeyMaterial::unwrap(&keyring, &CONTEXT, &token).unwrap());
    let opened = Blob::parse(&blob).unwrap().decrypt(&unwrapped, &none).unwrap();
    assert_eq!(opened.expose(), b"secret");
}

#[test]
fn a_token_does_not_contain_the_material() {
    let (material, token) = token(&keyring(1));
    assert!(!token.windows(8).any(|window| material.secret().expose().starts_with(window)));
}

#[test]
fn a_token_opens_for_no_other_account_key_material_spec_usage_or_origin() {
    let keyring = keyring(1);
    let (_, token) = token(&keyring);
    assert!(KeyMaterial::unwrap(&keyring, &CONTEXT, &token).is_ok());
    for other in [
        MaterialContext { account: "123456789013", ..CONTEXT },
        MaterialContext { key_id: "1234abcd-12ab-34cd-56ef-1234567890ac", ..CONTEXT },
        MaterialContext { material_id: "10", ..CONTEXT },
        MaterialContext { spec: "HMAC_256", ..CONTEXT },
        MaterialContext { usage: "GENERATE_VERIFY_MAC", ..CONTEXT },
        MaterialContext { origin: "EXTERNAL", ..CONTEXT },
        // The same bytes in a row, cut elsewhere.
        MaterialContext { spec: "SYMMETRIC_DEFAULTE", usage: "NCRYPT_DECRYPT", ..CONTEXT },
    ] {
        let refused = KeyMaterial::unwrap(&keyring, &other, &token).err();
        let expected = MaterialError::Keyring(KeyringError::ValueRefused);
        assert_eq!(refused, Some(expected), "{other:?}");
    }
}

#[test]
fn a_token_opens_under_its_own_keyring_only_and_not_as_a_stored_value() {
    let made = keyring(1);
    let (_, token) = token(&made);
    assert!(KeyMaterial::unwrap(&keyring(2), &CONTEXT, &token).is_err());
    assert!(made.open_value(&CONTEXT.aad(), &token).is_err());
}

#[test]
fn a_kind_of_a_later_version_is_named() {
    let keyring = keyring(1);
    for (content, kind) in [(&[200u8, 1, 2][..], 200), (&[], 0), (&[20, 1], 20)] {
        let random = SeededRandom::new(7);
        let aad = CONTEXT.aad();
        let token = keyring.seal_for(Purpose::KeyMaterial, &aad, content, &random).unwrap();
        let refused = KeyMaterial::unwrap(&keyring, &CONTEXT, &token).err();
        assert_eq!(refused, Some(MaterialError::UnknownKind { kind }));
    }
}

#[test]
fn every_spec_is_wrapped_and_unwrapped_as_the_same_key() {
    let (keyring, random) = (keyring(1), SeededRandom::new(8));
    for spec in KeySpec::ALL {
        let context = MaterialContext { spec: spec.name(), ..CONTEXT };
        let material = KeyMaterial::generate(spec, &random).unwrap();
        assert_eq!(material.spec(), spec);
        let token = material.wrap(&keyring, &context, &random).unwrap();
        let secret = material.stored().unwrap();
        let tail = &secret.expose()[secret.len() - 16..];
        assert!(!token.windows(16).any(|window| window == tail), "{spec:?} in the clear");
        let unwrapped = KeyMaterial::unwrap(&keyring, &context, &token).unwrap();
        assert!(unwrapped.stored().unwrap() == secret, "{spec:?}");
        assert_eq!(unwrapped.fingerprint(), material.fingerprint());
        assert_eq!(unwrapped.public_key().is_some(), spec.is_key_pair());
    }
}

#[test]
fn a_token_is_neither_made_nor_opened_for_another_spec() {
    let (keyring, random) = (keyring(1), SeededRandom::new(8));
    let material = KeyMaterial::generate(KeySpec::Hmac256, &random).unwrap();
    let context = "SYMMETRIC_DEFAULT".to_owned();
    let mismatch = MaterialError::SpecMismatch { material: KeySpec::Hmac256, context };
    assert_eq!(material.wrap(&keyring, &CONTEXT, &random), Err(mismatch.clone()));
    // Even where the AAD were forged: an HMAC key's bytes never become an encryption key.
    let content = [&[KeySpec::Hmac256.code()][..], &[7; 32]].concat();
    let aad = CONTEXT.aad();
    let token = keyring.seal_for(Purpose::KeyMaterial, &aad, &content, &random).unwrap();
    assert_eq!(KeyMaterial::unwrap(&keyring, &CONTEXT, &token).err(), Some(mismatch));
}

#[test]
fn a_token_with_a_key_of_the_wrong_length_is_refused_by_name() {
    let (keyring, random, aad) = (keyring(1), SeededRandom::new(8), CONTEXT.aad());
    let token = keyring.seal_for(Purpose::KeyMaterial, &aad, &[1, 2, 3], &random).unwrap();
    let refused = KeyMaterial::unwrap(&keyring, &CONTEXT, &token).err();
    let spec = KeySpec::SymmetricDefault;
    assert_eq!(refused, Some(MaterialError::InvalidMaterial { spec }));
}

#[test]
fn fingerprints_differ_between_keys_and_between_specs_of_the_same_bytes() {
    let of =
        |spec, byte| KeyMaterial::from_imported(spec, &[byte; 32]).unwrap().fingerprint().unwrap();
    let (symmetric, hmac) = (KeySpec::SymmetricDefault, KeySpec::Hmac256);
    assert_eq!(of(symmetric, 1), of(symmetric, 1));
    assert_ne!(of(symmetric, 1), of(symmetric, 2));
    assert_ne!(of(symmetric, 1), of(hmac, 1));
}
