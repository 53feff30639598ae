use haechi_secretsmanager_model::ops;
use haechi_secretsmanager_model::shapes::*;

use crate::world::*;

async fn list(world: &World, input: ListSecretsRequest) -> (Vec<String>, Option<String>) {
    let listed = world.call::<ops::ListSecrets>(&world.root, input).await.unwrap();
    let names = listed.secret_list.unwrap().into_iter().map(|entry| entry.name.unwrap());
    (names.collect(), listed.next_token)
}

async fn by(world: &World, key: FilterNameStringType, values: &[&str]) -> Vec<String> {
    let filter = Filter {
        key: Some(key),
        values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
    };
    list(world, ListSecretsRequest { filters: Some(vec![filter]), ..Default::default() }).await.0
}

async fn several(world: &World) {
    for (name, description, team) in
        [("prod/b", "The Database", "red"), ("prod/a", "cache", "blue"), ("test/b", "db", "red")]
    {
        world.pass(1).await;
        let input = CreateSecretRequest {
            description: Some(description.to_owned()),
            tags: Some(vec![tag("Team", team)]),
            ..new(name, Some("1"))
        };
        world.call::<ops::CreateSecret>(&world.root, input).await.unwrap();
    }
}

#[tokio::test]
async fn filters_match_beginnings_one_value_of_each_and_not_what_is_turned_round() {
    use FilterNameStringType as Key;
    let world = World::new().await;
    several(&world).await;
    assert_eq!(by(&world, Key::Name, &["prod/"]).await, ["prod/b", "prod/a"]);
    assert!(by(&world, Key::Name, &["Prod/"]).await.is_empty());
    assert_eq!(by(&world, Key::Name, &["prod/a", "test"]).await, ["prod/a", "test/b"]);
    assert_eq!(by(&world, Key::Name, &["!prod/"]).await, ["test/b"]);
    assert_eq!(by(&world, Key::Description, &["the d"]).await, ["prod/b"]);
    assert_eq!(by(&world, Key::TagValue, &["blu"]).await, ["prod/a"]);
    assert_eq!(by(&world, Key::TagKey, &["Te"]).await.len(), 3);
    assert_eq!(by(&world, Key::All, &["RED database"]).await, ["prod/b"]);
    assert!(by(&world, Key::OwningService, &["rds"]).await.is_empty());
    let two = [(Key::Name, "prod/"), (Key::TagValue, "red")]
        .map(|(key, value)| Filter { key: Some(key), values: Some(vec![value.to_owned()]) });
    let input = ListSecretsRequest { filters: Some(two.to_vec()), ..Default::default() };
    assert_eq!(list(&world, input).await.0, ["prod/b"]);
}

#[tokio::test]
async fn they_are_listed_in_every_order() {
    let world = World::new().await;
    several(&world).await;
    world.pass(DAY).await;
    world.get("prod/a").await.unwrap();
    world.put("prod/b", "2").await;
    let ordered = async |by, order| {
        let input =
            ListSecretsRequest { sort_by: by, sort_order: order, ..ListSecretsRequest::default() };
        list(&world, input).await.0.join(" ")
    };
    use {SortByType as By, SortOrderType as Order};
    let desc = Some(Order::Desc);
    assert_eq!(ordered(None, None).await, "prod/b prod/a test/b");
    assert_eq!(ordered(None, desc).await, "test/b prod/a prod/b");
    assert_eq!(ordered(Some(By::Name), None).await, "prod/a prod/b test/b");
    assert_eq!(ordered(Some(By::Name), desc).await, "test/b prod/b prod/a");
    assert_eq!(ordered(Some(By::LastChangedDate), desc).await, "prod/b test/b prod/a");
    assert!(ordered(Some(By::LastAccessedDate), desc).await.starts_with("prod/a"));
}

#[tokio::test]
async fn pages_follow_each_other_in_every_order_without_gap_or_repetition() {
    let world = World::new().await;
    for n in 0..45 {
        world.create(&format!("s{n:02}"), "1").await;
    }
    for sort_by in [None, Some(SortByType::Name)] {
        for sort_order in [Some(SortOrderType::Asc), Some(SortOrderType::Desc)] {
            let (mut all, mut token) = (Vec::new(), None);
            loop {
                let input = ListSecretsRequest {
                    max_results: Some(10),
                    sort_by,
                    sort_order,
                    next_token: token,
                    ..Default::default()
                };
                let (names, next) = list(&world, input).await;
                assert!(names.len() <= 10);
                all.extend(names);
                token = next;
                if token.is_none() {
                    break;
                }
            }
            assert_eq!(all.len(), 45);
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 45);
        }
    }
    let input = ListSecretsRequest { next_token: Some("wrong".to_owned()), ..Default::default() };
    let outcome = world.call::<ops::ListSecrets>(&world.root, input).await;
    assert_eq!(refused(outcome).0, "InvalidNextTokenException");
}

#[tokio::test]
async fn what_waits_for_its_deletion_is_listed_on_request() {
    let world = World::new().await;
    world.create("a", "1").await;
    world.create("b", "1").await;
    world.delete("a", 7).await;
    assert_eq!(list(&world, ListSecretsRequest::default()).await.0, ["b"]);
    let input = ListSecretsRequest { include_planned_deletion: Some(true), ..Default::default() };
    assert_eq!(list(&world, input).await.0.len(), 2);
}

#[tokio::test]
async fn accounts_and_regions_do_not_see_each_other() {
    let world = World::new().await;
    world.create("a", "1").await;
    let other = world.kit.root(OTHER);
    let listed = world.call::<ops::ListSecrets>(&other, ListSecretsRequest::default()).await;
    assert!(listed.unwrap().secret_list.unwrap().is_empty());
    let listed = world.call_in::<ops::ListSecrets>("eu-west-1", ListSecretsRequest::default());
    assert!(listed.await.unwrap().secret_list.unwrap().is_empty());
}
