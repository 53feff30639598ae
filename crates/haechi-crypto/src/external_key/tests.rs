use super::*;
use crate::SystemRandom;

const ADDITIONAL: &[u8] = b"project=nile,department=marketing";

fn material(byte: u8) -> (SymmetricMaterial, MaterialHandle) {
    let material = SymmetricMaterial::new(SecretBytes::take(&mut [byte; 32]));
    (material, MaterialHandle::from_bytes([byte; 32]))
}

fn sealed(plaintext: &[u8]) -> ExternalCiphertext {
    let (material, handle) = material(7);
    material.encrypt_externally(&handle, ADDITIONAL, plaintext, &SystemRandom::new()).unwrap()
}

fn opens(additional_data: &[u8], sealed: &ExternalCiphertext) -> Option<Vec<u8>> {
    let (material, handle) = material(7);
    let opened = material.decrypt_externally(&handle, additional_data, sealed).ok()?;
    Some(opened.into_inner())
}

#[test]
fn what_was_encrypted_opens_and_has_the_sizes_of_the_specification() {
    for length in [0, 1, 32, 4300] {
        let plaintext = vec![5; length];
        let sealed = sealed(&plaintext);
        assert_eq!(sealed.ciphertext.len(), length);
        assert_eq!(sealed.initialization_vector.len(), 12);
        assert_eq!(sealed.metadata.len(), METADATA_BYTES_MAX);
        assert_eq!(opens(ADDITIONAL, &sealed), Some(plaintext));
    }
}

#[test]
fn nothing_opens_with_another_key_other_additional_data_or_a_changed_part() {
    let good = sealed(b"a data key");
    let (other, other_handle) = material(8);
    assert!(other.decrypt_externally(&other_handle, ADDITIONAL, &good).is_err());
    let (_, handle) = material(7);
    assert!(other.decrypt_externally(&handle, ADDITIONAL, &good).is_err());
    for additional in [&b""[..], b"project=nile", ADDITIONAL.split_last().unwrap().1] {
        assert_eq!(opens(additional, &good), None);
    }
    for part in 0..4 {
        for index in 0..20 {
            let mut bad = good.clone();
            let bytes: &mut [u8] = match part {
                0 => &mut bad.metadata,
                1 => &mut bad.initialization_vector,
                2 => &mut bad.ciphertext,
                _ => &mut bad.authentication_tag,
            };
            let Some(byte) = bytes.get_mut(index) else { continue };
            *byte ^= 1;
            assert_eq!(opens(ADDITIONAL, &bad), None, "part {part}, byte {index}");
        }
    }
}

#[test]
fn metadata_cannot_be_passed_off_as_additional_data() {
    let good = sealed(b"a data key");
    let joined = [ADDITIONAL, &good.metadata].concat();
    let bad = ExternalCiphertext { metadata: Vec::new(), ..good };
    assert_eq!(opens(&joined, &bad), None);
    assert_ne!(authenticated_data(b"ab", b""), authenticated_data(b"", b"ab"));
    assert_eq!(authenticated_data(b"ab", b"c"), Some(b"\x00\x02ab\x01c".to_vec()));
    assert_eq!(authenticated_data(&[0; 65_536], b""), None);
}

#[test]
fn an_iv_of_another_length_is_refused() {
    let good = sealed(b"a data key");
    let bad = ExternalCiphertext { initialization_vector: vec![0; 16], ..good };
    assert_eq!(opens(ADDITIONAL, &bad), None);
}

/// Computed with Python: `cryptography`'s `KBKDFHMAC` and `AESGCM`.
#[test]
fn a_ciphertext_of_another_implementation_opens() {
    let text = include_str!("../../../../docs/ciphertext.md");
    let (_, vector) = text.split_once("<!-- external key vector -->").unwrap();
    let hex = |name: &str| {
        let line = vector.lines().find(|line| line.starts_with(name)).unwrap();
        let digits = line.split_whitespace().last().unwrap();
        crate::hex::decode(digits)
    };
    let material = SymmetricMaterial::new(SecretBytes::copy_from(&hex("HBK")).unwrap());
    let handle = MaterialHandle::from_bytes(hex("handle").try_into().unwrap());
    let sealed = ExternalCiphertext {
        metadata: hex("ciphertextMetadata"),
        initialization_vector: hex("initializationVector"),
        ciphertext: hex("ciphertext "),
        authentication_tag: hex("authenticationTag").try_into().unwrap(),
    };
    let opened = material.decrypt_externally(&handle, ADDITIONAL, &sealed).unwrap();
    assert_eq!(opened.expose(), b"Hello World!");
}
