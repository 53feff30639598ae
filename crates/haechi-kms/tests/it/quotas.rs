//! What a request counts for, once its key is known.

use std::sync::{Arc, Mutex};

use haechi_core::Handle;
use haechi_core::quota::{RequestMeter, Spending};
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Blob, Fault, Problem, SecretBlob};

use crate::world::*;

/// Notes what is spent, and lets nothing more in once it is told so.
#[derive(Default)]
struct Meter {
    spent: Mutex<Vec<String>>,
    closed: Mutex<bool>,
}

impl RequestMeter for Meter {
    fn spend(&self, spending: &Spending<'_>) -> Result<(), Fault> {
        if *self.closed.lock().unwrap() {
            return Err(Fault::Throttled);
        }
        let Spending { operation, kind, account, .. } = spending;
        self.spent.lock().unwrap().push(format!("{operation} {kind} {account}"));
        Ok(())
    }
}

fn sign(key_id: &str, algorithm: SigningAlgorithmSpec) -> SignRequest {
    SignRequest {
        key_id: key_id.to_owned(),
        message: SecretBlob(b"text".to_vec()),
        message_type: None,
        grant_tokens: None,
        signing_algorithm: algorithm,
        dry_run: None,
    }
}

#[tokio::test]
async fn each_kind_of_key_is_counted_for_itself_and_symmetric_keys_by_their_operation() {
    let (world, meter) = (World::new().await, Arc::new(Meter::default()));
    let rsa = world.key_of(KeySpec::Rsa2048, KeyUsageType::SignVerify).await;
    let ecc = world.key_of(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let symmetric = world.key().await;
    for (key, algorithm) in
        [(&rsa, SigningAlgorithmSpec::RsassaPssSha256), (&ecc, SigningAlgorithmSpec::EcdsaSha256)]
    {
        let cx = world.kit.cx::<ops::Sign>(&world.root);
        cx.meter(Arc::clone(&meter) as _);
        Handle::<ops::Sign>::handle(&world.kms, &cx, sign(&key.key_id, algorithm)).await.unwrap();
    }
    let cx = world.kit.cx::<ops::Encrypt>(&world.root);
    cx.meter(Arc::clone(&meter) as _);
    let input = EncryptRequest {
        key_id: symmetric.key_id.clone(),
        plaintext: SecretBlob(b"text".to_vec()),
        encryption_context: None,
        grant_tokens: None,
        encryption_algorithm: None,
        dry_run: None,
    };
    Handle::<ops::Encrypt>::handle(&world.kms, &cx, input).await.unwrap();
    let spent = meter.spent.lock().unwrap().clone();
    assert_eq!(spent, ["Sign RSA 111111111111", "Sign ECC 111111111111"]);
}

#[tokio::test]
async fn a_request_beyond_the_quota_of_its_key_is_throttled_and_makes_nothing() {
    let (world, meter) = (World::new().await, Arc::new(Meter::default()));
    let key = world.key().await;
    *meter.closed.lock().unwrap() = true;
    let cx = world.kit.cx::<ops::GenerateDataKeyPair>(&world.root);
    cx.meter(Arc::clone(&meter) as _);
    let input = GenerateDataKeyPairRequest {
        encryption_context: None,
        key_id: key.key_id,
        key_pair_spec: DataKeyPairSpec::EccNistP256,
        grant_tokens: None,
        recipient: None,
        dry_run: None,
    };
    let outcome = Handle::<ops::GenerateDataKeyPair>::handle(&world.kms, &cx, input).await;
    let problem: Problem = outcome.map(|_| Blob::default()).unwrap_err().into();
    assert!(matches!(problem, Problem::Fault(Fault::Throttled)));
}
