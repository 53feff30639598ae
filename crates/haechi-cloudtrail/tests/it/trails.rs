//! Trails are kept as they were made, and nobody else's are touched.

use std::sync::Arc;

use haechi_cloudtrail::CloudTrail;
use haechi_cloudtrail_model::ops::{
    AddTags, CreateTrail, DeleteTrail, DescribeTrails, GetTrail, ListTags, RemoveTags, StopLogging,
    UpdateTrail,
};
use haechi_cloudtrail_model::shapes::{
    AddTagsRequest, CreateTrailRequest, DeleteTrailRequest, DescribeTrailsRequest, GetTrailRequest,
    ListTagsRequest, RemoveTagsRequest, StopLoggingRequest, Tag, UpdateTrailRequest,
};
use haechi_core::{Caller, Handle, Operation};
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
async fn tags_of_20_trails_are_listed_in_one_call_at_most() {
    let world = World::new().await;
    world.call::<CreateTrail>(create("main")).await.unwrap();
    let arn = format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main");
    let list = |count| ListTagsRequest {
        resource_id_list: vec![arn.clone(); count],
        ..ListTagsRequest::default()
    };
    let listed = world.call::<ListTags>(list(20)).await.unwrap().resource_tag_list;
    assert_eq!(listed.unwrap().len(), 20);
    let problem = world.call::<ListTags>(list(21)).await.err().unwrap();
    assert_eq!(told(&problem).0, "ValidationException");
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

const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Calls; the action that was denied, if one was.
async fn denied<Op: Operation>(
    world: &World,
    caller: &Arc<Caller>,
    input: Op::Input,
) -> Option<String>
where
    CloudTrail: Handle<Op>,
{
    let problem = world.kit.call::<Op, _>(&world.cloudtrail, caller, input).await.err()?;
    let (code, message) = told(&problem);
    assert_eq!(code, "AccessDeniedException", "{message}");
    let start = format!("{} is not authorized to perform: ", caller.principal.name());
    let told = message.strip_prefix(&format!("User: {start}")).unwrap();
    let on = format!(" on resource: arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/");
    Some(told.split_once(&on).unwrap().0.to_owned())
}

fn team(value: &str) -> Vec<Tag> {
    vec![Tag { key: "Team".to_owned(), value: Some(value.to_owned()) }]
}

fn tagged(name: &str, tags: Vec<Tag>) -> CreateTrailRequest {
    CreateTrailRequest { tags_list: Some(tags), ..create(name) }
}

#[tokio::test]
async fn who_may_not_add_tags_creates_trails_without_them_only() {
    let world = World::new().await;
    let no_tags = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny",
        "Action":"cloudtrail:AddTags","Resource":"arn:aws:cloudtrail:*:*:trail/main"}}"#;
    let eve = world.kit.user(ACCOUNT, "eve", &[ALLOW_ALL, no_tags]);
    let refused = denied::<CreateTrail>(&world, &eve, tagged("main", team("blue"))).await;
    assert_eq!(refused.as_deref(), Some("cloudtrail:AddTags"));
    assert_eq!(denied::<CreateTrail>(&world, &eve, create("main")).await, None);
    assert_eq!(denied::<CreateTrail>(&world, &eve, tagged("more", Vec::new())).await, None);
    assert_eq!(denied::<CreateTrail>(&world, &eve, tagged("other", team("blue"))).await, None);
}

#[tokio::test]
async fn conditions_see_the_tags_of_a_request() {
    let world = World::new().await;
    world.call::<CreateTrail>(create("main")).await.unwrap();
    let arn = || format!("arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main");
    let add = |tags| AddTagsRequest { resource_id: arn(), tags_list: tags };
    let remove = |tags| RemoveTagsRequest { resource_id: arn(), tags_list: tags };
    for condition in [
        r#""StringEquals":{"aws:RequestTag/Team":"red"}"#,
        r#""ForAnyValue:StringEquals":{"aws:TagKeys":"Owner"}"#,
    ] {
        let deny = |action: &str| {
            let policy = format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"cloudtrail:{action}",
                    "Resource":"*","Condition":{{{condition}}}}}}}"#
            );
            world.kit.user(ACCOUNT, "eve", &[ALLOW_ALL, &policy])
        };
        let mut wrong = team("red");
        wrong.push(Tag { key: "Owner".to_owned(), value: None });
        for action in ["CreateTrail", "AddTags"] {
            let (creator, request) = (deny(action), tagged("two", wrong.clone()));
            let refused = denied::<CreateTrail>(&world, &creator, request).await;
            assert_eq!(refused, Some(format!("cloudtrail:{action}")), "{condition}");
        }
        let (adder, remover) = (deny("AddTags"), deny("RemoveTags"));
        let refused = denied::<AddTags>(&world, &adder, add(wrong.clone())).await;
        assert_eq!(refused.as_deref(), Some("cloudtrail:AddTags"), "{condition}");
        assert_eq!(denied::<AddTags>(&world, &adder, add(team("blue"))).await, None);
        let refused = denied::<RemoveTags>(&world, &remover, remove(wrong)).await;
        assert_eq!(refused.as_deref(), Some("cloudtrail:RemoveTags"), "{condition}");
        assert_eq!(denied::<RemoveTags>(&world, &remover, remove(team("blue"))).await, None);
    }
}
