//! What is known of a key's use.

use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

async fn last(world: &World, key_id: &str) -> GetKeyLastUsageResponse {
    let input = GetKeyLastUsageRequest { key_id: key_id.to_owned() };
    world.call::<ops::GetKeyLastUsage>(&world.root, input).await.unwrap()
}

#[tokio::test]
async fn the_last_successful_use_is_known_at_once_and_after_a_flush() {
    let world = World::new().await;
    let key = world.key().await;
    let unused = last(&world, &key.key_id).await;
    assert!(unused.key_last_usage.unwrap().operation.is_none());
    assert_eq!(unused.key_creation_date, key.creation_date);

    let blob = world.encrypt(&world.root, &key.key_id).await.unwrap();
    world.kit.clock.advance(60);
    world.decrypt(&world.root, &blob).await.unwrap();
    // Neither of these is a successful use.
    let dry = EncryptRequest { dry_run: Some(true), ..plain(&key.key_id) };
    assert!(world.call::<ops::Encrypt>(&world.root, dry).await.is_err());
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    assert!(world.encrypt(&nobody, &key.key_id).await.is_err());
    for flush in [false, true] {
        if flush {
            world.kms.flush_usage().await.unwrap();
        }
        let usage = last(&world, &key.key_id).await.key_last_usage.unwrap();
        assert!(usage.operation == Some(KeyLastUsageTrackingOperation::Decrypt));
        assert_eq!(usage.timestamp.unwrap().millis(), key.creation_date.unwrap().millis() + 60_000);
        assert!(usage.cloud_trail_event_id.is_some() && usage.kms_request_id.is_some());
    }
}

#[tokio::test]
async fn requests_are_counted_by_operation_through_flushes_and_go_with_the_key() {
    let world = World::new().await;
    let key = world.key().await.key_id;
    for round in 1..=3 {
        for _ in 0..2 {
            let blob = world.encrypt(&world.root, &key).await.unwrap();
            world.decrypt(&world.root, &blob).await.unwrap();
        }
        world.kms.flush_usage().await.unwrap();
        let usage = world.kms.usage().await.unwrap();
        assert_eq!(usage.len(), 1);
        assert_eq!((usage[0].account.as_str(), &usage[0].key_id), (ACCOUNT, &key));
        let counts: Vec<(&str, u64)> =
            usage[0].counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(counts, [("Decrypt", 2 * round), ("Encrypt", 2 * round)]);
    }
    world.encrypt(&world.root, &key).await.unwrap();
    world.schedule_deletion(&key, 7).await;
    world.pass_days(8).await;
    world.kms.flush_usage().await.unwrap();
    assert!(world.kms.usage().await.unwrap().is_empty());
}
