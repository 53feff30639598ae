//! Users: create, show, rename, delete.

use haechi_iam_model::ops::{
    CreateUser, DeleteAccessKey, DeleteUser, DeleteUserPolicy, GetUser, ListAccessKeys,
    ListUserPolicies, UpdateUser,
};
use haechi_iam_model::shapes::{
    CreateUserRequest, DeleteAccessKeyRequest, DeleteUserPolicyRequest, DeleteUserRequest,
    GetUserRequest, ListAccessKeysRequest, ListUserPoliciesRequest, UpdateUserRequest,
};

use crate::cast::{ACCOUNT, ALLOW_ALL, Stage, tag, told};

fn named(name: &str) -> GetUserRequest {
    GetUserRequest { user_name: Some(name.to_owned()) }
}

fn rename(from: &str, to: &str) -> UpdateUserRequest {
    UpdateUserRequest {
        user_name: from.to_owned(),
        new_user_name: Some(to.to_owned()),
        new_path: None,
    }
}

fn delete(name: &str) -> DeleteUserRequest {
    DeleteUserRequest { user_name: name.to_owned() }
}

#[tokio::test]
async fn a_user_is_shown_as_it_was_created() {
    let stage = Stage::new().await;
    let request = CreateUserRequest {
        path: Some("/team/blue/".to_owned()),
        user_name: "alice".to_owned(),
        tags: Some(vec![tag("Team", "Blue")]),
        permissions_boundary: None,
    };
    let created = stage.ok::<CreateUser>(request).await.user.unwrap();
    let shown = stage.ok::<GetUser>(named("alice")).await.user;
    assert_eq!(shown.arn, "arn:aws:iam::123456789012:user/team/blue/alice");
    assert_eq!(shown.path, "/team/blue/");
    assert_eq!((shown.user_id.len(), shown.user_id.starts_with("AIDA")), (21, true));
    assert_eq!(shown.user_id, created.user_id);
    assert_eq!(shown.create_date, stage.kit.env.now());
    assert_eq!(shown.tags.unwrap().first().unwrap().key, "Team");
}

#[tokio::test]
async fn a_user_without_tags_is_shown_without_the_element() {
    let stage = Stage::new().await;
    let user = stage.create_user("alice").await;
    assert!(user.tags.is_none());
    assert!(stage.ok::<GetUser>(named("alice")).await.user.tags.is_none());
}

#[tokio::test]
async fn names_are_unique_without_regard_to_case() {
    let stage = Stage::new().await;
    stage.create_user("Alice").await;
    stage.create_user("bob").await;
    let taken = told("EntityAlreadyExists", "User with name ALICE already exists.");
    let request = CreateUserRequest { user_name: "ALICE".to_owned(), ..Default::default() };
    assert_eq!(stage.refused::<CreateUser>(request).await, taken);
    assert_eq!(stage.refused::<UpdateUser>(rename("bob", "ALICE")).await, taken);
}

#[tokio::test]
async fn a_rename_may_change_the_case_only() {
    let stage = Stage::new().await;
    let before = stage.create_user("alice").await;
    stage.ok::<UpdateUser>(rename("alice", "Alice")).await;
    let after = stage.ok::<GetUser>(named("alice")).await.user;
    assert_eq!((after.user_name.as_str(), after.user_id), ("Alice", before.user_id));
}

#[tokio::test]
async fn a_renamed_user_keeps_its_id_keys_and_policies_and_frees_its_old_name() {
    let stage = Stage::new().await;
    let before = stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    stage.put_policy("alice", "all", ALLOW_ALL).await;
    stage.ok::<UpdateUser>(rename("alice", "bob")).await;
    let after = stage.ok::<GetUser>(named("bob")).await.user;
    assert_eq!(after.user_id, before.user_id);
    let request = ListAccessKeysRequest { user_name: Some("bob".to_owned()), ..Default::default() };
    let keys = stage.ok::<ListAccessKeys>(request).await.access_key_metadata;
    assert_eq!(keys.first().unwrap().access_key_id.as_deref(), Some(&*key.access_key_id));
    assert_eq!(keys.first().unwrap().user_name.as_deref(), Some("bob"));
    let request = ListUserPoliciesRequest { user_name: "bob".to_owned(), ..Default::default() };
    assert_eq!(stage.ok::<ListUserPolicies>(request).await.policy_names, ["all"]);
    assert_ne!(stage.create_user("alice").await.user_id, before.user_id);
}

#[tokio::test]
async fn a_user_that_is_not_there_is_named() {
    let stage = Stage::new().await;
    let missing = told("NoSuchEntity", "The user with name nobody cannot be found.");
    assert_eq!(stage.refused::<GetUser>(named("nobody")).await, missing);
    assert_eq!(stage.refused::<DeleteUser>(delete("nobody")).await, missing);
    assert_eq!(stage.refused::<UpdateUser>(rename("nobody", "x")).await, missing);
}

#[tokio::test]
async fn a_user_is_deleted_only_once_its_keys_and_policies_are() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let access_key_id = stage.create_key("alice").await.access_key_id;
    stage.put_policy("alice", "all", ALLOW_ALL).await;
    // Of both, AWS names the policies, as others report.
    let policies = told("DeleteConflict", "Cannot delete entity, must delete policies first.");
    assert_eq!(stage.refused::<DeleteUser>(delete("alice")).await, policies);
    let (user_name, policy_name) = ("alice".to_owned(), "all".to_owned());
    stage.ok::<DeleteUserPolicy>(DeleteUserPolicyRequest { user_name, policy_name }).await;
    let keys = told("DeleteConflict", "Cannot delete entity, must delete access keys first.");
    assert_eq!(stage.refused::<DeleteUser>(delete("alice")).await, keys);
    let user_name = Some("alice".to_owned());
    stage.ok::<DeleteAccessKey>(DeleteAccessKeyRequest { user_name, access_key_id }).await;
    stage.ok::<DeleteUser>(delete("alice")).await;
    assert_eq!(stage.refused::<GetUser>(named("alice")).await.0, "NoSuchEntity");
}

#[tokio::test]
async fn without_a_name_the_caller_is_shown() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let alice = stage.kit.user(ACCOUNT, "alice", &[ALLOW_ALL]);
    let shown = stage.call::<GetUser>(&alice, GetUserRequest::default()).await.unwrap().user;
    assert_eq!(shown.user_name, "alice");
    let root = stage.ok::<GetUser>(GetUserRequest::default()).await.user;
    assert_eq!(root.arn, "arn:aws:iam::123456789012:root");
    assert_eq!(root.user_id, ACCOUNT);
}

#[tokio::test]
async fn one_who_may_not_ask_does_not_learn_whether_a_user_exists() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let mallory = stage.kit.user(ACCOUNT, "mallory", &[]);
    for name in ["alice", "nobody"] {
        let expected = format!(
            "User: arn:aws:iam::123456789012:user/mallory is not authorized to perform: \
             iam:GetUser on resource: user {name} because no identity-based policy allows the \
             iam:GetUser action"
        );
        let refused = stage.refused_to::<GetUser>(&mallory, named(name)).await;
        assert_eq!(refused, told("AccessDenied", &expected));
    }
}

#[tokio::test]
async fn a_rename_needs_the_permission_on_both_names() {
    const OLD_ONLY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Action":"iam:UpdateUser","Resource":"arn:aws:iam::123456789012:user/alice"}}"#;
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let caller = stage.kit.user(ACCOUNT, "carol", &[OLD_ONLY]);
    let refused = stage.refused_to::<UpdateUser>(&caller, rename("alice", "admin")).await;
    assert_eq!(refused.0, "AccessDenied");
    assert_eq!(stage.refused::<GetUser>(named("admin")).await.0, "NoSuchEntity");
}

#[tokio::test]
async fn a_permissions_boundary_that_does_not_exist_is_refused_and_makes_no_user() {
    let stage = Stage::new().await;
    let arn = "arn:aws:iam::123456789012:policy/none";
    let request = CreateUserRequest {
        user_name: "alice".to_owned(),
        permissions_boundary: Some(arn.to_owned()),
        ..Default::default()
    };
    let message = format!("Scope ARN: {arn} does not exist or is not attachable.");
    assert_eq!(stage.refused::<CreateUser>(request).await, told("NoSuchEntity", &message));
    stage.create_user("alice").await;
}
