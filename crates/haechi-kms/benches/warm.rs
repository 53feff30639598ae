//! What a warm call costs from the typed input to the typed output: resolve, decide, crypto. The
//! same without KMS around it is `haechi-crypto`'s bench; the difference is this crate's.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use haechi_core::{Cx, Handle, Operation};
use haechi_kms::Kms;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_testkit::Kit;
use haechi_wire::SecretBlob;

async fn run<Op: Operation>(kms: &Kms, cx: &Cx, input: Op::Input)
where
    Kms: Handle<Op>,
{
    let output = Handle::<Op>::handle(kms, cx, input).await;
    assert!(black_box(output).is_ok());
}

fn warm(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let kit = runtime.block_on(Kit::new());
    let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
    let allow = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["kms:CreateKey"],"Resource":"*"},
        {"Effect":"Allow","Action":["kms:Encrypt","kms:Decrypt","kms:GenerateDataKey"],
         "Resource":"arn:aws:kms:*:111111111111:key/*"}]}"#;
    let user = kit.user("111111111111", "app", &[allow]);
    let created = kit.call::<ops::CreateKey, _>(&kms, &user, CreateKeyRequest::default());
    let key_id = runtime.block_on(created).unwrap().key_metadata.unwrap().key_id;
    let context = BTreeMap::from([("tenant".to_owned(), "a".to_owned())]);
    let encrypt = EncryptRequest {
        key_id: key_id.clone(),
        plaintext: SecretBlob(vec![7; 32]),
        encryption_context: Some(context.clone()),
        ..Default::default()
    };
    let sealed = runtime.block_on(kit.call::<ops::Encrypt, _>(&kms, &user, encrypt.clone()));
    let decrypt = DecryptRequest {
        ciphertext_blob: sealed.unwrap().ciphertext_blob,
        encryption_context: Some(context.clone()),
        ..Default::default()
    };
    let data_key = GenerateDataKeyRequest {
        key_id,
        key_spec: Some(DataKeySpec::Aes256),
        encryption_context: Some(context),
        ..Default::default()
    };
    criterion.bench_function("clone an input and make a context", |bencher| {
        bencher.iter(|| black_box((encrypt.clone(), kit.cx::<ops::Encrypt>(&user))));
    });
    criterion.bench_function("Encrypt 32 B", |bencher| {
        bencher.iter(|| {
            let cx = kit.cx::<ops::Encrypt>(&user);
            runtime.block_on(run::<ops::Encrypt>(&kms, &cx, encrypt.clone()));
        });
    });
    criterion.bench_function("Decrypt 32 B", |bencher| {
        bencher.iter(|| {
            let cx = kit.cx::<ops::Decrypt>(&user);
            runtime.block_on(run::<ops::Decrypt>(&kms, &cx, decrypt.clone()));
        });
    });
    criterion.bench_function("GenerateDataKey 32 B", |bencher| {
        bencher.iter(|| {
            let cx = kit.cx::<ops::GenerateDataKey>(&user);
            runtime.block_on(run::<ops::GenerateDataKey>(&kms, &cx, data_key.clone()));
        });
    });
}

criterion_group!(benches, warm);
criterion_main!(benches);
