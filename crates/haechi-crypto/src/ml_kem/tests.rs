//! Encapsulation both ways, implicit rejection, and the encodings of RFC 9935.

use super::*;
use crate::KeyMaterial;
use crate::random::seeded::SeededRandom;

const SPECS: [(KeySpec, u8, usize, usize); 3] = [
    (KeySpec::MlKem512, 1, 800, 768),
    (KeySpec::MlKem768, 2, 1184, 1088),
    (KeySpec::MlKem1024, 3, 1568, 1568),
];

fn key(spec: KeySpec, seed: u64) -> KeyMaterial {
    KeyMaterial::generate(spec, &SeededRandom::new(seed)).unwrap()
}

#[test]
fn both_sides_get_the_same_secret_and_never_the_same_twice() {
    for (spec, _, _, ciphertext_bytes) in SPECS {
        let key = key(spec, 1);
        let (first, second) = (
            key.public_key().unwrap().encapsulate().unwrap(),
            key.public_key().unwrap().encapsulate().unwrap(),
        );
        assert_eq!(first.ciphertext.len(), ciphertext_bytes);
        assert!(key.decapsulate(&first.ciphertext).unwrap() == first.shared_secret);
        assert!(key.decapsulate(&second.ciphertext).unwrap() == second.shared_secret);
        assert!(first.shared_secret != second.shared_secret);
    }
}

#[test]
fn a_changed_ciphertext_gives_another_secret_and_always_the_same_one() {
    for (spec, ..) in SPECS {
        let key = key(spec, 1);
        let other = super::tests::key(spec, 2);
        let made = key.public_key().unwrap().encapsulate().unwrap();
        for bit in (0..made.ciphertext.len() * 8).step_by(401) {
            let mut changed = made.ciphertext.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let secret = key.decapsulate(&changed).unwrap();
            assert!(secret != made.shared_secret, "{spec:?} bit {bit}");
            assert!(secret == key.decapsulate(&changed).unwrap());
        }
        assert!(other.decapsulate(&made.ciphertext).unwrap() != made.shared_secret);
    }
}

#[test]
fn a_ciphertext_of_another_length_is_named() {
    for (spec, _, _, expected) in SPECS {
        let key = key(spec, 1);
        for length in [0, 1, expected - 1, expected + 1] {
            let refused = key.decapsulate(&vec![0; length]).err();
            assert_eq!(refused, Some(DecapsulateError::CiphertextLength { expected, length }));
        }
    }
}

/// RFC 9935 §4 and §6: object identifier without parameters; seed under tag [0]. AWS: 86 bytes.
#[test]
fn keys_are_encoded_as_the_rfc_says() {
    for (spec, last, public_bytes, _) in SPECS {
        let key = key(spec, 1);
        let oid = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, last];
        let public = key.public_key().unwrap().as_der();
        assert_eq!(public.len(), public_bytes + 22);
        assert_eq!(public[4..17], oid);
        let private = key.private_key_der().unwrap().unwrap();
        assert_eq!(private.len(), 86);
        let expected = [&[0x30, 84, 2, 1, 0][..], &oid, &[4, 66, 0x80, 64]].concat();
        assert_eq!(private.expose()[..22], expected);
    }
}

#[test]
fn a_private_key_is_imported_with_its_expansion_only_if_the_two_agree() {
    use crate::der::element;
    for (spec, last, ..) in SPECS {
        let seed = SecretBytes::take(&mut [7; 64]);
        let expanded = expand(spec, &seed).unwrap();
        let oid = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 4, last];
        let encode = |key: &[u8]| element(0x30, &[&[2, 1, 0][..], &oid, &element(4, key)].concat());
        let both = |expanded: &[u8]| {
            let parts = [element(4, seed.expose()), element(4, expanded)].concat();
            encode(&element(0x30, &parts))
        };
        assert!(MlKemMaterial::from_pkcs8(spec, &both(expanded.expose())).is_some());
        let mut wrong = expanded.expose().to_vec();
        wrong[0] ^= 1;
        assert!(MlKemMaterial::from_pkcs8(spec, &both(&wrong)).is_none());
        let alone = encode(&element(4, expanded.expose()));
        assert!(MlKemMaterial::from_pkcs8(spec, &alone).is_none());
    }
}

#[test]
fn other_keys_neither_encapsulate_nor_decapsulate() {
    let spec = KeySpec::EccNistP256;
    let key = key(spec, 1);
    let refused = key.public_key().unwrap().encapsulate().err();
    assert_eq!(refused, Some(EncapsulateError::UnsupportedSpec { spec }));
    let refused = key.decapsulate(&[0; 768]).err();
    assert_eq!(refused, Some(DecapsulateError::UnsupportedSpec { spec }));
}
