//! Who may: key policy and IAM together, within an account and across.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

fn user_arn(account: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:user/{name}")
}

#[tokio::test]
async fn a_delegating_policy_lets_iam_decide() {
    let world = World::new().await;
    let key = world.key().await;
    let allowed = world.kit.user(ACCOUNT, "allowed", &[ALL_KMS]);
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    assert!(world.encrypt(&allowed, &key.key_id).await.is_ok());
    assert_refused(
        world.encrypt(&nobody, &key.key_id).await,
        "AccessDeniedException",
        &format!(
            "User: arn:aws:iam::111111111111:user/nobody is not authorized to perform: \
             kms:Encrypt on resource: {} because no identity-based policy allows the kms:Encrypt \
             action",
            key.arn.unwrap()
        ),
    );
}

#[tokio::test]
async fn without_delegation_iam_alone_is_not_enough_not_even_for_root() {
    let world = World::new().await;
    let bob = user_arn(ACCOUNT, "bob");
    let key = world.key_under(&policy("Allow", &bob, "kms:*")).await;
    let admin = world.kit.user(ACCOUNT, "admin", &[ALL_KMS]);
    for caller in [&admin, &world.root] {
        let (code, message) = refused(world.encrypt(caller, &key.key_id).await);
        assert_eq!(code, "AccessDeniedException");
        assert!(
            message.ends_with("because no resource-based policy allows the kms:Encrypt action"),
            "{message}"
        );
    }
    let bob = world.kit.user(ACCOUNT, "bob", &[]);
    assert!(world.encrypt(&bob, &key.key_id).await.is_ok());
}

#[tokio::test]
async fn an_explicit_deny_wins_wherever_it_stands() {
    let world = World::new().await;
    let key = world.key().await;
    let denied = world.kit.user(
        ACCOUNT,
        "denied",
        &[
            ALL_KMS,
            r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}"#,
        ],
    );
    let (code, message) = refused(world.encrypt(&denied, &key.key_id).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.ends_with("with an explicit deny in an identity-based policy"), "{message}");
}

#[tokio::test]
async fn across_accounts_both_sides_must_allow() {
    let world = World::new().await;
    let allow = |account: &str| statement("Allow", &root_arn(account), "kms:*", "{}");
    let both =
        format!(r#"{{"Version":"2012-10-17","Statement":[{},{}]}}"#, allow(ACCOUNT), allow(OTHER));
    let shared = world.key_under(&both).await.arn.unwrap();
    let own = world.key().await.arn.unwrap();
    let allowed = world.kit.user(OTHER, "allowed", &[ALL_KMS]);
    let nobody = world.kit.user(OTHER, "nobody", &[]);
    let blob = world.encrypt(&allowed, &shared).await.unwrap();
    assert_eq!(world.decrypt(&allowed, &blob).await.unwrap(), PLAINTEXT);

    let (code, message) = refused(world.encrypt(&nobody, &shared).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("because no identity-based policy allows"), "{message}");
    assert_refused(
        world.encrypt(&allowed, &own).await,
        "AccessDeniedException",
        &format!(
            "User: arn:aws:iam::222222222222:user/allowed is not authorized to perform: \
             kms:Encrypt on resource: {own} because the resource does not exist in this Region, \
             no resource-based policies allow access, or a resource-based policy explicitly \
             denies access"
        ),
    );
    let blob = world.encrypt(&world.root, &own).await.unwrap();
    assert_refused(
        world.decrypt(&allowed, &blob).await,
        "AccessDeniedException",
        "User: arn:aws:iam::222222222222:user/allowed is not authorized to perform: kms:Decrypt \
         on the resource associated with this ciphertext because the resource does not exist in \
         this Region, no resource-based policies allow access, or a resource-based policy \
         explicitly denies access",
    );
}

#[tokio::test]
async fn a_stranger_cannot_tell_a_key_or_an_alias_from_none() {
    let world = World::new().await;
    let key = world.key().await;
    world.alias("alias/real", &key.key_id).await;
    let denial = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}"#;
    let strangers = [
        world.kit.user(OTHER, "allowed", &[ALL_KMS]),
        world.kit.user(OTHER, "nobody", &[]),
        world.kit.user(OTHER, "denied", &[ALL_KMS, denial]),
        world.kit.root(OTHER),
    ];
    let alias = |name: &str| format!("arn:aws:kms:us-east-1:{ACCOUNT}:alias/{name}");
    let none = world.key_arn("00000000-0000-4000-8000-000000000000");
    for stranger in &strangers {
        for (real, none) in [(key.arn.clone().unwrap(), none.clone()), (alias("real"), alias("no"))]
        {
            let (code, of_real) = refused(world.encrypt(stranger, &real).await);
            let (code_none, of_none) = refused(world.encrypt(stranger, &none).await);
            assert_eq!(code, "AccessDeniedException");
            assert_eq!(code, code_none);
            assert!(of_real.contains(&real), "{of_real}");
            assert_eq!(of_real.replace(&real, ""), of_none.replace(&none, ""));
        }
    }
}

#[tokio::test]
async fn administration_stays_within_the_account() {
    let world = World::new().await;
    let everyone = world.key_under(&policy("Allow", "*", "kms:*")).await.arn.unwrap();
    let stranger = world.kit.user(OTHER, "stranger", &[ALL_KMS]);
    assert!(world.encrypt(&stranger, &everyone).await.is_ok());
    let input = DisableKeyRequest { key_id: everyone.clone() };
    let outcome = world.call::<ops::DisableKey>(&stranger, input).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
    let input = GetKeyPolicyRequest { key_id: everyone, policy_name: None };
    let outcome = world.call::<ops::GetKeyPolicy>(&stranger, input).await;
    assert_eq!(refused(outcome).0, "AccessDeniedException");
}

/// A key on which `alice` may encrypt under a condition.
async fn conditioned(world: &World, condition: &str) -> KeyMetadata {
    let (root, alice) = (root_arn(ACCOUNT), user_arn(ACCOUNT, "alice"));
    let statements = format!(
        "{},{}",
        statement("Allow", &root, "kms:*", "{}"),
        statement("Allow", &alice, "kms:Encrypt", condition)
    );
    world.key_under(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).await
}

#[tokio::test]
async fn conditions_see_the_encryption_context() {
    let world = World::new().await;
    let key = conditioned(
        &world,
        r#"{"StringEquals":{"kms:EncryptionContext:Tenant":"a",
              "kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"},
            "ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["Tenant","Purpose"]}}"#,
    )
    .await;
    let alice = world.kit.user(ACCOUNT, "alice", &[]);
    let encrypt = async |pairs: &[(&str, &str)]| {
        let input = EncryptRequest { encryption_context: context(pairs), ..plain(&key.key_id) };
        world.call::<ops::Encrypt>(&alice, input).await.is_ok()
    };
    assert!(encrypt(&[("Tenant", "a")]).await);
    assert!(encrypt(&[("Tenant", "a"), ("Purpose", "x")]).await);
    assert!(!encrypt(&[("Tenant", "b")]).await);
    assert!(!encrypt(&[("Tenant", "a"), ("Other", "x")]).await);
    assert!(!encrypt(&[]).await);
}

#[tokio::test]
async fn conditions_see_by_which_alias_a_key_was_named_and_which_it_has() {
    let world = World::new().await;
    let alice = world.kit.user(ACCOUNT, "alice", &[]);
    let key = conditioned(&world, r#"{"StringEquals":{"kms:RequestAlias":"alias/front"}}"#).await;
    world.alias("alias/front", &key.key_id).await;
    world.alias("alias/back", &key.key_id).await;
    assert!(world.encrypt(&alice, "alias/front").await.is_ok());
    for name in ["alias/back", &key.key_id] {
        assert_eq!(refused(world.encrypt(&alice, name).await).0, "AccessDeniedException");
    }
    let key = conditioned(
        &world,
        r#"{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/marked"}}"#,
    )
    .await;
    assert_eq!(refused(world.encrypt(&alice, &key.key_id).await).0, "AccessDeniedException");
    world.alias("alias/marked", &key.key_id).await;
    assert!(world.encrypt(&alice, &key.key_id).await.is_ok());
}

#[tokio::test]
async fn a_callers_audit_log_does_not_learn_of_foreign_keys_that_it_may_not_use() {
    use haechi_core::Handle;
    let world = World::new().await;
    let key = world.key().await;
    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    let stranger = world.kit.user(OTHER, "stranger", &[ALL_KMS]);
    let made = world.call::<ops::CreateKey>(&stranger, CreateKeyRequest::default()).await;
    let own = made.unwrap().key_metadata.unwrap();
    let cx = world.kit.cx::<ops::Decrypt>(&stranger);
    let outcome = Handle::<ops::Decrypt>::handle(&world.kms, &cx, sealed(&blob)).await;
    assert!(outcome.is_err() && cx.noted().is_empty());
    let input = DecryptRequest { key_id: Some(own.key_id), ..sealed(&blob) };
    let outcome = Handle::<ops::Decrypt>::handle(&world.kms, &cx, input).await;
    assert!(outcome.is_err());
    let noted: Vec<Option<String>> = cx.noted().into_iter().map(|key| Some(key.arn)).collect();
    assert_eq!(noted, [own.arn]);
}

#[tokio::test]
async fn a_context_key_in_another_case_cannot_hide_from_a_denial() {
    let world = World::new().await;
    let (root, alice) = (root_arn(ACCOUNT), user_arn(ACCOUNT, "alice"));
    let statements = format!(
        "{},{},{}",
        statement("Allow", &root, "kms:*", "{}"),
        statement("Allow", &alice, "kms:Encrypt", "{}"),
        statement(
            "Deny",
            &alice,
            "kms:Encrypt",
            r#"{"StringEquals":{"kms:EncryptionContext:Ähre":"secret"}}"#
        )
    );
    let key =
        world.key_under(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).await;
    let alice = world.kit.user(ACCOUNT, "alice", &[]);
    for pairs in [[("ähre", "secret"), ("z", "")], [("ÄHRE", "public"), ("ähre", "secret")]] {
        let input = EncryptRequest { encryption_context: context(&pairs), ..plain(&key.key_id) };
        let outcome = world.call::<ops::Encrypt>(&alice, input).await;
        assert_eq!(refused(outcome).0, "AccessDeniedException");
    }
}
