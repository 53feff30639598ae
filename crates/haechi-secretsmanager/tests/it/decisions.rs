use std::sync::Arc;

use haechi_core::Caller;
use haechi_kms_model::ops as kms;
use haechi_kms_model::shapes::{CreateAliasRequest, CreateKeyRequest};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

fn user(world: &World, action: &str, resource: &str, condition: &str) -> Arc<Caller> {
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"{action}","Resource":"{resource}","Condition":{condition}}},
            {{"Effect":"Allow","Action":"kms:*","Resource":"*"}}]}}"#
    );
    world.kit.user(ACCOUNT, "alice", &[&policy])
}

#[tokio::test]
async fn a_denial_does_not_tell_whether_the_secret_is_there() {
    let world = World::new().await;
    world.create("there", "1").await;
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    for name in ["there", "not-there"] {
        let told = format!(
            "User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: \
             secretsmanager:GetSecretValue on resource: {name} because no identity-based policy \
             allows the secretsmanager:GetSecretValue action"
        );
        assert_refused(world.get_as(&nobody, name).await, "AccessDeniedException", &told);
    }
}

#[tokio::test]
async fn a_policy_names_secrets_by_the_beginning_of_their_arn() {
    let world = World::new().await;
    let resource = format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:app/*");
    let alice = user(&world, "secretsmanager:*", &resource, "{}");
    world.create("app/db", "1").await;
    world.create("other", "2").await;
    assert!(world.get_as(&alice, "app/db").await.is_ok());
    assert_eq!(refused(world.get_as(&alice, "other").await).0, "AccessDeniedException");
    // Where she may look, she learns what is not there.
    let outcome = world.get_as(&alice, "app/none").await;
    assert_refused(outcome, "ResourceNotFoundException", NOT_FOUND);
    assert!(world.call::<ops::CreateSecret>(&alice, new("app/new", Some("1"))).await.is_ok());
    let outcome = world.call::<ops::CreateSecret>(&alice, new("new", Some("1"))).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
    let list = world.call::<ops::ListSecrets>(&alice, ListSecretsRequest::default()).await;
    assert_eq!(refused(list).0, "AccessDeniedException");
}

#[tokio::test]
async fn conditions_ask_for_stage_and_tags() {
    let world = World::new().await;
    world.create("s", "1").await;
    let stage = r#"{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}"#;
    let alice = user(&world, "secretsmanager:GetSecretValue", "*", stage);
    assert!(world.get_as(&alice, "s").await.is_ok());
    let input = GetSecretValueRequest {
        secret_id: "s".to_owned(),
        version_stage: Some("AWSPREVIOUS".to_owned()),
        ..Default::default()
    };
    let outcome = world.call::<ops::GetSecretValue>(&alice, input).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
    let team = r#"{"StringEquals":{"secretsmanager:ResourceTag/Team":"red"}}"#;
    let alice = user(&world, "secretsmanager:GetSecretValue", "*", team);
    assert_eq!(refused(world.get_as(&alice, "s").await).0, "AccessDeniedException");
    let input = TagResourceRequest { secret_id: "s".to_owned(), tags: vec![tag("Team", "red")] };
    world.call::<ops::TagResource>(&world.root, input).await.unwrap();
    assert!(world.get_as(&alice, "s").await.is_ok());
}

#[tokio::test]
async fn conditions_ask_how_a_secret_is_deleted_and_created() {
    let world = World::new().await;
    world.create("s", "1").await;
    let window = r#"{"NumericGreaterThanEquals":{"secretsmanager:RecoveryWindowInDays":"14"}}"#;
    let alice = user(&world, "secretsmanager:DeleteSecret", "*", window);
    let delete = |days| {
        let input = DeleteSecretRequest {
            secret_id: "s".to_owned(),
            recovery_window_in_days: Some(days),
            force_delete_without_recovery: None,
        };
        world.call::<ops::DeleteSecret>(&alice, input)
    };
    assert_eq!(refused(delete(7).await).0, "AccessDeniedException");
    assert!(delete(14).await.is_ok());
    let tagged = r#"{"StringEquals":{"aws:RequestTag/Team":"red"}}"#;
    let alice = user(&world, "secretsmanager:*", "*", tagged);
    let create = |tags| {
        let input = CreateSecretRequest { tags, ..new("t", Some("1")) };
        world.call::<ops::CreateSecret>(&alice, input)
    };
    assert_eq!(refused(create(None).await).0, "AccessDeniedException");
    assert!(create(Some(vec![tag("Team", "red")])).await.is_ok());
}

fn tags(pairs: &[(&str, &str)]) -> TagResourceRequest {
    let tags = pairs.iter().map(|(key, value)| tag(key, value)).collect();
    TagResourceRequest { secret_id: "s".to_owned(), tags }
}

fn untag(key: &str) -> UntagResourceRequest {
    UntagResourceRequest { secret_id: "s".to_owned(), tag_keys: vec![key.to_owned()] }
}

#[tokio::test]
async fn nobody_takes_his_own_permissions_away_by_tags() {
    let world = World::new().await;
    world.create("s", "1").await;
    world.call::<ops::TagResource>(&world.root, tags(&[("Team", "red")])).await.unwrap();
    let team = r#"{"StringEquals":{"aws:ResourceTag/Team":"red"}}"#;
    let alice = user(&world, "secretsmanager:*", "*", team);
    let denied = world.call::<ops::TagResource>(&alice, tags(&[("Team", "blue")])).await;
    assert_refused(
        denied,
        "AccessDeniedException",
        &format!(
            "User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: \
             secretsmanager:TagResource on resource: s because no identity-based policy allows the \
             secretsmanager:TagResource action"
        ),
    );
    let denied = world.call::<ops::UntagResource>(&alice, untag("Team")).await;
    assert_eq!(refused(denied).0, "AccessDeniedException");
    let kept = world.describe("s").await.tags.unwrap();
    assert_eq!((kept.len(), kept[0].value.as_deref()), (1, Some("red")));
    // What leaves her the permission is done.
    world.call::<ops::TagResource>(&alice, tags(&[("Stage", "test")])).await.unwrap();
    world.call::<ops::UntagResource>(&alice, untag("Stage")).await.unwrap();
    assert!(world.get_as(&alice, "s").await.is_ok());
}

#[tokio::test]
async fn the_tags_that_a_secret_is_created_with_are_its_own_for_the_decision() {
    let world = World::new().await;
    let team = r#"{"StringEquals":{"secretsmanager:ResourceTag/Team":"red"}}"#;
    let alice = user(&world, "secretsmanager:*", "*", team);
    let create = |team| {
        let input =
            CreateSecretRequest { tags: Some(vec![tag("Team", team)]), ..new("s", Some("1")) };
        world.call::<ops::CreateSecret>(&alice, input)
    };
    assert_eq!(refused(create("blue").await).0, "AccessDeniedException");
    create("red").await.unwrap();
    assert!(world.get_as(&alice, "s").await.is_ok());
}

#[tokio::test]
async fn whoever_validates_a_policy_may_put_it() {
    let world = World::new().await;
    world.create("s", "1").await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Resource":"*",
            "Principal":{{"AWS":"{ACCOUNT}"}},"Action":"secretsmanager:GetSecretValue"}}]}}"#
    );
    for secret_id in [None, Some("s".to_owned())] {
        let input = ValidateResourcePolicyRequest { secret_id, resource_policy: policy.clone() };
        let alone = user(&world, "secretsmanager:ValidateResourcePolicy", "*", "{}");
        let outcome = world.call::<ops::ValidateResourcePolicy>(&alone, input.clone()).await;
        let (code, told) = refused(outcome);
        assert_eq!(code, "AccessDeniedException");
        assert!(told.contains("secretsmanager:PutResourcePolicy"), "{told}");
        let both = user(&world, "secretsmanager:*ResourcePolicy", "*", "{}");
        let answer = world.call::<ops::ValidateResourcePolicy>(&both, input).await.unwrap();
        assert_eq!(answer.policy_validation_passed, Some(true));
    }
}

#[tokio::test]
async fn conditions_ask_for_the_key_by_its_arn_however_the_request_names_it() {
    let world = World::new().await;
    let create = CreateKeyRequest::default();
    let key = world.kit.call::<kms::CreateKey, _>(&*world.kms, &world.root, create).await;
    let key = key.unwrap().key_metadata.unwrap();
    let alias = CreateAliasRequest {
        alias_name: "alias/mine".to_owned(),
        target_key_id: key.key_id.clone(),
    };
    world.kit.call::<kms::CreateAlias, _>(&*world.kms, &world.root, alias).await.unwrap();
    let arn = key.arn.unwrap();
    let named = format!(r#"{{"ArnEquals":{{"secretsmanager:KmsKeyArn":"{arn}"}}}}"#);
    let alice = user(&world, "secretsmanager:*", "*", &named);
    let create = |name: &str, kms_key_id: Option<&str>| {
        let kms_key_id = kms_key_id.map(str::to_owned);
        let input = CreateSecretRequest { kms_key_id, ..new(name, Some("1")) };
        world.call::<ops::CreateSecret>(&alice, input)
    };
    for (name, given) in [("a", arn.as_str()), ("b", &key.key_id), ("c", "alias/mine")] {
        create(name, Some(given)).await.unwrap();
    }
    for given in [None, Some("alias/none"), Some("alias/aws/secretsmanager"), Some("other")] {
        assert_eq!(refused(create("d", given).await).0, "AccessDeniedException", "{given:?}");
    }
    let update = |kms_key_id: &str| {
        let input = UpdateSecretRequest {
            secret_id: "a".to_owned(),
            kms_key_id: Some(kms_key_id.to_owned()),
            ..Default::default()
        };
        world.call::<ops::UpdateSecret>(&alice, input)
    };
    update("alias/mine").await.unwrap();
    assert_eq!(refused(update("").await).0, "AccessDeniedException");
}
