//! Access keys: create, change, list, delete.

use haechi_core::access_key_id;
use haechi_iam_model::ops::{
    CreateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed, ListAccessKeys, UpdateAccessKey,
};
use haechi_iam_model::shapes::{
    CreateAccessKeyRequest, DeleteAccessKeyRequest, GetAccessKeyLastUsedRequest,
    ListAccessKeysRequest, StatusType, UpdateAccessKeyRequest,
};

use crate::cast::{ACCOUNT, ALLOW_ALL, Stage, account, told};

#[tokio::test]
async fn a_key_has_the_form_of_awss_and_names_its_account() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let key = stage.create_key("alice").await;
    assert!(key.access_key_id.starts_with("AKIA") && key.access_key_id.len() == 20);
    assert_eq!(access_key_id::account(&key.access_key_id), Some(account(ACCOUNT)));
    assert_eq!(key.secret_access_key.0.len(), 40);
    assert_eq!((key.user_name.as_str(), key.status), ("alice", StatusType::Active));
    assert_eq!(key.create_date, Some(stage.kit.env.now()));
}

#[tokio::test]
async fn a_third_key_is_refused() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let (one, two) = (stage.create_key("alice").await, stage.create_key("alice").await);
    assert_ne!(one.access_key_id, two.access_key_id);
    assert_ne!(one.secret_access_key.0, two.secret_access_key.0);
    let request = CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
    let expected = told("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    assert_eq!(stage.refused::<CreateAccessKey>(request).await, expected);
}

#[tokio::test]
async fn without_a_name_keys_are_the_callers_own() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let alice = stage.kit.user(ACCOUNT, "alice", &[ALLOW_ALL]);
    let request = CreateAccessKeyRequest::default;
    let made = stage.call::<CreateAccessKey>(&alice, request()).await.unwrap().access_key;
    assert_eq!(made.user_name, "alice");
    let of_root = stage.ok::<CreateAccessKey>(request()).await.access_key;
    let caller = stage.credential(&of_root.access_key_id).await.unwrap().caller.clone();
    assert_eq!(caller.arn(), "arn:aws:iam::123456789012:root");
}

#[tokio::test]
async fn keys_are_listed_with_their_status_and_without_their_secret() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let (one, two) = (stage.create_key("alice").await, stage.create_key("alice").await);
    let inactive = UpdateAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: one.access_key_id.clone(),
        status: StatusType::Inactive,
    };
    stage.ok::<UpdateAccessKey>(inactive).await;
    let request =
        ListAccessKeysRequest { user_name: Some("alice".to_owned()), ..Default::default() };
    let listed = stage.ok::<ListAccessKeys>(request).await;
    assert_eq!((listed.is_truncated, listed.marker), (Some(false), None));
    let status = |id: &str| {
        let found = |key: &&_| matching(key, id);
        listed.access_key_metadata.iter().find(found).unwrap().status
    };
    assert_eq!(status(&one.access_key_id), Some(StatusType::Inactive));
    assert_eq!(status(&two.access_key_id), Some(StatusType::Active));
}

fn matching(key: &haechi_iam_model::shapes::AccessKeyMetadata, id: &str) -> bool {
    key.access_key_id.as_deref() == Some(id)
}

#[tokio::test]
async fn another_users_key_is_not_found_under_ones_own_name() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    stage.create_user("bob").await;
    let id = stage.create_key("bob").await.access_key_id;
    let request =
        DeleteAccessKeyRequest { user_name: Some("alice".to_owned()), access_key_id: id.clone() };
    let expected = told("NoSuchEntity", &format!("The Access Key with id {id} cannot be found."));
    assert_eq!(stage.refused::<DeleteAccessKey>(request).await, expected);
    assert!(stage.credential(&id).await.is_some());
}

#[tokio::test]
async fn a_key_cannot_be_made_to_expire() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let request = UpdateAccessKeyRequest {
        user_name: Some("alice".to_owned()),
        access_key_id: stage.create_key("alice").await.access_key_id,
        status: StatusType::Expired,
    };
    let expired = told("InvalidInput", "Operation does not support status Expired");
    assert_eq!(stage.refused::<UpdateAccessKey>(request).await, expired);
}

#[tokio::test]
async fn a_key_of_nobody_may_not_be_asked_about() {
    let stage = Stage::new().await;
    let id = "AKIAQQQQQQQQQQQQQQQQ".to_owned();
    let request = GetAccessKeyLastUsedRequest { access_key_id: id };
    let refused = stage.refused::<GetAccessKeyLastUsed>(request).await;
    assert_eq!(refused.0, "AccessDenied");
    assert!(refused.1.contains(" to perform iam:GetAccessKeyLastUsed on resource: access key A"));
}

#[tokio::test]
async fn neither_names_nor_secrets_are_readable_in_the_store() {
    let stage = Stage::new().await;
    stage.create_user("conspicuous-name").await;
    let secret = stage.create_key("conspicuous-name").await.secret_access_key.0.clone();
    stage.put_policy("conspicuous-name", "all", ALLOW_ALL).await;
    let mut dump = Vec::new();
    let rows = stage.kit.database.store().range(haechi_store::Range::all(), 0, None).await;
    for row in rows.unwrap().kvs {
        dump.extend_from_slice(row.key.as_bytes());
        dump.extend_from_slice(row.value.as_bytes());
    }
    let dump = String::from_utf8_lossy(&dump);
    assert!(dump.contains("/iam/"), "the dump must see the rows");
    for known in [secret.as_str(), "conspicuous-name", "Statement"] {
        assert!(!dump.contains(known), "{known}");
    }
}
