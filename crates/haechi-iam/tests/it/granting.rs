//! Which policies let an identity use a service.

use haechi_iam_model::ops::{
    AddUserToGroup, AttachUserPolicy, CreateGroup, ListPoliciesGrantingServiceAccess,
    PutGroupPolicy,
};
use haechi_iam_model::shapes::*;

use crate::cast::{ACCOUNT, ALLOW_ALL, Stage, create_policy, told};

const LIST_KEYS: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}}"#;
const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

fn asked(arn: &str, namespaces: &[&str]) -> ListPoliciesGrantingServiceAccessRequest {
    ListPoliciesGrantingServiceAccessRequest {
        arn: arn.to_owned(),
        service_namespaces: namespaces.iter().map(|one| (*one).to_owned()).collect(),
        marker: None,
    }
}

#[tokio::test]
async fn policies_of_a_user_and_its_groups_are_told_by_service() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let group = CreateGroupRequest { group_name: "staff".to_owned(), path: None };
    stage.ok::<CreateGroup>(group).await;
    let inline = PutGroupPolicyRequest {
        group_name: "staff".to_owned(),
        policy_name: "everything".to_owned(),
        policy_document: ALLOW_ALL.to_owned(),
    };
    stage.ok::<PutGroupPolicy>(inline).await;
    let member =
        AddUserToGroupRequest { group_name: "staff".to_owned(), user_name: "alice".to_owned() };
    stage.ok::<AddUserToGroup>(member).await;
    let policy_arn = create_policy(&stage, "reader", LIST_KEYS).await;
    let attach =
        AttachUserPolicyRequest { user_name: "alice".to_owned(), policy_arn: policy_arn.clone() };
    stage.ok::<AttachUserPolicy>(attach).await;
    let answer = stage.ok::<ListPoliciesGrantingServiceAccess>(asked(ALICE, &["s3", "kms"])).await;
    let (s3, kms) = match answer.policies_granting_service_access.as_slice() {
        [s3, kms] => (s3, kms),
        other => panic!("{} entries", other.len()),
    };
    assert_eq!(s3.service_namespace.as_deref(), Some("s3"));
    let policies = s3.policies.as_deref().unwrap();
    let (1, everything) = (policies.len(), &policies[0]) else { panic!("{}", policies.len()) };
    assert_eq!(everything.policy_type, PolicyType::Inline);
    assert_eq!(everything.entity_type, Some(PolicyOwnerEntityType::Group));
    assert_eq!(everything.entity_name.as_deref(), Some("staff"));
    let policies = kms.policies.as_deref().unwrap();
    let (2, reader) = (policies.len(), &policies[0]) else { panic!("{}", policies.len()) };
    assert_eq!(reader.policy_type, PolicyType::Managed);
    assert_eq!(reader.policy_arn.as_deref(), Some(&*policy_arn));
    assert!(reader.entity_type.is_none() && reader.entity_name.is_none());
}

#[tokio::test]
async fn a_stranger_is_not_told_whether_an_identity_exists() {
    let stage = Stage::new().await;
    let nobody = told("NoSuchEntity", "The user with name alice cannot be found.");
    let request = || asked(ALICE, &["s3"]);
    assert_eq!(stage.refused::<ListPoliciesGrantingServiceAccess>(request()).await, nobody);
    let stranger = stage.kit.user(ACCOUNT, "stranger", &[]);
    let denied = stage.refused_to::<ListPoliciesGrantingServiceAccess>(&stranger, request()).await;
    assert_eq!(denied.0, "AccessDenied");
}
