//! Rotation against a target that the test holds in its hands.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haechi_core::{AccountId, Region};
use haechi_secretsmanager::{Credentials, RotationError, Rotator, Target, built_in_arn};
use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;
use haechi_wire::{Problem, SecretString};

use crate::world::*;

/// A server with one user.
#[derive(Default)]
struct Server {
    password: Mutex<String>,
    is_down: Mutex<bool>,
    logins: Mutex<usize>,
}

#[async_trait]
impl Rotator for Server {
    fn propose(
        &self,
        current: &Credentials,
        password: SecretString,
    ) -> Result<Credentials, RotationError> {
        current.required("username")?;
        Ok(current.clone().with("password", &password.0))
    }

    async fn set(&self, target: &Target) -> Result<(), RotationError> {
        if *self.is_down.lock().unwrap() {
            return Err(RotationError("connection refused".to_owned()));
        }
        let mut password = self.password.lock().unwrap();
        let pending = target.pending.required("password")?;
        if *password == pending {
            return Ok(());
        }
        if *password != target.current.required("password")? {
            return Err(RotationError("neither password is right".to_owned()));
        }
        pending.clone_into(&mut password);
        Ok(())
    }

    async fn test(&self, target: &Target) -> Result<(), RotationError> {
        *self.logins.lock().unwrap() += 1;
        let right = *self.password.lock().unwrap() == target.pending.required("password")?;
        right.then_some(()).ok_or_else(|| RotationError("wrong password".to_owned()))
    }
}

fn arn(name: &str) -> String {
    let (region, account) = (Region::parse("us-east-1"), AccountId::parse(ACCOUNT));
    built_in_arn(&region.unwrap(), &account.unwrap(), name)
}

async fn world(server: &Arc<Server>) -> World {
    let world = World::with(vec![("test", Arc::clone(server) as _)]).await;
    "first".clone_into(&mut server.password.lock().unwrap());
    world.create("s", r#"{"username":"app","password":"first"}"#).await;
    world
}

async fn rotate(
    world: &World,
    input: RotateSecretRequest,
) -> Result<RotateSecretResponse, Problem> {
    let input = RotateSecretRequest { secret_id: "s".to_owned(), ..input };
    let answer = world.call::<ops::RotateSecret>(&world.root, input).await?;
    world.secrets.rotate_all().await.unwrap();
    Ok(answer)
}

fn every(expression: &str) -> RotateSecretRequest {
    RotateSecretRequest {
        client_request_token: token(),
        rotation_lambda_arn: Some(arn("test")),
        rotation_rules: Some(RotationRulesType {
            schedule_expression: Some(expression.to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Lets time pass, and rotations that fall due happen.
async fn pass(world: &World, seconds: i64) {
    world.pass(seconds).await;
    world.secrets.rotate_all().await.unwrap();
}

async fn works(world: &World, server: &Server) -> bool {
    let text = world.text("s").await;
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["password"] == server.password.lock().unwrap().as_str()
}

#[tokio::test]
async fn a_rotation_ends_with_the_labels_as_recorded() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    let first = world.get("s").await.unwrap().version_id.unwrap();
    let rules = RotationRulesType { automatically_after_days: Some(1), ..Default::default() };
    let input = RotateSecretRequest { rotation_rules: Some(rules), ..every("") };
    let second = rotate(&world, input).await.unwrap().version_id.unwrap();
    let told = world.describe("s").await;
    let stages = told.version_ids_to_stages.unwrap();
    assert_eq!(
        (&*stages[&first], &*stages[&second]),
        (&["AWSPREVIOUS".to_owned()][..], &["AWSCURRENT".to_owned()][..])
    );
    assert_eq!(told.rotation_enabled, Some(true));
    assert_eq!(told.rotation_rules.unwrap().automatically_after_days, Some(1));
    assert_eq!(told.last_rotated_date.unwrap().iso8601(), "2026-01-01T00:00:00Z");
    assert_eq!(told.next_rotation_date.unwrap().iso8601(), "2026-01-02T23:59:59Z");
    assert!(works(&world, &server).await);
    // Of one millisecond, so in no order.
    let mut events = world.events().await;
    events.sort();
    assert_eq!(events, ["RotationStarted", "RotationSucceeded"]);
}

#[tokio::test]
async fn the_schedule_rotates_and_what_was_missed_is_made_up_for_once() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    let input = RotateSecretRequest { rotate_immediately: Some(false), ..every("rate(10 days)") };
    assert_eq!(rotate(&world, input).await.unwrap().version_id, None);
    assert_eq!(*server.logins.lock().unwrap(), 0);
    pass(&world, 9 * DAY).await;
    assert_eq!(*server.logins.lock().unwrap(), 0);
    pass(&world, DAY).await;
    assert_eq!(*server.logins.lock().unwrap(), 1);
    // Three windows go by while nobody serves.
    pass(&world, 35 * DAY).await;
    pass(&world, 60).await;
    assert_eq!(*server.logins.lock().unwrap(), 2);
    assert!(works(&world, &server).await);
    let next = world.describe("s").await.next_rotation_date.unwrap();
    assert_eq!(next.iso8601(), "2026-02-25T23:59:59Z");
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_again_and_the_secret_works_meanwhile() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    *server.is_down.lock().unwrap() = true;
    let version = rotate(&world, every("rate(10 days)")).await.unwrap().version_id.unwrap();
    assert!(works(&world, &server).await);
    let stages = world.describe("s").await.version_ids_to_stages.unwrap();
    assert_eq!(stages[&version], ["AWSPENDING"]);
    pass(&world, 60).await;
    *server.is_down.lock().unwrap() = false;
    pass(&world, 119).await;
    assert_eq!(*server.logins.lock().unwrap(), 0);
    pass(&world, 1).await;
    let told = world.get("s").await.unwrap();
    // The version that was begun, not another one.
    assert_eq!(told.version_id, Some(version));
    assert!(works(&world, &server).await);
    let events = world.events().await;
    assert_eq!(events.iter().filter(|name| *name == "RotationFailed").count(), 2);
    assert_eq!(events.last().unwrap(), "RotationSucceeded");
}

#[tokio::test]
async fn a_crash_between_any_two_steps_ends_with_a_secret_that_works() {
    // Before anything; after the version; after the server took it.
    for crash in 0..3 {
        let server = Arc::new(Server::default());
        let mut world = world(&server).await;
        let input = RotateSecretRequest { secret_id: "s".to_owned(), ..every("rate(10 days)") };
        let begun = world.call::<ops::RotateSecret>(&world.root, input).await.unwrap();
        let version = begun.version_id.unwrap();
        if crash > 0 {
            *server.is_down.lock().unwrap() = true;
            world.secrets.rotate_all().await.unwrap();
            *server.is_down.lock().unwrap() = false;
        }
        if crash > 1 {
            let input = GetSecretValueRequest {
                secret_id: "s".to_owned(),
                version_stage: Some("AWSPENDING".to_owned()),
                ..Default::default()
            };
            let pending = world.call::<ops::GetSecretValue>(&world.root, input).await.unwrap();
            let value: serde_json::Value =
                serde_json::from_str(&pending.secret_string.unwrap().0).unwrap();
            value["password"].as_str().unwrap().clone_into(&mut server.password.lock().unwrap());
        }
        world.restart(&[("test", Arc::clone(&server) as _)]);
        world.secrets.rotate_all().await.unwrap();
        pass(&world, 60).await;
        assert!(works(&world, &server).await, "crash {crash}");
        assert_eq!(world.get("s").await.unwrap().version_id, Some(version));
    }
}

#[tokio::test]
async fn a_value_put_by_hand_abandons_the_rotation_that_it_overtakes() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    *server.is_down.lock().unwrap() = true;
    let pending = rotate(&world, every("rate(10 days)")).await.unwrap().version_id.unwrap();
    world.put("s", r#"{"username":"app","password":"first","note":"by hand"}"#).await;
    let stages = world.describe("s").await.version_ids_to_stages.unwrap();
    assert!(!stages.contains_key(&pending), "{stages:?}");
    assert!(world.events().await.contains(&"RotationAbandoned".to_owned()));
    // The next try begins anew, with what was put by hand.
    *server.is_down.lock().unwrap() = false;
    pass(&world, 3600).await;
    assert!(works(&world, &server).await);
    assert!(world.text("s").await.contains("by hand"));
    assert_ne!(world.get("s").await.unwrap().version_id.unwrap(), pending);
}

#[tokio::test]
async fn days_count_from_the_last_rotation_or_from_a_value_put_by_hand() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    let after = |days, immediately| RotateSecretRequest {
        rotation_rules: Some(RotationRulesType {
            automatically_after_days: Some(days),
            ..Default::default()
        }),
        rotate_immediately: Some(immediately),
        ..every("")
    };
    let next = async || world.describe("s").await.next_rotation_date.unwrap().iso8601();
    rotate(&world, after(10, true)).await.unwrap();
    pass(&world, 4 * DAY).await;
    rotate(&world, after(30, false)).await.unwrap();
    assert_eq!(next().await, "2026-01-31T23:59:59Z", "of the rotation four days ago");
    rotate(&world, after(2, false)).await.unwrap();
    assert_eq!(next().await, "2026-01-06T23:59:59Z", "overdue");
    let text = world.text("s").await;
    let all_but_end = text.strip_suffix('}').unwrap();
    world.put("s", &format!(r#"{all_but_end},"note":"by hand"}}"#)).await;
    assert_eq!(next().await, "2026-01-07T23:59:59Z", "by hand");
    rotate(&world, after(2, false)).await.unwrap();
    assert_eq!(next().await, "2026-01-07T23:59:59Z", "and it is remembered");
    let logins = *server.logins.lock().unwrap();
    pass(&world, DAY).await;
    assert_eq!(*server.logins.lock().unwrap(), logins, "the job of before is gone");
    pass(&world, DAY).await;
    assert_eq!(*server.logins.lock().unwrap(), logins + 1);
    assert!(world.text("s").await.contains("by hand"));
    assert!(works(&world, &server).await);
}

#[tokio::test]
async fn a_function_is_called_only_for_who_may_call_it() {
    let world = World::new().await;
    world.create("s", "1").await;
    let policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}]}"#;
    let user = world.kit.user(ACCOUNT, "eve", &[policy]);
    let input = RotateSecretRequest {
        client_request_token: token(),
        secret_id: "s".to_owned(),
        rotation_lambda_arn: Some(format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f")),
        ..Default::default()
    };
    let (code, told) = refused(world.call::<ops::RotateSecret>(&user, input).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(told.contains("lambda:InvokeFunction"), "{told}");
}

#[tokio::test]
async fn a_cancelled_rotation_does_not_come() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    let input = RotateSecretRequest { rotate_immediately: Some(false), ..every("rate(1 day)") };
    rotate(&world, input).await.unwrap();
    let input = CancelRotateSecretRequest { secret_id: "s".to_owned() };
    world.call::<ops::CancelRotateSecret>(&world.root, input).await.unwrap();
    pass(&world, 5 * DAY).await;
    assert_eq!(*server.logins.lock().unwrap(), 0);
    let told = world.describe("s").await;
    assert_eq!((told.rotation_enabled, told.next_rotation_date), (Some(false), None));
    // The function is remembered.
    let input = RotateSecretRequest { client_request_token: token(), ..Default::default() };
    rotate(&world, input).await.unwrap();
    assert_eq!(*server.logins.lock().unwrap(), 1);
    // When it was rotated is told only of a secret that is.
    assert!(world.describe("s").await.last_rotated_date.is_some());
    let input = CancelRotateSecretRequest { secret_id: "s".to_owned() };
    world.call::<ops::CancelRotateSecret>(&world.root, input).await.unwrap();
    assert_eq!(world.describe("s").await.last_rotated_date, None);
    // A list tells it all the same (API Reference, SecretListEntry).
    let list = world.call::<ops::ListSecrets>(&world.root, ListSecretsRequest::default()).await;
    let entry = list.unwrap().secret_list.unwrap().remove(0);
    assert!(entry.last_rotated_date.is_some() && entry.next_rotation_date.is_none());
}

#[tokio::test]
async fn a_rotation_reaches_the_replicas() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    let region = ReplicaRegionType { region: Some("eu-west-1".to_owned()), kms_key_id: None };
    let input = ReplicateSecretToRegionsRequest {
        secret_id: "s".to_owned(),
        add_replica_regions: vec![region],
        ..Default::default()
    };
    world.call::<ops::ReplicateSecretToRegions>(&world.root, input).await.unwrap();
    rotate(&world, every("rate(10 days)")).await.unwrap();
    let input = GetSecretValueRequest { secret_id: "s".to_owned(), ..Default::default() };
    let replica = world.call_in::<ops::GetSecretValue>("eu-west-1", input).await.unwrap();
    assert_eq!(replica.secret_string.unwrap().0.clone(), world.text("s").await);
    let input = RotateSecretRequest {
        client_request_token: token(),
        secret_id: "s".to_owned(),
        ..Default::default()
    };
    let outcome = world.call_in::<ops::RotateSecret>("eu-west-1", input).await;
    assert_eq!(refused(outcome).0, "InvalidParameterException");
}

#[tokio::test]
async fn what_cannot_be_rotated_says_so() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    let input = RotateSecretRequest { client_request_token: token(), ..Default::default() };
    assert_refused(
        rotate(&world, input).await,
        "InvalidRequestException",
        "No Lambda rotation function ARN is associated with this secret.",
    );
    let own = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:mine");
    for unknown in [own, arn("unknown")] {
        let input = RotateSecretRequest {
            client_request_token: token(),
            rotation_lambda_arn: Some(unknown),
            ..Default::default()
        };
        assert_refused(
            rotate(&world, input).await,
            "AccessDeniedException",
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function \
             policy grants access to the principal secretsmanager.amazonaws.com.",
        );
    }
    for wrong in ["rate(3 hours)", "cron(0 8 * * * *)"] {
        assert_eq!(refused(rotate(&world, every(wrong)).await).0, "InvalidParameterException");
    }
    assert_eq!(world.describe("s").await.rotation_enabled, None);
    world.put("s", "no JSON").await;
    rotate(&world, every("rate(1 day)")).await.unwrap();
    assert!(world.events().await.contains(&"RotationFailed".to_owned()));
    let events = world.bus.0.lock().unwrap();
    assert!(events.iter().all(|event| !event.detail.to_string().contains("no JSON")));
}

#[tokio::test]
async fn what_is_told_of_a_rotation_names_the_version_that_it_works_on() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    *server.is_down.lock().unwrap() = true;
    let first = rotate(&world, every("rate(10 days)")).await.unwrap().version_id.unwrap();
    // Another token, and a try by the clock: both go on with what was begun.
    let again = rotate(&world, every("rate(10 days)")).await.unwrap();
    assert_eq!(again.version_id.as_ref(), Some(&first));
    pass(&world, 10 * DAY).await;
    assert!(world.events().await.contains(&"RotationFailed".to_owned()));
    let events = world.bus.0.lock().unwrap();
    let started: Vec<_> =
        events.iter().filter(|event| event.detail["eventName"] == "RotationStarted").collect();
    assert_eq!(started.len(), 3);
    for event in started {
        assert_eq!(event.detail["additionalEventData"]["ClientRequestToken"], first.as_str());
    }
}

#[tokio::test]
async fn a_rotation_that_is_ordered_twice_begins_once() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    let input = RotateSecretRequest { secret_id: "s".to_owned(), ..every("rate(10 days)") };
    for _ in 0..2 {
        let begun = world.call::<ops::RotateSecret>(&world.root, input.clone()).await.unwrap();
        assert_eq!(begun.version_id, input.client_request_token);
    }
    assert_eq!(world.events().await, ["RotationStarted"]);
}

#[tokio::test]
async fn rules_that_say_nothing_leave_the_schedule_and_such_without_a_future_are_refused() {
    let server = Arc::new(Server::default());
    let world = world(&server).await;
    rotate(&world, every("rate(10 days)")).await.unwrap();
    let with = |rules: RotationRulesType| RotateSecretRequest {
        client_request_token: token(),
        rotation_rules: Some(rules),
        rotate_immediately: Some(false),
        ..Default::default()
    };
    rotate(&world, with(RotationRulesType::default())).await.unwrap();
    let told = world.describe("s").await;
    assert_eq!(told.rotation_rules.unwrap().schedule_expression.as_deref(), Some("rate(10 days)"));
    assert_eq!(told.next_rotation_date.unwrap().iso8601(), "2026-01-11T23:59:59Z");
    let past = RotationRulesType {
        schedule_expression: Some("cron(0 8 1 1 ? 2020)".to_owned()),
        ..Default::default()
    };
    assert_refused(
        rotate(&world, with(past)).await,
        "InvalidParameterException",
        "The ScheduleExpression cron(0 8 1 1 ? 2020) is not valid.",
    );
    assert!(world.describe("s").await.next_rotation_date.is_some());
}
