use haechi_core::{Handle, Region};
use haechi_kms_model::ops as kms;
use haechi_kms_model::shapes::{CreateKeyRequest, DisableKeyRequest};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_wire::Problem;

use crate::world::*;

const REPLICA: &str = "eu-west-1";

fn region(name: &str, key: Option<&str>) -> ReplicaRegionType {
    ReplicaRegionType { region: Some(name.to_owned()), kms_key_id: key.map(str::to_owned) }
}

async fn replicate(
    world: &World,
    to: Vec<ReplicaRegionType>,
    overwrite: bool,
) -> Result<Vec<ReplicationStatusType>, Problem> {
    let input = ReplicateSecretToRegionsRequest {
        secret_id: "s".to_owned(),
        add_replica_regions: to,
        force_overwrite_replica_secret: Some(overwrite),
    };
    let answer = world.call::<ops::ReplicateSecretToRegions>(&world.root, input).await?;
    Ok(answer.replication_status.unwrap())
}

async fn there(world: &World) -> Result<String, Problem> {
    let input = GetSecretValueRequest { secret_id: "s".to_owned(), ..Default::default() };
    let answer = world.call_in::<ops::GetSecretValue>(REPLICA, input).await?;
    Ok(answer.secret_string.unwrap().0.clone())
}

#[tokio::test]
async fn a_replica_says_what_its_primary_says_and_takes_no_orders() {
    let world = World::new().await;
    world.create("s", "1").await;
    let status = replicate(&world, vec![region(REPLICA, None)], false).await.unwrap();
    assert_eq!(status[0].status, Some(StatusType::InSync));
    assert_eq!(there(&world).await.unwrap(), "1");
    world.put("s", "2").await;
    assert_eq!(there(&world).await.unwrap(), "2");
    let input = DescribeSecretRequest { secret_id: "s".to_owned() };
    let replica = world.call_in::<ops::DescribeSecret>(REPLICA, input).await.unwrap();
    assert_eq!(replica.primary_region.as_deref(), Some("us-east-1"));
    let primary = world.describe("s").await;
    assert_eq!(replica.version_ids_to_stages, primary.version_ids_to_stages);
    assert_eq!(replica.arn, primary.arn.map(|arn| arn.replace("us-east-1", REPLICA)));
    assert_eq!(primary.replication_status.unwrap().len(), 1);
    assert_refused(
        world.call_in::<ops::PutSecretValue>(REPLICA, value_of("s", "3")).await,
        "InvalidParameterException",
        "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    );
    let input = RestoreSecretRequest { secret_id: "s".to_owned() };
    let outcome = world.call_in::<ops::RestoreSecret>(REPLICA, input).await;
    assert_eq!(refused(outcome).0, "InvalidParameterException");
    let input = DeleteSecretRequest { secret_id: "s".to_owned(), ..Default::default() };
    let outcome = world.call::<ops::DeleteSecret>(&world.root, input).await;
    let arn = world.describe("s").await.arn.unwrap();
    assert_refused(
        outcome,
        "InvalidParameterException",
        &format!("You can't delete secret {arn} that still has replica regions [eu-west-1]"),
    );
}

#[tokio::test]
async fn a_secret_is_created_with_replicas() {
    let world = World::new().await;
    let input = CreateSecretRequest {
        add_replica_regions: Some(vec![region(REPLICA, None), region("eu-west-2", None)]),
        ..new("s", Some("1"))
    };
    let made = world.call::<ops::CreateSecret>(&world.root, input).await.unwrap();
    assert_eq!(made.replication_status.unwrap().len(), 2);
    assert_eq!(there(&world).await.unwrap(), "1");
}

#[tokio::test]
async fn a_region_whose_key_cannot_be_used_fails_and_can_be_tried_again() {
    let world = World::new().await;
    world.create("s", "1").await;
    let wrong = region(REPLICA, Some("alias/none"));
    let status = replicate(&world, vec![wrong], false).await.unwrap();
    assert_eq!(status[0].status, Some(StatusType::Failed));
    assert!(there(&world).await.is_err());
    world.put("s", "2").await;
    let status = replicate(&world, vec![region(REPLICA, None)], false).await.unwrap();
    assert_eq!(status[0].status, Some(StatusType::InSync));
    assert_eq!(there(&world).await.unwrap(), "2");
    let again = replicate(&world, vec![region(REPLICA, None)], false).await;
    assert_eq!(refused(again).0, "InvalidParameterException");
}

#[tokio::test]
async fn a_secret_of_that_name_gives_way_only_by_force() {
    let world = World::new().await;
    world.create("s", "1").await;
    world.call_in::<ops::CreateSecret>(REPLICA, new("s", Some("theirs"))).await.unwrap();
    let status = replicate(&world, vec![region(REPLICA, None)], false).await.unwrap();
    assert_eq!(status[0].status, Some(StatusType::Failed));
    assert_eq!(
        status[0].status_message.as_deref(),
        Some("Replication failed: Secret name s already exists in region eu-west-1.")
    );
    assert_eq!(there(&world).await.unwrap(), "theirs");
    let input = RemoveRegionsFromReplicationRequest {
        secret_id: "s".to_owned(),
        remove_replica_regions: vec![REPLICA.to_owned()],
    };
    world.call::<ops::RemoveRegionsFromReplication>(&world.root, input).await.unwrap();
    assert_eq!(there(&world).await.unwrap(), "theirs");
    let status = replicate(&world, vec![region(REPLICA, None)], true).await.unwrap();
    assert_eq!(status[0].status, Some(StatusType::InSync));
    assert_eq!(there(&world).await.unwrap(), "1");
}

#[tokio::test]
async fn a_region_can_be_removed_and_a_replica_promoted() {
    let world = World::new().await;
    world.create("s", "1").await;
    let regions = vec![region(REPLICA, None), region("eu-west-2", None)];
    replicate(&world, regions, false).await.unwrap();
    let input = RemoveRegionsFromReplicationRequest {
        secret_id: "s".to_owned(),
        remove_replica_regions: vec!["eu-west-2".to_owned()],
    };
    world.call::<ops::RemoveRegionsFromReplication>(&world.root, input).await.unwrap();
    let gone = GetSecretValueRequest { secret_id: "s".to_owned(), ..Default::default() };
    let outcome = world.call_in::<ops::GetSecretValue>("eu-west-2", gone).await;
    assert_refused(outcome, "ResourceNotFoundException", NOT_FOUND);
    let input = StopReplicationToReplicaRequest { secret_id: "s".to_owned() };
    let outcome = world.call::<ops::StopReplicationToReplica>(&world.root, input.clone()).await;
    assert_eq!(refused(outcome).0, "InvalidRequestException");
    world.call_in::<ops::StopReplicationToReplica>(REPLICA, input).await.unwrap();
    world.call_in::<ops::PutSecretValue>(REPLICA, value_of("s", "2")).await.unwrap();
    assert_eq!((world.text("s").await, there(&world).await.unwrap()), ("1".into(), "2".into()));
    let primary = world.describe("s").await;
    assert!(primary.replication_status.is_none() && primary.primary_region.is_none());
    world.delete("s", 7).await;
    assert_eq!(there(&world).await.unwrap(), "2");
}

#[tokio::test]
async fn its_own_region_twice_and_no_region_are_refused() {
    let world = World::new().await;
    world.create("s", "1").await;
    for regions in [
        vec![region("us-east-1", None)],
        vec![region("nowhere", None)],
        vec![region("eu-west-9", None)],
        vec![region(REPLICA, None), region(REPLICA, None)],
    ] {
        let outcome = replicate(&world, regions, false).await;
        assert_eq!(refused(outcome).0, "InvalidParameterException");
    }
}

/// A new key of the replica's Region.
async fn key_there(world: &World) -> String {
    let mut cx = world.kit.cx::<kms::CreateKey>(&world.root);
    cx.region = Region::parse(REPLICA).unwrap();
    let made = Handle::<kms::CreateKey>::handle(&*world.kms, &cx, CreateKeyRequest::default());
    made.await.unwrap().key_metadata.unwrap().arn.unwrap()
}

async fn disable(world: &World, key_id: &str) {
    let mut cx = world.kit.cx::<kms::DisableKey>(&world.root);
    cx.region = Region::parse(REPLICA).unwrap();
    let input = DisableKeyRequest { key_id: key_id.to_owned() };
    Handle::<kms::DisableKey>::handle(&*world.kms, &cx, input).await.unwrap();
}

async fn update_there(world: &World, input: UpdateSecretRequest) -> Result<(), Problem> {
    let input = UpdateSecretRequest { secret_id: "s".to_owned(), ..input };
    world.call_in::<ops::UpdateSecret>(REPLICA, input).await.map(|_| ())
}

#[tokio::test]
async fn the_primary_tells_when_a_replica_was_read() {
    let world = World::new().await;
    world.create("s", "1").await;
    replicate(&world, vec![region(REPLICA, None)], false).await.unwrap();
    world.get("s").await.unwrap();
    let read = async || {
        let status = world.describe("s").await.replication_status.unwrap();
        status[0].last_accessed_date.map(|date| date.iso8601())
    };
    assert_eq!(read().await, None);
    world.pass(DAY + 60).await;
    there(&world).await.unwrap();
    assert_eq!(read().await.as_deref(), Some("2026-01-02T00:00:00Z"));
    assert_eq!(
        world.describe("s").await.last_accessed_date.unwrap().iso8601(),
        "2026-01-01T00:00:00Z"
    );
}

#[tokio::test]
async fn a_replica_has_a_key_of_its_own_that_is_changed_in_its_region() {
    let world = World::new().await;
    world.create("s", "1").await;
    replicate(&world, vec![region(REPLICA, None)], false).await.unwrap();
    let key = key_there(&world).await;
    let change = UpdateSecretRequest { kms_key_id: Some(key.clone()), ..Default::default() };
    update_there(&world, change.clone()).await.unwrap();
    assert_eq!(there(&world).await.unwrap(), "1");
    let status = world.describe("s").await.replication_status.unwrap();
    assert_eq!(status[0].kms_key_id.as_ref(), Some(&key));
    assert_eq!(status[0].status, Some(StatusType::InSync));
    // What follows comes under it too, and does not change it.
    world.put("s", "2").await;
    assert_eq!(there(&world).await.unwrap(), "2");
    let input = DescribeSecretRequest { secret_id: "s".to_owned() };
    let replica = world.call_in::<ops::DescribeSecret>(REPLICA, input).await.unwrap();
    assert_eq!(replica.kms_key_id.as_ref(), Some(&key));
    assert_eq!(world.describe("s").await.kms_key_id, None);
    disable(&world, &key).await;
    for stage in ["AWSCURRENT", "AWSPREVIOUS"] {
        let input = GetSecretValueRequest {
            secret_id: "s".to_owned(),
            version_stage: Some(stage.to_owned()),
            ..Default::default()
        };
        let outcome = world.call_in::<ops::GetSecretValue>(REPLICA, input).await;
        assert_eq!(refused(outcome).0, "DecryptionFailure", "{stage}");
    }
    assert_eq!(world.text("s").await, "2");
    // Nothing else is changed there, not even together with the key.
    let described = UpdateSecretRequest { description: Some("d".to_owned()), ..change };
    for other in [described, UpdateSecretRequest::default()] {
        assert_eq!(refused(update_there(&world, other).await).0, "InvalidParameterException");
    }
}

#[tokio::test]
async fn a_version_that_keeps_its_key_says_so_whatever_follows() {
    let world = World::new().await;
    let first = world.create("s", "1").await.version_id.unwrap();
    world.put("s", "2").await;
    world.put("s", "3").await;
    replicate(&world, vec![region(REPLICA, None)], false).await.unwrap();
    let key = key_there(&world).await;
    let change = UpdateSecretRequest { kms_key_id: Some(key.clone()), ..Default::default() };
    update_there(&world, change).await.unwrap();
    world.put("s", "4").await;
    let input = ListSecretVersionIdsRequest {
        secret_id: "s".to_owned(),
        include_deprecated: Some(true),
        ..Default::default()
    };
    let listed = world.call_in::<ops::ListSecretVersionIds>(REPLICA, input).await.unwrap();
    for version in listed.versions.unwrap() {
        let is_first = version.version_id.as_ref() == Some(&first);
        let expected = if is_first { "DefaultEncryptionKey" } else { &key };
        assert_eq!(version.kms_key_ids.unwrap(), [expected]);
    }
}

#[tokio::test]
async fn to_replicate_takes_the_leave_to_encrypt_under_the_replicas_key() {
    let world = World::new().await;
    world.create("s", "1").await;
    let key = key_there(&world).await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":["secretsmanager:*","kms:*"],"Resource":"*"}},
            {{"Effect":"Deny","Action":"kms:Encrypt","Resource":"{key}"}}]}}"#
    );
    let alice = world.kit.user(ACCOUNT, "alice", &[&policy]);
    let input = ReplicateSecretToRegionsRequest {
        secret_id: "s".to_owned(),
        add_replica_regions: vec![region(REPLICA, Some(&key)), region("eu-west-2", None)],
        force_overwrite_replica_secret: None,
    };
    let done = world.call::<ops::ReplicateSecretToRegions>(&alice, input).await.unwrap();
    let status = done.replication_status.unwrap();
    assert_eq!(status[0].status, Some(StatusType::Failed));
    let told = "AccessDeniedException: Access to KMS is not allowed";
    assert_eq!(status[0].status_message.as_deref(), Some(told));
    assert_eq!(status[1].status, Some(StatusType::InSync));
}
