//! Cost of each family's operations, beside the same operation of bare aws-lc-rs with its key ready.
//! `cargo bench -p haechi-crypto --bench key_specs`; the last lines are the ratios.
//!
//! Where the bare library lacks the operation (Ed25519ph, an external μ) its nearest relative
//! stands beside it. secp256k1 signs faster than the bare library, by `k256`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom as BareRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey, PqdsaKeyPair};
use aws_lc_rs::{hmac, kem};
use criterion::Criterion;
use haechi_crypto::{
    EncryptionAlgorithm, KeyMaterial, KeySpec, MessageType, SigningAlgorithm, SystemRandom,
};

type Failure = Box<dyn std::error::Error>;
type Call<'a> = Box<dyn Fn() -> bool + 'a>;

const MESSAGE: &[u8] = &[7; 256];

/// One operation: through this crate, and bare.
struct Case<'a> {
    name: String,
    ours: Call<'a>,
    bare: Call<'a>,
}

fn pkcs8(key: &KeyMaterial) -> Result<Vec<u8>, Failure> {
    Ok(key.private_key_der()?.ok_or("no private key")?.into_inner())
}

fn refused<E>(_: E) -> Failure {
    "the bare library refused a key".into()
}

/// Sign and verify of `key`, with the bare signer and verification key.
fn signing<'a>(
    key: &'a KeyMaterial,
    algorithm: SigningAlgorithm,
    bare_sign: Call<'a>,
    bare_verifier: ParsedPublicKey,
) -> Result<[Case<'a>; 2], Failure> {
    let (raw, random) = (MessageType::Raw, SystemRandom::new());
    let public = key.public_key().ok_or("no public key")?;
    let signature = key.sign(algorithm, raw, MESSAGE, &random)?;
    let bare_signature = signature.clone();
    let name = format!("{} {}", key.spec().name(), algorithm.name());
    Ok([
        Case {
            name: format!("{name} sign"),
            ours: Box::new(move || key.sign(algorithm, raw, MESSAGE, &random).is_ok()),
            bare: bare_sign,
        },
        Case {
            name: format!("{name} verify"),
            ours: Box::new(move || public.verify(algorithm, raw, MESSAGE, &signature).is_ok()),
            bare: Box::new(move || bare_verifier.verify_sig(MESSAGE, &bare_signature).is_ok()),
        },
    ])
}

fn rsa<'a>(key: &'a KeyMaterial) -> Result<Vec<Case<'a>>, Failure> {
    let algorithm = SigningAlgorithm::RsassaPssSha256;
    let der = pkcs8(key)?;
    let bare = KeyPair::from_pkcs8(&der).map_err(refused)?;
    let spki = key.public_key().ok_or("no public key")?.as_der();
    let parameters = &signature::RSA_PSS_2048_8192_SHA256;
    let verifier = ParsedPublicKey::new(parameters, spki).map_err(refused)?;
    let sign = move || {
        let mut signature = vec![0; bare.public_modulus_len()];
        let encoding = &signature::RSA_PSS_SHA256;
        bare.sign(encoding, &BareRandom::new(), MESSAGE, &mut signature).is_ok()
    };
    let mut cases: Vec<_> = signing(key, algorithm, Box::new(sign), verifier)?.into();
    let algorithm = EncryptionAlgorithm::RsaesOaepSha256;
    let ciphertext = key.public_key().ok_or("no public key")?.encrypt(algorithm, &[7; 32])?;
    let bare_ciphertext = ciphertext.clone();
    let bare = PrivateDecryptingKey::from_pkcs8(&der).map_err(refused)?;
    let bare = OaepPrivateDecryptingKey::new(bare).map_err(refused)?;
    cases.push(Case {
        name: format!("{} RSAES_OAEP_SHA_256 decrypt", key.spec().name()),
        ours: Box::new(move || key.decrypt(algorithm, &ciphertext).is_ok()),
        bare: Box::new(move || {
            let mut out = vec![0; bare.min_output_size()];
            bare.decrypt(&OAEP_SHA256_MGF1SHA256, &bare_ciphertext, &mut out, None).is_ok()
        }),
    });
    Ok(cases)
}

fn ecdsa<'a>(key: &'a KeyMaterial) -> Result<[Case<'a>; 2], Failure> {
    let spki = key.public_key().ok_or("no public key")?.as_der();
    let (algorithm, signing_algorithm, verifying) = match key.spec() {
        KeySpec::EccNistP256 => (
            SigningAlgorithm::EcdsaSha256,
            &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
            &signature::ECDSA_P256_SHA256_ASN1,
        ),
        KeySpec::EccNistP384 => (
            SigningAlgorithm::EcdsaSha384,
            &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
            &signature::ECDSA_P384_SHA384_ASN1,
        ),
        KeySpec::EccNistP521 => (
            SigningAlgorithm::EcdsaSha512,
            &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
            &signature::ECDSA_P521_SHA512_ASN1,
        ),
        _ => (
            SigningAlgorithm::EcdsaSha256,
            &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
            &signature::ECDSA_P256K1_SHA256_ASN1,
        ),
    };
    let bare = EcdsaKeyPair::from_pkcs8(signing_algorithm, &pkcs8(key)?).map_err(refused)?;
    let verifier = ParsedPublicKey::new(verifying, spki).map_err(refused)?;
    let sign = move || bare.sign(&BareRandom::new(), MESSAGE).is_ok();
    signing(key, algorithm, Box::new(sign), verifier)
}

fn ed25519<'a>(key: &'a KeyMaterial) -> Result<Vec<Case<'a>>, Failure> {
    let spki = key.public_key().ok_or("no public key")?.as_der();
    let bare = Ed25519KeyPair::from_pkcs8(&pkcs8(key)?).map_err(refused)?;
    let verifier = ParsedPublicKey::new(&signature::ED25519, spki).map_err(refused)?;
    let sign = Box::new(move || bare.try_sign(MESSAGE).is_ok());
    let cases = signing(key, SigningAlgorithm::Ed25519Sha512, sign, verifier)?;
    let bare = Ed25519KeyPair::from_pkcs8(&pkcs8(key)?).map_err(refused)?;
    let prehashed = Case {
        name: "ECC_NIST_EDWARDS25519 ED25519_PH_SHA_512 sign (bare: pure)".to_owned(),
        ours: Box::new(move || {
            let algorithm = SigningAlgorithm::Ed25519PhSha512;
            key.sign(algorithm, MessageType::Digest, &[7; 64], &SystemRandom::new()).is_ok()
        }),
        bare: Box::new(move || bare.try_sign(&[7; 64]).is_ok()),
    };
    Ok(cases.into_iter().chain([prehashed]).collect())
}

fn ml_dsa<'a>(key: &'a KeyMaterial) -> Result<Vec<Case<'a>>, Failure> {
    let algorithm = SigningAlgorithm::MlDsaShake256;
    let spki = key.public_key().ok_or("no public key")?.as_der();
    let verifier = ParsedPublicKey::new(&signature::ML_DSA_65, spki).map_err(refused)?;
    let load =
        || PqdsaKeyPair::from_pkcs8(&signature::ML_DSA_65_SIGNING, &pkcs8(key)?).map_err(refused);
    let sign = |bare: PqdsaKeyPair| {
        move || {
            let mut signature = vec![0; bare.algorithm().signature_len()];
            bare.sign(MESSAGE, &mut signature).is_ok()
        }
    };
    let cases = signing(key, algorithm, Box::new(sign(load()?)), verifier)?;
    let external = Case {
        name: "ML_DSA_65 EXTERNAL_MU sign (bare: RAW)".to_owned(),
        ours: Box::new(move || {
            key.sign(algorithm, MessageType::ExternalMu, &[7; 64], &SystemRandom::new()).is_ok()
        }),
        bare: Box::new(sign(load()?)),
    };
    Ok(cases.into_iter().chain([external]).collect())
}

fn ml_kem<'a>(key: &'a KeyMaterial) -> Result<[Case<'a>; 2], Failure> {
    let public = key.public_key().ok_or("no public key")?;
    let ciphertext = public.encapsulate()?.ciphertext;
    let bare = kem::DecapsulationKey::generate(&kem::ML_KEM_768).map_err(refused)?;
    let bare_public = bare.encapsulation_key().map_err(refused)?;
    let bare_ciphertext = bare_public.encapsulate().map_err(refused)?.0.as_ref().to_vec();
    Ok([
        Case {
            name: "ML_KEM_768 encapsulate".to_owned(),
            ours: Box::new(move || public.encapsulate().is_ok()),
            bare: Box::new(move || bare_public.encapsulate().is_ok()),
        },
        Case {
            name: "ML_KEM_768 decapsulate".to_owned(),
            ours: Box::new(move || key.decapsulate(&ciphertext).is_ok()),
            bare: Box::new(move || bare.decapsulate(bare_ciphertext.as_slice().into()).is_ok()),
        },
    ])
}

fn hmac_256(key: &KeyMaterial) -> Result<Case<'_>, Failure> {
    let ours = key.as_hmac().ok_or("no HMAC key")?;
    let bare = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    Ok(Case {
        name: "HMAC_256 generate".to_owned(),
        ours: Box::new(move || !ours.generate_mac(MESSAGE).is_empty()),
        bare: Box::new(move || !hmac::sign(&bare, MESSAGE).as_ref().is_empty()),
    })
}

/// Mean time of one call: as many calls as fill about a fifth of a second, after a warm-up.
fn mean(call: &Call<'_>) -> Duration {
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < Duration::from_millis(50) {
        black_box(call());
        calls += 1;
    }
    let calls = calls * 4;
    let start = Instant::now();
    (0..calls).for_each(|_| {
        black_box(call());
    });
    start.elapsed() / calls
}

fn main() -> Result<(), Failure> {
    let generate = |spec| KeyMaterial::generate(spec, &SystemRandom::new());
    let keys = [
        generate(KeySpec::Rsa2048)?,
        generate(KeySpec::EccNistP256)?,
        generate(KeySpec::EccNistP384)?,
        generate(KeySpec::EccNistP521)?,
        generate(KeySpec::EccSecgP256k1)?,
        generate(KeySpec::EccNistEdwards25519)?,
        generate(KeySpec::MlDsa65)?,
        generate(KeySpec::MlKem768)?,
        generate(KeySpec::Hmac256)?,
    ];
    let mut cases = Vec::new();
    for key in &keys {
        match key {
            KeyMaterial::Rsa(_) => cases.extend(rsa(key)?),
            KeyMaterial::EllipticCurve(_) => cases.extend(ecdsa(key)?),
            KeyMaterial::Ed25519(_) => cases.extend(ed25519(key)?),
            KeyMaterial::MlDsa(_) => cases.extend(ml_dsa(key)?),
            KeyMaterial::MlKem(_) => cases.extend(ml_kem(key)?),
            _ => cases.push(hmac_256(key)?),
        }
    }
    let mut criterion = Criterion::default().configure_from_args();
    for case in &cases {
        assert!((case.ours)() && (case.bare)(), "{}: a bench must measure successes", case.name);
        let mut group = criterion.benchmark_group(&case.name);
        group.bench_function("ours", |bench| bench.iter(&case.ours));
        group.bench_function("bare aws-lc-rs", |bench| bench.iter(&case.bare));
        group.finish();
    }
    criterion.final_summary();
    for case in &cases {
        let (ours, bare) = (mean(&case.ours), mean(&case.bare));
        let ratio = bare.as_secs_f64() / ours.as_secs_f64();
        println!("{}: {ours:?}, bare {bare:?}: {ratio:.2} of its speed", case.name);
    }
    Ok(())
}
