//! Many callers at once.

use std::sync::Arc;

use haechi_iam_model::ops::{
    CreateAccessKey, CreateUser, DeleteUser, GetUser, ListAccessKeys, UpdateUser,
};
use haechi_iam_model::shapes::{
    CreateAccessKeyRequest, CreateUserRequest, DeleteUserRequest, GetUserRequest,
    ListAccessKeysRequest, StatusType, UpdateAccessKeyRequest, UpdateUserRequest,
};
use haechi_wire::Protocol;

use crate::cast::{ALLOW_ALL, Stage};

const CALLERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_create_one_name_one_succeeds() {
    let stage = Arc::new(Stage::new().await);
    let tasks: Vec<_> = (0..CALLERS)
        .map(|number| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                let user_name = if number % 2 == 0 { "alice" } else { "ALICE" }.to_owned();
                let request = CreateUserRequest { user_name, ..Default::default() };
                stage.call::<CreateUser>(&stage.root, request).await
            })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => created += 1,
            Err(problem) => assert_eq!(problem.code(Protocol::Query), "EntityAlreadyExists"),
        }
    }
    assert_eq!(created, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_create_keys_two_succeed_and_both_keys_work() {
    let stage = Arc::new(Stage::new().await);
    stage.create_user("alice").await;
    let tasks: Vec<_> = (0..CALLERS)
        .map(|_| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                let request = CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
                stage.call::<CreateAccessKey>(&stage.root, request).await
            })
        })
        .collect();
    let mut ids = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(made) => ids.push(made.access_key.access_key_id),
            Err(problem) => assert_eq!(problem.code(Protocol::Query), "LimitExceeded"),
        }
    }
    assert_eq!(ids.len(), 2);
    for id in ids {
        assert!(stage.credential(&id).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_is_not_deleted_from_under_a_key_that_is_being_made() {
    for _ in 0..20 {
        let stage = Arc::new(Stage::new().await);
        stage.create_user("alice").await;
        let (making, deleting) = (Arc::clone(&stage), Arc::clone(&stage));
        let made = tokio::spawn(async move {
            let request = CreateAccessKeyRequest { user_name: Some("alice".to_owned()) };
            making.call::<CreateAccessKey>(&making.root, request).await.is_ok()
        });
        let deleted = tokio::spawn(async move {
            let request = DeleteUserRequest { user_name: "alice".to_owned() };
            deleting.call::<DeleteUser>(&deleting.root, request).await.is_ok()
        });
        assert_ne!(made.await.unwrap(), deleted.await.unwrap(), "one of the two must fail");
    }
}

/// Lookups run all the while; none that starts after the answer to a write may see the old state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lookup_is_older_than_an_acknowledged_write() {
    let stage = Arc::new(Stage::new().await);
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    let noise = {
        let (stage, id) = (Arc::clone(&stage), id.clone());
        tokio::spawn(async move {
            loop {
                let _ = stage.credential(&id).await;
                tokio::task::yield_now().await;
            }
        })
    };
    for round in 0..200 {
        let status = if round % 2 == 0 { StatusType::Inactive } else { StatusType::Active };
        let (user_name, access_key_id) = (Some("alice".to_owned()), id.clone());
        let request = UpdateAccessKeyRequest { user_name, access_key_id, status };
        stage.ok::<haechi_iam_model::ops::UpdateAccessKey>(request).await;
        let found = stage.credential(&id).await;
        assert_eq!(found.is_some(), status == StatusType::Active, "round {round}");
        stage.put_policy("alice", &format!("p{}", round % 8), ALLOW_ALL).await;
        if let Some(found) = stage.credential(&id).await {
            let expected = (round + 1).min(8);
            assert_eq!(found.caller.policies.identity.len(), expected, "round {round}");
        }
    }
    noise.abort();
    let request = GetUserRequest { user_name: Some("alice".to_owned()) };
    assert_eq!(stage.ok::<GetUser>(request).await.user.user_name, "alice");
    let request =
        ListAccessKeysRequest { user_name: Some("alice".to_owned()), ..Default::default() };
    assert_eq!(stage.ok::<ListAccessKeys>(request).await.access_key_metadata.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_works_all_the_while_its_user_is_renamed() {
    let stage = Arc::new(Stage::new().await);
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    let renaming = {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move {
            for round in 0..200 {
                let names = if round % 2 == 0 { ["alice", "bob"] } else { ["bob", "alice"] };
                let [user_name, new_user_name] = names.map(str::to_owned);
                let new_user_name = Some(new_user_name);
                let request = UpdateUserRequest { user_name, new_user_name, new_path: None };
                stage.ok::<UpdateUser>(request).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let mut names = std::collections::BTreeSet::new();
    while !renaming.is_finished() {
        let caller = stage.credential(&id).await.expect("a key that is valid").caller.clone();
        names.extend(caller.user_name.clone());
        tokio::task::yield_now().await;
    }
    renaming.await.unwrap();
    assert!(names.iter().all(|name| ["alice", "bob"].contains(&name.as_str())), "{names:?}");
}
