//! When keys were last used.

use std::sync::Arc;

use haechi_core::{Caller, Identities, PrincipalPolicies, Session, SessionHolder};
use haechi_iam::Iam;
use haechi_iam_model::ops::{DeleteAccessKey, DeleteRole, GetAccessKeyLastUsed, GetRole};
use haechi_iam_model::shapes::{
    AccessKeyLastUsed, DeleteAccessKeyRequest, DeleteRoleRequest, GetAccessKeyLastUsedRequest,
    GetRoleRequest, Role, RoleLastUsed,
};
use haechi_policy::Principal;

use crate::cast::{ACCOUNT, Stage, account, create_role};

async fn last_use(stage: &Stage, id: &str) -> AccessKeyLastUsed {
    let request = GetAccessKeyLastUsedRequest { access_key_id: id.to_owned() };
    let answer = stage.ok::<GetAccessKeyLastUsed>(request).await;
    assert_eq!(answer.user_name.as_deref(), Some("alice"));
    answer.access_key_last_used.unwrap()
}

async fn caller(stage: &Stage, key_id: &str) -> Arc<Caller> {
    Arc::clone(&stage.credential(key_id).await.unwrap().caller)
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
    stage.iam.used(&*caller(&stage, &id).await, "sts", &region, stage.kit.env.now());
    stage.kit.clock.advance(60);
    let now = stage.kit.env.now();
    stage.iam.used(&*caller(&stage, &id).await, "kms", &region, now);
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
    stage.iam.used(&*caller(&stage, &id).await, "kms", &stage.kit.region, stage.kit.env.now());
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
        stage.iam.used(&*caller(&stage, id).await, "kms", &stage.kit.region, stage.kit.env.now());
    }
    let (user_name, access_key_id) = (Some("user-0".to_owned()), ids[0].clone());
    stage.ok::<DeleteAccessKey>(DeleteAccessKeyRequest { user_name, access_key_id }).await;
    stage.iam.flush_last_used().await.unwrap();
    let prefix = haechi_store::Range::prefix("/iam-key-used/");
    let rows = stage.kit.database.store().range(prefix, 0, None).await.unwrap().kvs;
    assert_eq!(rows.len(), 69);
}

/// A session of a role, as a caller.
fn session(stage: &Stage, role: &Role) -> Caller {
    let principal = Principal::AssumedRole {
        session_arn: "arn:aws:sts::123456789012:assumed-role/worker/one".to_owned(),
        role_arn: role.arn.clone(),
        role_unique_id: role.role_id.clone(),
        session_name: "one".to_owned(),
        account: ACCOUNT.to_owned(),
    };
    let (name, id) = (role.role_name.clone(), role.role_id.clone());
    let holder = SessionHolder::Role { name, id, session_name: "one".to_owned() };
    Caller {
        principal,
        account: account(ACCOUNT),
        access_key_id: "ASIATESTTESTTESTTEST".to_owned(),
        user_id: format!("{}:one", role.role_id),
        user_name: None,
        tags: Vec::new(),
        policies: PrincipalPolicies::default(),
        issued: Some(stage.kit.env.now()),
        session: Some(Session {
            holder,
            transitive_tags: Vec::new(),
            source_identity: None,
            mfa: None,
            federated_provider: None,
            source_function: None,
        }),
    }
}

async fn role_last_used(stage: &Stage) -> RoleLastUsed {
    let request = GetRoleRequest { role_name: "worker".to_owned() };
    stage.ok::<GetRole>(request).await.role.role_last_used.unwrap()
}

#[tokio::test]
async fn the_last_use_of_a_role_is_told_for_400_days() {
    let mut stage = Stage::new().await;
    let role = create_role(&stage, "worker").await;
    let never = role_last_used(&stage).await;
    assert!(never.last_used_date.is_none() && never.region.is_none());
    let now = stage.kit.env.now();
    stage.iam.used(&session(&stage, &role), "kms", &stage.kit.region, now);
    let last = role_last_used(&stage).await;
    assert_eq!((last.last_used_date, last.region.as_deref()), (Some(now), Some("us-east-1")));
    stage.iam.flush_last_used().await.unwrap();
    stage.iam = Iam::new(stage.kit.database.clone(), stage.kit.env.clone()).into();
    stage.kit.clock.advance(400 * 86_400);
    assert_eq!(role_last_used(&stage).await.last_used_date, Some(now));
    stage.kit.clock.advance(1);
    assert_eq!(role_last_used(&stage).await.last_used_date, None);
}

#[tokio::test]
async fn a_role_that_was_made_anew_was_never_used() {
    let stage = Stage::new().await;
    let role = create_role(&stage, "worker").await;
    stage.iam.used(&session(&stage, &role), "kms", &stage.kit.region, stage.kit.env.now());
    let request = DeleteRoleRequest { role_name: "worker".to_owned() };
    stage.ok::<DeleteRole>(request).await;
    create_role(&stage, "worker").await;
    stage.iam.flush_last_used().await.unwrap();
    assert_eq!(role_last_used(&stage).await.last_used_date, None);
    let prefix = haechi_store::Range::prefix("/iam-role-used/");
    assert!(stage.kit.database.store().range(prefix, 0, None).await.unwrap().kvs.is_empty());
}
