//! Secrets with as many and as large values as there may be, in as many Regions as there are: more
//! than one transaction of the store takes.

use haechi_core::Path;
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

const REGIONS: [&str; 28] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "sa-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

fn long(start: &str) -> String {
    format!("{start}{}", "x".repeat(65_536 - start.len()))
}

fn regions(names: &[&str]) -> Vec<ReplicaRegionType> {
    let one =
        |name: &&str| ReplicaRegionType { region: Some((*name).to_owned()), kms_key_id: None };
    names.iter().map(one).collect()
}

async fn value_in(world: &World, region: &str) -> String {
    let input = GetSecretValueRequest { secret_id: "s".to_owned(), ..Default::default() };
    let answer = world.call_in::<ops::GetSecretValue>(region, input).await.unwrap();
    answer.secret_string.unwrap().0.clone()
}

async fn remove(world: &World, names: &[&str]) {
    let input = RemoveRegionsFromReplicationRequest {
        secret_id: "s".to_owned(),
        remove_replica_regions: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let left = world.call::<ops::RemoveRegionsFromReplication>(&world.root, input).await.unwrap();
    assert!(left.replication_status.unwrap().is_empty());
}

/// Rows of values, once what is to happen by itself has happened.
async fn values(world: &World) -> usize {
    world.kit.jobs.run_due().await.unwrap();
    world.kit.database.count(&Path::new("secretsmanager-value")).await.unwrap()
}

#[tokio::test]
async fn a_secret_of_the_longest_values_lives_in_every_region() {
    let world = World::new().await;
    let input = CreateSecretRequest {
        add_replica_regions: Some(regions(&REGIONS)),
        ..new("s", Some(&long("first ")))
    };
    let made = world.call::<ops::CreateSecret>(&world.root, input).await.unwrap();
    let status = made.replication_status.unwrap();
    assert_eq!(status.len(), REGIONS.len());
    assert!(status.iter().all(|one| one.status == Some(StatusType::InSync)));
    world.put("s", &long("second ")).await;
    for region in REGIONS {
        assert!(value_in(&world, region).await.starts_with("second "), "{region}");
    }
    assert_eq!(values(&world).await, 2 * (1 + REGIONS.len()));
    remove(&world, &REGIONS).await;
    assert_eq!(values(&world).await, 2);
    // What was written ahead is looked after later: it is listed, and stays.
    world.pass(3600).await;
    assert_eq!(values(&world).await, 2);
}

#[tokio::test]
async fn a_secret_of_very_many_versions_is_replicated_whole_and_removed_whole() {
    let world = World::new().await;
    world.create("s", &long("0 ")).await;
    for number in 1..100 {
        world.put("s", &long(&format!("{number} "))).await;
    }
    let versions = values(&world).await;
    assert_eq!(versions, 100);
    let input = ReplicateSecretToRegionsRequest {
        secret_id: "s".to_owned(),
        add_replica_regions: regions(&REGIONS[..3]),
        force_overwrite_replica_secret: None,
    };
    let done = world.call::<ops::ReplicateSecretToRegions>(&world.root, input).await.unwrap();
    let status = done.replication_status.unwrap();
    assert!(status.iter().all(|one| one.status == Some(StatusType::InSync)));
    assert_eq!(values(&world).await, 4 * versions);
    world.pass(3600).await;
    assert_eq!(values(&world).await, 4 * versions);
    assert!(value_in(&world, REGIONS[0]).await.starts_with("99 "));
    remove(&world, &REGIONS[..3]).await;
    assert_eq!(values(&world).await, versions);
}
