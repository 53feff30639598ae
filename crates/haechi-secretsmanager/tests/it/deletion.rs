use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

async fn delete(
    world: &World,
    days: Option<i64>,
    force: Option<bool>,
) -> Result<DeleteSecretResponse, haechi_wire::Problem> {
    let input = DeleteSecretRequest {
        secret_id: "s".to_owned(),
        recovery_window_in_days: days,
        force_delete_without_recovery: force,
    };
    world.call::<ops::DeleteSecret>(&world.root, input).await
}

#[tokio::test]
async fn the_recovery_window_is_seven_to_thirty_days() {
    let world = World::new().await;
    world.create("s", "1").await;
    let code = "InvalidParameterException";
    let told = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).";
    for days in [0, 6, 31] {
        assert_refused(delete(&world, Some(days), None).await, code, told);
    }
    assert_refused(
        delete(&world, Some(7), Some(true)).await,
        code,
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    );
    let date = delete(&world, None, None).await.unwrap().deletion_date.unwrap();
    assert_eq!(date.iso8601(), "2026-01-31T00:00:00Z");
}

#[tokio::test]
async fn until_it_is_gone_a_secret_is_beyond_use_and_can_be_restored() {
    let world = World::new().await;
    world.create("s", "1").await;
    world.delete("s", 7).await;
    let code = "InvalidRequestException";
    assert_refused(world.get("s").await, code, MARKED);
    let put = world.call::<ops::PutSecretValue>(&world.root, value_of("s", "2")).await;
    assert_refused(put, code, MARKED);
    let tag = TagResourceRequest { secret_id: "s".to_owned(), tags: vec![tag("a", "b")] };
    assert_refused(world.call::<ops::TagResource>(&world.root, tag).await, code, MARKED);
    let policy = GetResourcePolicyRequest { secret_id: "s".to_owned(), policy_name: None };
    assert_refused(world.call::<ops::GetResourcePolicy>(&world.root, policy).await, code, MARKED);
    assert_refused(
        world.call::<ops::CreateSecret>(&world.root, new("s", Some("2"))).await,
        code,
        "You can't create this secret because a secret with this name is already scheduled for \
         deletion.",
    );
    assert!(world.describe("s").await.deleted_date.is_some());
    world.pass(7 * DAY - 1).await;
    let input = RestoreSecretRequest { secret_id: "s".to_owned() };
    world.call::<ops::RestoreSecret>(&world.root, input).await.unwrap();
    world.pass(30 * DAY).await;
    assert_eq!(world.text("s").await, "1");
    assert_eq!(world.describe("s").await.deleted_date, None);
}

#[tokio::test]
async fn at_its_date_it_is_gone_and_its_name_is_free() {
    let world = World::new().await;
    let first = world.create("s", "1").await;
    world.delete("s", 7).await;
    world.pass(7 * DAY).await;
    assert_refused(world.get("s").await, "ResourceNotFoundException", NOT_FOUND);
    let second = world.create("s", "2").await;
    assert_ne!(first.arn, second.arn);
    let old = first.arn.unwrap();
    assert_refused(world.get(&old).await, "ResourceNotFoundException", NOT_FOUND);
}

#[tokio::test]
async fn by_force_it_is_gone_at_once_also_while_it_waits() {
    let world = World::new().await;
    for waiting in [false, true] {
        world.create("s", "1").await;
        if waiting {
            world.delete("s", 30).await;
        }
        delete(&world, None, Some(true)).await.unwrap();
        assert_refused(world.get("s").await, "ResourceNotFoundException", NOT_FOUND);
        // AWS answers as if there had been one.
        let told = delete(&world, None, Some(true)).await.unwrap();
        assert!(told.deletion_date.is_some());
        assert_eq!(told.name.as_deref(), Some("s"));
        let arn = told.arn.unwrap();
        let (known, end) = arn.rsplit_once('-').unwrap();
        assert_eq!(known, "arn:aws:secretsmanager:us-east-1:111111111111:secret:s");
        assert_eq!(end.len(), 6);
        let outcome = delete(&world, Some(7), None).await;
        assert_refused(outcome, "ResourceNotFoundException", NOT_FOUND);
    }
    world.create("s", "2").await;
    // The job of the secret that is gone does nothing to its successor.
    world.pass(31 * DAY).await;
    assert_eq!(world.text("s").await, "2");
}

/// The versions that each event told of, in the order of the events.
async fn told(world: &World) -> Vec<(String, Vec<String>)> {
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for name in world.events().await {
        if told.last().is_none_or(|(last, _)| *last != name) {
            told.push((name, Vec::new()));
        }
    }
    let events = world.bus.0.lock().unwrap();
    for (name, versions) in &mut told {
        let of_name = events.iter().filter(|event| event.detail["eventName"] == name.as_str());
        for event in of_name {
            assert_eq!(event.detail_type, "AWS Service Event via CloudTrail");
            let version = &event.detail["additionalEventData"]["SecretVersionId"];
            versions.push(version.as_str().unwrap().to_owned());
        }
        versions.sort();
    }
    told
}

#[tokio::test]
async fn what_becomes_of_each_version_is_told() {
    let world = World::new().await;
    let mut versions = vec![world.create("s", "1").await.version_id.unwrap()];
    versions.push(world.put("s", "2").await.version_id.unwrap());
    versions.sort();
    world.delete("s", 7).await;
    let started = ("StartSecretVersionDelete".to_owned(), versions.clone());
    assert_eq!(told(&world).await, std::slice::from_ref(&started));
    world.kit.clock.advance(DAY);
    let restore = RestoreSecretRequest { secret_id: "s".to_owned() };
    world.call::<ops::RestoreSecret>(&world.root, restore.clone()).await.unwrap();
    // Of a secret that does not wait there is nothing to tell.
    world.call::<ops::RestoreSecret>(&world.root, restore).await.unwrap();
    let cancelled = ("CancelSecretVersionDelete".to_owned(), versions.clone());
    assert_eq!(told(&world).await, [started.clone(), cancelled]);
    world.bus.0.lock().unwrap().clear();
    world.delete("s", 7).await;
    assert_eq!(told(&world).await, std::slice::from_ref(&started));
    world.pass(7 * DAY).await;
    let ended = ("EndSecretVersionDelete".to_owned(), versions);
    assert_eq!(told(&world).await, [started, ended]);
}

#[tokio::test]
async fn of_a_secret_deleted_by_force_beginning_and_end_are_told_once() {
    let world = World::new().await;
    for waiting in [false, true] {
        world.bus.0.lock().unwrap().clear();
        let version = world.create("s", "1").await.version_id.unwrap();
        if waiting {
            world.delete("s", 7).await;
            world.pass(1).await;
        }
        delete(&world, None, Some(true)).await.unwrap();
        let mut told = told(&world).await;
        told.sort();
        let expected = ["EndSecretVersionDelete", "StartSecretVersionDelete"]
            .map(|name| (name.to_owned(), vec![version.clone()]));
        assert_eq!(told, expected, "waiting: {waiting}");
    }
}

#[tokio::test]
async fn a_hundred_versions_are_told_of_one_by_one() {
    let world = World::new().await;
    world.create("s", "1").await;
    for number in 1..100 {
        world.put("s", &number.to_string()).await;
    }
    world.delete("s", 7).await;
    world.kit.jobs.run_due().await.unwrap();
    let told = told(&world).await;
    assert_eq!((told.len(), told[0].1.len()), (1, 100));
}
