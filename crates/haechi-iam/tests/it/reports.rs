//! What tells of the whole account: summary, authorization details, credential report, keys that
//! policies ask for.

use haechi_core::Identities;
use haechi_iam_model::ops::{
    AddRoleToInstanceProfile, AddUserToGroup, AttachUserPolicy, CreateGroup, CreateInstanceProfile,
    CreateLoginProfile, CreatePolicy, GenerateCredentialReport, GetAccountAuthorizationDetails,
    GetAccountSummary, GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy,
    GetCredentialReport, PutGroupPolicy, PutUserPermissionsBoundary, TagRole, UpdateAccessKey,
    UpdateAccountPasswordPolicy,
};
use haechi_iam_model::shapes::{
    AddRoleToInstanceProfileRequest, AddUserToGroupRequest, AttachUserPolicyRequest,
    CreateGroupRequest, CreateInstanceProfileRequest, CreateLoginProfileRequest,
    CreatePolicyRequest, EntityType, GetAccountAuthorizationDetailsRequest,
    GetContextKeysForCustomPolicyRequest, GetContextKeysForPrincipalPolicyRequest,
    PutGroupPolicyRequest, PutUserPermissionsBoundaryRequest, ReportStateType, StatusType,
    TagRoleRequest, UpdateAccessKeyRequest, UpdateAccountPasswordPolicyRequest,
};
use haechi_wire::SecretString;
use haechi_wire::shape::Unit;

use crate::cast::{ALLOW_ALL, Stage, create_policy, create_role, tag, told};

const READ_ONLY: &str = "arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser";

/// Alice in the group staff, with an AWS policy; a role in an instance profile; a policy.
async fn populated() -> Stage {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.put_policy("alice", "inline", ALLOW_ALL).await;
    let group = CreateGroupRequest { group_name: "staff".to_owned(), path: None };
    stage.ok::<CreateGroup>(group).await;
    let (group_name, user_name) = ("staff".to_owned(), "alice".to_owned());
    stage.ok::<AddUserToGroup>(AddUserToGroupRequest { group_name, user_name }).await;
    let (user_name, policy_arn) = ("alice".to_owned(), READ_ONLY.to_owned());
    stage.ok::<AttachUserPolicy>(AttachUserPolicyRequest { user_name, policy_arn }).await;
    create_role(&stage, "worker").await;
    let instance_profile_name = "machine".to_owned();
    let request = CreateInstanceProfileRequest { instance_profile_name, ..Default::default() };
    stage.ok::<CreateInstanceProfile>(request).await;
    let request = AddRoleToInstanceProfileRequest {
        instance_profile_name: "machine".to_owned(),
        role_name: "worker".to_owned(),
    };
    stage.ok::<AddRoleToInstanceProfile>(request).await;
    let policy = CreatePolicyRequest {
        policy_name: "own".to_owned(),
        policy_document: ALLOW_ALL.to_owned(),
        description: Some("ours".to_owned()),
        ..Default::default()
    };
    stage.ok::<CreatePolicy>(policy).await;
    stage
}

async fn report(stage: &Stage) -> Vec<Vec<String>> {
    let content = stage.ok::<GetCredentialReport>(Unit).await.content.unwrap().0;
    let text = String::from_utf8(content).unwrap();
    text.split('\n').map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[tokio::test]
async fn the_summary_counts_what_there_is() {
    let stage = populated().await;
    let map = stage.ok::<GetAccountSummary>(Unit).await.summary_map.unwrap();
    for (name, count) in [
        ("Users", 1),
        ("Groups", 1),
        ("Roles", 1),
        ("InstanceProfiles", 1),
        ("Policies", 1),
        ("PolicyVersionsInUse", 1),
        ("Providers", 0),
        ("MFADevices", 0),
        ("UsersQuota", 5000),
        ("AssumeRolePolicySizeQuota", 2048),
        ("AccountAccessKeysPresent", 0),
    ] {
        assert_eq!(map.get(name), Some(&count), "{name}");
    }
    stage.create_user("bob").await;
    // A policy of which nobody has anything is not in use; one that is a boundary is.
    create_policy(&stage, "unused", ALLOW_ALL).await;
    let limit = create_policy(&stage, "limit", ALLOW_ALL).await;
    let (user_name, permissions_boundary) = ("bob".to_owned(), limit);
    let put = PutUserPermissionsBoundaryRequest { user_name, permissions_boundary };
    stage.ok::<PutUserPermissionsBoundary>(put).await;
    let map = stage.ok::<GetAccountSummary>(Unit).await.summary_map.unwrap();
    assert_eq!(map.get("Users"), Some(&2));
    assert_eq!((map.get("Policies"), map.get("PolicyVersionsInUse")), (Some(&3), Some(&2)));
}

#[tokio::test]
async fn authorization_details_tell_how_everything_hangs_together() {
    let stage = populated().await;
    let tags = vec![tag("Team", "Blue")];
    stage.ok::<TagRole>(TagRoleRequest { role_name: "worker".to_owned(), tags }).await;
    let request = GetAccountAuthorizationDetailsRequest::default();
    let all = stage.ok::<GetAccountAuthorizationDetails>(request).await;
    assert_eq!(all.is_truncated, Some(false));
    let users = all.user_detail_list.unwrap();
    assert_eq!(users[0].user_name.as_deref(), Some("alice"));
    assert_eq!(users[0].group_list.as_deref().unwrap(), ["staff"]);
    let attached = users[0].attached_managed_policies.as_ref().unwrap();
    assert_eq!(attached[0].policy_arn.as_deref(), Some(READ_ONLY));
    let inline = &users[0].user_policy_list.as_ref().unwrap()[0];
    assert!(inline.policy_document.as_ref().unwrap().starts_with("%7B"));
    assert_eq!(all.group_detail_list.unwrap()[0].group_name.as_deref(), Some("staff"));
    // Empty lists of inline policies are told of all but users.
    stage.create_user("bob").await;
    let request = GetAccountAuthorizationDetailsRequest {
        filter: Some(vec![EntityType::User]),
        ..Default::default()
    };
    let users = stage.ok::<GetAccountAuthorizationDetails>(request).await.user_detail_list.unwrap();
    assert!(users[1].user_policy_list.is_none() && users[1].group_list.is_some());
    let roles = all.role_detail_list.unwrap();
    assert!(roles[0].role_policy_list.is_some());
    let profiles = roles[0].instance_profile_list.as_ref().unwrap();
    assert_eq!(profiles[0].instance_profile_name, "machine");
    let inner = &profiles[0].roles[0];
    assert!(inner.tags.is_none() && inner.permissions_boundary.is_none());
    assert!(roles[0].tags.is_some());
    let policies = all.policies.unwrap();
    let names: Vec<_> = policies.iter().map(|one| one.policy_name.as_deref().unwrap()).collect();
    // AWS's are there only where they are used.
    assert_eq!(names, ["AWSKeyManagementServicePowerUser", "own"]);
    assert_eq!(policies[0].attachment_count, Some(1));
    assert!(policies.iter().all(|policy| policy.description.is_none()));
    assert!(policies[1].policy_version_list.as_ref().unwrap()[0].document.is_some());
}

#[tokio::test]
async fn authorization_details_are_filtered_and_paged_as_one_list() {
    let stage = populated().await;
    let request = GetAccountAuthorizationDetailsRequest {
        filter: Some(vec![EntityType::Role, EntityType::LocalManagedPolicy]),
        ..Default::default()
    };
    let found = stage.ok::<GetAccountAuthorizationDetails>(request).await;
    assert!(found.user_detail_list.unwrap().is_empty());
    assert_eq!(found.role_detail_list.unwrap().len(), 1);
    assert_eq!(found.policies.unwrap().len(), 1);
    let (mut marker, mut count) = (None, 0);
    loop {
        let request = GetAccountAuthorizationDetailsRequest {
            max_items: Some(2),
            marker,
            ..Default::default()
        };
        let page = stage.ok::<GetAccountAuthorizationDetails>(request).await;
        count += page.user_detail_list.unwrap().len() + page.group_detail_list.unwrap().len();
        count += page.role_detail_list.unwrap().len() + page.policies.unwrap().len();
        marker = page.marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(count, 5);
    let request = |marker: Option<String>, filter: Option<EntityType>| {
        let filter = filter.map(|kind| vec![kind]);
        GetAccountAuthorizationDetailsRequest { max_items: Some(1), marker, filter }
    };
    let first = stage.ok::<GetAccountAuthorizationDetails>(request(None, None)).await;
    let other = told("ValidationError", "Marker and Filter do not match");
    for (marker, filter) in
        [(first.marker, Some(EntityType::User)), (Some("garbage".to_owned()), None)]
    {
        let request = request(marker, filter);
        assert_eq!(stage.refused::<GetAccountAuthorizationDetails>(request).await, other);
    }
}

#[tokio::test]
async fn a_credential_report_is_made_before_it_is_read() {
    let stage = Stage::new().await;
    let missing = told("ReportNotPresent", "");
    assert_eq!(stage.refused::<GetCredentialReport>(Unit).await, missing);
    let state = stage.ok::<GenerateCredentialReport>(Unit).await.state;
    assert_eq!(state, Some(ReportStateType::Started));
    let state = stage.ok::<GenerateCredentialReport>(Unit).await.state;
    assert_eq!(state, Some(ReportStateType::Complete));
    let got = stage.ok::<GetCredentialReport>(Unit).await;
    assert_eq!(got.generated_time, Some(stage.kit.env.now()));
}

#[tokio::test]
async fn a_credential_report_has_a_line_for_the_root_user_and_each_user() {
    let stage = populated().await;
    let policy =
        UpdateAccountPasswordPolicyRequest { max_password_age: Some(90), ..Default::default() };
    stage.ok::<UpdateAccountPasswordPolicy>(policy).await;
    let login = CreateLoginProfileRequest {
        user_name: Some("alice".to_owned()),
        password: Some(SecretString("Correct-Horse-1".to_owned())),
        password_reset_required: None,
    };
    stage.ok::<CreateLoginProfile>(login).await;
    let key = stage.create_key("alice").await.access_key_id;
    let caller = stage.credential(&key).await.unwrap().caller.clone();
    stage.iam.used(&caller, "kms", &stage.kit.region, stage.kit.env.now());
    let request = UpdateAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: key,
        status: StatusType::Inactive,
    };
    stage.ok::<UpdateAccessKey>(request).await;
    stage.ok::<GenerateCredentialReport>(Unit).await;
    let lines = report(&stage).await;
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.len() == 22));
    assert_eq!(lines[0][0], "user");
    assert_eq!(lines[1][..2], ["<root_account>", "arn:aws:iam::123456789012:root"]);
    assert_eq!(lines[1][3], "not_supported");
    let at = "2026-01-01T00:00:00Z";
    let alice = "arn:aws:iam::123456789012:user/alice";
    let password = ["true", "no_information", at, "2026-04-01T00:00:00Z"];
    assert_eq!(lines[2][..3], ["alice", alice, at]);
    assert_eq!(lines[2][3..7], password);
    assert_eq!(lines[2][7..13], ["false", "false", at, at, "us-east-1", "kms"]);
    assert_eq!(lines[2][13..18], ["false", "N/A", "N/A", "N/A", "N/A"]);
    assert_eq!(lines[2][18..], ["false", "N/A", "false", "N/A"]);
}

#[tokio::test]
async fn a_credential_report_stays_as_it_is_for_four_hours_and_ends_then() {
    let stage = Stage::new().await;
    stage.ok::<GenerateCredentialReport>(Unit).await;
    stage.create_user("alice").await;
    stage.kit.clock.advance(4 * 60 * 60);
    stage.ok::<GenerateCredentialReport>(Unit).await;
    assert_eq!(report(&stage).await.len(), 2);
    stage.kit.clock.advance(1);
    assert_eq!(stage.refused::<GetCredentialReport>(Unit).await.0, "ReportExpired");
    let state = stage.ok::<GenerateCredentialReport>(Unit).await.state;
    assert_eq!(state, Some(ReportStateType::Started));
    assert_eq!(report(&stage).await.len(), 3);
}

#[tokio::test]
async fn context_keys_are_those_of_a_principals_policies_and_of_the_request() {
    const OF_GROUP: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",
        "Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}"#;
    const OF_REQUEST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Action":"*","Resource":"arn:aws:s3:::home/${aws:username}"}}"#;
    let stage = populated().await;
    let request = PutGroupPolicyRequest {
        group_name: "staff".to_owned(),
        policy_name: "mfa".to_owned(),
        policy_document: OF_GROUP.to_owned(),
    };
    stage.ok::<PutGroupPolicy>(request).await;
    let request = GetContextKeysForPrincipalPolicyRequest {
        policy_source_arn: "arn:aws:iam::123456789012:user/alice".to_owned(),
        policy_input_list: Some(vec![OF_REQUEST.to_owned()]),
    };
    let keys = stage.ok::<GetContextKeysForPrincipalPolicy>(request).await.context_key_names;
    let keys = keys.unwrap();
    assert!(keys.contains(&"aws:MultiFactorAuthPresent".to_owned()), "{keys:?}");
    assert_eq!(keys.last().unwrap(), "aws:username");
    let policy_input_list = vec![OF_REQUEST.to_owned()];
    let request = GetContextKeysForCustomPolicyRequest { policy_input_list };
    let keys = stage.ok::<GetContextKeysForCustomPolicy>(request).await.context_key_names;
    assert_eq!(keys.unwrap(), ["aws:username"]);
    let policy_source_arn = "arn:aws:iam::123456789012:user/nobody".to_owned();
    let request =
        GetContextKeysForPrincipalPolicyRequest { policy_source_arn, policy_input_list: None };
    let refused = stage.refused::<GetContextKeysForPrincipalPolicy>(request).await;
    assert_eq!(refused.0, "NoSuchEntity");
}
