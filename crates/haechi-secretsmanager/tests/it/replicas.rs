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
        vec![region(REPLICA, None), region(REPLICA, None)],
    ] {
        let outcome = replicate(&world, regions, false).await;
        assert_eq!(refused(outcome).0, "InvalidParameterException");
    }
}
