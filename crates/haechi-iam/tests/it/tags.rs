//! Tags.

use haechi_iam_model::ops::{
    CreateUser, ListPolicyTags, ListUserTags, TagPolicy, TagUser, UntagPolicy, UntagUser,
};
use haechi_iam_model::shapes::{
    CreateUserRequest, ListPolicyTagsRequest, ListUserTagsRequest, Tag, TagPolicyRequest,
    TagUserRequest, UntagPolicyRequest, UntagUserRequest,
};

use crate::cast::{ACCOUNT, ALLOW_ALL, Stage, create_policy, tag, told};

fn add(tags: Vec<Tag>) -> TagUserRequest {
    TagUserRequest { user_name: "alice".to_owned(), tags }
}

fn remove(keys: &[&str]) -> UntagUserRequest {
    let tag_keys = keys.iter().map(|key| (*key).to_owned()).collect();
    UntagUserRequest { user_name: "alice".to_owned(), tag_keys }
}

async fn listed(stage: &Stage) -> Vec<(String, String)> {
    let request = ListUserTagsRequest { user_name: "alice".to_owned(), ..Default::default() };
    let tags = stage.ok::<ListUserTags>(request).await.tags;
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_tag_replaces_one_whose_key_differs_only_in_case() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.ok::<TagUser>(add(vec![tag("Department", "finance"), tag("b", "")])).await;
    stage.ok::<TagUser>(add(vec![tag("department", "hr")])).await;
    assert_eq!(listed(&stage).await, [pair("b", ""), pair("department", "hr")]);
    stage.ok::<UntagUser>(remove(&["DEPARTMENT", "ghost"])).await;
    assert_eq!(listed(&stage).await, [pair("b", "")]);
}

#[tokio::test]
async fn duplicate_and_reserved_keys_are_refused() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    let twice = vec![tag("a", "1"), tag("A", "2")];
    let refused = stage.refused::<TagUser>(add(twice.clone())).await;
    assert_eq!(refused, told("InvalidInput", message));
    let request =
        CreateUserRequest { user_name: "bob".to_owned(), tags: Some(twice), ..Default::default() };
    assert_eq!(stage.refused::<CreateUser>(request).await, told("InvalidInput", message));
    let refused = stage.refused::<TagUser>(add(vec![tag("AWS:x", "1")])).await;
    assert_eq!(refused.0, "InvalidInput");
    assert!(listed(&stage).await.is_empty());
}

/// LocalStack's `test_policy_tag_order` and `test_policy_tag_create_errors`.
#[tokio::test]
async fn case_counts_in_keys_of_what_is_no_user_and_no_role() {
    let stage = Stage::new().await;
    let policy_arn = create_policy(&stage, "p", ALLOW_ALL).await;
    let tag_it = |tags: Vec<Tag>| TagPolicyRequest { policy_arn: policy_arn.clone(), tags };
    let keys = async || {
        let request =
            ListPolicyTagsRequest { policy_arn: policy_arn.clone(), ..Default::default() };
        let tags = stage.ok::<ListPolicyTags>(request).await.tags;
        tags.into_iter().map(|tag| tag.key).collect::<Vec<String>>()
    };
    let tags = ["abc", "b", "z", "a", "A"].map(|key| tag(key, "v")).to_vec();
    stage.ok::<TagPolicy>(tag_it(tags)).await;
    assert_eq!(keys().await, ["A", "a", "b", "z", "abc"]);
    let untag =
        UntagPolicyRequest { policy_arn: policy_arn.clone(), tag_keys: vec!["a".to_owned()] };
    stage.ok::<UntagPolicy>(untag).await;
    assert_eq!(keys().await, ["A", "b", "z", "abc"]);
    let refused = stage.refused::<TagPolicy>(tag_it(vec![tag("x", "1"), tag("x", "2")])).await;
    assert_eq!(refused, told("InvalidInput", "Duplicate tag keys found."));
}

#[tokio::test]
async fn a_user_has_fifty_tags_at_most() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let fifty = (0..50).map(|number| tag(&format!("key-{number:02}"), "v")).collect();
    stage.ok::<TagUser>(add(fifty)).await;
    stage.ok::<TagUser>(add(vec![tag("KEY-00", "changed")])).await;
    let refused = stage.refused::<TagUser>(add(vec![tag("one-more", "v")])).await;
    assert_eq!(refused, told("LimitExceeded", "The number of tags has reached the maximum limit."));
    assert_eq!(listed(&stage).await.len(), 50);
}

#[tokio::test]
async fn policies_decide_by_tags_of_the_user_and_of_the_request() {
    const BY_TAGS: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Action":"iam:TagUser","Resource":"*","Condition":{
            "StringEquals":{"aws:ResourceTag/Team":"blue","iam:ResourceTag/team":"blue",
                            "aws:RequestTag/Cost":"1"},
            "ForAllValues:StringEquals":{"aws:TagKeys":["Cost"]}}}}"#;
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let carol = stage.kit.user(ACCOUNT, "carol", &[BY_TAGS]);
    let cost = || add(vec![tag("Cost", "1")]);
    assert_eq!(stage.refused_to::<TagUser>(&carol, cost()).await.0, "AccessDenied");
    stage.ok::<TagUser>(add(vec![tag("TEAM", "blue")])).await;
    stage.call::<TagUser>(&carol, cost()).await.unwrap();
    let other_value = add(vec![tag("Cost", "2")]);
    assert_eq!(stage.refused_to::<TagUser>(&carol, other_value).await.0, "AccessDenied");
    let other_key = add(vec![tag("Cost", "1"), tag("Other", "1")]);
    assert_eq!(stage.refused_to::<TagUser>(&carol, other_key).await.0, "AccessDenied");
}
