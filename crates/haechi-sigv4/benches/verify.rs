//! What a verification costs, next to the bare hashing that it cannot do without.
//!
//! A KMS call of 300 bytes as an SDK sends it, its signing key cached. The floor hashes the same
//! bytes: SHA-256 of the body and of the canonical request, HMAC of the string to sign.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop on its own faults")]

use std::hint::black_box;

use aws_lc_rs::{digest, hmac};
use criterion::{Criterion, criterion_group, criterion_main};
use haechi_sigv4::{
    AuthError, Expected, Payload, RequestView, Rules, Scratch, Signer, SigningKey, Timestamp,
    parse, verify,
};
use http::{Request, request::Parts};

const EXPECTED: Expected<'_> = Expected { service: "kms", region_is_valid: |r| r == "us-east-1" };

fn key() -> SigningKey {
    SigningKey::derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "kms")
}

fn request(body: &[u8], now: Timestamp) -> Parts {
    let request = Request::post("https://kms.us-east-1.localhost:4566/")
        .header("host", "kms.us-east-1.localhost:4566")
        .header("content-type", "application/x-amz-json-1.1")
        .header("content-length", body.len())
        .header("user-agent", "aws-sdk-rust/1.3.3 os/linux lang/rust/1.95.0")
        .header("amz-sdk-invocation-id", "5a3f2a52-1f7f-4d1e-9c1b-3d0c53c7f1b2")
        .header("amz-sdk-request", "attempt=1; max=3")
        .header("x-amz-target", "TrentService.Encrypt");
    let mut parts = request.body(()).unwrap().into_parts().0;
    let signer = Signer {
        access_key_id: "AKIDEXAMPLE",
        session_token: None,
        key: &key(),
        timestamp: now,
        rules: Rules::STANDARD,
    };
    signer.sign(&mut parts, Payload::Bytes(body), &mut Scratch::default()).unwrap();
    parts
}

/// The canonical request and string to sign, learnt from a refusal.
fn signed_bytes(parts: &Parts) -> (String, String) {
    let view = RequestView::from(parts);
    let presented = parse(&view).unwrap();
    let (rules, mut scratch) = (Rules::STANDARD, Scratch::default());
    match verify(&presented, &view, Payload::Bytes(b""), &key(), &rules, &mut scratch) {
        Err(AuthError::SignatureMismatch(shown)) => (shown.canonical_request, shown.string_to_sign),
        other => unreachable!("the body is wrong: {other:?}"),
    }
}

fn bench(criterion: &mut Criterion) {
    let now = Timestamp::from_unix_seconds(1_440_938_160);
    let body = vec![b'a'; 300];
    let (parts, key) = (request(&body, now), key());
    let (canonical, to_sign) = signed_bytes(&parts);
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("sigv4_300_bytes");
    group.bench_function("parse_check_verify_cached_key", |bencher| {
        bencher.iter(|| {
            let view = RequestView::from(black_box(&parts));
            let presented = parse(&view).unwrap();
            presented.check(now, &EXPECTED, &Rules::STANDARD).unwrap();
            let payload = Payload::Bytes(&body);
            verify(&presented, &view, payload, &key, &Rules::STANDARD, &mut scratch).unwrap()
        });
    });
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    group.bench_function("floor_sha256_and_hmac", |bencher| {
        bencher.iter(|| {
            let body = digest::digest(&digest::SHA256, black_box(&body));
            let canonical = digest::digest(&digest::SHA256, black_box(canonical.as_bytes()));
            (body, canonical, hmac::sign(&hmac_key, black_box(to_sign.as_bytes())))
        });
    });
    group.bench_function("derive_key", |bencher| {
        bencher.iter(|| SigningKey::derive(black_box("secret"), "20150830", "us-east-1", "kms"));
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
