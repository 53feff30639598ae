use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

fn put(key_id: &str, policy: &str) -> PutKeyPolicyRequest {
    PutKeyPolicyRequest {
        key_id: key_id.to_owned(),
        policy: policy.to_owned(),
        ..Default::default()
    }
}

async fn policy_of(world: &World, key_id: &str) -> String {
    let input = GetKeyPolicyRequest { key_id: key_id.to_owned(), policy_name: None };
    let output = world.call::<ops::GetKeyPolicy>(&world.root, input).await.unwrap();
    assert_eq!(output.policy_name.as_deref(), Some("default"));
    output.policy.unwrap()
}

#[tokio::test]
async fn the_default_policy_leaves_it_to_the_account() {
    let world = World::new().await;
    let key = world.key().await;
    let policy: serde_json::Value =
        serde_json::from_str(&policy_of(&world, &key.key_id).await).unwrap();
    assert_eq!(policy["Id"], "key-default-1");
    assert_eq!(policy["Version"], "2012-10-17");
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Sid"], "Enable IAM User Permissions");
    assert_eq!(statement["Effect"], "Allow");
    assert_eq!(statement["Principal"]["AWS"], root_arn(ACCOUNT));
    assert_eq!((&statement["Action"], &statement["Resource"]), (&"kms:*".into(), &"*".into()));
}

#[tokio::test]
async fn a_policy_that_is_put_is_read_back_and_decides_from_then_on() {
    let world = World::new().await;
    let key = world.key().await;
    assert!(world.encrypt(&world.root, &key.key_id).await.is_ok());
    let allow = statement("Allow", &root_arn(ACCOUNT), "kms:*", "{}");
    let deny = statement("Deny", &root_arn(ACCOUNT), "kms:Encrypt", "{}");
    let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{allow},{deny}]}}"#);
    world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, &policy)).await.unwrap();
    assert_eq!(policy_of(&world, &key.key_id).await, policy);
    let (code, message) = refused(world.encrypt(&world.root, &key.key_id).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
}

#[tokio::test]
async fn there_is_one_policy_and_it_is_called_default() {
    let world = World::new().await;
    let key = world.key().await;
    let input = ListKeyPoliciesRequest { key_id: key.key_id.clone(), ..Default::default() };
    let output = world.call::<ops::ListKeyPolicies>(&world.root, input).await.unwrap();
    assert_eq!(output.policy_names.unwrap(), ["default"]);
    assert_eq!((output.truncated, output.next_marker), (Some(false), None));
    let input = GetKeyPolicyRequest { key_id: key.key_id, policy_name: Some("other".to_owned()) };
    let outcome = world.call::<ops::GetKeyPolicy>(&world.root, input).await;
    assert_refused(outcome, "NotFoundException", "No such policy exists");
}

#[tokio::test]
async fn a_policy_that_locks_its_author_out_is_refused_unless_asked_for() {
    let world = World::new().await;
    let key = world.key().await;
    let bob = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    let locking =
        [policy("Allow", &bob, "kms:*"), policy("Allow", &root_arn(ACCOUNT), "kms:Encrypt")];
    for text in locking {
        let message =
            "The new key policy will not allow you to update the key policy in the future.";
        let outcome = world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, &text)).await;
        assert_refused(outcome, "MalformedPolicyDocumentException", message);
        let input = CreateKeyRequest { policy: Some(text.clone()), ..Default::default() };
        let outcome = world.call::<ops::CreateKey>(&world.root, input).await;
        assert_refused(outcome, "MalformedPolicyDocumentException", message);
        let key = world.key().await;
        let mut input = put(&key.key_id, &text);
        input.bypass_policy_lockout_safety_check = Some(true);
        assert!(world.call::<ops::PutKeyPolicy>(&world.root, input).await.is_ok());
    }
}

#[tokio::test]
async fn malformed_and_oversized_policies_are_refused() {
    let world = World::new().await;
    let key = world.key().await;
    for text in ["{", "[]", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}"#] {
        let outcome = world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, text)).await;
        assert_eq!(refused(outcome).0, "MalformedPolicyDocumentException", "{text}");
    }
    let fitting = policy("Allow", &root_arn(ACCOUNT), "kms:*");
    let padded = |length: usize| fitting.clone() + &" ".repeat(length - fitting.len());
    let outcome =
        world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, &padded(32_768))).await;
    assert!(outcome.is_ok());
    let outcome =
        world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, &padded(32_769))).await;
    assert_eq!(refused(outcome).0, "LimitExceededException");
}

#[tokio::test]
async fn with_a_directory_only_principals_that_exist_may_be_named() {
    let world = World::new().await;
    let directory = world.kit.directory();
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    directory.make(&arn, "AIDATESTBOB");
    let naming = |name: &str| {
        let user = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
        let (own, theirs) = (
            statement("Allow", &root_arn(ACCOUNT), "kms:*", "{}"),
            statement("Allow", &user, "kms:Encrypt", "{}"),
        );
        format!(r#"{{"Version":"2012-10-17","Statement":[{own},{theirs}]}}"#)
    };
    let key = world.key().await;
    let outcome =
        world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, &naming("ghost"))).await;
    assert_refused(
        outcome,
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
    );
    world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, &naming("bob"))).await.unwrap();
    let bob = world.kit.user(ACCOUNT, "bob", &[]);
    assert!(world.encrypt(&bob, &key.key_id).await.is_ok());
    directory.make(&arn, "AIDAOFALATERBOB");
    world.call::<ops::PutKeyPolicy>(&world.root, put(&key.key_id, &naming("bob"))).await.unwrap();
    assert!(world.encrypt(&bob, &key.key_id).await.is_err());
}
