//! AES-256-GCM and HMAC-SHA-256 of the library against Wycheproof's vectors.

use aws_lc_rs::hmac;
use serde::Deserialize;

use super::*;
use crate::hex;
use crate::random::seeded::SeededRandom;

#[derive(Deserialize)]
struct Vectors<T> {
    tests: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GcmVector {
    tc_id: u32,
    key: String,
    iv: String,
    aad: String,
    msg: String,
    ct: String,
    tag: String,
    result: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HmacVector {
    tc_id: u32,
    key: String,
    msg: String,
    tag: String,
    result: String,
}

#[test]
fn aes_256_gcm_agrees_with_wycheproof() {
    let json = include_str!("../../tests/vectors/wycheproof_aes_256_gcm.json");
    let vectors: Vectors<GcmVector> = serde_json::from_str(json).unwrap();
    assert_eq!(vectors.tests.len(), 66);
    for vector in vectors.tests {
        let aead = Aead::new(&hex::array(&vector.key)).unwrap();
        let (nonce, aad) = (hex::array(&vector.iv), hex::decode(&vector.aad));
        let sealed = [hex::decode(&vector.ct), hex::decode(&vector.tag)].concat();
        let opened = aead.open_with(nonce, &aad, &sealed);
        if vector.result == "valid" {
            let plaintext = hex::decode(&vector.msg);
            assert_eq!(opened.unwrap().expose(), plaintext, "test {}", vector.tc_id);
            let mut body = plaintext;
            let tag = aead.seal_in_place(nonce, &aad, &mut body).unwrap();
            assert_eq!([body, tag.to_vec()].concat(), sealed, "test {}", vector.tc_id);
        } else {
            assert!(opened.is_none(), "test {}", vector.tc_id);
        }
    }
}

#[test]
fn hmac_sha_256_agrees_with_wycheproof() {
    let json = include_str!("../../tests/vectors/wycheproof_hmac_sha256.json");
    let vectors: Vectors<HmacVector> = serde_json::from_str(json).unwrap();
    assert_eq!(vectors.tests.len(), 87);
    for vector in vectors.tests {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &hex::decode(&vector.key));
        let verified = hmac::verify(&key, &hex::decode(&vector.msg), &hex::decode(&vector.tag));
        assert_eq!(verified.is_ok(), vector.result == "valid", "test {}", vector.tc_id);
    }
}

#[test]
fn a_sealed_text_opens_with_its_key_and_data_only_and_never_repeats() {
    let random = SeededRandom::new(1);
    let aead = Aead::new(&[1; 32]).unwrap();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    aead.seal_into(&mut first, b"aad", b"plaintext", &random).unwrap();
    aead.seal_into(&mut second, b"aad", b"plaintext", &random).unwrap();
    assert_ne!(first, second);
    assert_eq!(first.len(), 9 + OVERHEAD_BYTES);
    assert_eq!(aead.open(b"aad", &first).unwrap().expose(), b"plaintext");
    assert!(aead.open(b"AAD", &first).is_none());
    assert!(Aead::new(&[2; 32]).unwrap().open(b"aad", &first).is_none());
    for length in 0..first.len() {
        assert!(aead.open(b"aad", &first[..length]).is_none());
    }
}
