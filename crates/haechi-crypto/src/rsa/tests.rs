//! OAEP: limits and the one error; sizes of keys.

use crate::random::seeded::SeededRandom;
use crate::{
    AsymmetricDecryptError, AsymmetricEncryptError, EncryptionAlgorithm, InvalidRsaCiphertext,
    KeyMaterial, KeySpec,
};

fn key(spec: KeySpec) -> KeyMaterial {
    KeyMaterial::generate(spec, &SeededRandom::new(1)).unwrap()
}

#[test]
fn plaintexts_up_to_the_documented_limit_come_back() {
    for (spec, limits) in [
        (KeySpec::Rsa2048, [214, 190]),
        (KeySpec::Rsa3072, [342, 318]),
        (KeySpec::Rsa4096, [470, 446]),
    ] {
        let key = key(spec);
        let public = key.public_key().unwrap();
        for (algorithm, max) in EncryptionAlgorithm::ALL.into_iter().zip(limits) {
            for length in [0, 1, max] {
                let plaintext = vec![7; length];
                let ciphertext = public.encrypt(algorithm, &plaintext).unwrap();
                let decrypted = key.decrypt(algorithm, &ciphertext).unwrap();
                assert_eq!(decrypted.expose(), plaintext, "{spec:?} {algorithm:?}");
            }
            let length = max + 1;
            let refused = public.encrypt(algorithm, &vec![7; length]);
            let expected = AsymmetricEncryptError::TooLong { algorithm, length, max };
            assert_eq!(refused, Err(expected));
        }
    }
}

#[test]
fn whatever_is_wrong_with_a_ciphertext_the_error_is_the_same() {
    let key = key(KeySpec::Rsa2048);
    let (sha1, sha256) = (EncryptionAlgorithm::RsaesOaepSha1, EncryptionAlgorithm::RsaesOaepSha256);
    let ciphertext = key.public_key().unwrap().encrypt(sha256, b"secret").unwrap();
    let refused = Some(AsymmetricDecryptError::Invalid(InvalidRsaCiphertext));
    assert_eq!(key.decrypt(sha1, &ciphertext).err(), refused, "another algorithm");
    for bit in (0..2048).step_by(13) {
        let mut changed = ciphertext.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.decrypt(sha256, &changed).err(), refused, "bit {bit}");
    }
    for length in [0, 1, 255] {
        assert_eq!(key.decrypt(sha256, &ciphertext[..length]).err(), refused, "{length} bytes");
    }
    assert_eq!(key.decrypt(sha256, &[0; 256]).err(), refused);
    assert_eq!(key.decrypt(sha256, &[0xff; 256]).err(), refused, "above the modulus");
    assert_eq!(key.decrypt(sha256, &[1; 257]).err(), refused);
}

#[test]
fn keys_of_other_families_do_not_encrypt() {
    let algorithm = EncryptionAlgorithm::RsaesOaepSha256;
    for spec in KeySpec::ALL.into_iter().filter(|spec| !spec.is_rsa()) {
        let key = key(spec);
        let refused = key.decrypt(algorithm, &[0; 256]).err();
        assert_eq!(refused, Some(AsymmetricDecryptError::UnsupportedAlgorithm { spec, algorithm }));
        if let Some(public) = key.public_key() {
            let refused = public.encrypt(algorithm, b"x").err();
            let expected = AsymmetricEncryptError::UnsupportedAlgorithm { spec, algorithm };
            assert_eq!(refused, Some(expected));
        }
    }
}
