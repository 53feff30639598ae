//! Signing with every algorithm: round trips, and everything that is refused.

use super::*;
use crate::random::seeded::SeededRandom;
use crate::{KeyMaterial, PublicKey};

/// The specs that sign, without the slow sizes of RSA.
const SPECS: [KeySpec; 9] = [
    KeySpec::Rsa2048,
    KeySpec::EccNistP256,
    KeySpec::EccNistP384,
    KeySpec::EccNistP521,
    KeySpec::EccSecgP256k1,
    KeySpec::EccNistEdwards25519,
    KeySpec::MlDsa44,
    KeySpec::MlDsa65,
    KeySpec::MlDsa87,
];

fn key(spec: KeySpec) -> KeyMaterial {
    KeyMaterial::generate(spec, &SeededRandom::new(1)).unwrap()
}

/// A message of the right length for each type that the algorithm takes.
fn messages(algorithm: SigningAlgorithm) -> Vec<(MessageType, Vec<u8>)> {
    let raw = (MessageType::Raw, b"a message".to_vec());
    let mu = (MessageType::ExternalMu, vec![3; 64]);
    let digest = algorithm.digest().map(|digest| vec![5; digest.output_len()]);
    match (algorithm, digest) {
        (SigningAlgorithm::Ed25519PhSha512, Some(digest)) => vec![(MessageType::Digest, digest)],
        (SigningAlgorithm::MlDsaShake256, _) => vec![raw, mu],
        (_, Some(digest)) => vec![raw, (MessageType::Digest, digest)],
        _ => vec![raw],
    }
}

#[test]
fn every_algorithm_signs_and_verifies_and_no_changed_bit_is_accepted() {
    let random = SeededRandom::new(2);
    for spec in SPECS {
        let key = key(spec);
        let public = key.public_key().unwrap();
        for algorithm in spec.signing_algorithms() {
            for (kind, message) in messages(*algorithm) {
                let name = format!("{} {} {}", spec.name(), algorithm.name(), kind.name());
                let signature = key.sign(*algorithm, kind, &message, &random).unwrap();
                assert_eq!(public.verify(*algorithm, kind, &message, &signature), Ok(()), "{name}");
                let refused = Err(VerifyError::InvalidSignature);
                // Every 7th bit of a short signature; of a long one, every 997th.
                let step = if signature.len() > 600 { 997 } else { 7 };
                for bit in (0..signature.len() * 8).step_by(step) {
                    let mut changed = signature.clone();
                    changed[bit / 8] ^= 1 << (bit % 8);
                    let answer = public.verify(*algorithm, kind, &message, &changed);
                    assert_eq!(answer, refused, "{name} bit {bit}");
                }
                for bit in (0..message.len() * 8).step_by(17) {
                    let mut changed = message.clone();
                    changed[bit / 8] ^= 1 << (bit % 8);
                    let answer = public.verify(*algorithm, kind, &changed, &signature);
                    assert_eq!(answer, refused, "{name} message bit {bit}");
                }
                for length in [0, 1, signature.len() - 1] {
                    let answer = public.verify(*algorithm, kind, &message, &signature[..length]);
                    assert_eq!(answer, refused, "{name} cut to {length}");
                }
                let longer = [signature.as_slice(), &[0]].concat();
                assert_eq!(public.verify(*algorithm, kind, &message, &longer), refused, "{name}");
            }
        }
    }
}

#[test]
fn a_raw_message_and_its_digest_have_the_same_signature_to_verify() {
    let random = SeededRandom::new(2);
    for spec in [KeySpec::Rsa2048, KeySpec::EccNistP384, KeySpec::EccSecgP256k1] {
        let key = key(spec);
        for algorithm in spec.signing_algorithms() {
            let digest = digest::digest(algorithm.digest().unwrap(), b"message");
            let public = key.public_key().unwrap();
            let raw = key.sign(*algorithm, MessageType::Raw, b"message", &random).unwrap();
            let kind = MessageType::Digest;
            assert_eq!(public.verify(*algorithm, kind, digest.as_ref(), &raw), Ok(()));
            let digested = key.sign(*algorithm, kind, digest.as_ref(), &random).unwrap();
            let kind = MessageType::Raw;
            assert_eq!(public.verify(*algorithm, kind, b"message", &digested), Ok(()));
        }
    }
}

/// FIPS 204 §6.2 computed here: μ = SHAKE256(SHAKE256(pk, 64) ‖ 0 ‖ 0 ‖ M, 64).
#[test]
fn a_raw_message_and_its_external_mu_have_the_same_signature_to_verify() {
    let random = SeededRandom::new(2);
    let algorithm = SigningAlgorithm::MlDsaShake256;
    for spec in [KeySpec::MlDsa44, KeySpec::MlDsa65, KeySpec::MlDsa87] {
        let key = key(spec);
        let public = key.public_key().unwrap();
        let raw_key = &public.as_der()[22..];
        let mu = mu(raw_key, b"message");
        let (raw, external) = (MessageType::Raw, MessageType::ExternalMu);
        let signature = key.sign(algorithm, raw, b"message", &random).unwrap();
        assert_eq!(public.verify(algorithm, external, &mu, &signature), Ok(()), "{spec:?}");
        let signature = key.sign(algorithm, external, &mu, &random).unwrap();
        assert_eq!(public.verify(algorithm, raw, b"message", &signature), Ok(()), "{spec:?}");
        let again = key.sign(algorithm, external, &mu, &random).unwrap();
        assert_ne!(again, signature, "hedged");
    }
}

fn mu(public_key: &[u8], message: &[u8]) -> [u8; 64] {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let shake = |input: &[u8]| -> Vec<u8> {
        let arguments = ["dgst", "-shake256", "-xoflen", "64", "-binary"];
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssl must be installed: it is the second opinion of this test");
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap().stdout
    };
    let hash = shake(public_key);
    shake(&[hash.as_slice(), &[0, 0], message].concat()).try_into().unwrap()
}

#[test]
fn an_algorithm_of_another_family_is_refused_before_anything_is_signed() {
    let random = SeededRandom::new(2);
    for spec in KeySpec::ALL.into_iter().filter(|spec| !spec.is_rsa()) {
        let key = key(spec);
        for algorithm in SigningAlgorithm::ALL {
            if spec.signing_algorithms().contains(&algorithm) {
                continue;
            }
            let refused = SignError::UnsupportedAlgorithm { spec, algorithm };
            let signed = key.sign(algorithm, MessageType::Raw, b"", &random);
            assert_eq!(signed, Err(refused));
            if let Some(public) = key.public_key() {
                let verified = public.verify(algorithm, MessageType::Raw, b"", b"");
                assert_eq!(verified, Err(VerifyError::Request(refused)));
            }
        }
    }
}

#[test]
fn message_types_fit_their_algorithms_and_digests_their_lengths() {
    fn check(
        spec: KeySpec,
        algorithm: SigningAlgorithm,
        kind: MessageType,
        message: &[u8],
    ) -> SignError {
        Input::check(spec, algorithm, kind, message).map(|_| ()).unwrap_err()
    }
    use MessageType as Kind;
    use SigningAlgorithm as Algorithm;
    for (spec, algorithm, kind) in [
        (KeySpec::Rsa2048, Algorithm::RsassaPssSha256, Kind::ExternalMu),
        (KeySpec::EccNistP256, Algorithm::EcdsaSha256, Kind::ExternalMu),
        (KeySpec::EccNistEdwards25519, Algorithm::Ed25519Sha512, Kind::Digest),
        (KeySpec::EccNistEdwards25519, Algorithm::Ed25519PhSha512, Kind::Raw),
        (KeySpec::EccNistEdwards25519, Algorithm::Ed25519PhSha512, Kind::ExternalMu),
        (KeySpec::MlDsa44, Algorithm::MlDsaShake256, Kind::Digest),
    ] {
        let refused = SignError::UnsupportedMessageType { algorithm, message_type: kind };
        assert_eq!(check(spec, algorithm, kind, &[0; 64]), refused);
    }
    for (spec, algorithm, kind, expected) in [
        (KeySpec::Rsa2048, Algorithm::RsassaPkcs1V15Sha384, Kind::Digest, 48),
        (KeySpec::EccNistP521, Algorithm::EcdsaSha512, Kind::Digest, 64),
        (KeySpec::EccNistEdwards25519, Algorithm::Ed25519PhSha512, Kind::Digest, 64),
        (KeySpec::MlDsa87, Algorithm::MlDsaShake256, Kind::ExternalMu, 64),
    ] {
        for length in [0, expected - 1, expected + 1] {
            let refused = SignError::DigestLength { algorithm, expected, length };
            assert_eq!(check(spec, algorithm, kind, &vec![0; length]), refused);
        }
    }
}

/// The group order of secp256k1, halved: FIPS 186-5 has both S valid, Bitcoin only the lower.
#[test]
fn secp256k1_signs_with_the_lower_s_and_accepts_both() {
    let random = SeededRandom::new(2);
    let key = key(KeySpec::EccSecgP256k1);
    let algorithm = SigningAlgorithm::EcdsaSha256;
    for byte in 0..20u8 {
        let signature = key.sign(algorithm, MessageType::Raw, &[byte], &random).unwrap();
        let low = k256::ecdsa::Signature::from_der(&signature).unwrap();
        assert_eq!(low.normalize_s(), low, "S is the lower one");
        let high = k256::ecdsa::Signature::from_scalars(*low.r(), -*low.s()).unwrap();
        assert_ne!(high, low);
        let public = key.public_key().unwrap();
        let high = high.to_der();
        assert_eq!(public.verify(algorithm, MessageType::Raw, &[byte], high.as_bytes()), Ok(()));
    }
}

#[test]
fn names_read_back_and_sm2_has_none() {
    for algorithm in SigningAlgorithm::ALL {
        assert_eq!(SigningAlgorithm::from_name(algorithm.name()), Some(algorithm));
    }
    for kind in [MessageType::Raw, MessageType::Digest, MessageType::ExternalMu] {
        assert_eq!(MessageType::from_name(kind.name()), Some(kind));
    }
    assert_eq!(SigningAlgorithm::from_name("SM2DSA"), None);
    assert_eq!(MessageType::from_name("raw"), None);
}

#[test]
fn a_public_key_is_read_for_its_own_spec_only() {
    for spec in SPECS {
        let der = key(spec).public_key().unwrap().as_der().to_vec();
        for other in KeySpec::ALL {
            assert_eq!(
                PublicKey::from_der(other, &der).is_ok(),
                other == spec,
                "{spec:?} {other:?}"
            );
        }
        assert!(PublicKey::from_der(spec, &[der.as_slice(), &[0]].concat()).is_err());
        assert!(PublicKey::from_der(spec, &der[..der.len() - 1]).is_err());
    }
}

/// Signatures of the right length and any content, for every path that parses them.
#[test]
fn hostile_signatures_of_every_length_are_refused_and_never_panic() {
    let random = SeededRandom::new(3);
    let mut noise = vec![0; 4700];
    crate::Random::fill(&random, &mut noise).unwrap();
    for spec in SPECS {
        let key = key(spec);
        let public = key.public_key().unwrap();
        for algorithm in spec.signing_algorithms() {
            for (kind, message) in messages(*algorithm) {
                let length = key.sign(*algorithm, kind, &message, &random).unwrap().len();
                for length in [0, 1, 2, 8, 63, 64, 65, length - 1, length, length + 1, 4700] {
                    for filler in [vec![0; length], vec![0xff; length], noise[..length].to_vec()] {
                        let answer = public.verify(*algorithm, kind, &message, &filler);
                        assert_eq!(answer, Err(VerifyError::InvalidSignature), "{algorithm:?}");
                    }
                }
            }
        }
    }
}

/// Every byte of a public key changed in turn: what is still a key is another one, and nothing panics.
#[test]
fn hostile_public_keys_never_panic_and_verify_nothing() {
    let random = SeededRandom::new(3);
    for spec in [KeySpec::EccNistP256, KeySpec::EccSecgP256k1, KeySpec::EccNistEdwards25519] {
        let key = key(spec);
        let algorithm = spec.signing_algorithms()[0];
        let signature = key.sign(algorithm, MessageType::Raw, b"message", &random).unwrap();
        let der = key.public_key().unwrap().as_der();
        for index in 0..der.len() {
            for mask in [1, 0x80, 0xff] {
                let mut changed = der.to_vec();
                changed[index] ^= mask;
                let Ok(other) = PublicKey::from_der(spec, &changed) else { continue };
                let answer = other.verify(algorithm, MessageType::Raw, b"message", &signature);
                assert_eq!(answer, Err(VerifyError::InvalidSignature), "{spec:?} byte {index}");
            }
        }
    }
}
