use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Blob;

use crate::world::*;

async fn in_context(world: &World, key: &KeyMetadata) -> Blob {
    let input = EncryptRequest {
        encryption_context: context(&[("tenant", "a"), ("purpose", "test")]),
        ..plain(&key.key_id)
    };
    let output = world.call::<ops::Encrypt>(&world.root, input).await.unwrap();
    output.ciphertext_blob.unwrap()
}

#[tokio::test]
async fn the_context_must_be_the_same() {
    let world = World::new().await;
    let blob = in_context(&world, &world.key().await).await;
    let right = [("purpose", "test"), ("tenant", "a")];
    let input = DecryptRequest { encryption_context: context(&right), ..sealed(&blob) };
    let output = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
    assert_eq!(output.plaintext.unwrap().0, PLAINTEXT);
    let wrong: [&[(&str, &str)]; 4] = [
        &[],
        &[("tenant", "a")],
        &[("tenant", "b"), ("purpose", "test")],
        &[("tenant", "a"), ("purpose", "test"), ("more", "")],
    ];
    for pairs in wrong {
        let input = DecryptRequest { encryption_context: context(pairs), ..sealed(&blob) };
        let outcome = world.call::<ops::Decrypt>(&world.root, input).await;
        assert_refused(outcome, "InvalidCiphertextException", "");
    }
}

#[tokio::test]
async fn a_change_of_any_byte_is_refused_with_one_answer() {
    let world = World::new().await;
    let blob = world.encrypt(&world.root, &world.key().await.key_id).await.unwrap();
    for index in 0..blob.0.len() {
        let mut changed = blob.clone();
        changed.0[index] ^= 1;
        // Byte 2 tells Encrypt from GenerateDataKey; it is authenticated like the rest.
        let outcome = world.decrypt(&world.root, &changed).await;
        assert_refused(outcome, "InvalidCiphertextException", "");
    }
}

#[tokio::test]
async fn garbage_of_any_length_is_refused() {
    let world = World::new().await;
    for length in [1, 4, 129, 130, 200, 6144] {
        let outcome = world.decrypt(&world.root, &Blob(vec![1; length])).await;
        assert_refused(outcome, "InvalidCiphertextException", "");
    }
}

#[tokio::test]
async fn naming_the_right_key_works_and_another_is_incorrect() {
    let world = World::new().await;
    let (key, other) = (world.key().await, world.key().await);
    world.alias("alias/right", &key.key_id).await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    for name in [&key.key_id, "alias/right"] {
        let input = DecryptRequest { key_id: Some(name.to_owned()), ..sealed(&blob) };
        let output = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
        assert_eq!(output.key_id, key.arn);
        assert_eq!(output.key_material_id, key.current_key_material_id);
    }
    // Recorded: so it is where the wrong key could not decrypt anything.
    let mac = world.key_of(KeySpec::Hmac224, KeyUsageType::GenerateVerifyMac).await;
    for wrong in [other, mac] {
        let input = DecryptRequest { key_id: Some(wrong.key_id), ..sealed(&blob) };
        assert_refused(
            world.call::<ops::Decrypt>(&world.root, input).await,
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        );
    }
}

#[tokio::test]
async fn a_blob_of_another_region_does_not_open() {
    let mut world = World::new().await;
    let blob = world.encrypt(&world.root, &world.key().await.key_id).await.unwrap();
    world.kit.region = haechi_core::Region::parse("eu-west-1").unwrap();
    assert_refused(world.decrypt(&world.root, &blob).await, "InvalidCiphertextException", "");
}

#[tokio::test]
async fn a_missing_blob_is_told_as_the_model_would() {
    let world = World::new().await;
    assert_refused(
        world.call::<ops::Decrypt>(&world.root, DecryptRequest::default()).await,
        "ValidationException",
        "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy \
         constraint: Member must not be null",
    );
}

#[tokio::test]
async fn a_dry_run_checks_the_blob_too() {
    let world = World::new().await;
    let blob = world.encrypt(&world.root, &world.key().await.key_id).await.unwrap();
    let input = || DecryptRequest { dry_run: Some(true), ..sealed(&blob) };
    let (code, _) = refused(world.call::<ops::Decrypt>(&world.root, input()).await);
    assert_eq!(code, "DryRunOperationException");
    let wrong = DecryptRequest { encryption_context: context(&[("a", "b")]), ..input() };
    let (code, _) = refused(world.call::<ops::Decrypt>(&world.root, wrong).await);
    assert_eq!(code, "InvalidCiphertextException");
}

#[tokio::test]
async fn a_disabled_key_does_not_decrypt_until_it_is_enabled_again() {
    let world = World::new().await;
    let key = world.key().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.disable(&key.key_id).await;
    let (code, _) = refused(world.decrypt(&world.root, &blob).await);
    assert_eq!(code, "DisabledException");
    let input = EnableKeyRequest { key_id: key.key_id };
    world.call::<ops::EnableKey>(&world.root, input).await.unwrap();
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
}
