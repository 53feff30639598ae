//! Tokens signed here with every algorithm, and those that must never pass.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};

use super::*;

const CLAIMS: &str = r#"{"iss":"https://issuer.example","sub":"me","aud":["a","b"],"exp":10}"#;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed(header: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encode(header), encode(CLAIMS));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", encode(signature))
}

fn header(algorithm: &str) -> String {
    format!(r#"{{"alg":"{algorithm}","kid":"one","typ":"JWT"}}"#)
}

fn set(key: &str) -> KeySet {
    KeySet::parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes()).unwrap()
}

fn verify(token: &str, keys: &KeySet) -> Result<Claims, VerifyError> {
    Token::parse(token).unwrap().verify(keys).cloned()
}

struct Rsa(RsaKeyPair);

impl Rsa {
    fn new() -> Rsa {
        Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// Of the PKCS #1 public key of 2048 bits with exponent 65537, which has one form only.
    fn modulus(&self) -> String {
        encode(&self.0.public_key().as_ref()[9..9 + 256])
    }

    fn set(&self, more: &str) -> KeySet {
        let modulus = self.modulus();
        set(&format!(r#"{{"kty":"RSA","kid":"one","n":"{modulus}","e":"AQAB"{more}}}"#))
    }

    fn token(&self, algorithm: &str, encoding: &'static dyn RsaEncoding) -> String {
        signed(&header(algorithm), |message| {
            let mut signature = vec![0; self.0.public_modulus_len()];
            self.0.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        })
    }
}

#[test]
fn every_rsa_algorithm_verifies_and_none_is_taken_for_another() {
    let rsa = Rsa::new();
    let encodings: [(&str, &'static dyn RsaEncoding); 6] = [
        ("RS256", &RSA_PKCS1_SHA256),
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
        ("PS384", &RSA_PSS_SHA384),
        ("PS512", &RSA_PSS_SHA512),
    ];
    for (name, encoding) in encodings {
        let claims = verify(&rsa.token(name, encoding), &rsa.set("")).unwrap();
        assert_eq!(claims.text("sub"), Some("me"));
        assert_eq!(claims.texts("aud").unwrap(), ["a", "b"]);
        assert_eq!(claims.time("exp"), Some(10));
        let other = if name == "RS256" { "RS384" } else { "RS256" };
        let refused = verify(&rsa.token(other, encoding), &rsa.set(""));
        assert_eq!(refused, Err(VerifyError::InvalidSignature), "{name} as {other}");
    }
}

fn on_curve(algorithm: &'static EcdsaSigningAlgorithm, name: &str, curve: &str) {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let (x, y) = (encode(x), encode(y));
    let key = |curve: &str| {
        set(&format!(r#"{{"kty":"EC","kid":"one","crv":"{curve}","x":"{x}","y":"{y}"}}"#))
    };
    let token = signed(&header(name), |message| {
        pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    });
    assert!(verify(&token, &key(curve)).is_ok(), "{name}");
    assert_eq!(verify(&token, &key("secp256k1")), Err(VerifyError::InvalidSignature));
}

#[test]
fn every_curve_verifies() {
    on_curve(&ECDSA_P256_SHA256_FIXED_SIGNING, "ES256", "P-256");
    on_curve(&ECDSA_P384_SHA384_FIXED_SIGNING, "ES384", "P-384");
    on_curve(&ECDSA_P521_SHA512_FIXED_SIGNING, "ES512", "P-521");
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = encode(pair.public_key().as_ref());
    let keys = set(&format!(r#"{{"kty":"OKP","kid":"one","crv":"Ed25519","x":"{x}"}}"#));
    let token = signed(&header("EdDSA"), |message| pair.sign(message).as_ref().to_vec());
    assert!(verify(&token, &keys).is_ok());
}

#[test]
fn a_key_that_names_its_algorithm_takes_no_other() {
    let rsa = Rsa::new();
    let token = rsa.token("RS256", &RSA_PKCS1_SHA256);
    assert!(verify(&token, &rsa.set(r#","alg":"RS256","use":"sig""#)).is_ok());
    let other = rsa.set(r#","alg":"RS512""#);
    assert_eq!(verify(&token, &other), Err(VerifyError::InvalidSignature));
}

#[test]
fn a_key_of_another_id_is_not_tried() {
    let rsa = Rsa::new();
    let token = rsa.token("RS256", &RSA_PKCS1_SHA256);
    let modulus = rsa.modulus();
    let other = set(&format!(r#"{{"kty":"RSA","kid":"two","n":"{modulus}","e":"AQAB"}}"#));
    assert_eq!(verify(&token, &other), Err(VerifyError::UnknownKey));
}

#[test]
fn a_changed_claim_or_another_key_is_refused() {
    let rsa = Rsa::new();
    let token = rsa.token("RS256", &RSA_PKCS1_SHA256);
    let changed = token.replace(&encode(CLAIMS), &encode(CLAIMS.replace("me", "you")));
    assert_ne!(token, changed);
    assert_eq!(verify(&changed, &rsa.set("")), Err(VerifyError::InvalidSignature));
    assert_eq!(verify(&token, &Rsa::new().set("")), Err(VerifyError::InvalidSignature));
}

#[test]
fn no_signature_and_secrets_are_never_taken() {
    for name in ["none", "None", "HS256", "HS512", "RSA1_5", ""] {
        let token = signed(&header(name), |message| {
            // What an attacker would do: the public key as the secret.
            let key = hmac::Key::new(hmac::HMAC_SHA256, b"-----BEGIN PUBLIC KEY-----");
            hmac::sign(&key, message).as_ref().to_vec()
        });
        let name = name.to_owned();
        assert_eq!(Token::parse(&token).err(), Some(TokenError::UnsupportedAlgorithm { name }));
    }
}

#[test]
fn keys_in_the_header_are_not_looked_at_and_critical_parameters_are_refused() {
    let rsa = Rsa::new();
    let modulus = rsa.modulus();
    let own = format!(
        r#"{{"alg":"RS256","kid":"one","jwk":{{"kty":"RSA","kid":"one","n":"{modulus}","e":"AQAB"}}}}"#
    );
    let token = signed(&own, |message| {
        let mut signature = vec![0; rsa.0.public_modulus_len()];
        rsa.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    });
    assert_eq!(verify(&token, &Rsa::new().set("")), Err(VerifyError::InvalidSignature));
    let critical = signed(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, |_| vec![1]);
    assert_eq!(Token::parse(&critical).err(), Some(TokenError::Critical));
}

#[test]
fn what_is_no_token_is_refused() {
    let good = signed(&header("RS256"), |_| vec![1, 2, 3]);
    assert!(Token::parse(&good).is_ok());
    let padded = format!("{good}=");
    let twice = signed(r#"{"alg":"RS256","alg":"ES256"}"#, |_| vec![1]);
    let list = format!("{}.{}.AQAB", encode(header("RS256")), encode("[]"));
    let long = format!("{}.{good}", "A".repeat(TOKEN_BYTES_MAX));
    let four = format!("{good}.AQAB");
    for text in ["", ".", "..", "a.b.c", "....", &padded, &twice, &list, &long, &four] {
        assert_eq!(Token::parse(text).err(), Some(TokenError::Malformed), "{text:.80}");
    }
}

/// RFC 7515, appendix A.2 and A.3: tokens that others signed.
#[test]
fn the_published_tokens_verify() {
    for seed in ["es256", "rs256"] {
        let path = format!("{}/../../fuzz/seeds/jwt/{seed}", env!("CARGO_MANIFEST_DIR"));
        let seed = std::fs::read_to_string(path).unwrap();
        let (token, keys) = seed.split_once('\0').unwrap();
        let keys = KeySet::parse(keys.as_bytes()).unwrap();
        assert_eq!(verify(token, &keys).unwrap().text("iss"), Some("joe"));
    }
}
