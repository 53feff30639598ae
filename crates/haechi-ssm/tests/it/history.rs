//! Versions, labels and selectors.

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{World, code, new_value, string, words};

async fn with_versions(versions: i64) -> World {
    let world = World::new().await;
    world.put(string("/a", "1")).await;
    for version in 2..=versions {
        let put = world.put(new_value("/a", &version.to_string())).await;
        assert_eq!(put.version, Some(version));
    }
    world
}

async fn history(world: &World, limit: i32) -> Vec<Vec<ParameterHistory>> {
    let (mut pages, mut next_token) = (Vec::new(), None);
    loop {
        let input = GetParameterHistoryRequest {
            name: "/a".to_owned(),
            with_decryption: None,
            max_results: Some(limit),
            next_token,
        };
        let page = world.call::<ops::GetParameterHistory>(input).await.unwrap();
        pages.push(page.parameters.unwrap());
        next_token = page.next_token;
        if next_token.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn each_version_is_read_by_its_number() {
    let world = with_versions(3).await;
    for version in 1..=3 {
        let parameter = world.get(&format!("/a:{version}")).await.unwrap();
        assert_eq!(parameter.version, Some(version));
        assert_eq!(parameter.value.unwrap().0, version.to_string());
        assert_eq!(parameter.selector, Some(format!(":{version}")));
        assert_eq!(parameter.name.as_deref(), Some("/a"));
    }
    let missing = world.get("/a:4").await;
    assert_eq!(
        words(missing),
        "Systems Manager could not find version 4 of /a. Verify the version and try again."
    );
}

#[tokio::test]
async fn history_is_in_order_and_in_pages() {
    let world = with_versions(5).await;
    world.label("/a", 2, &["live"]).await.unwrap();
    let pages = history(&world, 2).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    let all: Vec<&ParameterHistory> = pages.iter().flatten().collect();
    assert_eq!(all.iter().map(|one| one.version.unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all[1].labels.as_deref(), Some(&["live".to_owned()][..]));
    assert_eq!(all[0].last_modified_user.as_deref(), Some("arn:aws:iam::111111111111:root"));
    assert_eq!(history(&world, 5).await.len(), 1);
}

#[tokio::test]
async fn a_label_is_on_one_version_and_moves() {
    let world = with_versions(2).await;
    assert!(world.label("/a", 1, &["live"]).await.unwrap().is_empty());
    assert_eq!(world.value("/a:live").await, "1");
    world.label("/a", 2, &["live"]).await.unwrap();
    assert_eq!(world.value("/a:live").await, "2");
    assert_eq!(world.get("/a:live").await.unwrap().selector.as_deref(), Some(":live"));
    let input = UnlabelParameterVersionRequest {
        name: "/a".to_owned(),
        parameter_version: 2,
        labels: vec!["live".to_owned(), "other".to_owned()],
    };
    let removed = world.call::<ops::UnlabelParameterVersion>(input).await.unwrap();
    assert_eq!(removed.removed_labels.unwrap(), ["live"]);
    assert_eq!(removed.invalid_labels.unwrap(), ["other"]);
    assert_eq!(code(world.get("/a:live").await), "ParameterVersionNotFound");
}

#[tokio::test]
async fn labels_that_are_none_are_named_and_the_others_set() {
    let world = with_versions(1).await;
    let refused = world.label("/a", 1, &["ok", "1st", "awsx", "a b"]).await.unwrap();
    assert_eq!(refused, ["1st", "awsx", "a b"]);
    assert_eq!(world.value("/a:ok").await, "1");
}

#[tokio::test]
async fn a_version_has_ten_labels_at_most() {
    let world = with_versions(2).await;
    let names: Vec<String> = (0..10).map(|number| format!("l{number}")).collect();
    let labels: Vec<&str> = names.iter().map(String::as_str).collect();
    world.label("/a", 1, &labels).await.unwrap();
    assert_eq!(code(world.label("/a", 1, &["more"]).await), "ParameterVersionLabelLimitExceeded");
    // One that is there already takes no place.
    world.label("/a", 1, &["l3"]).await.unwrap();
    world.label("/a", 2, &["more"]).await.unwrap();
}

#[tokio::test]
async fn the_oldest_of_a_hundred_versions_goes_unless_it_has_a_label() {
    let world = with_versions(100).await;
    world.label("/a", 2, &["keep"]).await.unwrap();
    assert_eq!(world.value("/a:1").await, "1");
    world.put(new_value("/a", "101")).await;
    assert_eq!(code(world.get("/a:1").await), "ParameterVersionNotFound");
    assert_eq!(history(&world, 50).await.iter().map(Vec::len).sum::<usize>(), 100);
    let refused = world.call::<ops::PutParameter>(new_value("/a", "102")).await;
    assert!(words(refused).contains("Version 2, the oldest version, can't be deleted"));
    let refused = world.call::<ops::PutParameter>(new_value("/a", "102")).await;
    assert_eq!(code(refused), "ParameterMaxVersionLimitExceeded");
    world.label("/a", 101, &["keep"]).await.unwrap();
    assert_eq!(world.put(new_value("/a", "102")).await.version, Some(102));
    world.delete("/a").await.unwrap();
    assert_eq!(code(world.get("/a").await), "ParameterNotFound");
}
