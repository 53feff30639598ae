use std::sync::Arc;

use haechi_core::Caller;
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
