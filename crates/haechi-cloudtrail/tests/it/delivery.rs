//! What a trail logs is delivered once, also when a delivery fails in the midst.

use std::sync::atomic::Ordering;

use haechi_cloudtrail_model::ops::{GetTrailStatus, StopLogging};
use haechi_cloudtrail_model::shapes::{GetTrailStatusRequest, StopLoggingRequest};

use crate::world::World;

/// Between two deliveries.
const INTERVAL: i64 = 300;

#[tokio::test]
async fn records_since_logging_began_are_delivered_once() {
    let world = World::new().await;
    world.event("Before");
    world.pass(5).await;
    world.logging("main", false).await;
    world.event("First");
    world.pass(INTERVAL).await;
    assert_eq!(world.sink.events(), ["First"]);
    world.event("Second");
    world.record("444455556666", "us-east-1", "Foreign");
    world.pass(INTERVAL).await;
    world.pass(INTERVAL).await;
    assert_eq!(world.sink.events(), ["First", "Second"]);
    assert_eq!(world.sink.names("CloudTrail").len(), 2);
}

#[tokio::test]
async fn a_trail_of_all_regions_sorts_files_by_region() {
    let world = World::new().await;
    world.logging("main", true).await;
    world.event("Here");
    world.record(crate::world::ACCOUNT, "eu-west-1", "There");
    world.pass(INTERVAL).await;
    let names = world.sink.names("CloudTrail");
    assert_eq!(names.len(), 2);
    assert!(names[0].starts_with("bucket/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/01/"));
}

#[tokio::test]
async fn a_delivery_that_failed_is_done_again_under_the_same_names() {
    let world = World::new().await;
    world.logging("main", true).await;
    world.event("Here");
    world.record(crate::world::ACCOUNT, "eu-west-1", "There");
    world.sink.broken.store(true, Ordering::SeqCst);
    world.pass(INTERVAL).await;
    assert_eq!(world.sink.names("CloudTrail").len(), 1, "it failed after the first file");
    // What comes meanwhile belongs to the next delivery: the files keep their content.
    world.event("Later");
    world.sink.broken.store(false, Ordering::SeqCst);
    world.pass(60).await;
    assert_eq!(world.sink.names("CloudTrail").len(), 3);
    assert_eq!(world.sink.events(), ["Here", "Later", "There"]);
}

#[tokio::test]
async fn what_was_logged_before_logging_stopped_is_still_delivered() {
    let world = World::new().await;
    world.logging("main", false).await;
    world.event("During");
    world.pass(10).await;
    world.call::<StopLogging>(StopLoggingRequest { name: "main".to_owned() }).await.unwrap();
    world.pass(10).await;
    world.event("After");
    world.pass(INTERVAL).await;
    assert_eq!(world.sink.events(), ["During"]);
    // The digest of it comes too; then there is nothing more to do.
    world.pass(7200).await;
    world.pass(7200).await;
    assert_eq!(world.sink.names("CloudTrail-Digest").len(), 1);
}

#[tokio::test]
async fn digests_are_written_each_hour_also_when_nothing_was_delivered() {
    let world = World::new().await;
    world.logging("main", false).await;
    for _ in 0..36 {
        world.pass(INTERVAL).await;
    }
    let digests = world.sink.names("CloudTrail-Digest");
    assert_eq!(digests.len(), 3, "{digests:?}");
    assert!(world.sink.names("CloudTrail").is_empty());
    assert!(digests[0].ends_with(
        "/CloudTrail-Digest/us-east-1/2026/01/01/111122223333_CloudTrail-Digest_us-east-1_main_us-east-1_20260101T010000Z.json.gz"
    ));
}

#[tokio::test]
async fn the_status_tells_what_was_delivered() {
    let world = World::new().await;
    world.logging("main", false).await;
    let get = || GetTrailStatusRequest { name: "main".to_owned() };
    let fresh = world.call::<GetTrailStatus>(get()).await.unwrap();
    assert_eq!((fresh.is_logging, fresh.latest_delivery_time), (Some(true), None));
    world.event("Call");
    world.pass(INTERVAL).await;
    let delivered = world.call::<GetTrailStatus>(get()).await.unwrap();
    assert_eq!(delivered.latest_delivery_time, Some(world.now()));
    assert_eq!(delivered.latest_delivery_error, None);
    assert_eq!(delivered.latest_digest_delivery_time, None);
    world.pass(3600).await;
    let digested = world.call::<GetTrailStatus>(get()).await.unwrap();
    assert_eq!(digested.latest_digest_delivery_time, Some(world.now()));
}
