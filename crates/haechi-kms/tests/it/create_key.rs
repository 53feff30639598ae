use std::sync::Arc;

use haechi_core::AccountId;
use haechi_kms::Kms;
use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;
use haechi_wire::Timestamp;

use crate::world::*;

#[tokio::test]
async fn the_metadata_is_what_aws_answers() {
    let world = World::new().await;
    let description = Some("test - description".to_owned());
    let key = world.key_with(CreateKeyRequest { description, ..Default::default() }).await;
    assert_eq!(key.aws_account_id.as_deref(), Some(ACCOUNT));
    assert_eq!(key.arn, Some(world.key_arn(&key.key_id)));
    assert_eq!(key.creation_date, Some(Timestamp::from_seconds(1_767_225_600)));
    assert_eq!(key.enabled, Some(true));
    assert_eq!(key.description.as_deref(), Some("test - description"));
    assert_eq!(key.key_usage, Some(KeyUsageType::EncryptDecrypt));
    assert_eq!(key.key_state, Some(KeyState::Enabled));
    assert_eq!(key.origin, Some(OriginType::AwsKms));
    assert_eq!(key.key_manager, Some(KeyManagerType::Customer));
    assert_eq!(key.key_spec, Some(KeySpec::SymmetricDefault));
    assert_eq!(key.customer_master_key_spec, Some(CustomerMasterKeySpec::SymmetricDefault));
    let algorithms = key.encryption_algorithms.as_deref();
    assert_eq!(algorithms, Some([EncryptionAlgorithmSpec::SymmetricDefault].as_slice()));
    assert_eq!(key.multi_region, Some(false));
    let material_id = key.current_key_material_id.unwrap();
    assert_eq!(material_id.len(), 64);
    assert!(material_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    assert!(key.deletion_date.is_none() && key.multi_region_configuration.is_none());
}

#[tokio::test]
async fn each_key_has_an_id_and_material_of_its_own() {
    let world = World::new().await;
    let (one, two) = (world.key().await, world.key().await);
    assert_ne!(one.key_id, two.key_id);
    assert_ne!(one.current_key_material_id, two.current_key_material_id);
}

#[tokio::test]
async fn a_symmetric_key_that_signs_is_refused() {
    let world = World::new().await;
    let input =
        CreateKeyRequest { key_usage: Some(KeyUsageType::SignVerify), ..Default::default() };
    let (code, _) = refused(world.call::<ops::CreateKey>(&world.root, input).await);
    assert_eq!(code, "ValidationException");
}

#[tokio::test]
async fn a_usage_that_does_not_fit_the_spec_is_refused_and_only_symmetric_keys_have_a_default() {
    let world = World::new().await;
    for (spec, usage) in [
        (KeySpec::Hmac256, KeyUsageType::SignVerify),
        (KeySpec::Rsa2048, KeyUsageType::KeyAgreement),
        (KeySpec::EccSecgP256k1, KeyUsageType::KeyAgreement),
        (KeySpec::EccNistEdwards25519, KeyUsageType::KeyAgreement),
        (KeySpec::MlKem512, KeyUsageType::EncryptDecrypt),
    ] {
        let (key_spec, key_usage) = (Some(spec), Some(usage));
        let input = CreateKeyRequest { key_spec, key_usage, ..Default::default() };
        let (code, message) = refused(world.call::<ops::CreateKey>(&world.root, input).await);
        assert_eq!(code, "ValidationException");
        assert!(message.contains("is not compatible with KeySpec"), "{message}");
    }
    let input = CreateKeyRequest { key_spec: Some(KeySpec::Hmac256), ..Default::default() };
    assert_refused(
        world.call::<ops::CreateKey>(&world.root, input).await,
        "ValidationException",
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    );
}

#[tokio::test]
async fn sm2_is_for_china_and_the_old_name_of_the_spec_still_works() {
    let world = World::new().await;
    let input = CreateKeyRequest {
        key_spec: Some(KeySpec::Sm2),
        key_usage: Some(KeyUsageType::SignVerify),
        ..Default::default()
    };
    let outcome = world.call::<ops::CreateKey>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "UnsupportedOperationException");
    let input = CreateKeyRequest {
        customer_master_key_spec: Some(CustomerMasterKeySpec::EccNistP256),
        key_usage: Some(KeyUsageType::SignVerify),
        ..Default::default()
    };
    let key = world.key_with(input).await;
    assert_eq!(key.key_spec, Some(KeySpec::EccNistP256));
}

#[tokio::test]
async fn both_names_of_the_spec_together_are_refused() {
    let world = World::new().await;
    let input = CreateKeyRequest {
        key_spec: Some(KeySpec::SymmetricDefault),
        customer_master_key_spec: Some(CustomerMasterKeySpec::SymmetricDefault),
        ..Default::default()
    };
    let (code, _) = refused(world.call::<ops::CreateKey>(&world.root, input).await);
    assert_eq!(code, "ValidationException");
}

#[tokio::test]
async fn it_takes_permission_and_with_tags_permission_to_tag() {
    let world = World::new().await;
    let user = world.kit.user(
        ACCOUNT,
        "maker",
        &[r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"kms:CreateKey","Resource":"*"}]}"#],
    );
    let outcome = world.call::<ops::CreateKey>(&user, CreateKeyRequest::default()).await;
    assert!(outcome.is_ok());
    let tag = Tag { tag_key: "a".to_owned(), tag_value: "b".to_owned() };
    let input = CreateKeyRequest { tags: Some(vec![tag]), ..Default::default() };
    let (code, message) = refused(world.call::<ops::CreateKey>(&user, input).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("kms:TagResource"), "{message}");
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    let outcome = world.call::<ops::CreateKey>(&nobody, CreateKeyRequest::default()).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
}

#[tokio::test]
async fn conditions_see_the_tags_and_the_kind_of_key() {
    let world = World::new().await;
    let user = world.kit.user(
        ACCOUNT,
        "tagger",
        &[r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
            "Action":["kms:CreateKey","kms:TagResource"],"Resource":"*","Condition":{
              "StringEquals":{"aws:RequestTag/team":"red","kms:KeySpec":"SYMMETRIC_DEFAULT",
                "kms:KeyUsage":"ENCRYPT_DECRYPT","kms:KeyOrigin":"AWS_KMS",
                "kms:CallerAccount":"111111111111"},
              "Bool":{"kms:MultiRegion":"false"},
              "Null":{"kms:BypassPolicyLockoutSafetyCheck":"true"},
              "ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}]}"#],
    );
    let input = |key: &str, value: &str| CreateKeyRequest {
        tags: Some(vec![Tag { tag_key: key.to_owned(), tag_value: value.to_owned() }]),
        ..Default::default()
    };
    assert!(world.call::<ops::CreateKey>(&user, input("team", "red")).await.is_ok());
    for (key, value) in [("team", "blue"), ("crew", "red")] {
        let outcome = world.call::<ops::CreateKey>(&user, input(key, value)).await;
        assert_eq!(refused(outcome).0, "AccessDeniedException");
    }
    let mut input = input("team", "red");
    input.bypass_policy_lockout_safety_check = Some(true);
    let outcome = world.call::<ops::CreateKey>(&user, input).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
}

#[tokio::test]
async fn an_account_has_so_many_keys_in_a_region_and_those_of_services_do_not_count() {
    let World { kit, kms, root } = World::new().await;
    let world = World { kit, kms: kms.with_keys_max(2), root };
    let account = AccountId::parse(ACCOUNT).unwrap();
    world.kms.aws_managed_key(&account, &world.kit.region, "ssm").await.unwrap();
    let (first, _) = (world.key().await, world.key().await);
    let create = || world.call::<ops::CreateKey>(&world.root, CreateKeyRequest::default());
    let message = "You cannot have more than 2 KMS keys in this Region.";
    assert_refused(create().await, "LimitExceededException", message);
    // One that waits for its deletion counts until it is gone.
    world.schedule_deletion(&first.key_id, 7).await;
    world.pass_days(6).await;
    assert_refused(create().await, "LimitExceededException", message);
    world.pass_days(1).await;
    create().await.unwrap();
    assert_refused(create().await, "LimitExceededException", message);
    let other = world.kit.root(OTHER);
    world.call::<ops::CreateKey>(&other, CreateKeyRequest::default()).await.unwrap();
}

#[tokio::test]
async fn keys_that_were_there_before_the_process_are_counted() {
    let world = World::new().await;
    for _ in 0..3 {
        world.key().await;
    }
    let World { kit, root, .. } = world;
    let kms = Kms::new(Arc::clone(&kit.database), kit.env.clone(), Arc::clone(&kit.jobs));
    let world = World { kit, kms: kms.with_keys_max(4), root };
    world.key().await;
    let outcome = world.call::<ops::CreateKey>(&world.root, CreateKeyRequest::default()).await;
    let message = "You cannot have more than 4 KMS keys in this Region.";
    assert_refused(outcome, "LimitExceededException", message);
}
