//! `DeriveSharedSecret`, `Encapsulate`, `Decapsulate`.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Blob;

use crate::openssl::Scratch;
use crate::world::*;

fn derive(key_id: &str, public_key: Vec<u8>) -> DeriveSharedSecretRequest {
    DeriveSharedSecretRequest {
        key_id: key_id.to_owned(),
        key_agreement_algorithm: KeyAgreementAlgorithmSpec::Ecdh,
        public_key: Blob(public_key),
        ..Default::default()
    }
}

#[tokio::test]
async fn openssl_agrees_on_the_same_secret() {
    let world = World::new().await;
    let scratch = Scratch::new("agreement");
    for (spec, curve, length) in [
        (KeySpec::EccNistP256, "P-256", 32),
        (KeySpec::EccNistP384, "P-384", 48),
        (KeySpec::EccNistP521, "P-521", 66),
    ] {
        let key = world.key_of(spec, KeyUsageType::KeyAgreement).await;
        assert_eq!(key.key_agreement_algorithms, Some(vec![KeyAgreementAlgorithmSpec::Ecdh]));
        scratch
            .must(&format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve} -out mine"));
        scratch.must("pkey -in mine -pubout -outform DER -out peer");
        let input = derive(&key.key_id, scratch.read("peer"));
        let output = world.call::<ops::DeriveSharedSecret>(&world.root, input).await.unwrap();
        assert_eq!(output.key_origin, Some(OriginType::AwsKms));
        let public_key = world.public_key(&key.key_id).await.unwrap().public_key.unwrap();
        scratch.write("theirs", &public_key.0);
        scratch.must("pkey -pubin -inform DER -in theirs -out theirs.pem");
        scratch.must("pkeyutl -derive -inkey mine -peerkey theirs.pem -out secret");
        let secret = output.shared_secret.unwrap();
        assert_eq!(secret.0, scratch.read("secret"));
        assert_eq!(secret.0.len(), length);
    }
}

#[tokio::test]
async fn a_key_of_another_curve_or_no_key_at_all_is_refused() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::EccNistP256, KeyUsageType::KeyAgreement).await;
    let other = world.key_of(KeySpec::EccNistP384, KeyUsageType::KeyAgreement).await;
    let other = world.public_key(&other.key_id).await.unwrap().public_key.unwrap();
    for peer in [other.0, b"x".to_vec()] {
        let input = derive(&key.key_id, peer);
        let outcome = world.call::<ops::DeriveSharedSecret>(&world.root, input).await;
        assert_refused(outcome, "ValidationException", "");
    }
    let signing = world.key_of(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let outcome =
        world.call::<ops::DeriveSharedSecret>(&world.root, derive(&signing.key_id, vec![1])).await;
    assert_eq!(refused(outcome).0, "InvalidKeyUsageException");
}

fn decapsulate(key_id: &str, blob: Vec<u8>) -> DecapsulateRequest {
    DecapsulateRequest {
        key_id: key_id.to_owned(),
        shared_secret_ciphertext_blob: Blob(blob),
        encapsulation_algorithm: EncapsulationAlgorithmSpec::MlKem,
        ..Default::default()
    }
}

#[tokio::test]
async fn an_encapsulated_secret_is_recovered_and_a_changed_one_gives_another() {
    let world = World::new().await;
    for spec in [KeySpec::MlKem512, KeySpec::MlKem768, KeySpec::MlKem1024] {
        let key = world.key_of(spec, KeyUsageType::EncapsulateDecapsulate).await;
        let algorithms = Some(vec![EncapsulationAlgorithmSpec::MlKem]);
        assert_eq!(key.encapsulation_algorithms, algorithms);
        let input = EncapsulateRequest {
            key_id: key.key_id.clone(),
            encapsulation_algorithm: EncapsulationAlgorithmSpec::MlKem,
            ..Default::default()
        };
        let made = world.call::<ops::Encapsulate>(&world.root, input.clone()).await.unwrap();
        let (secret, blob) =
            (made.shared_secret.unwrap(), made.shared_secret_ciphertext_blob.unwrap());
        assert_eq!(secret.0.len(), 32);
        let found = decapsulate(&key.key_id, blob.0.clone());
        let found = world.call::<ops::Decapsulate>(&world.root, found).await.unwrap();
        assert_eq!(found.shared_secret.unwrap().0, secret.0);
        let mut changed = blob.0.clone();
        changed[3] ^= 1;
        let other = decapsulate(&key.key_id, changed);
        let other = world.call::<ops::Decapsulate>(&world.root, other).await.unwrap();
        assert_ne!(other.shared_secret.unwrap().0, secret.0);
        let short = decapsulate(&key.key_id, blob.0[1..].to_vec());
        let outcome = world.call::<ops::Decapsulate>(&world.root, short).await;
        assert_refused(outcome, "InvalidCiphertextException", "");
        let input = EncapsulateRequest { dry_run: Some(true), ..input };
        let outcome = world.call::<ops::Encapsulate>(&world.root, input).await;
        assert_eq!(refused(outcome).0, "DryRunOperationException");
    }
}
