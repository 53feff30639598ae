use std::sync::Arc;

use haechi_core::{Caller, Handle, Operation};
use haechi_kms::Kms;
use haechi_kms_model::ops as kms;
use haechi_kms_model::shapes::{CreateKeyRequest, DisableKeyRequest, PutKeyPolicyRequest};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_wire::{Problem, SecretString};

use crate::world::*;

async fn kms_call<Op: Operation>(world: &World, input: Op::Input) -> Result<Op::Output, Problem>
where
    Kms: Handle<Op>,
{
    world.kit.call::<Op, _>(&*world.kms, &world.root, input).await
}

async fn key(world: &World) -> String {
    let made = kms_call::<kms::CreateKey>(world, CreateKeyRequest::default()).await.unwrap();
    made.key_metadata.unwrap().arn.unwrap()
}

async fn under(world: &World, name: &str, key: &str) {
    let input = CreateSecretRequest { kms_key_id: Some(key.to_owned()), ..new(name, Some("1")) };
    world.call::<ops::CreateSecret>(&world.root, input).await.unwrap();
}

fn reader(world: &World, account: &str, kms: bool) -> Arc<Caller> {
    let action = if kms { r#"["secretsmanager:*","kms:*"]"# } else { r#""secretsmanager:*""# };
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":{action},"Resource":"*"}}]}}"#
    );
    world.kit.user(account, "reader", &[&policy])
}

#[tokio::test]
async fn the_callers_own_permission_for_the_key_decides() {
    let world = World::new().await;
    under(&world, "s", &key(&world).await).await;
    let denied = world.get_as(&reader(&world, ACCOUNT, false), "s").await;
    assert_refused(denied, "AccessDeniedException", "Access to KMS is not allowed");
    assert!(world.get_as(&reader(&world, ACCOUNT, true), "s").await.is_ok());
    // Whoever may use Secrets Manager may use its own key through it.
    world.create("default", "1").await;
    assert!(world.get_as(&reader(&world, ACCOUNT, false), "default").await.is_ok());
    let listed = world.describe("s").await.kms_key_id;
    assert!(listed.is_some() && world.describe("default").await.kms_key_id.is_none());
}

#[tokio::test]
async fn a_key_can_demand_the_way_through_secrets_manager_and_the_secret() {
    let world = World::new().await;
    let key = key(&world).await;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Resource":"*",
              "Action":"kms:*","Condition":{{"StringEquals":{{
                "kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}},
                "StringLike":{{"kms:EncryptionContext:SecretARN":
                    "arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:app/*"}}}}}},
            {{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}},"Resource":"*",
              "Action":["kms:PutKeyPolicy","kms:DisableKey"]}}]}}"#
    );
    let input =
        PutKeyPolicyRequest { key_id: key.clone(), policy, ..PutKeyPolicyRequest::default() };
    kms_call::<kms::PutKeyPolicy>(&world, input).await.unwrap();
    under(&world, "app/s", &key).await;
    assert_eq!(world.text("app/s").await, "1");
    let input = CreateSecretRequest { kms_key_id: Some(key.clone()), ..new("other", Some("1")) };
    let outcome = world.call::<ops::CreateSecret>(&world.root, input).await;
    assert_refused(outcome, "AccessDeniedException", "Access to KMS is not allowed");
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_apart_from_one_that_may_not() {
    let world = World::new().await;
    let key = key(&world).await;
    under(&world, "s", &key).await;
    kms_call::<kms::DisableKey>(&world, DisableKeyRequest { key_id: key.clone() }).await.unwrap();
    assert_eq!(refused(world.get("s").await).0, "DecryptionFailure");
    let put = world.call::<ops::PutSecretValue>(&world.root, value_of("s", "2")).await;
    assert_eq!(refused(put).0, "EncryptionFailure");
    assert_eq!(world.describe("s").await.version_ids_to_stages.unwrap().len(), 1);
}

#[tokio::test]
async fn another_key_seals_what_is_labelled_anew() {
    let world = World::new().await;
    world.create("s", "1").await;
    world.put("s", "2").await;
    let key = key(&world).await;
    let input = UpdateSecretRequest {
        client_request_token: token(),
        secret_id: "s".to_owned(),
        kms_key_id: Some(key.clone()),
        ..Default::default()
    };
    world.call::<ops::UpdateSecret>(&world.root, input).await.unwrap();
    assert_eq!(world.text("s").await, "2");
    kms_call::<kms::DisableKey>(&world, DisableKeyRequest { key_id: key }).await.unwrap();
    assert_eq!(refused(world.get("s").await).0, "DecryptionFailure");
}

#[tokio::test]
async fn without_the_leave_to_encrypt_a_new_key_is_for_new_versions_alone() {
    let world = World::new().await;
    let (old, new_key) = (key(&world).await, key(&world).await);
    under(&world, "s", &old).await;
    let without = |action: &str| {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[
                {{"Effect":"Allow","Action":["secretsmanager:*","kms:*"],"Resource":"*"}},
                {{"Effect":"Deny","Action":"{action}","Resource":"{new_key}"}}]}}"#
        );
        world.kit.user(ACCOUNT, "alice", &[&policy])
    };
    let change = || UpdateSecretRequest {
        secret_id: "s".to_owned(),
        kms_key_id: Some(new_key.clone()),
        ..Default::default()
    };
    let update = world.call::<ops::UpdateSecret>(&without("kms:GenerateDataKey"), change()).await;
    assert_refused(update, "AccessDeniedException", "Access to KMS is not allowed");
    let alice = without("kms:Encrypt");
    world.call::<ops::UpdateSecret>(&alice, change()).await.unwrap();
    assert_eq!(world.describe("s").await.kms_key_id.as_ref(), Some(&new_key));
    let input = ListSecretVersionIdsRequest { secret_id: "s".to_owned(), ..Default::default() };
    let keys = async || {
        let listed = world.call::<ops::ListSecretVersionIds>(&world.root, input.clone()).await;
        let versions = listed.unwrap().versions.unwrap();
        versions.into_iter().flat_map(|version| version.kms_key_ids.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(keys().await, [old.as_str()]);
    assert_eq!(world.text("s").await, "1");
    world.call::<ops::PutSecretValue>(&alice, value_of("s", "2")).await.unwrap();
    let mut both = [old.clone(), new_key.clone()];
    both.sort();
    let mut found = keys().await;
    found.sort();
    assert_eq!(found, both);
    kms_call::<kms::DisableKey>(&world, DisableKeyRequest { key_id: old }).await.unwrap();
    assert_eq!(world.text("s").await, "2");
}

#[tokio::test]
async fn the_default_key_does_not_serve_other_accounts() {
    let world = World::new().await;
    let arn = world.create("s", "1").await.arn.unwrap();
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},
            "Action":"secretsmanager:*","Resource":"*"}}]}}"#
    );
    world.put_policy("s", &policy).await;
    let told = "You can't access a secret from a different AWS account if you encrypt the secret \
                with the default KMS service key.";
    let outcome = world.get_as(&reader(&world, OTHER, true), &arn).await;
    assert_refused(outcome, "InvalidRequestException", told);
    let writer = world.kit.root(OTHER);
    let outcome = world.call::<ops::PutSecretValue>(&writer, value_of(&arn, "2")).await;
    assert_refused(outcome, "InvalidRequestException", told);
    let input = UpdateSecretRequest {
        client_request_token: token(),
        secret_id: arn,
        secret_string: Some(SecretString("2".to_owned())),
        ..Default::default()
    };
    let outcome = world.call::<ops::UpdateSecret>(&writer, input).await;
    assert_refused(outcome, "InvalidRequestException", told);
}

#[tokio::test]
async fn another_account_reads_by_the_policies_of_secret_and_key() {
    let world = World::new().await;
    let key = key(&world).await;
    under(&world, "s", &key).await;
    let arn = world.describe("s").await.arn.unwrap();
    let reader = reader(&world, OTHER, true);
    let told = refused(world.get_as(&reader, &arn).await);
    assert_eq!(told.0, "AccessDeniedException");
    assert!(told.1.contains("because no resource-based policy allows"), "{}", told.1);
    // As of one that is not there.
    let none = arn.replace(":secret:s-", ":secret:none-");
    let absent = refused(world.get_as(&reader, &none).await);
    assert_eq!(absent.1.replace(&none, &arn), told.1);
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},
            "Action":"secretsmanager:GetSecretValue","Resource":"*"}}]}}"#
    );
    world.put_policy("s", &policy).await;
    let outcome = world.get_as(&reader, &arn).await;
    assert_refused(outcome, "AccessDeniedException", "Access to KMS is not allowed");
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"kms:*","Resource":"*"}},
            {{"Effect":"Allow","Principal":{{"AWS":"{OTHER}"}},"Action":"kms:Decrypt","Resource":"*"}}]}}"#
    );
    let input = PutKeyPolicyRequest { key_id: key, policy, ..PutKeyPolicyRequest::default() };
    kms_call::<kms::PutKeyPolicy>(&world, input).await.unwrap();
    let read = world.get_as(&reader, &arn).await.unwrap();
    assert_eq!(read.secret_string.unwrap().0, "1");
}
