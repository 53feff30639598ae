//! What counts as a change of a secret: `LastChangedDate`.

use haechi_core::Operation;
use haechi_secretsmanager::SecretsManager;
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

/// Makes a call a minute later; answers whether the secret has changed by it.
async fn changed<Op: Operation>(world: &World, input: Op::Input) -> bool
where
    SecretsManager: haechi_core::Handle<Op>,
{
    let date = async || world.describe("s").await.last_changed_date.unwrap();
    let before = date().await;
    world.pass(60).await;
    world.call::<Op>(&world.root, input).await.unwrap();
    let after = date().await;
    assert!([before, world.kit.env.now()].contains(&after), "of this call, or as before");
    after != before
}

fn id() -> String {
    "s".to_owned()
}

#[tokio::test]
async fn a_secret_that_is_modified_in_any_way_says_when() {
    let world = World::new().await;
    world.create("s", "1").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
        "Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;
    let policy = PutResourcePolicyRequest {
        secret_id: id(),
        resource_policy: policy.to_owned(),
        ..Default::default()
    };
    assert!(changed::<ops::PutResourcePolicy>(&world, policy).await);
    let policy = DeleteResourcePolicyRequest { secret_id: id(), policy_name: None };
    assert!(changed::<ops::DeleteResourcePolicy>(&world, policy).await);
    let cancel = CancelRotateSecretRequest { secret_id: id() };
    assert!(changed::<ops::CancelRotateSecret>(&world, cancel).await);
    let region = || "eu-west-1".to_owned();
    let replicate = ReplicateSecretToRegionsRequest {
        secret_id: id(),
        add_replica_regions: vec![ReplicaRegionType { region: Some(region()), kms_key_id: None }],
        force_overwrite_replica_secret: None,
    };
    assert!(changed::<ops::ReplicateSecretToRegions>(&world, replicate).await);
    let remove = RemoveRegionsFromReplicationRequest {
        secret_id: id(),
        remove_replica_regions: vec![region()],
    };
    assert!(changed::<ops::RemoveRegionsFromReplication>(&world, remove).await);
    let tags = TagResourceRequest { secret_id: id(), tags: vec![tag("a", "b")] };
    assert!(changed::<ops::TagResource>(&world, tags).await);
    let tags = UntagResourceRequest { secret_id: id(), tag_keys: vec!["a".to_owned()] };
    assert!(changed::<ops::UntagResource>(&world, tags).await);
    assert!(changed::<ops::PutSecretValue>(&world, value_of("s", "2")).await);
    let description = Some("d".to_owned());
    let update = UpdateSecretRequest { secret_id: id(), description, ..Default::default() };
    assert!(changed::<ops::UpdateSecret>(&world, update).await);
    let delete = DeleteSecretRequest { secret_id: id(), ..Default::default() };
    assert!(changed::<ops::DeleteSecret>(&world, delete).await);
    let restore = RestoreSecretRequest { secret_id: id() };
    assert!(changed::<ops::RestoreSecret>(&world, restore).await);
}

#[tokio::test]
async fn what_changes_nothing_leaves_the_date_alone() {
    let world = World::new().await;
    let version = world.create("s", "1").await.version_id.unwrap();
    let none = UntagResourceRequest { secret_id: id(), tag_keys: vec!["none".to_owned()] };
    assert!(!changed::<ops::UntagResource>(&world, none).await);
    let nothing = UpdateSecretRequest { secret_id: id(), ..Default::default() };
    assert!(!changed::<ops::UpdateSecret>(&world, nothing).await);
    let there = UpdateSecretVersionStageRequest {
        secret_id: id(),
        version_stage: "AWSCURRENT".to_owned(),
        remove_from_version_id: Some(version.clone()),
        move_to_version_id: Some(version),
    };
    assert!(!changed::<ops::UpdateSecretVersionStage>(&world, there).await);
    let nowhere = UpdateSecretVersionStageRequest {
        secret_id: id(),
        version_stage: "MINE".to_owned(),
        ..Default::default()
    };
    assert!(!changed::<ops::UpdateSecretVersionStage>(&world, nowhere).await);
    let put = value_of("s", "2");
    assert!(changed::<ops::PutSecretValue>(&world, put.clone()).await);
    assert!(!changed::<ops::PutSecretValue>(&world, put).await);
    let get = GetSecretValueRequest { secret_id: id(), ..Default::default() };
    assert!(!changed::<ops::GetSecretValue>(&world, get).await);
}
