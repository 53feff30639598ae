use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Blob;

use crate::world::*;

fn request(blob: &Blob, to: &str) -> ReEncryptRequest {
    ReEncryptRequest {
        ciphertext_blob: Some(blob.clone()),
        destination_key_id: to.to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_ciphertext_moves_to_another_key_and_context() {
    let world = World::new().await;
    let (from, to) = (world.key().await, world.key().await);
    let input =
        EncryptRequest { encryption_context: context(&[("old", "1")]), ..plain(&from.key_id) };
    let output = world.call::<ops::Encrypt>(&world.root, input).await.unwrap();
    let blob = output.ciphertext_blob.unwrap();
    let input = ReEncryptRequest {
        source_encryption_context: context(&[("old", "1")]),
        destination_encryption_context: context(&[("new", "2")]),
        ..request(&blob, &to.key_id)
    };
    let output = world.call::<ops::ReEncrypt>(&world.root, input).await.unwrap();
    assert_eq!((output.source_key_id, output.key_id), (from.arn, to.arn));
    assert_eq!(output.source_key_material_id, from.current_key_material_id);
    assert_eq!(output.destination_key_material_id, to.current_key_material_id);
    let moved = output.ciphertext_blob.unwrap();
    let input = DecryptRequest {
        encryption_context: context(&[("new", "2")]),
        key_id: Some(to.key_id),
        ..sealed(&moved)
    };
    let output = world.call::<ops::Decrypt>(&world.root, input).await.unwrap();
    assert_eq!(output.plaintext.unwrap().0, PLAINTEXT);
}

#[tokio::test]
async fn a_wrong_source_key_is_incorrect() {
    let world = World::new().await;
    let (from, to) = (world.key().await, world.key().await);
    let blob = world.encrypt(&world.root, &from.key_id).await.unwrap();
    let input =
        ReEncryptRequest { source_key_id: Some(to.key_id.clone()), ..request(&blob, &to.key_id) };
    assert_refused(
        world.call::<ops::ReEncrypt>(&world.root, input).await,
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
    );
    // Recorded: so it is where the wrong key could not encrypt anything.
    let mac = world.key_of(KeySpec::Hmac224, KeyUsageType::GenerateVerifyMac).await;
    let input =
        ReEncryptRequest { source_key_id: Some(mac.key_id.clone()), ..request(&blob, &mac.key_id) };
    let outcome = world.call::<ops::ReEncrypt>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "IncorrectKeyException");
}

#[tokio::test]
async fn each_key_must_allow_its_half() {
    let world = World::new().await;
    let (from, to) = (world.key().await, world.key().await);
    let blob = world.encrypt(&world.root, &from.key_id).await.unwrap();
    for (allowed, missing) in
        [("kms:ReEncryptFrom", "kms:ReEncryptTo"), ("kms:ReEncryptTo", "kms:ReEncryptFrom")]
    {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":"{allowed}","Resource":"*"}}]}}"#
        );
        let user = world.kit.user(ACCOUNT, "half", &[&policy]);
        let outcome = world.call::<ops::ReEncrypt>(&user, request(&blob, &to.key_id)).await;
        let (code, message) = refused(outcome);
        assert_eq!(code, "AccessDeniedException");
        assert!(message.contains(&format!("perform: {missing} on resource")), "{message}");
    }
}

#[tokio::test]
async fn a_policy_can_demand_that_the_key_stays_the_same() {
    let world = World::new().await;
    let (from, to) = (world.key().await, world.key().await);
    let blob = world.encrypt(&world.root, &from.key_id).await.unwrap();
    let user = world.kit.user(
        ACCOUNT,
        "same",
        &[r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:ReEncrypt*",
            "Resource":"*","Condition":{"Bool":{"kms:ReEncryptOnSameKey":"true"}}}]}"#],
    );
    let same = world.call::<ops::ReEncrypt>(&user, request(&blob, &from.key_id)).await;
    assert!(same.is_ok());
    let (code, _) = refused(world.call::<ops::ReEncrypt>(&user, request(&blob, &to.key_id)).await);
    assert_eq!(code, "AccessDeniedException");
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_says_so() {
    let world = World::new().await;
    let key = world.key().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    let input = ReEncryptRequest { dry_run: Some(true), ..request(&blob, &key.key_id) };
    let (code, _) = refused(world.call::<ops::ReEncrypt>(&world.root, input).await);
    assert_eq!(code, "DryRunOperationException");
}
