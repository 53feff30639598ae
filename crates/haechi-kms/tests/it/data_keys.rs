use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

fn request(key_id: &str) -> GenerateDataKeyRequest {
    GenerateDataKeyRequest { key_id: key_id.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn a_data_key_comes_in_both_forms_which_are_the_same() {
    let world = World::new().await;
    let key = world.key().await;
    let input = GenerateDataKeyRequest {
        key_spec: Some(DataKeySpec::Aes256),
        encryption_context: context(&[("a", "b")]),
        ..request(&key.key_id)
    };
    let made = world.call::<ops::GenerateDataKey>(&world.root, input).await.unwrap();
    assert_eq!(made.key_id, key.arn);
    assert_eq!(made.key_material_id, key.current_key_material_id);
    let (plaintext, blob) = (made.plaintext.unwrap(), made.ciphertext_blob.unwrap());
    assert_eq!(plaintext.0.len(), 32);
    let input = DecryptRequest { encryption_context: context(&[("a", "b")]), ..sealed(&blob) };
    let opened = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
    assert_eq!(opened.plaintext.unwrap().0, plaintext.0);
}

#[tokio::test]
async fn its_length_is_what_was_asked_for() {
    let world = World::new().await;
    let key = world.key().await;
    for (spec, bytes, length) in
        [(Some(DataKeySpec::Aes128), None, 16), (None, Some(1), 1), (None, Some(1024), 1024)]
    {
        let input = GenerateDataKeyRequest {
            key_spec: spec,
            number_of_bytes: bytes,
            ..request(&key.key_id)
        };
        let made = world.call::<ops::GenerateDataKey>(&world.root, input).await.unwrap();
        assert_eq!(made.plaintext.unwrap().0.len(), length);
    }
}

#[tokio::test]
async fn exactly_one_way_to_say_the_length_is_taken() {
    let world = World::new().await;
    let key = world.key().await;
    let message = "Please specify either number of bytes or key spec.";
    for (spec, bytes) in [(None, None), (Some(DataKeySpec::Aes256), Some(32))] {
        let input = GenerateDataKeyRequest {
            key_spec: spec,
            number_of_bytes: bytes,
            ..request(&key.key_id)
        };
        let outcome = world.call::<ops::GenerateDataKey>(&world.root, input).await;
        assert_refused(outcome, "ValidationException", message);
        let input = GenerateDataKeyWithoutPlaintextRequest {
            key_id: key.key_id.clone(),
            key_spec: spec,
            number_of_bytes: bytes,
            ..Default::default()
        };
        let outcome = world.call::<ops::GenerateDataKeyWithoutPlaintext>(&world.root, input).await;
        assert_refused(outcome, "ValidationException", message);
    }
}

#[tokio::test]
async fn without_plaintext_only_the_ciphertext_comes() {
    let world = World::new().await;
    let key = world.key().await;
    let input = GenerateDataKeyWithoutPlaintextRequest {
        key_id: key.key_id,
        number_of_bytes: Some(24),
        ..Default::default()
    };
    let made =
        world.call::<ops::GenerateDataKeyWithoutPlaintext>(&world.root, input).await.unwrap();
    assert_eq!((made.key_id, made.key_material_id), (key.arn, key.current_key_material_id));
    let opened = world.decrypt(&world.root, &made.ciphertext_blob.unwrap()).await.unwrap();
    assert_eq!(opened.len(), 24);
}

#[tokio::test]
async fn no_two_data_keys_are_the_same() {
    let world = World::new().await;
    let key = world.key().await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let input =
            GenerateDataKeyRequest { key_spec: Some(DataKeySpec::Aes256), ..request(&key.key_id) };
        let made = world.call::<ops::GenerateDataKey>(&world.root, input).await.unwrap();
        assert!(seen.insert(made.plaintext.unwrap().0.clone()));
        assert!(seen.insert(made.ciphertext_blob.unwrap().0));
    }
}

#[tokio::test]
async fn a_dry_run_makes_none() {
    let world = World::new().await;
    let key = world.key().await;
    let input = GenerateDataKeyRequest {
        key_spec: Some(DataKeySpec::Aes256),
        dry_run: Some(true),
        ..request(&key.key_id)
    };
    let (code, _) = refused(world.call::<ops::GenerateDataKey>(&world.root, input).await);
    assert_eq!(code, "DryRunOperationException");
}

#[tokio::test]
async fn what_is_for_an_enclave_goes_to_nobody_else() {
    let world = World::new().await;
    let key = world.key().await;
    let input = GenerateDataKeyRequest {
        key_spec: Some(DataKeySpec::Aes256),
        recipient: Some(RecipientInfo::default()),
        ..request(&key.key_id)
    };
    let (code, message) = refused(world.call::<ops::GenerateDataKey>(&world.root, input).await);
    assert_eq!(code, "ValidationException");
    assert!(message.starts_with("The attestation document is not valid"), "{message}");
}
