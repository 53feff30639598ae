//! Tags.

use std::sync::Arc;

use haechi_core::{Caller, Handle, Operation, Region};
use haechi_iam::Iam;
use haechi_iam_model::ops::{
    CreateInstanceProfile, CreateOpenIDConnectProvider, CreatePolicy, CreateRole,
    CreateSAMLProvider, CreateUser, CreateVirtualMFADevice, ListPolicyTags, ListUserTags,
    TagPolicy, TagUser, UntagPolicy, UntagUser, UploadServerCertificate,
};
use haechi_iam_model::shapes::{
    CreateInstanceProfileRequest, CreateOpenIDConnectProviderRequest, CreatePolicyRequest,
    CreateRoleRequest, CreateSAMLProviderRequest, CreateUserRequest, CreateVirtualMFADeviceRequest,
    ListPolicyTagsRequest, ListUserTagsRequest, Tag, TagPolicyRequest, TagUserRequest,
    UntagPolicyRequest, UntagUserRequest, UploadServerCertificateRequest,
};
use haechi_wire::Protocol;

use crate::cast::{ACCOUNT, ALLOW_ALL, Stage, TRUST, create_policy, tag, told};

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
    let reserved = "Tag keys beginning with aws: are reserved for system use.";
    assert_eq!(refused, told("InvalidInput", reserved));
    let refused = stage.refused::<TagUser>(add(Vec::new())).await;
    assert_eq!(refused, told("InvalidInput", "Error occurred while validating input. "));
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

/// The code and message of what is answered; nothing, if it is done.
async fn answer<Op: Operation>(
    stage: &Stage,
    caller: &Arc<Caller>,
    input: Op::Input,
) -> (&'static str, String)
where
    Iam: Handle<Op>,
{
    match stage.call::<Op>(caller, input).await {
        Ok(_) => ("", String::new()),
        Err(problem) => (problem.code(Protocol::Query), problem.message()),
    }
}

/// Checks that an operation needs the action of tagging on what it creates where tags come with it,
/// and not where none do.
async fn tags_need<Op: Operation>(
    tagging: &str,
    created: &str,
    request: impl Fn(Option<Vec<Tag>>) -> Op::Input,
) where
    Iam: Handle<Op>,
{
    const CREATES: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Action":["iam:Create*","iam:Upload*"],"Resource":"*"}}"#;
    let stage = Stage::new().await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:{created}");
    let role = |value: &str| request(Some(vec![tag("Role", value)]));
    let not_admin = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Action":"{tagging}",
            "Resource":"{arn}","Condition":{{"StringEquals":{{"aws:RequestTag/Role":"admin"}},
                "ForAllValues:StringEquals":{{"aws:TagKeys":"Role"}}}}}}}}"#
    );
    let denied = stage.kit.user(ACCOUNT, "denied", &[ALLOW_ALL, &not_admin]);
    let creator = stage.kit.user(ACCOUNT, "creator", &[CREATES]);
    for (caller, name) in [(&denied, "denied"), (&creator, "creator")] {
        let (code, message) = answer::<Op>(&stage, caller, role("admin")).await;
        assert_eq!(code, "AccessDenied", "{tagging} of {name}");
        let start =
            format!("User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: ");
        assert!(message.starts_with(&format!("{start}{tagging} on resource: {arn} ")), "{message}");
    }
    // What is refused for another reason was allowed; nothing was made before.
    let (code, message) = answer::<Op>(&stage, &creator, request(None)).await;
    assert!(!matches!(code, "AccessDenied" | "EntityAlreadyExists"), "{tagging}: {message}");
    assert_ne!(answer::<Op>(&stage, &creator, request(Some(Vec::new()))).await.0, "AccessDenied");
    assert_ne!(answer::<Op>(&stage, &denied, role("guest")).await.0, "AccessDenied");
}

#[tokio::test]
async fn who_may_create_and_not_tag_creates_without_tags_only() {
    let path = || Some("/staff/".to_owned());
    tags_need::<CreateUser>("iam:TagUser", "user/staff/x", |tags| CreateUserRequest {
        path: path(),
        user_name: "x".to_owned(),
        tags,
        ..Default::default()
    })
    .await;
    tags_need::<CreateRole>("iam:TagRole", "role/staff/x", |tags| CreateRoleRequest {
        path: path(),
        role_name: "x".to_owned(),
        assume_role_policy_document: TRUST.to_owned(),
        tags,
        ..Default::default()
    })
    .await;
    tags_need::<CreatePolicy>("iam:TagPolicy", "policy/staff/x", |tags| CreatePolicyRequest {
        path: path(),
        policy_name: "x".to_owned(),
        policy_document: ALLOW_ALL.to_owned(),
        tags,
        ..Default::default()
    })
    .await;
    let created = "instance-profile/staff/x";
    tags_need::<CreateInstanceProfile>("iam:TagInstanceProfile", created, |tags| {
        CreateInstanceProfileRequest { path: path(), instance_profile_name: "x".to_owned(), tags }
    })
    .await;
    tags_need::<CreateVirtualMFADevice>("iam:TagMFADevice", "mfa/staff/x", |tags| {
        CreateVirtualMFADeviceRequest {
            path: path(),
            virtual_mfa_device_name: "x".to_owned(),
            tags,
        }
    })
    .await;
}

#[tokio::test]
async fn who_may_create_providers_and_certificates_and_not_tag_does_without_tags_only() {
    let created = "oidc-provider/id.example.com";
    tags_need::<CreateOpenIDConnectProvider>("iam:TagOpenIDConnectProvider", created, |tags| {
        CreateOpenIDConnectProviderRequest {
            url: "https://id.example.com".to_owned(),
            tags,
            ..Default::default()
        }
    })
    .await;
    tags_need::<CreateSAMLProvider>("iam:TagSAMLProvider", "saml-provider/x", |tags| {
        CreateSAMLProviderRequest { name: "x".to_owned(), tags, ..Default::default() }
    })
    .await;
    let created = "server-certificate/staff/x";
    tags_need::<UploadServerCertificate>("iam:TagServerCertificate", created, |tags| {
        UploadServerCertificateRequest {
            path: Some("/staff/".to_owned()),
            server_certificate_name: "x".to_owned(),
            tags,
            ..Default::default()
        }
    })
    .await;
}

#[tokio::test]
async fn tags_that_differ_in_case_alone_are_all_seen_by_conditions() {
    let stage = Stage::new().await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"ForAnyValue:StringEquals": {"aws:RequestTag/team": "secret"}}}]}"#;
    let user = stage.kit.user(ACCOUNT, "eve", &[policy]);
    let input = |tags| CreatePolicyRequest {
        policy_name: "x".to_owned(),
        policy_document: ALLOW_ALL.to_owned(),
        tags,
        ..Default::default()
    };
    let tags = Some(vec![tag("Team", "ok"), tag("team", "secret")]);
    assert_eq!(stage.refused_to::<CreatePolicy>(&user, input(tags)).await.0, "AccessDenied");
}

#[tokio::test]
async fn the_region_that_a_caller_signs_for_is_not_that_of_a_service_without_regions() {
    let mut stage = Stage::new().await;
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}]}"#;
    let user = stage.kit.user(ACCOUNT, "eve", &[policy]);
    for region in ["us-east-1", "eu-west-1"] {
        stage.kit.region = Region::parse(region).unwrap();
        let input = CreateUserRequest { user_name: "x".to_owned(), ..Default::default() };
        let refusal = stage.refused_to::<CreateUser>(&user, input).await;
        assert_eq!(refusal.0, "AccessDenied", "{region}");
    }
}
