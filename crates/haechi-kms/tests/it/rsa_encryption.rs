//! `Encrypt`, `Decrypt`, `ReEncrypt` with key pairs.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::{Blob, SecretBlob};

use crate::openssl::Scratch;
use crate::world::*;

use EncryptionAlgorithmSpec as Algorithm;

fn encrypt(key_id: &str, algorithm: Algorithm, length: usize) -> EncryptRequest {
    EncryptRequest {
        key_id: key_id.to_owned(),
        plaintext: SecretBlob(vec![5; length]),
        encryption_algorithm: Some(algorithm),
        ..Default::default()
    }
}

fn decrypt(key_id: &str, algorithm: Algorithm, blob: &Blob) -> DecryptRequest {
    DecryptRequest {
        key_id: Some(key_id.to_owned()),
        encryption_algorithm: Some(algorithm),
        ..sealed(blob)
    }
}

#[tokio::test]
async fn plaintexts_up_to_the_limit_go_in_and_come_out_and_longer_ones_are_refused_as_recorded() {
    let world = World::new().await;
    for (spec, algorithm, max) in [
        (KeySpec::Rsa2048, Algorithm::RsaesOaepSha1, 214),
        (KeySpec::Rsa2048, Algorithm::RsaesOaepSha256, 190),
        (KeySpec::Rsa3072, Algorithm::RsaesOaepSha1, 342),
        (KeySpec::Rsa3072, Algorithm::RsaesOaepSha256, 318),
    ] {
        let key = world.key_of(spec, KeyUsageType::EncryptDecrypt).await;
        let expected = vec![Algorithm::RsaesOaepSha1, Algorithm::RsaesOaepSha256];
        assert_eq!(key.encryption_algorithms, Some(expected));
        let input = encrypt(&key.key_id, algorithm, max);
        let output = world.call::<ops::Encrypt>(&world.root, input).await.unwrap();
        assert_eq!(output.encryption_algorithm, Some(algorithm));
        let blob = output.ciphertext_blob.unwrap();
        let input = decrypt(&key.key_id, algorithm, &blob);
        let output = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
        assert_eq!(output.plaintext.unwrap().0, vec![5; max]);
        assert_eq!((output.key_id, output.key_material_id), (key.arn, None));
        let input = encrypt(&key.key_id, algorithm, max + 1);
        assert_refused(
            world.call::<ops::Encrypt>(&world.root, input).await,
            "ValidationException",
            &format!(
                "Algorithm {} and key spec {} cannot encrypt data larger than {max} bytes.",
                algorithm.as_str(),
                spec.as_str()
            ),
        );
    }
}

#[tokio::test]
async fn what_openssl_encrypts_under_the_public_key_is_decrypted() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let public_key = world.public_key(&key.key_id).await.unwrap().public_key.unwrap();
    let scratch = Scratch::new("rsa");
    scratch.write("public", &public_key.0);
    scratch.write("plaintext", PLAINTEXT);
    for (algorithm, hash) in
        [(Algorithm::RsaesOaepSha1, "sha1"), (Algorithm::RsaesOaepSha256, "sha256")]
    {
        scratch.must(&format!(
            "pkeyutl -encrypt -pubin -keyform DER -inkey public -in plaintext -out sealed \
             -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:{hash}"
        ));
        let blob = Blob(scratch.read("sealed"));
        let input = decrypt(&key.key_id, algorithm, &blob);
        let output = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
        assert_eq!(output.plaintext.unwrap().0, PLAINTEXT);
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_ciphertext_the_answer_is_the_same() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let other = world.key_of(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let algorithm = Algorithm::RsaesOaepSha256;
    let input = encrypt(&key.key_id, algorithm, 9);
    let output = world.call::<ops::Encrypt>(&world.root, input).await.unwrap();
    let blob = output.ciphertext_blob.unwrap();
    let mut changed = blob.clone();
    changed.0[100] ^= 1;
    for input in [
        decrypt(&key.key_id, algorithm, &changed),
        decrypt(&key.key_id, algorithm, &Blob(vec![1])),
        decrypt(&key.key_id, Algorithm::RsaesOaepSha1, &blob),
        decrypt(&other.key_id, algorithm, &blob),
    ] {
        let outcome = world.call::<ops::Decrypt>(&world.root, input).await;
        assert_refused(outcome, "InvalidCiphertextException", "");
    }
}

#[tokio::test]
async fn key_id_and_algorithm_must_be_named_and_a_context_must_not() {
    let world = World::new().await;
    let key = world.key_of(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    assert_refused(
        world.encrypt(&world.root, &key.key_id).await,
        "InvalidKeyUsageException",
        "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
    );
    let algorithm = Algorithm::RsaesOaepSha256;
    let input = EncryptRequest {
        encryption_context: context(&[("a", "b")]),
        ..encrypt(&key.key_id, algorithm, 9)
    };
    let outcome = world.call::<ops::Encrypt>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "ValidationException");
    let blob = Blob(vec![1; 256]);
    let input = DecryptRequest { key_id: None, ..decrypt(&key.key_id, algorithm, &blob) };
    let outcome = world.call::<ops::Decrypt>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "ValidationException");
}

#[tokio::test]
async fn a_ciphertext_moves_between_symmetric_and_asymmetric_keys() {
    let world = World::new().await;
    let (pair, symmetric) =
        (world.key_of(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await, world.key().await);
    let algorithm = Algorithm::RsaesOaepSha256;
    let blob = world.encrypt(&world.root, &symmetric.key_id).await.unwrap();
    let input = ReEncryptRequest {
        ciphertext_blob: Some(blob),
        destination_key_id: pair.key_id.clone(),
        destination_encryption_algorithm: Some(algorithm),
        ..Default::default()
    };
    let output = world.call::<ops::ReEncrypt>(&world.root, input).await.unwrap();
    assert_eq!(output.source_key_material_id, symmetric.current_key_material_id);
    assert_eq!(output.destination_key_material_id, None);
    assert_eq!(output.destination_encryption_algorithm, Some(algorithm));
    let input = ReEncryptRequest {
        ciphertext_blob: output.ciphertext_blob,
        source_key_id: Some(pair.key_id),
        source_encryption_algorithm: Some(algorithm),
        destination_key_id: symmetric.key_id,
        ..Default::default()
    };
    let output = world.call::<ops::ReEncrypt>(&world.root, input).await.unwrap();
    let blob = output.ciphertext_blob.unwrap();
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
}
