//! Parameter policies under a clock that moves.

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{World, code, new_value, string};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Ten days after the clock's beginning.
const EXPIRES: &str = r#"{"Type":"Expiration","Version":"1.0","Attributes":{"Timestamp":"2026-01-11T00:00:00.000Z"}}"#;
const NOTIFIES: &str = r#"{"Type":"ExpirationNotification","Version":"1.0","Attributes":{"Before":"2","Unit":"Days"}}"#;
const UNCHANGED: &str =
    r#"{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"12","Unit":"Hours"}}"#;

fn with(policies: &[&str], input: PutParameterRequest) -> PutParameterRequest {
    PutParameterRequest {
        tier: Some(ParameterTier::Advanced),
        policies: Some(format!("[{}]", policies.join(","))),
        ..input
    }
}

async fn actions(world: &World) -> Vec<String> {
    let events = world.events().await.into_iter();
    let actions = events.filter(|event| event.detail_type == "Parameter Store Policy Action");
    actions.map(|event| event.detail["policy-type"].as_str().unwrap().to_owned()).collect()
}

async fn statuses(world: &World) -> Vec<String> {
    let page = world.call::<ops::DescribeParameters>(Default::default()).await.unwrap();
    let parameter = page.parameters.unwrap().remove(0);
    parameter.policies.unwrap().into_iter().map(|policy| policy.policy_status.unwrap()).collect()
}

#[tokio::test]
async fn an_expired_parameter_is_deleted_at_its_time() {
    let world = World::new().await;
    world.put(with(&[EXPIRES], string("/a", "1"))).await;
    world.put(new_value("/a", "2")).await;
    world.events().await;
    world.kit.clock.advance(10 * DAY - 1);
    assert!(world.events().await.is_empty());
    assert_eq!(world.value("/a").await, "2");
    world.kit.clock.advance(1);
    let events = world.events().await;
    assert_eq!(code(world.get("/a").await), "ParameterNotFound");
    let kinds: Vec<&str> = events.iter().map(|event| event.detail_type.as_str()).collect();
    assert_eq!(kinds.len(), 2);
    assert!(kinds.contains(&"Parameter Store Change"));
    assert!(kinds.contains(&"Parameter Store Policy Action"));
    // Its name is free.
    assert_eq!(world.put(string("/a", "3")).await.version, Some(1));
}

#[tokio::test]
async fn an_expiration_is_announced_once() {
    let world = World::new().await;
    world.put(with(&[NOTIFIES, EXPIRES], string("/a", "1"))).await;
    world.events().await;
    world.kit.clock.advance(8 * DAY - 1);
    assert!(actions(&world).await.is_empty());
    assert_eq!(statuses(&world).await, ["Pending", "Pending"]);
    world.kit.clock.advance(1);
    assert_eq!(actions(&world).await, ["ExpirationNotification"]);
    assert_eq!(statuses(&world).await, ["Finished", "Pending"]);
    world.kit.clock.advance(DAY);
    assert!(actions(&world).await.is_empty());
    world.kit.clock.advance(DAY);
    assert_eq!(actions(&world).await, ["Expiration"]);
}

#[tokio::test]
async fn what_does_not_change_is_told_once_and_again_after_the_next_change() {
    let world = World::new().await;
    world.put(with(&[UNCHANGED], string("/a", "1"))).await;
    world.kit.clock.advance(11 * HOUR);
    world.put(new_value("/a", "2")).await;
    world.events().await;
    // The wait began anew.
    world.kit.clock.advance(11 * HOUR);
    assert!(actions(&world).await.is_empty());
    world.kit.clock.advance(HOUR);
    let events = world.events().await;
    assert_eq!(events.len(), 1);
    let detail = &events[0].detail;
    assert_eq!(detail["policy-type"], "NoChangeNotification");
    assert_eq!(detail["parameter-name"], "/a");
    assert_eq!(detail["parameter-type"], "String");
    assert_eq!(detail["policy-content"], UNCHANGED);
    assert_eq!(detail["action-status"], "Success");
    assert_eq!(events[0].resources, ["arn:aws:ssm:us-east-1:111111111111:parameter/a"]);
    world.kit.clock.advance(3 * DAY);
    assert!(actions(&world).await.is_empty());
    world.put(new_value("/a", "3")).await;
    assert_eq!(statuses(&world).await, ["Pending"]);
    world.kit.clock.advance(12 * HOUR);
    assert_eq!(actions(&world).await, ["NoChangeNotification"]);
}

#[tokio::test]
async fn several_policies_hold_at_once_and_are_caught_up_with() {
    let world = World::new().await;
    world.put(with(&[EXPIRES, NOTIFIES, UNCHANGED], string("/a", "1"))).await;
    // As if haechi had been down all the while.
    world.kit.clock.advance(30 * DAY);
    // In the order of their times, whichever job comes first.
    assert_eq!(
        actions(&world).await,
        ["NoChangeNotification", "ExpirationNotification", "Expiration"]
    );
    assert_eq!(code(world.get("/a").await), "ParameterNotFound");
}

#[tokio::test]
async fn what_would_have_come_after_the_end_of_a_parameter_is_not_told_after_downtime() {
    let later = UNCHANGED.replace("12", "264");
    // Jobs have random ids, so that by chance alone all of these would hardly be in order.
    let world = World::new().await;
    for number in 0..12 {
        world.put(with(&[&later, EXPIRES], string(&format!("/p/{number}"), "1"))).await;
    }
    world.kit.clock.advance(30 * DAY);
    let all = actions(&world).await;
    assert!(all.len() == 12 && all.iter().all(|kind| kind == "Expiration"), "{all:?}");
    let (left, _) = world
        .by_path(GetParametersByPathRequest { path: "/p".to_owned(), ..Default::default() })
        .await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn policies_stay_until_others_or_none_are_sent() {
    let world = World::new().await;
    world.put(with(&[EXPIRES], string("/a", "1"))).await;
    world.put(new_value("/a", "2")).await;
    assert_eq!(statuses(&world).await.len(), 1);
    world.put(with(&["{}"], new_value("/a", "3"))).await;
    assert!(statuses(&world).await.is_empty());
    world.kit.clock.advance(30 * DAY);
    assert_eq!(world.value("/a").await, "3");
    assert!(actions(&world).await.is_empty());
}

#[tokio::test]
async fn a_policy_of_a_parameter_that_is_gone_does_nothing_to_its_successor() {
    let world = World::new().await;
    world.put(with(&[EXPIRES], string("/a", "1"))).await;
    world.delete("/a").await.unwrap();
    world.put(string("/a", "2")).await;
    world.kit.clock.advance(30 * DAY);
    world.events().await;
    assert_eq!(world.value("/a").await, "2");
}

#[tokio::test]
async fn a_parameter_of_many_versions_expires_with_all_of_them() {
    let world = World::new().await;
    // As many policies as there may be, which fall due together.
    let policies = [&[UNCHANGED; 9][..], &[EXPIRES]].concat();
    world.put(with(&policies, string("/a", "1"))).await;
    for version in 2..=100 {
        world.put(new_value("/a", &version.to_string())).await;
    }
    world.kit.clock.advance(30 * DAY);
    world.events().await;
    assert_eq!(code(world.get("/a").await), "ParameterNotFound");
    let left = world.kit.database.store().range(haechi_store::Range::prefix("/ssm/"), 0, None);
    let left = left.await.unwrap().kvs;
    let left: Vec<String> =
        left.iter().map(|kv| String::from_utf8_lossy(kv.key.as_bytes()).into_owned()).collect();
    // Only the count of parameters.
    assert!(left.iter().all(|key| key.contains("/count/")), "{left:?}");
}

#[tokio::test]
async fn policies_need_the_advanced_tier() {
    let world = World::new().await;
    let standard = PutParameterRequest {
        tier: Some(ParameterTier::Standard),
        ..with(&[EXPIRES], string("/a", "1"))
    };
    assert_eq!(code(world.call::<ops::PutParameter>(standard).await), "ValidationException");
    let chosen = PutParameterRequest {
        tier: Some(ParameterTier::IntelligentTiering),
        ..with(&[EXPIRES], string("/a", "1"))
    };
    assert_eq!(world.put(chosen).await.tier, Some(ParameterTier::Advanced));
}
