use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

#[tokio::test]
async fn what_is_encrypted_decrypts_without_naming_the_key() {
    let world = World::new().await;
    let key = world.key().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    assert_eq!(world.decrypt(&world.root, &blob).await.unwrap(), PLAINTEXT);
}

#[tokio::test]
async fn the_answer_names_the_key_by_arn_and_the_algorithm() {
    let world = World::new().await;
    let key = world.key().await;
    let output = world.call::<ops::Encrypt>(&world.root, plain(&key.key_id)).await.unwrap();
    assert_eq!(output.key_id, key.arn);
    assert_eq!(output.encryption_algorithm, Some(EncryptionAlgorithmSpec::SymmetricDefault));
}

#[tokio::test]
async fn a_key_can_be_named_by_id_arn_alias_and_alias_arn() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/app", &key.key_id).await;
    let alias_arn = format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/app");
    for name in [key.key_id.as_str(), key.arn.as_deref().unwrap(), "alias/app", &alias_arn] {
        let output = world.call::<ops::Encrypt>(&world.root, plain(name)).await.unwrap();
        assert_eq!(output.key_id, key.arn, "{name}");
    }
}

#[tokio::test]
async fn a_missing_alias_is_not_found() {
    let world = World::new().await;
    assert_refused(
        world.encrypt(&world.root, "alias/none").await,
        "NotFoundException",
        "Alias arn:aws:kms:us-east-1:111111111111:alias/none is not found.",
    );
}

#[tokio::test]
async fn a_disabled_key_does_not_encrypt() {
    let world = World::new().await;
    let key = world.key().await;
    world.disable(&key.key_id).await;
    assert_refused(
        world.encrypt(&world.root, &key.key_id).await,
        "DisabledException",
        &format!("{} is disabled.", key.arn.unwrap()),
    );
}

#[tokio::test]
async fn an_algorithm_of_another_key_spec_is_refused() {
    let world = World::new().await;
    let key = world.key().await;
    let input = EncryptRequest {
        encryption_algorithm: Some(EncryptionAlgorithmSpec::RsaesOaepSha256),
        ..plain(&key.key_id)
    };
    assert_refused(
        world.call::<ops::Encrypt>(&world.root, input).await,
        "InvalidKeyUsageException",
        "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.",
    );
}

#[tokio::test]
async fn a_dry_run_that_would_succeed_says_so_and_one_that_would_not_says_why() {
    let world = World::new().await;
    let key = world.key().await;
    let input = || EncryptRequest { dry_run: Some(true), ..plain(&key.key_id) };
    assert_refused(
        world.call::<ops::Encrypt>(&world.root, input()).await,
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
    );
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    let (code, _) = refused(world.call::<ops::Encrypt>(&nobody, input()).await);
    assert_eq!(code, "AccessDeniedException");
    world.disable(&key.key_id).await;
    let (code, _) = refused(world.call::<ops::Encrypt>(&world.root, input()).await);
    assert_eq!(code, "DisabledException");
}

#[tokio::test]
async fn an_encryption_context_beyond_the_limit_is_refused() {
    let world = World::new().await;
    let key = world.key().await;
    let input = |bytes: usize| EncryptRequest {
        encryption_context: context(&[("key", "v".repeat(bytes - 3).as_str())]),
        ..plain(&key.key_id)
    };
    assert!(world.call::<ops::Encrypt>(&world.root, input(8192)).await.is_ok());
    let (code, _) = refused(world.call::<ops::Encrypt>(&world.root, input(8193)).await);
    assert_eq!(code, "ValidationException");
}

#[tokio::test]
async fn each_call_notes_its_key_for_the_audit() {
    use haechi_core::Handle;
    let world = World::new().await;
    let key = world.key().await;
    let cx = world.kit.cx::<ops::Encrypt>(&world.root);
    Handle::<ops::Encrypt>::handle(&world.kms, &cx, plain(&key.key_id)).await.ok().unwrap();
    let noted = cx.noted();
    assert_eq!(noted.len(), 1);
    assert_eq!(Some(&noted[0].arn), key.arn.as_ref());
    assert_eq!((noted[0].account.as_str(), noted[0].kind), (ACCOUNT, "AWS::KMS::Key"));
}
