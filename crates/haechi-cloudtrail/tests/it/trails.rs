//! Trails are kept as they were made, and nobody else's are touched.

use haechi_cloudtrail_model::ops::{
    CreateTrail, DeleteTrail, DescribeTrails, GetTrail, StopLogging, UpdateTrail,
};
use haechi_cloudtrail_model::shapes::{
    CreateTrailRequest, DeleteTrailRequest, DescribeTrailsRequest, GetTrailRequest,
    StopLoggingRequest, UpdateTrailRequest,
};
use haechi_testkit::told;

use crate::world::{ACCOUNT, World};

fn create(name: &str) -> CreateTrailRequest {
    CreateTrailRequest {
        name: name.to_owned(),
        s3_bucket_name: "bucket".to_owned(),
        ..CreateTrailRequest::default()
    }
}

#[tokio::test]
async fn a_region_is_home_to_five_trails() {
    let world = World::new().await;
    for index in 0..5 {
        world.call::<CreateTrail>(create(&format!("trail-{index}"))).await.unwrap();
    }
    let problem = world.call::<CreateTrail>(create("trail-5")).await.err().unwrap();
    assert_eq!(told(&problem).0, "MaximumNumberOfTrailsExceededException");
    let listed = world.call::<DescribeTrails>(DescribeTrailsRequest::default()).await.unwrap();
    assert_eq!(listed.trail_list.unwrap().len(), 5);
}

#[tokio::test]
async fn another_account_finds_no_trail_by_its_arn() {
    let world = World::new().await;
    world.call::<CreateTrail>(create("main")).await.unwrap();
    let other = world.kit.root("444455556666");
    let name = format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main");
    let get = GetTrailRequest { name: name.clone() };
    let problem =
        world.kit.call::<GetTrail, _>(&world.cloudtrail, &other, get).await.err().unwrap();
    assert_eq!(
        told(&problem),
        ("TrailNotFoundException", format!("Unknown trail: {name} for the user: 444455556666"))
    );
    let delete = DeleteTrailRequest { name };
    assert!(world.kit.call::<DeleteTrail, _>(&world.cloudtrail, &other, delete).await.is_err());
    let get = GetTrailRequest { name: "main".to_owned() };
    assert!(world.call::<GetTrail>(get).await.is_ok());
}

#[tokio::test]
async fn a_trail_is_changed_in_its_home_region_only() {
    let mut world = World::new().await;
    world.logging("main", true).await;
    world.kit.region = haechi_core::Region::parse("eu-west-1").unwrap();
    let name = format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main");
    let stop = StopLoggingRequest { name: name.clone() };
    let problem = world.call::<StopLogging>(stop).await.err().unwrap();
    assert_eq!(told(&problem).0, "InvalidHomeRegionException");
    let shown = world.call::<GetTrail>(GetTrailRequest { name }).await.unwrap();
    assert_eq!(shown.trail.unwrap().home_region.as_deref(), Some("us-east-1"));
}

#[tokio::test]
async fn a_policy_on_one_trail_opens_no_other() {
    let world = World::new().await;
    world.call::<CreateTrail>(create("mine")).await.unwrap();
    world.call::<CreateTrail>(create("yours")).await.unwrap();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"cloudtrail:*","Resource":"arn:aws:cloudtrail:*:{ACCOUNT}:trail/mine"}}]}}"#
    );
    let eve = world.kit.user(ACCOUNT, "eve", &[&policy]);
    let update = |name: &str| UpdateTrailRequest {
        name: name.to_owned(),
        s3_bucket_name: Some("eves-bucket".to_owned()),
        ..UpdateTrailRequest::default()
    };
    world.kit.call::<UpdateTrail, _>(&world.cloudtrail, &eve, update("mine")).await.unwrap();
    let refused = world.kit.call::<UpdateTrail, _>(&world.cloudtrail, &eve, update("yours")).await;
    assert_eq!(told(&refused.err().unwrap()).0, "AccessDeniedException");
}

#[tokio::test]
async fn a_trail_of_all_regions_has_global_events() {
    let world = World::new().await;
    let input = CreateTrailRequest {
        is_multi_region_trail: Some(true),
        include_global_service_events: Some(false),
        ..create("main")
    };
    let problem = world.call::<CreateTrail>(input).await.err().unwrap();
    assert_eq!(told(&problem).0, "InvalidParameterCombinationException");
}
