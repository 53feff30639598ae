//! How long RSA-OAEP decryption takes, by what is wrong with the ciphertext: for eyes, not for CI.
//!
//! If refusing took longer for one cause than for another, a clock would be the oracle that the one
//! error is not (Manger 2001). Ciphertexts are made beforehand and drawn in random order, so that
//! whatever else the machine does, or did just before, happens to all classes. Printed are the distributions, and for each pair of refusals Welch's t:
//! beyond ±4.5 the means differ by more than chance (the threshold of dudect).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a measurement that cannot go on must stop"
)]

use std::rc::Rc;
use std::time::Instant;

use haechi_crypto::{EncryptionAlgorithm, KeyMaterial, KeySpec, Random, SystemRandom};

const ROUNDS: usize = 10_000;
const ALGORITHM: EncryptionAlgorithm = EncryptionAlgorithm::RsaesOaepSha256;

/// Ciphertexts of each class.
const POOL: usize = 512;

/// Ciphertexts that are treated alike, and how long each took, in µs.
struct Class {
    name: &'static str,
    pool: Vec<Vec<u8>>,
    micros: Vec<f64>,
}

fn classes(key: &Rc<KeyMaterial>) -> Vec<Class> {
    let encrypting = |algorithm| {
        let key = Rc::clone(key);
        move || key.public_key().unwrap().encrypt(algorithm, b"0123456789abcdef").unwrap()
    };
    let valid = encrypting(ALGORITHM);
    let other_hash = encrypting(EncryptionAlgorithm::RsaesOaepSha1);
    // Below the modulus, whose first bit is set; what it decrypts to begins with nought once in 256.
    let noise = || {
        let mut bytes = vec![0; 256];
        SystemRandom::new().fill(&mut bytes).unwrap();
        bytes[0] &= 0x7f;
        bytes
    };
    let genuine = encrypting(ALGORITHM);
    let flipped = move || {
        let mut bytes = genuine();
        bytes[200] ^= 1;
        bytes
    };
    let class = |name, make: &dyn Fn() -> Vec<u8>| Class {
        name,
        pool: (0..POOL).map(|_| make()).collect(),
        micros: Vec::new(),
    };
    vec![
        class("opens", &valid),
        class("refused: padded with another hash, begins with 00", &other_hash),
        class("refused: noise, begins with anything", &noise),
        class("refused: one bit changed", &flipped),
    ]
}

fn main() {
    let spec = KeySpec::Rsa2048;
    let key = Rc::new(KeyMaterial::generate(spec, &SystemRandom::new()).unwrap());
    let mut classes = classes(&key);
    let mut drawn = [0; 4];
    for round in 0..(ROUNDS + ROUNDS / 10) * classes.len() {
        SystemRandom::new().fill(&mut drawn).unwrap();
        let [which, high, low, _] = drawn;
        let class = usize::from(which) % classes.len();
        let class = &mut classes[class];
        let ciphertext = &class.pool[usize::from(u16::from_be_bytes([high, low])) % POOL];
        let begun = Instant::now();
        let outcome = key.decrypt(ALGORITHM, ciphertext);
        let taken = begun.elapsed();
        assert_eq!(outcome.is_ok(), class.name == "opens");
        // The first tenth warms up.
        if round >= ROUNDS / 10 {
            class.micros.push(taken.as_secs_f64() * 1e6);
        }
    }
    println!(
        "{} {}, about {ROUNDS} decryptions of each class, in µs",
        spec.name(),
        ALGORITHM.name()
    );
    println!("{:<52}{:>9}{:>9}{:>9}{:>9}{:>9}", "class", "mean", "p10", "median", "p90", "p99");
    for class in &mut classes {
        class.micros.sort_by(f64::total_cmp);
        let at = |percent: usize| class.micros[class.micros.len() * percent / 100];
        let (mean, _) = moments(&class.micros);
        let [p10, p50, p90, p99] = [10, 50, 90, 99].map(at);
        println!("{:<52}{mean:>9.2}{p10:>9.2}{p50:>9.2}{p90:>9.2}{p99:>9.2}", class.name);
    }
    println!("\nWelch's t between refusals (the fastest half of each; beyond ±4.5 they differ)");
    for (place, one) in classes.iter().enumerate().skip(1) {
        for other in classes.iter().skip(place + 1) {
            println!("{:>8.2}  {} | {}", welch(&one.micros, &other.micros), one.name, other.name);
        }
    }
}

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance)
}

fn welch(one: &[f64], other: &[f64]) -> f64 {
    // Sorted: what another program or an interrupt fell into is at the end.
    let ((one, a), (other, b)) = (trimmed(one), trimmed(other));
    let ((mean_one, variance_one), (mean_other, variance_other)) = (moments(one), moments(other));
    (mean_one - mean_other) / (variance_one / a + variance_other / b).sqrt()
}

fn trimmed(sorted: &[f64]) -> (&[f64], f64) {
    let kept = &sorted[..sorted.len() / 2];
    (kept, kept.len() as f64)
}
