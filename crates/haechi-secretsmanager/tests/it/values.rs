use haechi_core::Handle;
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_wire::{SecretBlob, SecretString};

use crate::world::*;

#[tokio::test]
async fn bytes_come_back_as_they_went_in() {
    let world = World::new().await;
    world.call::<ops::CreateSecret>(&world.root, new("b", None)).await.unwrap();
    let bytes = b"\x00\x01\x02\xff".to_vec();
    let input = PutSecretValueRequest {
        client_request_token: token(),
        secret_id: "b".to_owned(),
        secret_binary: Some(SecretBlob(bytes.clone())),
        ..Default::default()
    };
    world.call::<ops::PutSecretValue>(&world.root, input).await.unwrap();
    let read = world.get("b").await.unwrap();
    assert_eq!(read.secret_binary.unwrap().0, bytes);
    assert!(read.secret_string.is_none());
}

#[tokio::test]
async fn what_is_not_there_is_told_as_recorded() {
    let world = World::new().await;
    assert_refused(world.get("none").await, "ResourceNotFoundException", NOT_FOUND);
    let made = world.create("s", "1").await;
    let get = |version_id: Option<&str>, stage: Option<&str>| {
        let input = GetSecretValueRequest {
            secret_id: "s".to_owned(),
            version_id: version_id.map(str::to_owned),
            version_stage: stage.map(str::to_owned),
        };
        world.call::<ops::GetSecretValue>(&world.root, input)
    };
    let prefix = "Secrets Manager can't find the specified secret value for";
    let id = "00000000-0000-0000-0000-000000000000";
    let code = "ResourceNotFoundException";
    assert_refused(get(Some(id), None).await, code, &format!("{prefix} VersionId: {id}"));
    let told = format!("{prefix} staging label: AWSPENDING");
    assert_refused(get(None, Some("AWSPENDING")).await, code, &told);
    let version = made.version_id.unwrap();
    let outcome = get(Some(&version), Some("AWSPENDING")).await;
    assert_eq!(refused(outcome).0, "InvalidRequestException");
    assert!(get(Some(&version), Some("AWSCURRENT")).await.is_ok());
}

/// Recorded of every operation that takes a secret's name, and of deletions by force.
#[tokio::test]
async fn no_secret_has_a_name_that_none_can_have() {
    let world = World::new().await;
    let told = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the \
                following: -/_+=.@!";
    for name in ["Inv Name", " Inv*Name? "] {
        assert_refused(world.get(name).await, "ValidationException", told);
        let outcome = world.call::<ops::PutSecretValue>(&world.root, value_of(name, "1")).await;
        assert_refused(outcome, "ValidationException", told);
        let input = DeleteSecretRequest {
            secret_id: name.to_owned(),
            force_delete_without_recovery: Some(true),
            ..Default::default()
        };
        let outcome = world.call::<ops::DeleteSecret>(&world.root, input).await;
        assert_refused(outcome, "ValidationException", told);
    }
}

/// Recorded, also of secrets that are not there. Clients make a token where their user did not.
#[tokio::test]
async fn a_new_version_needs_a_token() {
    let world = World::new().await;
    let told = "You must provide a ClientRequestToken value. We recommend a UUID-type value.";
    let input = CreateSecretRequest { client_request_token: None, ..new("s", Some("1")) };
    let outcome = world.call::<ops::CreateSecret>(&world.root, input).await;
    assert_refused(outcome, "InvalidRequestException", told);
    let input = PutSecretValueRequest { client_request_token: None, ..value_of("s", "1") };
    let outcome = world.call::<ops::PutSecretValue>(&world.root, input).await;
    assert_refused(outcome, "InvalidRequestException", told);
    let input = UpdateSecretRequest {
        secret_id: "s".to_owned(),
        secret_string: Some(SecretString("1".to_owned())),
        ..Default::default()
    };
    let outcome = world.call::<ops::UpdateSecret>(&world.root, input).await;
    assert_refused(outcome, "InvalidRequestException", told);
    let input = RotateSecretRequest { secret_id: "s".to_owned(), ..Default::default() };
    let outcome = world.call::<ops::RotateSecret>(&world.root, input).await;
    assert_refused(outcome, "InvalidParameterException", told);
    // Without a value there is no version.
    let input = CreateSecretRequest { client_request_token: None, ..new("s", None) };
    world.call::<ops::CreateSecret>(&world.root, input).await.unwrap();
}

#[tokio::test]
async fn a_version_cannot_be_changed_but_put_again() {
    let world = World::new().await;
    world.create("s", "1").await;
    let token = "12345678-1234-1234-1234-123456789012";
    let put = |value| {
        let input = PutSecretValueRequest {
            client_request_token: Some(token.to_owned()),
            ..value_of("s", value)
        };
        world.call::<ops::PutSecretValue>(&world.root, input)
    };
    put("2").await.unwrap();
    world.put("s", "3").await;
    // The same again does not make it current again.
    let again = put("2").await.unwrap();
    assert_eq!(again.version_stages.unwrap(), ["AWSPREVIOUS"]);
    assert_eq!(world.text("s").await, "3");
    let arn = world.describe("s").await.arn.unwrap();
    let told = format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a \
         version of secret {arn}."
    );
    assert_refused(put("4").await, "ResourceExistsException", &told);
}

#[tokio::test]
async fn an_update_makes_a_version_only_with_a_value() {
    let world = World::new().await;
    world.create("s", "1").await;
    let update = |description: Option<&str>, value: Option<&str>| {
        let input = UpdateSecretRequest {
            client_request_token: token(),
            secret_id: "s".to_owned(),
            description: description.map(str::to_owned),
            secret_string: value.map(|value| haechi_wire::SecretString(value.to_owned())),
            ..Default::default()
        };
        world.call::<ops::UpdateSecret>(&world.root, input)
    };
    assert_eq!(update(Some("d"), None).await.unwrap().version_id, None);
    assert_eq!(world.describe("s").await.description.as_deref(), Some("d"));
    let version = update(None, Some("2")).await.unwrap().version_id.unwrap();
    assert_eq!(world.get("s").await.unwrap().version_id, Some(version));
    assert_eq!(world.text("s").await, "2");
}

#[tokio::test]
async fn an_access_is_told_by_its_day() {
    let world = World::new().await;
    world.create("s", "1").await;
    assert_eq!(world.describe("s").await.last_accessed_date, None);
    world.pass(3600).await;
    world.get("s").await.unwrap();
    let told = world.describe("s").await.last_accessed_date.unwrap();
    assert_eq!(told.iso8601(), "2026-01-01T00:00:00Z");
    world.pass(DAY).await;
    world.get("s").await.unwrap();
    let told = world.describe("s").await.last_accessed_date.unwrap();
    assert_eq!(told.iso8601(), "2026-01-02T00:00:00Z");
}

#[tokio::test]
async fn a_batch_answers_values_and_errors_side_by_side() {
    let world = World::new().await;
    world.create("a", "1").await;
    world.create("b", "2").await;
    let input = BatchGetSecretValueRequest {
        secret_id_list: Some(vec!["a".to_owned(), "none".to_owned(), "b".to_owned()]),
        ..Default::default()
    };
    let batch = world.call::<ops::BatchGetSecretValue>(&world.root, input).await.unwrap();
    let names: Vec<String> =
        batch.secret_values.unwrap().into_iter().map(|value| value.name.unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    let errors = batch.errors.unwrap();
    assert_eq!(errors[0].secret_id.as_deref(), Some("none"));
    assert_eq!(errors[0].error_code.as_deref(), Some("ResourceNotFoundException"));
    let neither = BatchGetSecretValueRequest::default();
    let outcome = world.call::<ops::BatchGetSecretValue>(&world.root, neither).await;
    assert_eq!(refused(outcome).0, "InvalidParameterException");
}

#[tokio::test]
async fn a_batch_by_filters_goes_page_by_page() {
    let world = World::new().await;
    for name in ["app/a", "app/b", "app/c", "other"] {
        world.pass(1).await;
        world.create(name, name).await;
    }
    let filter =
        Filter { key: Some(FilterNameStringType::Name), values: Some(vec!["app/".to_owned()]) };
    let mut input = BatchGetSecretValueRequest {
        filters: Some(vec![filter]),
        max_results: Some(2),
        ..Default::default()
    };
    let first = world.call::<ops::BatchGetSecretValue>(&world.root, input.clone()).await.unwrap();
    assert_eq!(first.secret_values.unwrap().len(), 2);
    input.next_token = first.next_token;
    let last = world.call::<ops::BatchGetSecretValue>(&world.root, input).await.unwrap();
    assert_eq!(last.secret_values.unwrap()[0].name.as_deref(), Some("app/c"));
    assert_eq!(last.next_token, None);
}

#[tokio::test]
async fn of_a_batch_each_secret_is_recorded_as_read_or_refused() {
    let world = World::new().await;
    let arn = world.create("a", "1").await.arn.unwrap();
    world.create("closed", "2").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:closed-*"},
        {"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"*",
         "Condition":{"Bool":{"aws:ViaAWSService":"true"}}}]}"#;
    let alice = world.kit.user(ACCOUNT, "alice", &[policy]);
    let cx = world.kit.cx::<ops::BatchGetSecretValue>(&alice);
    let ids = ["a", "none", "closed", "a"];
    let input = BatchGetSecretValueRequest {
        secret_id_list: Some(ids.map(str::to_owned).to_vec()),
        ..Default::default()
    };
    let answer = Handle::<ops::BatchGetSecretValue>::handle(&*world.secrets, &cx, input).await;
    assert_eq!(answer.unwrap().secret_values.unwrap().len(), 2);
    let made = cx.made();
    let made = made.iter().filter(|made| made.operation.name == "GetSecretValue");
    let told: Vec<_> = made
        .map(|made| {
            let parameters = String::from_utf8(made.parameters.clone()).unwrap();
            let code = made.problem.as_ref().map(|(code, _)| *code);
            let touched = made.resources.iter().map(|one| one.arn.clone()).collect::<Vec<_>>();
            (parameters, code, touched)
        })
        .collect();
    let parameters = |id: &str| format!(r#"{{"secretId":"{id}"}}"#);
    assert_eq!(
        told,
        [
            (parameters("a"), None, vec![arn.clone()]),
            (parameters("none"), Some("ResourceNotFoundException"), vec![]),
            (parameters("closed"), Some("AccessDenied"), vec![]),
            (parameters("a"), None, vec![arn.clone()]),
        ]
    );
    let touched: Vec<String> = cx.noted().into_iter().map(|one| one.arn).collect();
    assert_eq!(touched, [arn]);
}
