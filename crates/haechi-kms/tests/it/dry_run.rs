//! `DryRun`: an operation that would succeed says so, and does nothing.

use haechi_core::{Handle, Operation};
use haechi_kms::Kms;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Blob, SecretBlob};

use crate::world::*;

impl World {
    /// Asserts that a dry run comes to its end.
    async fn would<Op: Operation>(&self, input: Op::Input)
    where
        Kms: Handle<Op>,
    {
        let (code, message) = refused(self.call::<Op>(&self.root, input).await);
        assert_eq!((Op::SCHEMA.name, code), (Op::SCHEMA.name, "DryRunOperationException"));
        assert_eq!(message, "The request would have succeeded, but the DryRun option is set.");
    }
}

const DRY: Option<bool> = Some(true);

#[tokio::test]
async fn symmetric_operations() {
    let world = World::new().await;
    let key_id = world.key().await.key_id;
    let blob = world.encrypt(&world.root, &key_id).await.unwrap();
    world.would::<ops::Encrypt>(EncryptRequest { dry_run: DRY, ..plain(&key_id) }).await;
    world.would::<ops::Decrypt>(DecryptRequest { dry_run: DRY, ..sealed(&blob) }).await;
    let input = ReEncryptRequest {
        ciphertext_blob: Some(blob),
        destination_key_id: key_id.clone(),
        dry_run: DRY,
        ..Default::default()
    };
    world.would::<ops::ReEncrypt>(input).await;
    let key_spec = Some(DataKeySpec::Aes256);
    let input = GenerateDataKeyRequest {
        key_id: key_id.clone(),
        key_spec,
        dry_run: DRY,
        ..Default::default()
    };
    world.would::<ops::GenerateDataKey>(input).await;
    let input = GenerateDataKeyWithoutPlaintextRequest {
        key_id: key_id.clone(),
        key_spec,
        dry_run: DRY,
        ..Default::default()
    };
    world.would::<ops::GenerateDataKeyWithoutPlaintext>(input).await;
    let key_pair_spec = DataKeyPairSpec::EccNistP256;
    let input = GenerateDataKeyPairRequest {
        key_id: key_id.clone(),
        key_pair_spec,
        dry_run: DRY,
        ..Default::default()
    };
    world.would::<ops::GenerateDataKeyPair>(input).await;
    let input = GenerateDataKeyPairWithoutPlaintextRequest {
        key_id,
        key_pair_spec,
        dry_run: DRY,
        ..Default::default()
    };
    world.would::<ops::GenerateDataKeyPairWithoutPlaintext>(input).await;
}

#[tokio::test]
async fn operations_of_other_keys() {
    let world = World::new().await;
    let key_id = world.key_of(KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac).await.key_id;
    let generate = GenerateMacRequest {
        key_id: key_id.clone(),
        mac_algorithm: MacAlgorithmSpec::HmacSha256,
        message: SecretBlob(b"m".to_vec()),
        ..Default::default()
    };
    let made = world.call::<ops::GenerateMac>(&world.root, generate.clone()).await.unwrap();
    world.would::<ops::GenerateMac>(GenerateMacRequest { dry_run: DRY, ..generate.clone() }).await;
    let input = VerifyMacRequest {
        key_id,
        mac_algorithm: generate.mac_algorithm,
        message: generate.message,
        mac: made.mac.unwrap(),
        dry_run: DRY,
        ..Default::default()
    };
    world.would::<ops::VerifyMac>(input).await;

    let agreeing = world.key_of(KeySpec::EccNistP256, KeyUsageType::KeyAgreement).await;
    let input = GetPublicKeyRequest { key_id: agreeing.key_id.clone(), ..Default::default() };
    let public = world.call::<ops::GetPublicKey>(&world.root, input).await.unwrap();
    let input = DeriveSharedSecretRequest {
        key_id: agreeing.key_id,
        key_agreement_algorithm: KeyAgreementAlgorithmSpec::Ecdh,
        public_key: public.public_key.unwrap(),
        dry_run: DRY,
        ..Default::default()
    };
    world.would::<ops::DeriveSharedSecret>(input).await;
}

#[tokio::test]
async fn a_ciphertext_that_is_ignored_may_be_absent_or_wrong_but_the_key_is_named() {
    let world = World::new().await;
    let key = world.key().await;
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    let modifiers = Some(vec![DryRunModifierType::IgnoreCiphertext]);
    let input = |key_id: Option<&str>, blob: Option<&[u8]>| DecryptRequest {
        key_id: key_id.map(str::to_owned),
        ciphertext_blob: blob.map(|bytes| Blob(bytes.to_vec())),
        dry_run: DRY,
        dry_run_modifiers: modifiers.clone(),
        ..Default::default()
    };
    let named = Some(key.key_id.as_str());
    world.would::<ops::Decrypt>(input(named, None)).await;
    world.would::<ops::Decrypt>(input(named, Some(b"no blob at all"))).await;
    let denied = world.call::<ops::Decrypt>(&nobody, input(named, None)).await;
    assert_eq!(refused(denied).0, "AccessDeniedException");
    let unnamed = world.call::<ops::Decrypt>(&world.root, input(None, None)).await;
    assert_eq!(refused(unnamed).0, "ValidationException");
    let wet = DecryptRequest { dry_run: None, ..input(named, None) };
    let wet = world.call::<ops::Decrypt>(&world.root, wet).await;
    assert_eq!(refused(wet).0, "ValidationException");

    let reencrypt = ReEncryptRequest {
        source_key_id: Some(key.key_id.clone()),
        destination_key_id: key.key_id.clone(),
        dry_run: DRY,
        dry_run_modifiers: modifiers.clone(),
        ..Default::default()
    };
    world.would::<ops::ReEncrypt>(reencrypt).await;
    world.disable(&key.key_id).await;
    let disabled = world.call::<ops::Decrypt>(&world.root, input(named, None)).await;
    assert_eq!(refused(disabled).0, "DisabledException");
}
