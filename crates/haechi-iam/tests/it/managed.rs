//! Managed policies and what they are attached to.

use haechi_iam_model::ops::{
    AttachRolePolicy, AttachUserPolicy, CreatePolicy, CreatePolicyVersion, DeletePolicy,
    DeletePolicyVersion, DeleteUser, DeleteUserPermissionsBoundary, DetachUserPolicy, GetPolicy,
    GetPolicyVersion, GetUser, ListAttachedUserPolicies, ListEntitiesForPolicy, ListPolicies,
    ListPolicyVersions, PutUserPermissionsBoundary, SetDefaultPolicyVersion, UpdateUser,
};
use haechi_iam_model::shapes::*;

use crate::cast::{ALLOW_ALL, Stage, create_policy, create_role, may, told};

const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Deny","Action":"*","Resource":"*"}}"#;
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const LIST_KEYS: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}}"#;

fn attach(user: &str, arn: &str) -> AttachUserPolicyRequest {
    AttachUserPolicyRequest { user_name: user.to_owned(), policy_arn: arn.to_owned() }
}

fn detach(user: &str, arn: &str) -> DetachUserPolicyRequest {
    DetachUserPolicyRequest { user_name: user.to_owned(), policy_arn: arn.to_owned() }
}

fn version(arn: &str, document: &str, set_as_default: bool) -> CreatePolicyVersionRequest {
    CreatePolicyVersionRequest {
        policy_arn: arn.to_owned(),
        policy_document: document.to_owned(),
        set_as_default: Some(set_as_default),
    }
}

async fn policy(stage: &Stage, arn: &str) -> Policy {
    let request = GetPolicyRequest { policy_arn: arn.to_owned() };
    stage.ok::<GetPolicy>(request).await.policy.unwrap()
}

#[tokio::test]
async fn an_attached_policy_counts_at_once_and_no_more_when_detached() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    let arn = create_policy(&stage, "reader", LIST_KEYS).await;
    assert_eq!(arn, "arn:aws:iam::123456789012:policy/reader");
    assert!(!may(&stage, &key, "kms:ListKeys").await);
    stage.ok::<AttachUserPolicy>(attach("alice", &arn)).await;
    assert!(may(&stage, &key, "kms:ListKeys").await);
    assert!(!may(&stage, &key, "kms:CreateKey").await);
    assert_eq!(policy(&stage, &arn).await.attachment_count, Some(1));
    stage.ok::<DetachUserPolicy>(detach("alice", &arn)).await;
    assert!(!may(&stage, &key, "kms:ListKeys").await);
    assert_eq!(policy(&stage, &arn).await.attachment_count, Some(0));
}

/// LocalStack's `test_policy_version_errors` and `TestListEntitiesForPolicy`.
#[tokio::test]
async fn what_is_asked_of_a_missing_policy_is_missing() {
    let stage = Stage::new().await;
    let arn = "arn:aws:iam::123456789012:policy/missing".to_owned();
    let version = told(
        "NoSuchEntity",
        &format!("Policy {arn} version v1 does not exist or is not attachable."),
    );
    let (policy_arn, version_id) = (arn.clone(), "v1".to_owned());
    let get = GetPolicyVersionRequest { policy_arn: arn.clone(), version_id: version_id.clone() };
    assert_eq!(stage.refused::<GetPolicyVersion>(get).await, version);
    let set = SetDefaultPolicyVersionRequest { policy_arn, version_id };
    assert_eq!(stage.refused::<SetDefaultPolicyVersion>(set).await, version);
    let list = ListEntitiesForPolicyRequest { policy_arn: arn.clone(), ..Default::default() };
    let absent = format!("Policy {arn} does not exist or is not attachable.");
    let refused = stage.refused::<ListEntitiesForPolicy>(list).await;
    assert_eq!(refused, told("NoSuchEntity", &absent));
}

/// LocalStack's `test_attach_detach_aws_managed_policy_role`.
#[tokio::test]
async fn what_is_attached_is_listed_by_name_without_regard_to_case() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    for name in ["AWSControlTowerServiceRolePolicy", "AmazonElasticMapReduceRole"] {
        let arn = format!("arn:aws:iam::aws:policy/service-role/{name}");
        stage.ok::<AttachUserPolicy>(attach("alice", &arn)).await;
    }
    let request =
        ListAttachedUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
    let listed = stage.ok::<ListAttachedUserPolicies>(request).await.attached_policies.unwrap();
    let names: Vec<_> = listed.into_iter().filter_map(|one| one.policy_name).collect();
    assert_eq!(names, ["AmazonElasticMapReduceRole", "AWSControlTowerServiceRolePolicy"]);
}

#[tokio::test]
async fn policies_are_attached_to_no_policies() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let arn = create_policy(&stage, "reader", LIST_KEYS).await;
    stage.ok::<AttachUserPolicy>(attach("alice", &arn)).await;
    let list = |entity_filter| ListEntitiesForPolicyRequest {
        policy_arn: arn.clone(),
        entity_filter,
        ..Default::default()
    };
    let all = stage.ok::<ListEntitiesForPolicy>(list(None)).await.policy_users.unwrap();
    assert_eq!(all.len(), 1);
    let filtered = list(Some(EntityType::LocalManagedPolicy));
    let none = stage.ok::<ListEntitiesForPolicy>(filtered).await.policy_users.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn the_default_version_decides_from_the_next_call_on() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    let arn = create_policy(&stage, "p", LIST_KEYS).await;
    stage.ok::<AttachUserPolicy>(attach("alice", &arn)).await;
    stage.ok::<CreatePolicyVersion>(version(&arn, ALLOW_ALL, false)).await;
    assert!(!may(&stage, &key, "kms:CreateKey").await);
    let set = |id: &str| SetDefaultPolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: id.to_owned(),
    };
    stage.ok::<SetDefaultPolicyVersion>(set("v2")).await;
    assert!(may(&stage, &key, "kms:CreateKey").await);
    stage.ok::<CreatePolicyVersion>(version(&arn, DENY_ALL, true)).await;
    assert!(!may(&stage, &key, "kms:ListKeys").await);
    let refused = stage.refused::<SetDefaultPolicyVersion>(set("v9")).await;
    assert_eq!(refused.0, "NoSuchEntity");
}

#[tokio::test]
async fn a_policy_has_five_versions_at_most_and_its_numbers_never_come_back() {
    let stage = Stage::new().await;
    let arn = create_policy(&stage, "p", LIST_KEYS).await;
    for _ in 2..=5 {
        stage.ok::<CreatePolicyVersion>(version(&arn, ALLOW_ALL, true)).await;
    }
    let full = stage.refused::<CreatePolicyVersion>(version(&arn, ALLOW_ALL, true)).await;
    let message = "A managed policy can have up to 5 versions. Before you create a new version, \
        you must delete an existing version.";
    assert_eq!(full, told("LimitExceeded", message));
    let delete = |id: &str| DeletePolicyVersionRequest {
        policy_arn: arn.clone(),
        version_id: id.to_owned(),
    };
    let default = stage.refused::<DeletePolicyVersion>(delete("v5")).await;
    let message = "Cannot delete the default version of a policy.";
    assert_eq!(default, told("DeleteConflict", message));
    stage.ok::<DeletePolicyVersion>(delete("v1")).await;
    let made = stage.ok::<CreatePolicyVersion>(version(&arn, LIST_KEYS, false)).await;
    assert_eq!(made.policy_version.unwrap().version_id.as_deref(), Some("v6"));
    let list = ListPolicyVersionsRequest { policy_arn: arn.clone(), ..Default::default() };
    let versions = stage.ok::<ListPolicyVersions>(list).await.versions.unwrap();
    let ids: Vec<_> = versions.iter().map(|one| one.version_id.clone().unwrap()).collect();
    assert_eq!(ids, ["v6", "v5", "v4", "v3", "v2"]);
    let conflict = stage.refused::<DeletePolicy>(DeletePolicyRequest { policy_arn: arn }).await;
    assert!(conflict.1.starts_with("This policy has more than one version."), "{conflict:?}");
}

#[tokio::test]
async fn a_policy_that_is_attached_cannot_be_deleted_and_is_gone_afterwards() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let arn = create_policy(&stage, "p", LIST_KEYS).await;
    stage.ok::<AttachUserPolicy>(attach("alice", &arn)).await;
    let delete = || DeletePolicyRequest { policy_arn: arn.clone() };
    let conflict = told("DeleteConflict", "Cannot delete a policy attached to entities.");
    assert_eq!(stage.refused::<DeletePolicy>(delete()).await, conflict);
    let bare = told("DeleteConflict", "Cannot delete entity, must detach all policies first.");
    let user = || DeleteUserRequest { user_name: "alice".to_owned() };
    assert_eq!(stage.refused::<DeleteUser>(user()).await, bare);
    stage.ok::<DetachUserPolicy>(detach("alice", &arn)).await;
    stage.ok::<DeletePolicy>(delete()).await;
    let gone = told("NoSuchEntity", &format!("Policy {arn} was not found."));
    assert_eq!(stage.refused::<DeletePolicy>(delete()).await, gone);
    assert_eq!(stage.refused::<DetachUserPolicy>(detach("alice", &arn)).await, gone);
    let message = format!("Policy {arn} does not exist or is not attachable.");
    let refused = stage.refused::<AttachUserPolicy>(attach("alice", &arn)).await;
    assert_eq!(refused, told("NoSuchEntity", &message));
    let refused =
        stage.refused::<AttachUserPolicy>(attach("alice", "just-a-long-name-no-arn")).await;
    assert_eq!(refused, told("ValidationError", "ARN just-a-long-name-no-arn is not valid."));
    let request = GetPolicyRequest { policy_arn: "just-a-long-name-no-arn".to_owned() };
    let refused = stage.refused::<GetPolicy>(request).await;
    assert_eq!(refused, told("ValidationError", "Invalid ARN:  Could not be parsed!"));
}

#[tokio::test]
async fn policies_of_aws_can_be_attached_and_read_but_not_changed() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    stage.ok::<AttachUserPolicy>(attach("alice", ADMINISTRATOR)).await;
    assert!(may(&stage, &key, "kms:CreateKey").await);
    let shown = policy(&stage, ADMINISTRATOR).await;
    assert_eq!(shown.attachment_count, Some(1));
    let request = GetPolicyVersionRequest {
        policy_arn: ADMINISTRATOR.to_owned(),
        version_id: shown.default_version_id.unwrap(),
    };
    let document = stage.ok::<GetPolicyVersion>(request).await.policy_version.unwrap().document;
    assert!(document.unwrap().starts_with("%7B%22Version%22%3A%222012-10-17%22"));
    let changed =
        stage.refused::<CreatePolicyVersion>(version(ADMINISTRATOR, ALLOW_ALL, true)).await;
    assert_eq!(changed.0, "AccessDenied");
    let service = "arn:aws:iam::aws:policy/aws-service-role/CloudTrailServiceRolePolicy";
    let refused = stage.refused::<AttachUserPolicy>(attach("alice", service)).await;
    assert_eq!(refused.0, "PolicyNotAttachable");
}

#[tokio::test]
async fn an_entity_has_ten_attached_policies_at_most() {
    let stage = Stage::new().await;
    create_role(&stage, "r").await;
    for number in 0..=10 {
        let policy_arn = create_policy(&stage, &format!("p{number}"), LIST_KEYS).await;
        let request = AttachRolePolicyRequest { role_name: "r".to_owned(), policy_arn };
        if number < 10 {
            stage.ok::<AttachRolePolicy>(request).await;
        } else {
            let full = told("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10");
            assert_eq!(stage.refused::<AttachRolePolicy>(request).await, full);
        }
    }
}

#[tokio::test]
async fn listings_know_scope_use_and_path_and_miss_nothing_between_pages() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    for name in ["b", "a", "c"] {
        create_policy(&stage, name, LIST_KEYS).await;
    }
    stage.ok::<AttachUserPolicy>(attach("alice", "arn:aws:iam::123456789012:policy/b")).await;
    stage.ok::<AttachUserPolicy>(attach("alice", ADMINISTRATOR)).await;
    let names = |policies: Option<Vec<Policy>>| -> Vec<String> {
        policies.unwrap().into_iter().map(|policy| policy.policy_name.unwrap()).collect()
    };
    let local = || ListPoliciesRequest {
        scope: Some(PolicyScopeType::Local),
        max_items: Some(2),
        ..Default::default()
    };
    let first = stage.ok::<ListPolicies>(local()).await;
    assert_eq!(
        (names(first.policies), first.is_truncated),
        (vec!["a".into(), "b".into()], Some(true))
    );
    let rest = ListPoliciesRequest { marker: first.marker, ..local() };
    assert_eq!(names(stage.ok::<ListPolicies>(rest).await.policies), ["c"]);
    let used = ListPoliciesRequest { only_attached: Some(true), ..Default::default() };
    assert_eq!(names(stage.ok::<ListPolicies>(used).await.policies), ["AdministratorAccess", "b"]);
    // What a filter is to limit is limited by that alone.
    let filtered = ListPoliciesRequest {
        scope: Some(PolicyScopeType::Local),
        policy_usage_filter: Some(PolicyUsageType::PermissionsPolicy),
        ..Default::default()
    };
    assert_eq!(names(stage.ok::<ListPolicies>(filtered).await.policies), ["a", "b", "c"]);
    let oldest = ListPoliciesRequest {
        scope: Some(PolicyScopeType::Aws),
        max_items: Some(5),
        ..Default::default()
    };
    let of_aws = ["AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess"];
    let of_aws =
        [&of_aws[..], &["AWSCloudFormationReadOnlyAccess", "CloudFrontFullAccess"]].concat();
    assert_eq!(names(stage.ok::<ListPolicies>(oldest).await.policies), of_aws);
    let request =
        ListAttachedUserPoliciesRequest { user_name: "alice".to_owned(), ..Default::default() };
    let attached = stage.ok::<ListAttachedUserPolicies>(request).await.attached_policies.unwrap();
    let attached: Vec<_> = attached.into_iter().map(|one| one.policy_name.unwrap()).collect();
    assert_eq!(attached, ["AdministratorAccess", "b"]);
}

#[tokio::test]
async fn the_entities_of_a_policy_follow_a_rename() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let arn = create_policy(&stage, "p", LIST_KEYS).await;
    stage.ok::<AttachUserPolicy>(attach("alice", &arn)).await;
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("eve".to_owned()),
        new_path: None,
    };
    stage.ok::<UpdateUser>(rename).await;
    let request = ListEntitiesForPolicyRequest { policy_arn: arn, ..Default::default() };
    let users = stage.ok::<ListEntitiesForPolicy>(request).await.policy_users.unwrap();
    let users: Vec<_> = users.into_iter().map(|user| user.user_name.unwrap()).collect();
    assert_eq!(users, ["eve"]);
}

#[tokio::test]
async fn a_boundary_limits_what_policies_allow_and_cannot_be_deleted_while_it_does() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    stage.put_policy("alice", "all", ALLOW_ALL).await;
    let arn = create_policy(&stage, "limit", LIST_KEYS).await;
    let put = PutUserPermissionsBoundaryRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: arn.clone(),
    };
    stage.ok::<PutUserPermissionsBoundary>(put).await;
    assert!(may(&stage, &key, "kms:ListKeys").await);
    assert!(!may(&stage, &key, "kms:CreateKey").await);
    let request = GetUserRequest { user_name: Some("alice".to_owned()) };
    let shown = stage.ok::<GetUser>(request).await.user.permissions_boundary.unwrap();
    assert_eq!(shown.permissions_boundary_arn.as_deref(), Some(arn.as_str()));
    let counts = policy(&stage, &arn).await;
    assert_eq!(
        (counts.attachment_count, counts.permissions_boundary_usage_count),
        (Some(0), Some(1))
    );
    let conflict = stage.refused::<DeletePolicy>(DeletePolicyRequest { policy_arn: arn }).await;
    assert_eq!(conflict.0, "DeleteConflict");
    let lift = DeleteUserPermissionsBoundaryRequest { user_name: "alice".to_owned() };
    stage.ok::<DeleteUserPermissionsBoundary>(lift).await;
    assert!(may(&stage, &key, "kms:CreateKey").await);
}

#[tokio::test]
async fn a_name_is_taken_once_and_a_document_must_be_current_and_short() {
    let stage = Stage::new().await;
    create_policy(&stage, "p", LIST_KEYS).await;
    let request = |name: &str, document: String| CreatePolicyRequest {
        policy_name: name.to_owned(),
        policy_document: document,
        ..Default::default()
    };
    let taken = stage.refused::<CreatePolicy>(request("P", LIST_KEYS.to_owned())).await;
    let message = "A policy called P already exists. Duplicate names are not allowed.";
    assert_eq!(taken, told("EntityAlreadyExists", message));
    let old = LIST_KEYS.replace("2012", "2008");
    let refused = stage.refused::<CreatePolicy>(request("q", old)).await;
    assert_eq!(refused.0, "MalformedPolicyDocument");
    let long = LIST_KEYS.replace("\"*\"", &format!("\"arn:aws:kms:::{}\"", "x".repeat(6144)));
    let refused = stage.refused::<CreatePolicy>(request("q", long)).await;
    assert_eq!(refused, told("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"));
}
