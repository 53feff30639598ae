//! Trails of organizations: the management account makes them, members see them and no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_cloudtrail_model::ops::{
    AddTags, CreateTrail, DeleteTrail, DescribeTrails, GetTrail, ListTags, PutEventSelectors,
    RemoveTags, StartLogging, StopLogging, UpdateTrail,
};
use haechi_cloudtrail_model::shapes::*;
use haechi_core::guardrails::Membership;
use haechi_core::{GuardrailSource, Guardrails};
use haechi_wire::{Fault, Problem, Protocol};

use crate::world::{ACCOUNT, World};

const MEMBER: &str = "444455556666";
const STRANGER: &str = "777788889999";
const INTERVAL: i64 = 300;

/// Which accounts are in which organization.
#[derive(Default)]
struct Members(Mutex<HashMap<String, &'static str>>);

#[async_trait]
impl GuardrailSource for Members {
    async fn guardrails(&self) -> Result<Arc<Guardrails>, Fault> {
        let members = self.0.lock().unwrap().clone();
        let membership = |organization: &str| Membership {
            organization_id: organization.to_owned(),
            management_account: ACCOUNT.to_owned(),
            all_features: true,
            trusted_services: [String::from("cloudtrail.amazonaws.com")].into(),
            ..Membership::default()
        };
        let members = members.into_iter().map(|(account, own)| (account, membership(own)));
        Ok(Arc::new(Guardrails::new(members.collect())))
    }
}

async fn world() -> (World, Arc<Members>) {
    let members = Arc::new(Members::default());
    for account in [ACCOUNT, MEMBER] {
        members.0.lock().unwrap().insert(account.to_owned(), "o-own");
    }
    let mut world = World::new().await;
    world.cloudtrail = world.cloudtrail.with_organizations(Arc::clone(&members) as _);
    world.kit.guard(Arc::clone(&members) as _);
    (world, members)
}

fn wish(name: &str) -> CreateTrailRequest {
    CreateTrailRequest {
        name: name.to_owned(),
        s3_bucket_name: "bucket".to_owned(),
        is_multi_region_trail: Some(true),
        is_organization_trail: Some(true),
        enable_log_file_validation: Some(true),
        ..CreateTrailRequest::default()
    }
}

fn code<T>(outcome: Result<T, Problem>) -> &'static str {
    outcome.err().expect("a refusal").code(Protocol::Json11)
}

#[tokio::test]
async fn records_of_members_are_delivered_under_the_organization_and_their_account() {
    let (world, members) = world().await;
    let made = world.call::<CreateTrail>(wish("all")).await.unwrap();
    assert_eq!(made.is_organization_trail, Some(true));
    world.start("all").await;
    world.event("Own");
    world.record(MEMBER, "eu-west-1", "Theirs");
    world.record(STRANGER, "eu-west-1", "Foreign");
    world.pass(INTERVAL).await;
    assert_eq!(world.sink.events(), ["Own", "Theirs"]);
    let names = world.sink.names("CloudTrail");
    let folders = [
        "bucket/AWSLogs/o-own/111122223333/CloudTrail/us-east-1/2026/01/01/111122223333_CloudTrail_",
        "bucket/AWSLogs/o-own/444455556666/CloudTrail/eu-west-1/2026/01/01/444455556666_CloudTrail_",
    ];
    for (name, folder) in names.iter().zip(folders) {
        assert!(name.starts_with(folder), "{name}");
    }
    // Each account has digests of its own.
    world.pass(3600).await;
    let digests = world.sink.names("CloudTrail-Digest");
    assert!(digests[0].contains("/o-own/111122223333/CloudTrail-Digest/us-east-1/"), "{digests:?}");
    assert!(digests[1].contains("/o-own/444455556666/CloudTrail-Digest/eu-west-1/"), "{digests:?}");
    // Who has left is not kept any more.
    members.0.lock().unwrap().remove(MEMBER);
    world.record(MEMBER, "eu-west-1", "Later");
    world.pass(INTERVAL).await;
    assert_eq!(world.sink.events(), ["Own", "Theirs"]);
}

#[tokio::test]
async fn a_member_sees_the_trail_and_cannot_change_it() {
    let (world, _) = world().await;
    let arn = world.call::<CreateTrail>(wish("all")).await.unwrap().trail_arn.unwrap();
    let (kit, cloudtrail, member) = (&world.kit, &world.cloudtrail, world.kit.root(MEMBER));
    let listed = kit.call::<DescribeTrails, _>(cloudtrail, &member, Default::default());
    let listed = listed.await.unwrap().trail_list.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (&listed[0].trail_arn, listed[0].is_organization_trail),
        (&Some(arn.clone()), Some(true))
    );
    let get = GetTrailRequest { name: arn.clone() };
    assert!(kit.call::<GetTrail, _>(cloudtrail, &member, get.clone()).await.is_ok());
    let stranger = kit.root(STRANGER);
    assert_eq!(
        code(kit.call::<GetTrail, _>(cloudtrail, &stranger, get).await),
        "TrailNotFoundException"
    );
}

#[tokio::test]
async fn only_the_management_account_of_an_organization_makes_one() {
    let (world, _) = world().await;
    let (kit, cloudtrail) = (&world.kit, &world.cloudtrail);
    for (account, told) in [
        (MEMBER, "NotOrganizationMasterAccountException"),
        (STRANGER, "OrganizationsNotInUseException"),
    ] {
        let refused = kit.call::<CreateTrail, _>(cloudtrail, &kit.root(account), wish("all")).await;
        assert_eq!(code(refused), told);
    }
    // A trail becomes the organization's, and its own account's again.
    let own = CreateTrailRequest { is_organization_trail: None, ..wish("main") };
    world.call::<CreateTrail>(own).await.unwrap();
    for wanted in [true, false] {
        let update = UpdateTrailRequest {
            name: "main".to_owned(),
            is_organization_trail: Some(wanted),
            ..UpdateTrailRequest::default()
        };
        let answer = world.call::<UpdateTrail>(update).await.unwrap();
        assert_eq!(answer.is_organization_trail, Some(wanted));
    }
}

#[tokio::test]
async fn every_change_by_a_member_is_answered_the_error_that_the_operation_declares() {
    let (world, _) = world().await;
    let arn = world.call::<CreateTrail>(wish("all")).await.unwrap().trail_arn.unwrap();
    let member = world.kit.root(MEMBER);
    let name = || arn.clone();
    let tags = || vec![Tag { key: "Team".to_owned(), value: None }];
    let selectors = PutEventSelectorsRequest {
        trail_name: name(),
        event_selectors: Some(vec![EventSelector::default()]),
        ..PutEventSelectorsRequest::default()
    };
    let update = UpdateTrailRequest { name: name(), ..UpdateTrailRequest::default() };
    let add = AddTagsRequest { resource_id: name(), tags_list: tags() };
    let remove = RemoveTagsRequest { resource_id: name(), tags_list: tags() };
    macro_rules! codes {
        ($($op:ty: $input:expr),*) => {
            [$(code(world.kit.call::<$op, _>(&world.cloudtrail, &member, $input).await)),*]
        };
    }
    let told = codes![
        StartLogging: StartLoggingRequest { name: name() },
        StopLogging: StopLoggingRequest { name: name() },
        UpdateTrail: update,
        DeleteTrail: DeleteTrailRequest { name: name() },
        PutEventSelectors: selectors,
        AddTags: add,
        RemoveTags: remove
    ];
    assert_eq!(told, ["NotOrganizationMasterAccountException"; 7]);
    // ListTags declares no such error.
    let list = ListTagsRequest { resource_id_list: vec![name()], next_token: None };
    let refused = world.kit.call::<ListTags, _>(&world.cloudtrail, &member, list).await;
    assert_eq!(code(refused), "CloudTrailARNInvalidException");
}

#[tokio::test]
async fn to_a_member_the_trail_is_a_shadow_also_in_its_home_region() {
    let (world, _) = world().await;
    let one_region = CreateTrailRequest { is_multi_region_trail: None, ..wish("one") };
    for wish in [wish("all"), one_region] {
        world.call::<CreateTrail>(wish).await.unwrap();
    }
    let count = async |account: &str, shadows: Option<bool>| {
        let caller = world.kit.root(account);
        let input = DescribeTrailsRequest { include_shadow_trails: shadows, ..Default::default() };
        let listed = world.kit.call::<DescribeTrails, _>(&world.cloudtrail, &caller, input).await;
        listed.unwrap().trail_list.unwrap().len()
    };
    assert_eq!(count(MEMBER, None).await, 2);
    assert_eq!(count(MEMBER, Some(true)).await, 2);
    assert_eq!(count(MEMBER, Some(false)).await, 0);
    assert_eq!(count(ACCOUNT, Some(false)).await, 2);
}
