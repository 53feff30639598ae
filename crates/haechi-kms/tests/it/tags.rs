use haechi_kms_model::ops;
use haechi_kms_model::shapes::*;

use crate::world::*;

fn tag(key: &str, value: &str) -> Tag {
    Tag { tag_key: key.to_owned(), tag_value: value.to_owned() }
}

async fn put(world: &World, key_id: &str, tags: Vec<Tag>) -> Result<(), haechi_wire::Problem> {
    let input = TagResourceRequest { key_id: key_id.to_owned(), tags };
    world.call::<ops::TagResource>(&world.root, input).await.map(|_| ())
}

async fn list(world: &World, key_id: &str) -> Vec<(String, String)> {
    let input = ListResourceTagsRequest { key_id: key_id.to_owned(), ..Default::default() };
    let output = world.call::<ops::ListResourceTags>(&world.root, input).await.unwrap();
    output.tags.unwrap().into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn tags_merge_and_go() {
    let world = World::new().await;
    let tags = Some(vec![tag("a", "1")]);
    let key = world.key_with(CreateKeyRequest { tags, ..Default::default() }).await;
    put(&world, &key.key_id, vec![tag("b", "2"), tag("a", "3")]).await.unwrap();
    assert_eq!(list(&world, &key.key_id).await, pairs(&[("a", "3"), ("b", "2")]));
    let input = UntagResourceRequest {
        key_id: key.key_id.clone(),
        tag_keys: vec!["a".to_owned(), "never".to_owned()],
    };
    world.call::<ops::UntagResource>(&world.root, input).await.unwrap();
    assert_eq!(list(&world, &key.key_id).await, pairs(&[("b", "2")]));
}

#[tokio::test]
async fn the_prefix_of_aws_and_doubles_are_refused() {
    let world = World::new().await;
    let key = world.key().await;
    for name in ["aws:x", "AWS:x"] {
        assert_refused(
            put(&world, &key.key_id, vec![tag(name, "1")]).await,
            "TagException",
            "Tags beginning with aws: are reserved",
        );
    }
    for strange in [tag("x*", "1"), tag("x", "My & My Team")] {
        let outcome = put(&world, &key.key_id, vec![strange]).await;
        assert_refused(outcome, "TagException", "Invalid tag");
    }
    let outcome = put(&world, &key.key_id, vec![tag("a", "1"), tag("a", "2")]).await;
    assert_refused(outcome, "TagException", "Duplicate tag keys");
    assert!(list(&world, &key.key_id).await.is_empty());
}

#[tokio::test]
async fn a_key_has_fifty_tags_at_the_most() {
    let world = World::new().await;
    let key = world.key().await;
    let many = |range: std::ops::Range<i32>| range.map(|n| tag(&format!("k{n}"), "v")).collect();
    let outcome = put(&world, &key.key_id, many(0..51)).await;
    assert_refused(outcome, "TagException", "Too many tags");
    put(&world, &key.key_id, many(0..50)).await.unwrap();
    put(&world, &key.key_id, many(0..50)).await.unwrap();
    let outcome = put(&world, &key.key_id, many(50..51)).await;
    assert_eq!(refused(outcome).0, "LimitExceededException");
    assert_eq!(list(&world, &key.key_id).await.len(), 50);
}

#[tokio::test]
async fn they_are_listed_page_by_page() {
    let world = World::new().await;
    let key = world.key().await;
    put(&world, &key.key_id, vec![tag("a", ""), tag("b", ""), tag("c", "")]).await.unwrap();
    let input =
        ListResourceTagsRequest { key_id: key.key_id.clone(), limit: Some(2), marker: None };
    let first = world.call::<ops::ListResourceTags>(&world.root, input).await.unwrap();
    assert_eq!((first.tags.unwrap().len(), first.truncated), (2, Some(true)));
    let input =
        ListResourceTagsRequest { key_id: key.key_id, limit: Some(2), marker: first.next_marker };
    let last = world.call::<ops::ListResourceTags>(&world.root, input).await.unwrap();
    assert_eq!((last.truncated, last.next_marker), (Some(false), None));
    assert_eq!(last.tags.unwrap()[0].tag_key, "c");
}

#[tokio::test]
async fn a_policy_can_ask_for_the_tags_of_the_key() {
    let world = World::new().await;
    let key = world.key().await;
    let user = world.kit.user(
        ACCOUNT,
        "red",
        &[r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:Encrypt",
            "Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"red"}}}]}"#],
    );
    assert_eq!(refused(world.encrypt(&user, &key.key_id).await).0, "AccessDeniedException");
    put(&world, &key.key_id, vec![tag("Team", "red")]).await.unwrap();
    assert!(world.encrypt(&user, &key.key_id).await.is_ok());
}

#[tokio::test]
async fn a_page_of_more_than_fifty_and_a_marker_of_another_key_are_refused() {
    let world = World::new().await;
    let (key, other) = (world.key().await, world.key().await);
    for id in [&key.key_id, &other.key_id] {
        put(&world, id, vec![tag("a", ""), tag("b", "")]).await.unwrap();
    }
    let input = |key: &KeyMetadata, limit, marker: &Option<String>| ListResourceTagsRequest {
        key_id: key.key_id.clone(),
        limit: Some(limit),
        marker: marker.clone(),
    };
    let root = &world.root;
    let outcome = world.call::<ops::ListResourceTags>(root, input(&key, 51, &None)).await;
    assert_eq!(refused(outcome).0, "ValidationException");
    let first = world.call::<ops::ListResourceTags>(root, input(&key, 1, &None)).await.unwrap();
    let marker = first.next_marker;
    assert!(world.call::<ops::ListResourceTags>(root, input(&key, 50, &marker)).await.is_ok());
    let outcome = world.call::<ops::ListResourceTags>(root, input(&other, 1, &marker)).await;
    assert_refused(outcome, "InvalidMarkerException", "The marker is not valid.");
    let elsewhere = ListKeysRequest { marker, ..ListKeysRequest::default() };
    let outcome = world.call::<ops::ListKeys>(root, elsewhere).await;
    assert_eq!(refused(outcome).0, "InvalidMarkerException");
}
