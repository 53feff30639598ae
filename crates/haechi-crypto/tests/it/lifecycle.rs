//! First start, work, restart, change of root key.

use std::path::Path;

use haechi_crypto::ciphertext::{EncryptionContext, encrypt};
use haechi_crypto::seal::{ROOT_KEY_FILE_NAME, create};
use haechi_crypto::{
    Blob, BlobKind, KeyMaterial, Keyring, MaterialContext, MaterialHandle, RootKey, SealConfig,
    SealRequest, SymmetricMaterial, SystemRandom, WrappedKey,
};

const CONTEXT: MaterialContext<'static> = MaterialContext {
    account: "123456789012",
    key_id: "1234abcd-12ab-34cd-56ef-1234567890ab",
    material_id: "01",
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
};

/// What a store would hold.
struct Stored {
    rows: Vec<WrappedKey>,
    token: Vec<u8>,
    blob: Vec<u8>,
}

fn first_start(directory: &Path) -> Stored {
    let random = SystemRandom::new();
    let request = SealRequest::File { path: ROOT_KEY_FILE_NAME.into() };
    let (config, root) = create(&request, directory, &random).unwrap();
    config.save(directory).unwrap();
    let (keyring, rows) = Keyring::create(&root, 0, &random).unwrap();
    let material = SymmetricMaterial::generate(&random).unwrap();
    let handle = MaterialHandle::generate(&random).unwrap();
    let none = EncryptionContext::new();
    let kind = BlobKind::GenerateDataKey;
    let blob = encrypt(kind, &material, &handle, &none, b"data key", &random).unwrap();
    let token = KeyMaterial::Symmetric(material).wrap(&keyring, &CONTEXT, &random).unwrap();
    Stored { rows, token, blob }
}

fn decrypt(root: &RootKey, stored: &Stored) -> Vec<u8> {
    let keyring = Keyring::open(root, stored.rows.iter().map(WrappedKey::as_bytes), 0).unwrap();
    let material = KeyMaterial::unwrap(&keyring, &CONTEXT, &stored.token).unwrap();
    let KeyMaterial::Symmetric(material) = material else { panic!("symmetric material") };
    let blob = Blob::parse(&stored.blob).unwrap();
    blob.decrypt(&material, &EncryptionContext::new()).unwrap().expose().to_vec()
}

#[test]
fn what_was_encrypted_before_a_restart_opens_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let stored = first_start(directory.path());
    let config = SealConfig::load(directory.path()).unwrap().unwrap();
    let root = config.unseal(directory.path(), None).unwrap();
    assert_eq!(decrypt(&root, &stored), b"data key");
}

#[test]
fn the_root_key_can_be_changed_without_touching_tokens_or_blobs() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let random = SystemRandom::new();
    let mut stored = first_start(old.path());
    let config = SealConfig::load(old.path()).unwrap().unwrap();
    let root = config.unseal(old.path(), None).unwrap();
    let keyring = Keyring::open(&root, stored.rows.iter().map(WrappedKey::as_bytes), 0).unwrap();

    let request = SealRequest::File { path: ROOT_KEY_FILE_NAME.into() };
    let (_, new_root) = create(&request, new.path(), &random).unwrap();
    stored.rows = keyring.rewrap(&new_root, &random).unwrap();
    assert_eq!(decrypt(&new_root, &stored), b"data key");
    assert!(Keyring::open(&root, stored.rows.iter().map(WrappedKey::as_bytes), 0).is_err());
}
