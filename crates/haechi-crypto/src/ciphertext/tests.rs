//! The blob: worked vector, then properties.

use proptest::prelude::*;

use super::*;
use crate::random::seeded::SeededRandom;
use crate::{SecretBytes, hex};

/// Hands out given bytes, once.
struct Scripted(Vec<u8>);

impl Random for Scripted {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        assert_eq!(out.len(), self.0.len());
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

struct BrokenRandom;

impl Random for BrokenRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::new("draw random bytes"))
    }
}

fn counting(from: u8) -> [u8; 32] {
    std::array::from_fn(|i| from + u8::try_from(i).unwrap())
}

fn material(seed: u64) -> SymmetricMaterial {
    SymmetricMaterial::generate(&SeededRandom::new(seed)).unwrap()
}

fn handle() -> MaterialHandle {
    MaterialHandle::from_bytes(counting(0x20))
}

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn sealed(plaintext: &[u8], context: &EncryptionContext) -> Vec<u8> {
    let random = SeededRandom::new(9);
    encrypt(BlobKind::Encrypt, &material(1), &handle(), context, plaintext, &random).unwrap()
}

fn open(blob: &[u8], material: &SymmetricMaterial, context: &EncryptionContext) -> Option<Vec<u8>> {
    let plaintext = Blob::parse(blob).ok()?.decrypt(material, context).ok()?;
    Some(plaintext.into_inner())
}

/// The vector of `docs/ciphertext.md`, which was computed with another implementation.
#[test]
fn the_worked_vector_of_the_specification_is_what_encrypt_gives() {
    let documented = include_str!("../../../../docs/ciphertext.md");
    let after = documented.split("<!-- worked vector -->").nth(1).unwrap();
    let expected = hex::decode(after.split("```").nth(1).unwrap().trim_start_matches("text"));
    assert_eq!(expected.len(), 150);

    let material = SymmetricMaterial::new(SecretBytes::take(&mut counting(0)));
    let context = context(&[("tenant", "12"), ("purpose", "worked example")]);
    let random = Scripted([counting(0x40).as_slice(), &counting(0x60)[..12]].concat());
    let kind = BlobKind::Encrypt;
    let plaintext = b"haechi keeps secrets";
    let blob = encrypt(kind, &material, &handle(), &context, plaintext, &random).unwrap();
    assert_eq!(blob, expected);
    assert_eq!(open(&blob, &material, &context).unwrap(), plaintext);
}

#[test]
fn a_blob_is_130_bytes_longer_than_its_plaintext_and_names_its_material_and_origin() {
    for (kind, code) in [(BlobKind::Encrypt, 2), (BlobKind::GenerateDataKey, 3)] {
        let random = SeededRandom::new(2);
        let none = EncryptionContext::new();
        let bytes = encrypt(kind, &material(1), &handle(), &none, &[5; 32], &random).unwrap();
        assert_eq!(bytes.len(), 130 + 32);
        assert_eq!(bytes[..5], [1, 2, code, 0, 0x78]);
        let blob = Blob::parse(&bytes).unwrap();
        assert_eq!((blob.kind(), blob.handle(), blob.plaintext_len()), (kind, handle(), 32));
    }
}

#[test]
fn the_same_call_twice_gives_two_unrelated_blobs() {
    let random = SeededRandom::new(3);
    let (material, none) = (material(1), EncryptionContext::new());
    let call = || encrypt(BlobKind::Encrypt, &material, &handle(), &none, b"same", &random);
    let (first, second) = (call().unwrap(), call().unwrap());
    assert_ne!(first[38..70], second[38..70], "salt");
    assert_ne!(first[70..102], second[70..102], "commitment");
    assert_ne!(first[114..118], second[114..118], "ciphertext");
}

#[test]
fn the_empty_and_the_longest_plaintext_come_back_and_one_more_byte_is_refused() {
    let none = EncryptionContext::new();
    for length in [0, PLAINTEXT_BYTES_MAX] {
        let plaintext = vec![7; length];
        let blob = sealed(&plaintext, &none);
        assert!(blob.len() <= BLOB_BYTES_MAX);
        assert_eq!(open(&blob, &material(1), &none).unwrap(), plaintext);
    }
    let long = vec![7; PLAINTEXT_BYTES_MAX + 1];
    let random = SeededRandom::new(1);
    let refused = encrypt(BlobKind::Encrypt, &material(1), &handle(), &none, &long, &random);
    assert_eq!(refused, Err(EncryptError::TooLong { length: long.len() }));
    assert!(Blob::parse(&[0; BLOB_BYTES_MAX + 1]).is_err());
}

#[test]
fn failing_randomness_fails_the_call() {
    let none = EncryptionContext::new();
    let kind = BlobKind::Encrypt;
    let refused = encrypt(kind, &material(1), &handle(), &none, b"x", &BrokenRandom);
    assert!(matches!(refused, Err(EncryptError::Crypto(_))));
}

#[test]
fn every_single_bit_of_a_blob_is_protected() {
    let context = context(&[("a", "1")]);
    let blob = sealed(b"secret", &context);
    let material = material(1);
    assert!(open(&blob, &material, &context).is_some());
    for bit in 0..blob.len() * 8 {
        let mut changed = blob.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&changed, &material, &context).is_none(), "bit {bit}");
    }
}

#[test]
fn every_truncation_and_extension_of_a_blob_is_refused() {
    let none = EncryptionContext::new();
    let blob = sealed(b"secret", &none);
    for length in 0..blob.len() {
        assert!(open(&blob[..length], &material(1), &none).is_none(), "{length} bytes");
    }
    assert!(open(&[blob.as_slice(), &[0]].concat(), &material(1), &none).is_none());
}

#[test]
fn a_context_that_differs_in_any_way_is_refused() {
    let made = context(&[("ab", "c"), ("d", "e")]);
    let blob = sealed(b"secret", &made);
    for other in [
        &[][..],
        &[("ab", "c")],
        &[("a", "bc"), ("d", "e")],
        &[("abc", ""), ("d", "e")],
        &[("ab", "c"), ("d", "E")],
        &[("AB", "c"), ("d", "e")],
        &[("ab", "e"), ("d", "c")],
        &[("ab", "c"), ("d", "e"), ("f", "")],
        &[("ab", "cde")],
    ] {
        assert!(open(&blob, &material(1), &context(other)).is_none(), "{other:?}");
    }
    let reordered = context(&[("d", "e"), ("ab", "c")]);
    assert!(open(&blob, &material(1), &reordered).is_some(), "order must not matter");
}

#[test]
fn a_blob_opens_under_its_own_material_only_even_with_the_handle_exchanged() {
    let none = EncryptionContext::new();
    let blob = sealed(b"secret", &none);
    for seed in 2..50 {
        assert!(open(&blob, &material(seed), &none).is_none());
    }
    let mut exchanged = blob;
    exchanged[5..37].copy_from_slice(&counting(0x80));
    assert!(open(&exchanged, &material(1), &none).is_none());
}

/// With the commitment recomputed for other material, AES-GCM itself still refuses.
#[test]
fn a_forged_commitment_does_not_help() {
    let none = EncryptionContext::new();
    let mut blob = sealed(b"secret", &none);
    let other = material(2);
    let salt: [u8; 32] = blob[38..70].try_into().unwrap();
    let forged = MessageKey::derive(other.secret(), 1, &handle(), &salt).unwrap();
    blob[70..102].copy_from_slice(forged.commitment());
    assert!(Blob::parse(&blob).unwrap().message_key(&other).is_ok(), "the commitment fits");
    assert!(open(&blob, &other, &none).is_none());
}

/// What a holder of the material could make to fit two materials: authentic for AES-GCM, with a
/// commitment that is not this material's. Only the commitment check refuses it.
#[test]
fn a_blob_that_aes_gcm_would_open_is_refused_for_its_commitment() {
    let (material, none) = (material(1), EncryptionContext::new());
    let salt = counting(0x40);
    let key = MessageKey::derive(material.secret(), SUITE, &handle(), &salt).unwrap();
    let make = |commitment: &[u8; 32]| {
        let prefix = BlobKind::Encrypt.prefix();
        let handle = handle();
        let parts: [&[u8]; 5] = [&prefix, handle.as_bytes(), &[SUITE], &salt, commitment];
        let mut blob = parts.concat();
        let aad = additional_data(&blob, &none);
        let (iv, mut body) = ([3; 12], *b"secret");
        let tag = key.aead().unwrap().seal_in_place(iv, &aad, &mut body).unwrap();
        blob.extend([&iv[..], &body, &tag].concat());
        blob
    };
    assert!(open(&make(key.commitment()), &material, &none).is_some());
    let mut other = *key.commitment();
    other[31] ^= 1;
    assert!(open(&make(&other), &material, &none).is_none());
}

proptest! {
    #[test]
    fn parsing_any_bytes_neither_panics_nor_opens(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(open(&bytes, &material(1), &EncryptionContext::new()).is_none());
    }

    #[test]
    fn a_blob_with_a_valid_frame_and_any_content_does_not_open(
        content in proptest::collection::vec(any::<u8>(), 93..300),
    ) {
        let frame = [&[1, 2, 2, 0, 0x78], handle().as_bytes().as_slice(), &[1], &content].concat();
        prop_assert!(Blob::parse(&frame).is_ok());
        prop_assert!(open(&frame, &material(1), &EncryptionContext::new()).is_none());
    }

    #[test]
    fn what_is_encrypted_comes_back_and_under_no_other_context(
        plaintext in proptest::collection::vec(any::<u8>(), 0..300),
        made in proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..5),
        other in proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..5),
    ) {
        let blob = sealed(&plaintext, &made);
        prop_assert_eq!(open(&blob, &material(1), &made), Some(plaintext));
        if made != other {
            prop_assert_eq!(open(&blob, &material(1), &other), None);
        }
    }
}
