//! Groups: their policies count for their members.

use haechi_iam_model::ops::{
    AddUserToGroup, AttachGroupPolicy, CreateGroup, DeleteGroup, DeleteUser, DetachGroupPolicy,
    GetGroup, ListGroups, ListGroupsForUser, PutGroupPolicy, RemoveUserFromGroup, UpdateGroup,
    UpdateUser,
};
use haechi_iam_model::shapes::*;

use crate::cast::{ACCOUNT, ALLOW_ALL, Stage, create_policy, may, told};

async fn create(stage: &Stage, name: &str) -> Group {
    let request = CreateGroupRequest { group_name: name.to_owned(), path: None };
    stage.ok::<CreateGroup>(request).await.group
}

fn add(group: &str, user: &str) -> AddUserToGroupRequest {
    AddUserToGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }
}

fn remove(group: &str, user: &str) -> RemoveUserFromGroupRequest {
    RemoveUserFromGroupRequest { group_name: group.to_owned(), user_name: user.to_owned() }
}

fn put(group: &str) -> PutGroupPolicyRequest {
    PutGroupPolicyRequest {
        group_name: group.to_owned(),
        policy_name: "p".to_owned(),
        policy_document: ALLOW_ALL.to_owned(),
    }
}

async fn members(stage: &Stage, group: &str) -> Vec<String> {
    let request = GetGroupRequest { group_name: group.to_owned(), ..Default::default() };
    stage.ok::<GetGroup>(request).await.users.into_iter().map(|user| user.user_name).collect()
}

#[tokio::test]
async fn a_change_of_membership_counts_on_the_next_call() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    create(&stage, "staff").await;
    stage.ok::<PutGroupPolicy>(put("staff")).await;
    assert!(!may(&stage, &key, "kms:CreateKey").await);
    stage.ok::<AddUserToGroup>(add("staff", "alice")).await;
    assert!(may(&stage, &key, "kms:CreateKey").await);
    stage.ok::<RemoveUserFromGroup>(remove("staff", "alice")).await;
    assert!(!may(&stage, &key, "kms:CreateKey").await);
    // Once more is no error.
    stage.ok::<RemoveUserFromGroup>(remove("staff", "alice")).await;
}

#[tokio::test]
async fn of_a_group_and_a_user_that_are_missing_the_user_is_named() {
    let stage = Stage::new().await;
    let nobody = told("NoSuchEntity", "The user with name nobody cannot be found.");
    assert_eq!(stage.refused::<RemoveUserFromGroup>(remove("none", "nobody")).await, nobody);
    assert_eq!(stage.refused::<AddUserToGroup>(add("none", "nobody")).await, nobody);
    stage.create_user("alice").await;
    let none = told("NoSuchEntity", "The group with name none cannot be found.");
    assert_eq!(stage.refused::<RemoveUserFromGroup>(remove("none", "alice")).await, none);
    let stranger = stage.kit.user(ACCOUNT, "stranger", &[]);
    let denied = stage.refused_to::<AddUserToGroup>(&stranger, add("none", "nobody")).await;
    assert_eq!(denied.0, "AccessDenied");
}

#[tokio::test]
async fn a_policy_attached_to_a_group_counts_for_its_members_at_once() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    create(&stage, "staff").await;
    stage.ok::<AddUserToGroup>(add("staff", "alice")).await;
    let policy_arn = create_policy(&stage, "p", ALLOW_ALL).await;
    let attach =
        AttachGroupPolicyRequest { group_name: "staff".to_owned(), policy_arn: policy_arn.clone() };
    stage.ok::<AttachGroupPolicy>(attach).await;
    assert!(may(&stage, &key, "kms:CreateKey").await);
    let detach = DetachGroupPolicyRequest { group_name: "staff".to_owned(), policy_arn };
    stage.ok::<DetachGroupPolicy>(detach).await;
    assert!(!may(&stage, &key, "kms:CreateKey").await);
}

#[tokio::test]
async fn members_and_policies_stay_when_group_and_user_are_renamed() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    let group = create(&stage, "staff").await;
    stage.ok::<PutGroupPolicy>(put("staff")).await;
    stage.ok::<AddUserToGroup>(add("staff", "alice")).await;
    let rename = UpdateGroupRequest {
        group_name: "staff".to_owned(),
        new_group_name: Some("crew".to_owned()),
        new_path: Some("/ship/".to_owned()),
    };
    stage.ok::<UpdateGroup>(rename).await;
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("eve".to_owned()),
        new_path: None,
    };
    stage.ok::<UpdateUser>(rename).await;
    assert_eq!(members(&stage, "crew").await, ["eve"]);
    assert!(may(&stage, &key, "kms:CreateKey").await);
    let request = ListGroupsForUserRequest { user_name: "eve".to_owned(), ..Default::default() };
    let groups = stage.ok::<ListGroupsForUser>(request).await.groups;
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].group_id, group.group_id);
    assert_eq!(groups[0].arn, "arn:aws:iam::123456789012:group/ship/crew");
}

#[tokio::test]
async fn a_group_with_members_and_a_member_of_a_group_cannot_be_deleted() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    create(&stage, "staff").await;
    stage.ok::<AddUserToGroup>(add("staff", "alice")).await;
    stage.ok::<AddUserToGroup>(add("staff", "alice")).await;
    let message = "Cannot delete entity, must remove users from group first.";
    let conflict = told("DeleteConflict", message);
    let group = || DeleteGroupRequest { group_name: "staff".to_owned() };
    let user = || DeleteUserRequest { user_name: "alice".to_owned() };
    assert_eq!(stage.refused::<DeleteGroup>(group()).await, conflict);
    assert_eq!(stage.refused::<DeleteUser>(user()).await, conflict);
    stage.ok::<RemoveUserFromGroup>(remove("staff", "alice")).await;
    stage.ok::<PutGroupPolicy>(put("staff")).await;
    let refused = stage.refused::<DeleteGroup>(group()).await;
    assert_eq!(refused.1, "Cannot delete entity, must delete policies first.");
    stage.ok::<DeleteUser>(user()).await;
}

#[tokio::test]
async fn groups_are_listed_by_name_and_a_name_is_taken_once() {
    let stage = Stage::new().await;
    for name in ["b", "a"] {
        create(&stage, name).await;
    }
    let groups = stage.ok::<ListGroups>(ListGroupsRequest::default()).await.groups;
    let names: Vec<_> = groups.into_iter().map(|group| group.group_name).collect();
    assert_eq!(names, ["a", "b"]);
    let again = CreateGroupRequest { group_name: "A".to_owned(), path: None };
    let taken = told("EntityAlreadyExists", "Group with name A already exists.");
    assert_eq!(stage.refused::<CreateGroup>(again).await, taken);
    let missing = stage.refused::<AddUserToGroup>(add("a", "nobody")).await;
    assert_eq!(missing, told("NoSuchEntity", "The user with name nobody cannot be found."));
}

#[tokio::test]
async fn a_user_is_in_ten_groups_at_most() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    for number in 0..10 {
        let name = format!("g{number}");
        create(&stage, &name).await;
        stage.ok::<AddUserToGroup>(add(&name, "alice")).await;
    }
    create(&stage, "one-more").await;
    let full = told("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10");
    assert_eq!(stage.refused::<AddUserToGroup>(add("one-more", "alice")).await, full);
}

#[tokio::test]
async fn an_account_has_300_groups_at_most_and_room_again_after_a_deletion() {
    let stage = Stage::new().await;
    for number in 0..300 {
        create(&stage, &format!("group-{number}")).await;
    }
    let one_more = || CreateGroupRequest { group_name: "one-more".to_owned(), path: None };
    let full = told("LimitExceeded", "Cannot exceed quota for GroupsPerAccount: 300");
    assert_eq!(stage.refused::<CreateGroup>(one_more()).await, full);
    let request = DeleteGroupRequest { group_name: "group-7".to_owned() };
    stage.ok::<DeleteGroup>(request).await;
    stage.ok::<CreateGroup>(one_more()).await;
    let again = CreateGroupRequest { group_name: "group-7".to_owned(), path: None };
    assert_eq!(stage.refused::<CreateGroup>(again).await, full);
}
