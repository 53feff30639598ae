//! Cost of one KMS ciphertext, beside the bare AES-256-GCM of the same library in the same run.
//! `cargo bench -p haechi-crypto`; the last lines are the ratios.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use criterion::{Criterion, Throughput};
use haechi_crypto::ciphertext::{Blob, BlobKind, EncryptionContext, MaterialHandle, encrypt};
use haechi_crypto::{Random, SymmetricMaterial, SystemRandom};

struct Fixture {
    random: SystemRandom,
    material: SymmetricMaterial,
    handle: MaterialHandle,
    context: EncryptionContext,
    bare: LessSafeKey,
}

impl Fixture {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let random = SystemRandom::new();
        let bare = UnboundKey::new(&AES_256_GCM, &[7; 32]).map_err(|_| "AES key refused")?;
        Ok(Self {
            material: SymmetricMaterial::generate(&random)?,
            handle: MaterialHandle::generate(&random)?,
            context: EncryptionContext::from([("purpose".to_owned(), "bench".to_owned())]),
            bare: LessSafeKey::new(bare),
            random,
        })
    }

    fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        let kind = BlobKind::Encrypt;
        encrypt(kind, &self.material, &self.handle, &self.context, plaintext, &self.random)
            .unwrap_or_default()
    }

    fn decrypt(&self, blob: &[u8]) -> bool {
        Blob::parse(blob).and_then(|blob| blob.decrypt(&self.material, &self.context)).is_ok()
    }

    /// The floor: the same cipher, key ready, fixed nonce, in place, no randomness.
    fn bare(&self, body: &mut [u8]) -> bool {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        self.bare.seal_in_place_separate_tag(nonce, Aad::empty(), body).is_ok()
    }
}

/// Mean time of one call over a fixed number of calls, after as many to warm up.
fn mean<R>(mut call: impl FnMut() -> R) -> Duration {
    const CALLS: u32 = 100_000;
    let mut run = || (0..CALLS).for_each(|_| std::mem::drop(black_box(call())));
    run();
    let start = Instant::now();
    run();
    start.elapsed() / CALLS
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fixture = Fixture::new()?;
    let mut criterion = Criterion::default().configure_from_args();
    for length in [32, 4096] {
        let mut body = vec![0; length];
        fixture.random.fill(&mut body)?;
        let blob = fixture.encrypt(&body);
        assert!(fixture.decrypt(&blob), "the benchmark must measure successes");
        let mut group = criterion.benchmark_group(format!("{length} B"));
        group.throughput(Throughput::Bytes(length as u64));
        group.bench_function("encrypt", |bench| bench.iter(|| fixture.encrypt(black_box(&body))));
        group.bench_function("decrypt", |bench| bench.iter(|| fixture.decrypt(black_box(&blob))));
        let mut scratch = body.clone();
        group.bench_function("bare AES-256-GCM", |bench| {
            bench.iter(|| fixture.bare(black_box(&mut scratch)))
        });
        group.finish();
    }
    criterion.final_summary();

    for length in [32, 4096] {
        let body = vec![7; length];
        let blob = fixture.encrypt(&body);
        let mut scratch = body.clone();
        let bare = mean(|| fixture.bare(black_box(&mut scratch)));
        let sealed = mean(|| fixture.encrypt(black_box(&body)));
        let opened = mean(|| fixture.decrypt(black_box(&blob)));
        let ratio = |time: Duration| time.as_secs_f64() / bare.as_secs_f64();
        println!(
            "{length} B: encrypt {sealed:?} ({:.2} x bare), decrypt {opened:?} ({:.2} x), bare {bare:?}",
            ratio(sealed),
            ratio(opened),
        );
    }
    Ok(())
}
