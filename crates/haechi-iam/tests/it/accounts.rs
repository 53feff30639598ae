//! First start, and accounts beside each other.

use haechi_iam_model::ops::{
    CreateUser, DeleteAccessKey, GetAccessKeyLastUsed, GetUser, ListUsers,
};
use haechi_iam_model::shapes::{
    CreateUserRequest, DeleteAccessKeyRequest, GetAccessKeyLastUsedRequest, GetUserRequest,
    ListUsersRequest,
};

use crate::cast::{ACCOUNT, OTHER_ACCOUNT, Stage, account};

#[tokio::test]
async fn an_account_is_made_once_and_listed() {
    let stage = Stage::new().await;
    assert!(!stage.iam.create_account(&account(ACCOUNT)).await.unwrap());
    assert!(stage.iam.create_account(&account(OTHER_ACCOUNT)).await.unwrap());
    assert!(stage.iam.account_exists(&account(OTHER_ACCOUNT)).await.unwrap());
    assert!(!stage.iam.account_exists(&account("000000000000")).await.unwrap());
    let expected = vec![account(ACCOUNT), account(OTHER_ACCOUNT)];
    assert_eq!(stage.iam.accounts().await.unwrap(), expected);
}

#[tokio::test]
async fn a_root_key_needs_an_account_and_there_are_two_at_most() {
    let stage = Stage::new().await;
    assert!(stage.iam.create_root_key(&account(OTHER_ACCOUNT)).await.is_err());
    for _ in 0..2 {
        stage.iam.create_root_key(&account(ACCOUNT)).await.unwrap();
    }
    assert!(stage.iam.create_root_key(&account(ACCOUNT)).await.is_err());
}

#[tokio::test]
async fn accounts_do_not_see_each_others_users_and_keys() {
    let stage = Stage::new().await;
    stage.iam.create_account(&account(OTHER_ACCOUNT)).await.unwrap();
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    let stranger = stage.kit.root(OTHER_ACCOUNT);
    let named = GetUserRequest { user_name: Some("alice".to_owned()) };
    assert_eq!(stage.refused_to::<GetUser>(&stranger, named).await.0, "NoSuchEntity");
    let listed = stage.call::<ListUsers>(&stranger, ListUsersRequest::default()).await.unwrap();
    assert!(listed.users.is_empty());
    let asked = GetAccessKeyLastUsedRequest { access_key_id: id };
    let refused = stage.refused_to::<GetAccessKeyLastUsed>(&stranger, asked).await;
    assert_eq!(refused.0, "AccessDenied");
    let request = CreateUserRequest { user_name: "alice".to_owned(), ..Default::default() };
    let other = stage.call::<CreateUser>(&stranger, request).await.unwrap().user.unwrap();
    assert_eq!(other.arn, "arn:aws:iam::210987654321:user/alice");
}

#[tokio::test]
async fn a_root_user_whose_account_nobody_made_can_act_as_under_dev() {
    let stage = Stage::new().await;
    let root = stage.kit.root("000000000000");
    let shown = stage.call::<GetUser>(&root, GetUserRequest::default()).await.unwrap().user;
    assert_eq!(shown.arn, "arn:aws:iam::000000000000:root");
    assert!(stage.iam.account_exists(&account("000000000000")).await.unwrap());
}

#[tokio::test]
async fn a_first_start_that_was_cut_off_finds_the_root_key_that_it_made() {
    let stage = Stage::new().await;
    let owner = account(ACCOUNT);
    assert!(stage.iam.root_key(&owner).await.unwrap().is_none());
    let (id, secret) = stage.iam.create_root_key(&owner).await.unwrap();
    let (found, found_secret) = stage.iam.root_key(&owner).await.unwrap().unwrap();
    assert_eq!((found, &found_secret.0), (id.clone(), &secret.0));
    let (user_name, access_key_id) = (None, id);
    stage.ok::<DeleteAccessKey>(DeleteAccessKeyRequest { user_name, access_key_id }).await;
    assert!(stage.iam.root_key(&owner).await.unwrap().is_none());
}
