//! What a key spec can be used for, and with which algorithms. Pure.
//!
//! Source: Developer Guide, "Key spec reference"; API Reference, CreateKey.

use haechi_crypto::{EncryptionAlgorithm, KeySpec};
use haechi_kms_model::shapes::KeyUsageType;

/// The name that the encryption algorithm of symmetric keys shares with their spec.
pub(crate) const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";

/// What keys of a spec can be made for; a key is made for one of them.
pub(crate) fn usages(spec: KeySpec) -> &'static [KeyUsageType] {
    use KeyUsageType as Usage;
    match spec {
        KeySpec::SymmetricDefault => &[Usage::EncryptDecrypt],
        KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => {
            &[Usage::GenerateVerifyMac]
        }
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
            &[Usage::EncryptDecrypt, Usage::SignVerify]
        }
        KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 => {
            &[Usage::SignVerify, Usage::KeyAgreement]
        }
        KeySpec::EccSecgP256k1
        | KeySpec::EccNistEdwards25519
        | KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87 => &[Usage::SignVerify],
        KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
            &[Usage::EncapsulateDecapsulate]
        }
    }
}

/// The encryption algorithms of a spec, for a key that encrypts.
pub(crate) fn encryption_algorithms(spec: KeySpec) -> &'static [&'static str] {
    match spec {
        KeySpec::SymmetricDefault => &[SYMMETRIC],
        _ if spec.is_rsa() => {
            const {
                let [first, second] = EncryptionAlgorithm::ALL;
                &[first.name(), second.name()]
            }
        }
        _ => &[],
    }
}

/// The longest plaintext that RSAES-OAEP takes: modulus − 2 · hash − 2 bytes (RFC 8017 §7.1).
pub(crate) fn plaintext_bytes_max(spec: KeySpec, algorithm: EncryptionAlgorithm) -> Option<usize> {
    let modulus = match spec {
        KeySpec::Rsa2048 => 256,
        KeySpec::Rsa3072 => 384,
        KeySpec::Rsa4096 => 512,
        _ => return None,
    };
    let hash = match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => 20,
        EncryptionAlgorithm::RsaesOaepSha256 => 32,
    };
    Some(modulus - 2 * hash - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spec_has_a_usage_and_algorithms_for_it() {
        for spec in KeySpec::ALL {
            for usage in usages(spec) {
                let able = match usage {
                    KeyUsageType::SignVerify => !spec.signing_algorithms().is_empty(),
                    KeyUsageType::EncryptDecrypt => !encryption_algorithms(spec).is_empty(),
                    KeyUsageType::GenerateVerifyMac => spec.mac_algorithm().is_some(),
                    KeyUsageType::KeyAgreement => spec.agrees_keys(),
                    KeyUsageType::EncapsulateDecapsulate => spec.encapsulates(),
                };
                assert!(able, "{spec:?} {usage:?}");
            }
            assert!(!usages(spec).is_empty(), "{spec:?}");
        }
    }

    #[test]
    fn the_longest_plaintexts_are_those_that_aws_names() {
        let [sha_1, sha_256] = EncryptionAlgorithm::ALL;
        for (spec, longest) in [
            (KeySpec::Rsa2048, (214, 190)),
            (KeySpec::Rsa3072, (342, 318)),
            (KeySpec::Rsa4096, (470, 446)),
        ] {
            let found = (plaintext_bytes_max(spec, sha_1), plaintext_bytes_max(spec, sha_256));
            assert_eq!(found, (Some(longest.0), Some(longest.1)), "{spec:?}");
        }
        assert_eq!(plaintext_bytes_max(KeySpec::EccNistP256, sha_1), None);
    }
}
