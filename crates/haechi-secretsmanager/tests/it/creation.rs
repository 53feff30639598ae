use haechi_core::{Handle, Operation};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

#[tokio::test]
async fn the_arn_ends_in_six_random_characters_and_finds_the_secret_with_and_without_them() {
    let world = World::new().await;
    for name in ["Valid/_+=.@-Name", "Valid/_+=.@-Name-a1b2", "Valid/_+=.@-Name-a1b2c3-"] {
        let made = world.create(name, "s").await;
        let arn = made.arn.unwrap();
        let (partial, end) = arn.split_at(arn.len() - 7);
        assert_eq!(partial, format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{name}"));
        assert!(end.starts_with('-') && end[1..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        for id in [name, arn.as_str(), partial] {
            assert_eq!(world.get(id).await.unwrap().arn.as_deref(), Some(arn.as_str()), "{id}");
        }
        let wrong = format!("{partial}-000000");
        assert_refused(world.get(&wrong).await, "ResourceNotFoundException", NOT_FOUND);
    }
}

#[tokio::test]
async fn a_name_that_ends_like_an_arn_is_not_found_by_an_arn_without_its_end() {
    let world = World::new().await;
    let arn = world.create("Invalid/_+=.@-Name-a1b2c3", "s").await.arn.unwrap();
    let partial = &arn[..arn.len() - 7];
    assert_refused(world.get(partial).await, "ResourceNotFoundException", NOT_FOUND);
    assert!(world.get(&arn).await.is_ok());
}

#[tokio::test]
async fn names_and_values_have_limits() {
    let world = World::new().await;
    let outcome = world.call::<ops::CreateSecret>(&world.root, new("Inv Name", Some("s"))).await;
    assert_refused(
        outcome,
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
         following: -/_+=.@!",
    );
    // 65,536 bytes, not characters.
    let most = "a".repeat(65_536);
    world.create("most", &most).await;
    assert_eq!(world.text("most").await, most);
    let over = "ä".repeat(32_769);
    let outcome = world.call::<ops::CreateSecret>(&world.root, new("over", Some(&over))).await;
    assert_eq!(refused(outcome).0, "InvalidParameterException");
    let mut both = new("both", Some("s"));
    both.secret_binary = Some(haechi_wire::SecretBlob(vec![1]));
    let outcome = world.call::<ops::CreateSecret>(&world.root, both).await;
    assert_refused(
        outcome,
        "InvalidParameterException",
        "You can't specify both a binary secret value and a string secret value in the same \
         secret.",
    );
}

#[tokio::test]
async fn a_request_sent_again_answers_the_same_and_another_is_refused() {
    let world = World::new().await;
    let token = "12345678-1234-1234-1234-123456789012".to_owned();
    let request = CreateSecretRequest {
        client_request_token: Some(token.clone()),
        ..new("twice", Some("s"))
    };
    let first = world.call::<ops::CreateSecret>(&world.root, request.clone()).await.unwrap();
    assert_eq!(first.version_id.as_ref(), Some(&token));
    let again = world.call::<ops::CreateSecret>(&world.root, request.clone()).await.unwrap();
    assert_eq!((&first.arn, first.version_id), (&again.arn, again.version_id));
    let other = CreateSecretRequest {
        secret_string: Some(haechi_wire::SecretString("other".to_owned())),
        ..request
    };
    let arn = again.arn.unwrap();
    assert_refused(
        world.call::<ops::CreateSecret>(&world.root, other).await,
        "ResourceExistsException",
        &format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a \
             version of secret {arn}."
        ),
    );
    let without_token = world.call::<ops::CreateSecret>(&world.root, new("twice", Some("s"))).await;
    assert_refused(
        without_token,
        "ResourceExistsException",
        "The operation failed because the secret twice already exists.",
    );
}

#[tokio::test]
async fn a_secret_without_a_value_has_no_versions_until_one_is_put() {
    let world = World::new().await;
    world.call::<ops::CreateSecret>(&world.root, new("empty", None)).await.unwrap();
    assert_eq!(world.describe("empty").await.version_ids_to_stages, None);
    assert_refused(
        world.get("empty").await,
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    );
    assert_eq!(world.put("empty", "s").await.version_stages.unwrap(), ["AWSCURRENT"]);
}

#[tokio::test]
async fn tags_and_their_limits() {
    let world = World::new().await;
    let many = |count: usize| (0..count).map(|n| tag(&format!("k{n:02}"), "v")).collect();
    let request = CreateSecretRequest { tags: Some(many(50)), ..new("tagged", None) };
    world.call::<ops::CreateSecret>(&world.root, request).await.unwrap();
    let put = |tags| {
        let input = TagResourceRequest { secret_id: "tagged".to_owned(), tags };
        world.call::<ops::TagResource>(&world.root, input)
    };
    assert_eq!(refused(put(vec![tag("one more", "")]).await).0, "LimitExceededException");
    assert_eq!(refused(put(vec![tag("aws:x", "")]).await).0, "InvalidParameterException");
    put(vec![tag("k00", "new")]).await.unwrap();
    let input = UntagResourceRequest {
        secret_id: "tagged".to_owned(),
        tag_keys: (1..50).map(|n| format!("k{n:02}")).collect(),
    };
    world.call::<ops::UntagResource>(&world.root, input).await.unwrap();
    let tags = world.describe("tagged").await.tags.unwrap();
    assert_eq!((tags.len(), tags[0].value.as_deref()), (1, Some("new")));
    // As AWS: none where there never were any, an empty list where all were taken away.
    let input =
        UntagResourceRequest { secret_id: "tagged".to_owned(), tag_keys: vec!["k00".to_owned()] };
    world.call::<ops::UntagResource>(&world.root, input).await.unwrap();
    assert_eq!(world.describe("tagged").await.tags.map(|tags| tags.len()), Some(0));
    world.create("bare", "1").await;
    assert!(world.describe("bare").await.tags.is_none());
}

#[tokio::test]
async fn a_secret_that_a_service_makes_is_changed_through_that_service_only() {
    let world = World::new().await;
    let name = "events!connection/c/1";
    let service = &*world.secrets;
    let cx = world.kit.cx::<ops::CreateSecret>(&world.root);
    let through = cx.forward(<ops::CreateSecret as Operation>::SCHEMA, "events");
    let made = Handle::<ops::CreateSecret>::handle(service, &through, new(name, Some("s"))).await;
    made.unwrap();
    let shown = world.describe(name).await;
    assert_eq!(shown.owning_service.as_deref(), Some("events"));
    let tag = shown.tags.unwrap().pop().unwrap();
    assert_eq!(tag.key.as_deref(), Some("aws:secretsmanager:owningService"));
    assert_refused(
        world.call::<ops::PutSecretValue>(&world.root, value_of(name, "other")).await,
        "InvalidRequestException",
        "The secret is managed by another service, and you must use that service to update it.",
    );
    assert_eq!(world.text(name).await, "s", "whoever may read it may");
    let deletion = DeleteSecretRequest {
        secret_id: name.to_owned(),
        force_delete_without_recovery: Some(true),
        ..DeleteSecretRequest::default()
    };
    let direct = world.call::<ops::DeleteSecret>(&world.root, deletion.clone()).await;
    assert_eq!(refused(direct).0, "InvalidRequestException");
    let through = cx.forward(<ops::DeleteSecret as Operation>::SCHEMA, "events");
    assert!(Handle::<ops::DeleteSecret>::handle(service, &through, deletion).await.is_ok());
    // A name alone makes no service an owner.
    world.call::<ops::CreateSecret>(&world.root, new("events!mine", Some("s"))).await.unwrap();
    assert_eq!(world.describe("events!mine").await.owning_service, None);
}
