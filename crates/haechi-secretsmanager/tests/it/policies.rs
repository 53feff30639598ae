use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

const PUBLIC: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",
    "Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;

async fn put(world: &World, policy: &str, block: bool) -> Result<(), haechi_wire::Problem> {
    let input = PutResourcePolicyRequest {
        secret_id: "s".to_owned(),
        resource_policy: policy.to_owned(),
        block_public_policy: Some(block),
        ..Default::default()
    };
    world.call::<ops::PutResourcePolicy>(&world.root, input).await.map(|_| ())
}

async fn read(world: &World) -> Option<String> {
    let input = GetResourcePolicyRequest { secret_id: "s".to_owned(), policy_name: None };
    let answer = world.call::<ops::GetResourcePolicy>(&world.root, input).await.unwrap();
    answer.resource_policy
}

#[tokio::test]
async fn a_policy_is_returned_as_it_was_put_and_counts_until_it_is_deleted() {
    let world = World::new().await;
    world.create("s", "1").await;
    assert_eq!(read(&world).await, None);
    let deny = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
        "Action":"secretsmanager:GetSecretValue","Resource":"*"}]}"#;
    put(&world, deny, true).await.unwrap();
    assert_eq!(read(&world).await.as_deref(), Some(deny));
    let user = world.kit.user(ACCOUNT, "alice", &[ALL]);
    let (code, told) = refused(world.get_as(&user, "s").await);
    assert_eq!(code, "AccessDeniedException");
    assert!(told.ends_with("with an explicit deny in a resource-based policy"), "{told}");
    let input = DeleteResourcePolicyRequest { secret_id: "s".to_owned(), policy_name: None };
    world.call::<ops::DeleteResourcePolicy>(&world.root, input).await.unwrap();
    assert!(world.get_as(&user, "s").await.is_ok());
}

#[tokio::test]
async fn a_policy_alone_lets_in_a_user_of_the_account() {
    let world = World::new().await;
    world.create("s", "1").await;
    let allow = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":
            {{"AWS":"arn:aws:iam::{ACCOUNT}:user/bob"}},"Action":"secretsmanager:GetSecretValue",
            "Resource":"*"}}]}}"#
    );
    put(&world, &allow, true).await.unwrap();
    let bob = world.kit.user(ACCOUNT, "bob", &[]);
    assert!(world.get_as(&bob, "s").await.is_ok());
}

#[tokio::test]
async fn what_lets_everybody_in_is_refused_on_request_and_told_by_validation() {
    let world = World::new().await;
    world.create("s", "1").await;
    assert_refused(
        put(&world, PUBLIC, true).await,
        "PublicPolicyException",
        "You can't attach a resource-based policy that allows broad access to the secret.",
    );
    assert_eq!(read(&world).await, None);
    put(&world, PUBLIC, false).await.unwrap();
    let validate = |policy: &str| {
        let input =
            ValidateResourcePolicyRequest { secret_id: None, resource_policy: policy.to_owned() };
        world.call::<ops::ValidateResourcePolicy>(&world.root, input)
    };
    let answer = validate(PUBLIC).await.unwrap();
    assert_eq!(answer.policy_validation_passed, Some(false));
    assert_eq!(answer.validation_errors.unwrap().len(), 1);
    let narrow = PUBLIC.replace("\"*\",\n", &format!("{{\"AWS\":\"{OTHER}\"}},\n"));
    assert_eq!(validate(&narrow).await.unwrap().policy_validation_passed, Some(true));
    let outcome = validate("{}").await;
    assert_refused(
        outcome,
        "MalformedPolicyDocumentException",
        "This resource policy contains a syntax error.",
    );
}

#[tokio::test]
async fn a_policy_that_locks_its_author_out_does_not_pass_validation() {
    let world = World::new().await;
    world.create("s", "1").await;
    let denied = |who: &str, action: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":{who},
                "Action":"secretsmanager:{action}","Resource":"*"}}]}}"#
        )
    };
    let eve = format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:user/eve"}}"#);
    world.kit.directory().make(&format!("arn:aws:iam::{ACCOUNT}:user/eve"), "AIDATESTEVE");
    for secret_id in [None, Some("s".to_owned())] {
        for (who, action, locked_out) in [
            ("\"*\"", "*", true),
            ("\"*\"", "PutResourcePolicy", true),
            ("\"*\"", "GetSecretValue", false),
            (eve.as_str(), "*", false),
        ] {
            let (secret_id, resource_policy) = (secret_id.clone(), denied(who, action));
            let input = ValidateResourcePolicyRequest { secret_id, resource_policy };
            let answer = world.call::<ops::ValidateResourcePolicy>(&world.root, input).await;
            let answer = answer.unwrap();
            assert_eq!(answer.policy_validation_passed, Some(!locked_out), "{who} {action}");
            assert_eq!(answer.validation_errors.unwrap().len(), usize::from(locked_out));
        }
    }
}

/// A policy that lets a user of the account read.
fn naming(name: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":
            {{"AWS":"arn:aws:iam::{ACCOUNT}:user/{name}"}},
            "Action":"secretsmanager:GetSecretValue","Resource":"*"}}]}}"#
    )
}

#[tokio::test]
async fn a_policy_means_the_user_who_had_the_name_when_it_was_put() {
    let world = World::new().await;
    let directory = world.kit.directory();
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/bob");
    world.create("s", "1").await;
    directory.make(&arn, "AIDAOFANEARLIERBOB");
    put(&world, &naming("bob"), true).await.unwrap();
    let bob = world.kit.user(ACCOUNT, "bob", &[]);
    assert_eq!(refused(world.get_as(&bob, "s").await).0, "AccessDeniedException");
    directory.make(&arn, "AIDATESTBOB");
    world.put("s", "2").await;
    assert_eq!(refused(world.get_as(&bob, "s").await).0, "AccessDeniedException");
    put(&world, &naming("bob"), true).await.unwrap();
    assert!(world.get_as(&bob, "s").await.is_ok());
    // So does the copy of it in another Region.
    let replicate = ReplicateSecretToRegionsRequest {
        secret_id: "s".to_owned(),
        add_replica_regions: vec![ReplicaRegionType {
            region: Some("eu-west-1".to_owned()),
            kms_key_id: None,
        }],
        force_overwrite_replica_secret: None,
    };
    world.call::<ops::ReplicateSecretToRegions>(&world.root, replicate).await.unwrap();
    let there = async || {
        let mut cx = world.kit.cx::<ops::GetSecretValue>(&bob);
        cx.region = haechi_core::Region::parse("eu-west-1").unwrap();
        let input = GetSecretValueRequest { secret_id: "s".to_owned(), ..Default::default() };
        let read = haechi_core::Handle::<ops::GetSecretValue>::handle(&*world.secrets, &cx, input);
        read.await.is_ok()
    };
    assert!(there().await);
    directory.make(&arn, "AIDAOFALATERBOB");
    put(&world, &naming("bob"), true).await.unwrap();
    assert!(!there().await);
}

#[tokio::test]
async fn a_policy_names_only_users_who_exist() {
    let world = World::new().await;
    world.kit.directory().make(&format!("arn:aws:iam::{ACCOUNT}:user/bob"), "AIDATESTBOB");
    world.create("s", "1").await;
    let words = "This resource policy contains an unsupported principal.";
    let code = "MalformedPolicyDocumentException";
    assert_refused(put(&world, &naming("ghost"), false).await, code, words);
    assert_eq!(read(&world).await, None);
    let validate = |name: &str| {
        let input =
            ValidateResourcePolicyRequest { secret_id: None, resource_policy: naming(name) };
        world.call::<ops::ValidateResourcePolicy>(&world.root, input)
    };
    assert_refused(validate("ghost").await, code, words);
    assert_eq!(validate("bob").await.unwrap().policy_validation_passed, Some(true));
}
