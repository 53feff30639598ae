//! From an access key id to a caller.

use haechi_core::Identities;
use haechi_iam_model::ops::{
    DeleteAccessKey, DeleteUserPolicy, GetUser, TagUser, UpdateAccessKey, UpdateUser,
};
use haechi_iam_model::shapes::{
    DeleteAccessKeyRequest, DeleteUserPolicyRequest, GetUserRequest, StatusType, TagUserRequest,
    UpdateAccessKeyRequest, UpdateUserRequest,
};

use crate::cast::{ALLOW_ALL, OTHER_ACCOUNT, Stage, account, tag};

fn set(id: &str, status: StatusType) -> UpdateAccessKeyRequest {
    let (user_name, access_key_id) = (Some("alice".to_owned()), id.to_owned());
    UpdateAccessKeyRequest { user_name, access_key_id, status }
}

fn delete(id: &str) -> DeleteAccessKeyRequest {
    DeleteAccessKeyRequest { user_name: Some("alice".to_owned()), access_key_id: id.to_owned() }
}

#[tokio::test]
async fn a_key_becomes_its_user_with_its_secret_tags_and_policies() {
    let stage = Stage::new().await;
    let user = stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    stage.put_policy("alice", "all", ALLOW_ALL).await;
    let tags = vec![tag("team", "blue")];
    stage.ok::<TagUser>(TagUserRequest { user_name: "alice".to_owned(), tags }).await;
    let credential = stage.credential(&key.access_key_id).await.unwrap();
    let caller = &credential.caller;
    assert_eq!(credential.secret.as_ref().unwrap().0, key.secret_access_key.0);
    assert_eq!(caller.arn(), user.arn);
    assert_eq!(caller.user_id, user.user_id);
    assert_eq!(caller.user_name.as_deref(), Some("alice"));
    assert_eq!(caller.access_key_id, key.access_key_id);
    assert_eq!(caller.tags, [("team".to_owned(), "blue".to_owned())]);
    assert_eq!(caller.policies.identity.len(), 1);
}

#[tokio::test]
async fn a_warm_lookup_gives_the_very_same_credential() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    let (one, two) = (stage.credential(&id).await.unwrap(), stage.credential(&id).await.unwrap());
    assert!(std::sync::Arc::ptr_eq(&one, &two));
}

#[tokio::test]
async fn a_warm_lookup_does_not_ask_the_store() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let warm = stage.create_key("alice").await.access_key_id;
    let cold = stage.create_key("alice").await.access_key_id;
    assert!(stage.credential(&warm).await.is_some());
    stage.kit.database.store().close().await.unwrap();
    assert!(stage.iam.credential(&cold, None).await.is_err(), "a closed store answers nothing");
    assert!(stage.credential(&warm).await.is_some());
}

#[tokio::test]
async fn a_deleted_key_is_refused_on_the_next_lookup_and_the_other_key_is_not() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let (one, two) = (stage.create_key("alice").await, stage.create_key("alice").await);
    let (one, two) = (one.access_key_id, two.access_key_id);
    assert!(stage.credential(&one).await.is_some() && stage.credential(&two).await.is_some());
    stage.ok::<DeleteAccessKey>(delete(&one)).await;
    assert!(stage.credential(&one).await.is_none());
    assert!(stage.credential(&two).await.is_some());
    for id in [&one, &two, "ASIAQNZGKIQY56JQ7WML"] {
        assert!(stage.iam.knows(id).await.unwrap(), "--dev must not take {id} for unknown");
    }
    for id in ["AKIAIOSFODNN7EXAMPLE", "AKIAQNZGKIQY56JQ7WML", "test", "123456789012"] {
        assert!(!stage.iam.knows(id).await.unwrap(), "{id}");
    }
}

#[tokio::test]
async fn a_deactivated_key_is_refused_at_once_and_works_again_once_activated() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    for _ in 0..3 {
        assert!(stage.credential(&id).await.is_some());
        stage.ok::<UpdateAccessKey>(set(&id, StatusType::Inactive)).await;
        assert!(stage.credential(&id).await.is_none());
        assert!(stage.iam.knows(&id).await.unwrap(), "--dev must not take it for unknown");
        stage.ok::<UpdateAccessKey>(set(&id, StatusType::Active)).await;
    }
}

#[tokio::test]
async fn a_change_of_policy_counts_from_the_next_call_on() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    for _ in 0..3 {
        let alice = stage.credential(&id).await.unwrap().caller.clone();
        let (code, _) = stage.refused_to::<GetUser>(&alice, GetUserRequest::default()).await;
        assert_eq!(code, "AccessDenied");
        stage.put_policy("alice", "all", ALLOW_ALL).await;
        let alice = stage.credential(&id).await.unwrap().caller.clone();
        let shown = stage.call::<GetUser>(&alice, GetUserRequest::default()).await.unwrap();
        assert_eq!(shown.user.user_name, "alice");
        let (user_name, policy_name) = ("alice".to_owned(), "all".to_owned());
        let gone = DeleteUserPolicyRequest { user_name, policy_name };
        stage.ok::<DeleteUserPolicy>(gone).await;
    }
}

#[tokio::test]
async fn a_renamed_user_keeps_its_keys_under_its_new_name() {
    let stage = Stage::new().await;
    let before = stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    assert!(stage.credential(&id).await.is_some());
    let rename = UpdateUserRequest {
        user_name: "alice".to_owned(),
        new_user_name: Some("bob".to_owned()),
        new_path: Some("/team/".to_owned()),
    };
    stage.ok::<UpdateUser>(rename).await;
    let caller = stage.credential(&id).await.unwrap().caller.clone();
    assert_eq!(caller.arn(), "arn:aws:iam::123456789012:user/team/bob");
    assert_eq!(caller.user_id, before.user_id);
}

#[tokio::test]
async fn session_tokens_and_unknown_ids_are_refused() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    assert!(stage.iam.credential(&id, Some("token")).await.unwrap().is_none());
    assert!(stage.credential("AKIAQQQQQQQQQQQQQQQQ").await.is_none());
    assert!(stage.credential("").await.is_none());
    assert!(stage.credential("../../iam").await.is_none());
}

#[tokio::test]
async fn the_first_key_of_an_account_is_its_root_users() {
    let stage = Stage::new().await;
    let owner = account(OTHER_ACCOUNT);
    stage.iam.create_account(&owner).await.unwrap();
    let (id, secret) = stage.iam.create_root_key(&owner).await.unwrap();
    let credential = stage.credential(&id).await.unwrap();
    assert_eq!(credential.secret.as_ref().unwrap().0, secret.0);
    assert_eq!(credential.caller.arn(), "arn:aws:iam::210987654321:root");
    assert_eq!(credential.caller.user_id, OTHER_ACCOUNT);
    assert_eq!(credential.caller.user_name, None);
}
