//! The cryptography of a call and nothing else: the same functions of `haechi-crypto` (aws-lc-rs,
//! `k256`, `ml-dsa` beneath), one after the other on one core. What the product takes longer is the
//! price of its being a service.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use haechi_crypto::{
    Blob, BlobKind, EncryptionAlgorithm, KeyMaterial, KeySpec, MaterialHandle, MessageType,
    PublicKey, SymmetricMaterial, SystemRandom, ciphertext,
};

use crate::Failure;
use crate::calls::{LONG, MESSAGE};

/// How much is done between two looks at the clock, at most.
const BATCH: u32 = 64;

/// Options of `bare`.
#[derive(Args)]
pub struct Options {
    /// As `calls` names it: `Sign RSA_2048`.
    #[arg(long)]
    call: String,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

/// One piece of work.
type Work = Box<dyn FnMut() -> Result<(), Failure>>;

/// Works, and prints how often in a second.
pub fn run(options: &Options) -> Result<(), Failure> {
    let (operation, what) = options.call.split_once(' ').ok_or("a call is `Operation SPEC`")?;
    let mut work = match KeySpec::from_name(what) {
        Some(spec) => with_key(operation, spec)?,
        None => with_blob(operation)?,
    };
    let seconds = Duration::from_secs_f64(options.seconds);
    let (mut done, mut batch, began) = (0_u64, 1, Instant::now());
    let took = loop {
        for _ in 0..batch {
            work()?;
        }
        done += u64::from(batch);
        let took = began.elapsed();
        if took >= seconds {
            break took;
        }
        // Slow work looks at the clock each time.
        batch = if took < seconds / 100 { BATCH.min(batch * 2) } else { batch };
    };
    let per_second = done as f64 / took.as_secs_f64();
    println!("{}", serde_json::json!({ "per_second": per_second }));
    Ok(())
}

/// Encrypt and Decrypt with a symmetric key.
fn with_blob(operation: &str) -> Result<Work, Failure> {
    let random = SystemRandom::new();
    let material = SymmetricMaterial::generate(&random)?;
    let (context, handle) = (BTreeMap::new(), MaterialHandle::generate(&random)?);
    let seal = move |material: &SymmetricMaterial| {
        ciphertext::encrypt(BlobKind::Encrypt, material, &handle, &context, &[b'p'; LONG], &random)
    };
    let sealed = seal(&material)?;
    Ok(match operation {
        "Encrypt" => Box::new(move || done(seal(&material))),
        "Decrypt" => {
            Box::new(move || done(Blob::parse(&sealed)?.decrypt(&material, &BTreeMap::new())))
        }
        _ => return Err(format!("{operation} does nothing with a symmetric key").into()),
    })
}

/// What a key pair or an HMAC key does.
fn with_key(operation: &str, spec: KeySpec) -> Result<Work, Failure> {
    let random = SystemRandom::new();
    if operation == "GenerateDataKeyPair" {
        return Ok(Box::new(move || done(KeyMaterial::generate(spec, &random)?.private_key_der())));
    }
    let key = KeyMaterial::generate(spec, &random)?;
    if let Some(hmac) = key.as_hmac() {
        let mac = hmac.generate_mac(MESSAGE);
        let verify = operation == "VerifyMac";
        return Ok(Box::new(move || match key.as_hmac() {
            Some(hmac) if verify => done(hmac.verify_mac(MESSAGE, &mac)),
            Some(hmac) => done(Ok::<_, Failure>(hmac.generate_mac(MESSAGE))),
            None => Err("an HMAC key is one".into()),
        }));
    }
    // Keys do not copy; the public half lives on its own.
    let public = key.public_key().ok_or("a key pair has a public key")?;
    let public = PublicKey::from_der(spec, public.as_der())?;
    let (kind, oaep) = (MessageType::Raw, EncryptionAlgorithm::RsaesOaepSha256);
    let algorithm = spec.signing_algorithms().first().copied().ok_or("it does not sign");
    Ok(match operation {
        "Sign" => {
            let algorithm = algorithm?;
            Box::new(move || done(key.sign(algorithm, kind, MESSAGE, &random)))
        }
        "Verify" => {
            let algorithm = algorithm?;
            let signature = key.sign(algorithm, kind, MESSAGE, &random)?;
            Box::new(move || done(public.verify(algorithm, kind, MESSAGE, &signature)))
        }
        "Encrypt" => Box::new(move || done(public.encrypt(oaep, MESSAGE))),
        "Decrypt" => {
            let sealed = public.encrypt(oaep, MESSAGE)?;
            Box::new(move || done(key.decrypt(oaep, &sealed)))
        }
        "DeriveSharedSecret" => {
            let peer = public.as_der().to_vec();
            Box::new(move || done(key.derive_shared_secret(&peer)))
        }
        "Encapsulate" => Box::new(move || done(public.encapsulate())),
        "Decapsulate" => {
            let sealed = public.encapsulate()?.ciphertext;
            Box::new(move || done(key.decapsulate(&sealed)))
        }
        _ => return Err(format!("{operation} does nothing with {}", spec.name()).into()),
    })
}

/// That it was done, and not what came of it.
fn done<T, E: Into<Failure>>(outcome: Result<T, E>) -> Result<(), Failure> {
    outcome.map(drop).map_err(Into::into)
}
