//! When keys were last used.

use haechi_core::Identities;
use haechi_iam::Iam;
use haechi_iam_model::ops::{DeleteAccessKey, GetAccessKeyLastUsed};
use haechi_iam_model::shapes::{
    AccessKeyLastUsed, DeleteAccessKeyRequest, GetAccessKeyLastUsedRequest,
};

use crate::cast::Stage;

async fn last_use(stage: &Stage, id: &str) -> AccessKeyLastUsed {
    let request = GetAccessKeyLastUsedRequest { access_key_id: id.to_owned() };
    let answer = stage.ok::<GetAccessKeyLastUsed>(request).await;
    assert_eq!(answer.user_name.as_deref(), Some("alice"));
    answer.access_key_last_used.unwrap()
}

#[tokio::test]
async fn a_key_that_was_never_used_says_so() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    let last = last_use(&stage, &id).await;
    assert_eq!(last.last_used_date, None);
    assert_eq!((last.service_name.as_str(), last.region.as_str()), ("N/A", "N/A"));
}

#[tokio::test]
async fn the_latest_use_is_told_at_once_and_also_after_a_restart() {
    let mut stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    let region = stage.kit.region.clone();
    stage.iam.used(&id, "sts", &region, stage.kit.env.now());
    stage.kit.clock.advance(60);
    let now = stage.kit.env.now();
    stage.iam.used(&id, "kms", &region, now);
    let last = last_use(&stage, &id).await;
    assert_eq!((last.last_used_date, last.service_name.as_str()), (Some(now), "kms"));
    stage.iam.flush_last_used().await.unwrap();
    stage.iam = Iam::new(stage.kit.database.clone(), stage.kit.env.clone()).into();
    let last = last_use(&stage, &id).await;
    assert_eq!((last.last_used_date, last.region.as_str()), (Some(now), "us-east-1"));
}

#[tokio::test]
async fn noting_and_flushing_uses_does_not_make_callers_stale() {
    let stage = Stage::new().await;
    stage.create_user("alice").await;
    let id = stage.create_key("alice").await.access_key_id;
    let before = stage.credential(&id).await.unwrap();
    stage.iam.used(&id, "kms", &stage.kit.region, stage.kit.env.now());
    stage.iam.flush_last_used().await.unwrap();
    let after = stage.credential(&id).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&before, &after));
}

#[tokio::test]
async fn uses_of_many_keys_are_flushed_and_a_deleted_key_leaves_nothing() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for number in 0..70 {
        let name = format!("user-{number}");
        stage.create_user(&name).await;
        ids.push(stage.create_key(&name).await.access_key_id);
    }
    for id in &ids {
        stage.iam.used(id, "kms", &stage.kit.region, stage.kit.env.now());
    }
    let (user_name, access_key_id) = (Some("user-0".to_owned()), ids[0].clone());
    stage.ok::<DeleteAccessKey>(DeleteAccessKeyRequest { user_name, access_key_id }).await;
    stage.iam.flush_last_used().await.unwrap();
    let prefix = haechi_store::Range::prefix("/iam-key-used/");
    let rows = stage.kit.database.store().range(prefix, 0, None).await.unwrap().kvs;
    assert_eq!(rows.len(), 69);
}
