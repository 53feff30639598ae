//! Groups, and lists.

use haechi_scheduler_model::ops::{
    CreateScheduleGroup, DeleteScheduleGroup, GetScheduleGroup, ListScheduleGroups, ListSchedules,
    TagResource,
};
use haechi_scheduler_model::shapes::{
    CreateScheduleGroupInput, CreateScheduleInput, DeleteScheduleGroupInput, GetScheduleGroupInput,
    ListScheduleGroupsInput, ListSchedulesInput, ScheduleState, Tag, TagResourceInput,
};
use haechi_testkit::told;

use super::{Fixture, schedule};

impl Fixture {
    async fn group(&self, name: &str, token: &str) -> Result<(), (&'static str, String)> {
        let input = CreateScheduleGroupInput {
            name: name.to_owned(),
            client_token: Some(token.to_owned()),
            ..Default::default()
        };
        let made = self.kit.call::<CreateScheduleGroup, _>(&*self.scheduler, &self.root, input);
        made.await.map(|_| ()).map_err(|problem| told(&problem))
    }

    async fn list(&self, input: ListSchedulesInput) -> (Vec<String>, Option<String>) {
        let page = self.kit.call::<ListSchedules, _>(&*self.scheduler, &self.root, input).await;
        let page = page.ok().unwrap();
        let names = page.schedules.into_iter().map(|one| one.name.unwrap_or_default());
        (names.collect(), page.next_token)
    }
}

#[tokio::test]
async fn a_group_takes_its_schedules_with_it() {
    let fixture = Fixture::new().await;
    fixture.group("g", "one").await.unwrap();
    for number in 0..100 {
        let input = CreateScheduleInput {
            name: format!("s{number}"),
            group_name: Some("g".to_owned()),
            ..schedule("rate(1 minute)")
        };
        fixture.create(input).await.unwrap();
    }
    fixture.create(schedule("rate(1 minute)")).await.unwrap();
    let input = DeleteScheduleGroupInput { name: "g".to_owned(), ..Default::default() };
    let kit = &fixture.kit;
    let deleted = kit.call::<DeleteScheduleGroup, _>(&*fixture.scheduler, &fixture.root, input);
    deleted.await.ok().unwrap();
    fixture.kit.jobs.run_due().await.unwrap();
    assert_eq!(fixture.calls().len(), 1);
    assert_eq!(fixture.list(ListSchedulesInput::default()).await.0, ["s"]);
    let input = GetScheduleGroupInput { name: "g".to_owned() };
    let gone = kit.call::<GetScheduleGroup, _>(&*fixture.scheduler, &fixture.root, input).await;
    let message = "Schedule group g does not exist.".to_owned();
    assert_eq!(told(&gone.err().unwrap()), ("ResourceNotFoundException", message));
}

#[tokio::test]
async fn the_same_request_again_is_no_conflict() {
    let fixture = Fixture::new().await;
    fixture.group("g", "one").await.unwrap();
    fixture.group("g", "one").await.unwrap();
    let message = "Schedule group g already exists.".to_owned();
    assert_eq!(fixture.group("g", "two").await, Err(("ConflictException", message)));
    assert!(fixture.group("default", "one").await.is_err());
    let input = |token: &str| CreateScheduleInput {
        client_token: Some(token.to_owned()),
        ..schedule("rate(1 day)")
    };
    fixture.create(input("one")).await.unwrap();
    fixture.create(input("one")).await.unwrap();
    let message = "Schedule s already exists.".to_owned();
    assert_eq!(fixture.create(input("two")).await, Err(("ConflictException", message)));
}

#[tokio::test]
async fn lists_come_page_by_page_and_filtered() {
    let fixture = Fixture::new().await;
    for number in 0..7 {
        let input = CreateScheduleInput {
            name: format!("{}-{number}", if number < 3 { "a" } else { "b" }),
            state: (number == 0).then_some(ScheduleState::Disabled),
            ..schedule("rate(1 day)")
        };
        fixture.create(input).await.unwrap();
    }
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let input =
            ListSchedulesInput { max_results: Some(3), next_token: token, ..Default::default() };
        let (names, next) = fixture.list(input).await;
        assert!(names.len() <= 3);
        all.extend(names);
        token = next;
        if token.is_none() {
            break;
        }
    }
    all.sort_unstable();
    assert_eq!(all, ["a-0", "a-1", "a-2", "b-3", "b-4", "b-5", "b-6"]);
    let prefix = ListSchedulesInput { name_prefix: Some("a".to_owned()), ..Default::default() };
    // What one answer holds stands by name.
    assert_eq!(fixture.list(prefix).await.0, ["a-0", "a-1", "a-2"]);
    let off = ListSchedulesInput { state: Some(ScheduleState::Disabled), ..Default::default() };
    assert_eq!(fixture.list(off).await.0, ["a-0"]);
}

#[tokio::test]
async fn the_default_group_is_there_and_can_be_tagged() {
    let fixture = Fixture::new().await;
    let kit = &fixture.kit;
    let input = TagResourceInput {
        resource_arn: "arn:aws:scheduler:us-east-1:111122223333:schedule-group/default".to_owned(),
        tags: vec![Tag { key: "k".to_owned(), value: "v".to_owned() }],
    };
    let tagged = kit.call::<TagResource, _>(&*fixture.scheduler, &fixture.root, input).await;
    tagged.ok().unwrap();
    fixture.group("a", "one").await.unwrap();
    let input = ListScheduleGroupsInput::default();
    let listed = kit.call::<ListScheduleGroups, _>(&*fixture.scheduler, &fixture.root, input);
    let groups = listed.await.ok().unwrap().schedule_groups;
    let names: Vec<String> = groups.into_iter().filter_map(|group| group.name).collect();
    assert_eq!(names, ["a", "default"]);
}

#[tokio::test]
async fn neither_tags_nor_deletions_come_with_a_group_for_who_may_not_do_them() {
    let fixture = Fixture::new().await;
    fixture.group("g", "one").await.unwrap();
    for name in ["open", "kept"] {
        let (name, group_name) = (name.to_owned(), Some("g".to_owned()));
        let input = CreateScheduleInput { name, group_name, ..schedule("rate(1 day)") };
        fixture.create(input).await.unwrap();
    }
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "scheduler:TagResource", "Resource": "*"},
        {"Effect": "Deny", "Action": "scheduler:DeleteSchedule", "Resource": "arn:aws:scheduler:*:*:schedule/g/kept"}]}"#;
    let user = fixture.kit.user(super::ACCOUNT, "eve", &[policy]);
    let (kit, scheduler) = (&fixture.kit, &*fixture.scheduler);
    let tag = Tag { key: "k".to_owned(), value: "v".to_owned() };
    let make = |tags: Option<Vec<Tag>>| {
        let name = "h".to_owned();
        CreateScheduleGroupInput { name, tags, ..Default::default() }
    };
    let tagged = kit.call::<CreateScheduleGroup, _>(scheduler, &user, make(Some(vec![tag]))).await;
    let refusal = told(&tagged.map(|_| ()).unwrap_err());
    assert!(refusal.1.contains("scheduler:TagResource"), "{refusal:?}");
    assert!(kit.call::<CreateScheduleGroup, _>(scheduler, &user, make(None)).await.is_ok());
    let input = DeleteScheduleGroupInput { name: "g".to_owned(), ..Default::default() };
    let deleted = kit.call::<DeleteScheduleGroup, _>(scheduler, &user, input).await;
    let refusal = told(&deleted.map(|_| ()).unwrap_err());
    assert!(refusal.1.contains("scheduler:DeleteSchedule"), "{refusal:?}");
    let all = fixture.list(ListSchedulesInput::default()).await.0;
    assert_eq!(all, ["kept", "open"], "none is gone");
}

#[tokio::test]
async fn tags_of_aws_s_own_are_not_to_be_put() {
    let fixture = Fixture::new().await;
    let tags = || vec![Tag { key: "aws:x".to_owned(), value: "v".to_owned() }];
    let told_reserved = "Tag keys beginning with aws: are reserved for system use.".to_owned();
    let reserved = Err(("ValidationException", told_reserved));
    let (kit, scheduler) = (&fixture.kit, &*fixture.scheduler);
    let input =
        CreateScheduleGroupInput { name: "g".to_owned(), tags: Some(tags()), ..Default::default() };
    let made = kit.call::<CreateScheduleGroup, _>(scheduler, &fixture.root, input).await;
    assert_eq!(made.map(|_| ()).map_err(|problem| told(&problem)), reserved);
    let resource_arn = "arn:aws:scheduler:us-east-1:111122223333:schedule-group/default".to_owned();
    let input = TagResourceInput { resource_arn, tags: tags() };
    let tagged = kit.call::<TagResource, _>(scheduler, &fixture.root, input).await;
    assert_eq!(tagged.map(|_| ()).map_err(|problem| told(&problem)), reserved);
}
