//! STS through the test kit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails must stop"
)]

mod authorization_message;
mod functions;
mod https;
mod issuer;
mod mfa;
mod sessions;
mod web_identity;

use std::sync::Arc;

use haechi_core::{AccountId, access_key_id};
use haechi_iam::Iam;
use haechi_sts::Sts;
use haechi_sts_model::ops::{GetAccessKeyInfo, GetCallerIdentity};
use haechi_sts_model::shapes::{GetAccessKeyInfoRequest, GetCallerIdentityRequest};
use haechi_testkit::Kit;
use haechi_wire::Protocol;

const ACCOUNT: &str = "123456789012";
const DENY_ALL: &str = r#"{"Version":"2012-10-17","Statement":
    {"Effect":"Deny","Action":"*","Resource":"*"}}"#;

fn sts(kit: &Kit) -> Sts {
    let iam = Iam::new(kit.database.clone(), kit.env.clone());
    Sts::new(kit.database.clone(), Arc::new(iam))
}

#[tokio::test]
async fn a_user_learns_who_it_is_even_where_everything_is_denied() {
    let kit = Kit::new().await;
    let alice = kit.user(ACCOUNT, "alice", &[DENY_ALL]);
    let request = GetCallerIdentityRequest::default();
    let identity = kit.call::<GetCallerIdentity, _>(&sts(&kit), &alice, request).await.unwrap();
    assert_eq!(identity.account.as_deref(), Some(ACCOUNT));
    assert_eq!(identity.arn.as_deref(), Some("arn:aws:iam::123456789012:user/alice"));
    assert_eq!(identity.user_id.as_deref(), Some("AIDATESTALICE"));
}

#[tokio::test]
async fn the_root_user_has_its_account_as_its_id() {
    let kit = Kit::new().await;
    let request = GetCallerIdentityRequest::default();
    let root = kit.root(ACCOUNT);
    let identity = kit.call::<GetCallerIdentity, _>(&sts(&kit), &root, request).await.unwrap();
    assert_eq!(identity.user_id.as_deref(), Some(ACCOUNT));
    assert_eq!(identity.arn.as_deref(), Some("arn:aws:iam::123456789012:root"));
}

fn info(id: &str) -> GetAccessKeyInfoRequest {
    GetAccessKeyInfoRequest { access_key_id: id.to_owned() }
}

#[tokio::test]
async fn a_key_id_names_its_account_and_a_malformed_one_is_refused() {
    let kit = Kit::new().await;
    let (sts, root) = (sts(&kit), kit.root(ACCOUNT));
    let owner = AccountId::parse("210987654321").unwrap();
    let id = access_key_id::create("AKIA", &owner, &*kit.env.random).unwrap();
    let answer = kit.call::<GetAccessKeyInfo, _>(&sts, &root, info(&id)).await.unwrap();
    assert_eq!(answer.account.as_deref(), Some("210987654321"));
    let wrong = info("AKIA0000000000000000");
    let refused = kit.call::<GetAccessKeyInfo, _>(&sts, &root, wrong).await.err().unwrap();
    assert_eq!(refused.code(Protocol::Query), "ValidationError");
}

#[tokio::test]
async fn the_account_of_a_key_is_told_only_to_those_who_may_ask() {
    let kit = Kit::new().await;
    let alice = kit.user(ACCOUNT, "alice", &[]);
    let id = info("ASIAQNZGKIQY56JQ7WML");
    let refused = kit.call::<GetAccessKeyInfo, _>(&sts(&kit), &alice, id).await.err().unwrap();
    assert_eq!(refused.code(Protocol::Query), "AccessDenied");
}
