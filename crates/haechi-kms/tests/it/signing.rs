//! `Sign`, `Verify`, `GetPublicKey`.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Blob, Problem, SecretBlob};

use crate::openssl::Scratch;
use crate::world::*;

const MESSAGE: &[u8] = b"the message";

fn sign(key: &KeyMetadata, algorithm: SigningAlgorithmSpec, message: &[u8]) -> SignRequest {
    SignRequest {
        key_id: key.key_id.clone(),
        message: SecretBlob(message.to_vec()),
        signing_algorithm: algorithm,
        ..Default::default()
    }
}

fn verify(request: &SignRequest, signature: &Blob) -> VerifyRequest {
    VerifyRequest {
        key_id: request.key_id.clone(),
        message: request.message.clone(),
        message_type: request.message_type,
        signing_algorithm: request.signing_algorithm,
        signature: signature.clone(),
        ..Default::default()
    }
}

impl World {
    async fn sign(&self, request: &SignRequest) -> Result<Blob, Problem> {
        let output = self.call::<ops::Sign>(&self.root, request.clone()).await?;
        assert_eq!(output.signing_algorithm, Some(request.signing_algorithm));
        Ok(output.signature.unwrap())
    }

    async fn verify(&self, request: VerifyRequest) -> Result<(), Problem> {
        let output = self.call::<ops::Verify>(&self.root, request).await?;
        assert_eq!(output.signature_valid, Some(true));
        Ok(())
    }

    pub async fn public_key(&self, key_id: &str) -> Result<GetPublicKeyResponse, Problem> {
        let input = GetPublicKeyRequest { key_id: key_id.to_owned(), ..Default::default() };
        self.call::<ops::GetPublicKey>(&self.root, input).await
    }
}

#[tokio::test]
async fn every_signing_spec_verifies_its_own_signatures_and_nothing_else() {
    let world = World::new().await;
    for spec in [
        KeySpec::Rsa2048,
        KeySpec::EccNistP256,
        KeySpec::EccNistP384,
        KeySpec::EccNistP521,
        KeySpec::EccSecgP256k1,
        KeySpec::EccNistEdwards25519,
        KeySpec::MlDsa44,
        KeySpec::MlDsa65,
        KeySpec::MlDsa87,
    ] {
        let key = world.key_of(spec, KeyUsageType::SignVerify).await;
        let algorithms = key.signing_algorithms.clone().unwrap();
        assert!(!algorithms.is_empty() && key.encryption_algorithms.is_none());
        assert_eq!(key.current_key_material_id, None);
        for algorithm in algorithms {
            let mut request = sign(&key, algorithm, MESSAGE);
            if algorithm == SigningAlgorithmSpec::Ed25519PhSha512 {
                request.message = SecretBlob(vec![7; 64]);
                request.message_type = Some(MessageType::Digest);
            }
            let signature = world.sign(&request).await.unwrap();
            world.verify(verify(&request, &signature)).await.unwrap();
            let mut other = verify(&request, &signature);
            other.message.0[0] ^= 1;
            assert_refused(world.verify(other).await, "KMSInvalidSignatureException", "");
            let mut other = verify(&request, &signature);
            other.signature.0[20] ^= 1;
            assert_refused(world.verify(other).await, "KMSInvalidSignatureException", "");
        }
    }
}

#[tokio::test]
async fn openssl_accepts_our_signatures_under_our_public_key() {
    use SigningAlgorithmSpec as Algorithm;
    let world = World::new().await;
    let scratch = Scratch::new("signing");
    scratch.write("message", MESSAGE);
    let pss = "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest";
    for (spec, algorithm, digest, options) in [
        (KeySpec::Rsa2048, Algorithm::RsassaPkcs1V15Sha256, "sha256", ""),
        (KeySpec::Rsa2048, Algorithm::RsassaPssSha384, "sha384", pss),
        (KeySpec::Rsa3072, Algorithm::RsassaPssSha512, "sha512", pss),
        (KeySpec::EccNistP256, Algorithm::EcdsaSha256, "sha256", ""),
        (KeySpec::EccNistP384, Algorithm::EcdsaSha384, "sha384", ""),
        (KeySpec::EccNistP521, Algorithm::EcdsaSha512, "sha512", ""),
        (KeySpec::EccSecgP256k1, Algorithm::EcdsaSha256, "sha256", ""),
    ] {
        let key = world.key_of(spec, KeyUsageType::SignVerify).await;
        let public_key = world.public_key(&key.key_id).await.unwrap();
        assert_eq!(public_key.key_spec, Some(spec));
        assert_eq!(public_key.signing_algorithms, key.signing_algorithms);
        scratch.write("public", &public_key.public_key.unwrap().0);
        let signature = world.sign(&sign(&key, algorithm, MESSAGE)).await.unwrap();
        scratch.write("signature", &signature.0);
        scratch.must(&format!(
            "dgst -{digest} {options} -keyform DER -verify public -signature signature message"
        ));
        // The digest of the message is as good as the message itself.
        scratch.must(&format!("dgst -{digest} -binary -out digest message"));
        let mut request = sign(&key, algorithm, &scratch.read("digest"));
        request.message_type = Some(MessageType::Digest);
        world.verify(verify(&request, &signature)).await.unwrap();
    }
    let key = world.key_of(KeySpec::EccNistEdwards25519, KeyUsageType::SignVerify).await;
    let public_key = world.public_key(&key.arn.clone().unwrap()).await.unwrap();
    scratch.write("public", &public_key.public_key.unwrap().0);
    let signature = world.sign(&sign(&key, Algorithm::Ed25519Sha512, MESSAGE)).await.unwrap();
    scratch.write("signature", &signature.0);
    scratch.must(
        "pkeyutl -verify -pubin -keyform DER -inkey public -rawin -in message -sigfile signature",
    );
}

#[tokio::test]
async fn digests_of_the_wrong_length_and_types_that_do_not_fit_are_refused() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let algorithm = SigningAlgorithmSpec::EcdsaSha256;
    let mut request = sign(&key, algorithm, MESSAGE);
    request.message_type = Some(MessageType::Digest);
    assert_refused(
        world.sign(&request).await,
        "ValidationException",
        "Digest is invalid length for algorithm ECDSA_SHA_256.",
    );
    request.message_type = Some(MessageType::ExternalMu);
    assert_eq!(refused(world.sign(&request).await).0, "ValidationException");
    let request = sign(&key, SigningAlgorithmSpec::EcdsaSha384, MESSAGE);
    assert_refused(
        world.sign(&request).await,
        "InvalidKeyUsageException",
        "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.",
    );
    let request = sign(&key, SigningAlgorithmSpec::Sm2dsa, MESSAGE);
    assert_eq!(refused(world.sign(&request).await).0, "InvalidKeyUsageException");
}

#[tokio::test]
async fn a_key_that_does_not_sign_is_of_the_wrong_usage() {
    let world = World::new().await;
    let key = world.key().await;
    let arn = key.arn.clone().unwrap();
    assert_refused(
        world.sign(&sign(&key, SigningAlgorithmSpec::EcdsaSha256, MESSAGE)).await,
        "InvalidKeyUsageException",
        &format!("{arn} key usage is ENCRYPT_DECRYPT which is not valid for Sign."),
    );
    let outcome = world.public_key(&key.key_id).await;
    assert_eq!(refused(outcome.map(|_| ())).0, "UnsupportedOperationException");
    let signing = world.key_of(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    assert_refused(
        world.encrypt(&world.root, &signing.key_id).await,
        "InvalidKeyUsageException",
        &format!(
            "{} key usage is SIGN_VERIFY which is not valid for Encrypt.",
            signing.arn.unwrap()
        ),
    );
}

#[tokio::test]
async fn a_disabled_key_neither_signs_nor_shows_its_public_key() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    world.disable(&key.key_id).await;
    let outcome = world.sign(&sign(&key, SigningAlgorithmSpec::EcdsaSha256, MESSAGE)).await;
    assert_eq!(refused(outcome).0, "DisabledException");
    let outcome = world.public_key(&key.key_id).await;
    assert_eq!(refused(outcome.map(|_| ())).0, "DisabledException");
}

#[tokio::test]
async fn policies_see_algorithm_and_message_type() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::EccNistEdwards25519, KeyUsageType::SignVerify).await;
    let user = world.kit.user(
        ACCOUNT,
        "signer",
        &[r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Sign",
            "Resource":"*","Condition":{"StringEquals":{
                "kms:SigningAlgorithm":"ED25519_SHA_512","kms:MessageType":"RAW"}}}]}"#],
    );
    let request = sign(&key, SigningAlgorithmSpec::Ed25519Sha512, MESSAGE);
    assert!(world.call::<ops::Sign>(&user, request).await.is_ok());
    let mut request = sign(&key, SigningAlgorithmSpec::Ed25519PhSha512, &[7; 64]);
    request.message_type = Some(MessageType::Digest);
    let outcome = world.call::<ops::Sign>(&user, request).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
}

#[tokio::test]
async fn a_dry_run_signs_nothing() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::MlDsa44, KeyUsageType::SignVerify).await;
    let mut request = sign(&key, SigningAlgorithmSpec::MlDsaShake256, MESSAGE);
    let signature = world.sign(&request).await.unwrap();
    request.dry_run = Some(true);
    assert_eq!(refused(world.sign(&request).await).0, "DryRunOperationException");
    let request = VerifyRequest { dry_run: Some(true), ..verify(&request, &signature) };
    assert_eq!(refused(world.verify(request).await).0, "DryRunOperationException");
}
