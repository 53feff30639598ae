//! Tags.

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{World, code, string};

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

async fn add(world: &World, tags: Vec<Tag>) -> &'static str {
    let resource_type = ResourceTypeForTagging::Parameter;
    let input = AddTagsToResourceRequest { resource_type, resource_id: "/a".to_owned(), tags };
    code(world.call::<ops::AddTagsToResource>(input).await)
}

async fn listed(
    world: &World,
    kind: ResourceTypeForTagging,
    id: &str,
) -> Result<Vec<Tag>, &'static str> {
    let input = ListTagsForResourceRequest { resource_type: kind, resource_id: id.to_owned() };
    match world.call::<ops::ListTagsForResource>(input).await {
        Ok(list) => Ok(list.tag_list.unwrap()),
        refused => Err(code(refused)),
    }
}

#[tokio::test]
async fn tags_are_set_replaced_and_removed() {
    let world = World::new().await;
    let input = PutParameterRequest { tags: Some(vec![tag("a", "1")]), ..string("/a", "v") };
    world.put(input).await;
    assert_eq!(add(&world, vec![tag("a", "2"), tag("b", "3")]).await, "no error");
    let shown = listed(&world, ResourceTypeForTagging::Parameter, "/a").await.unwrap();
    let shown: Vec<_> = shown.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())).collect();
    assert_eq!(shown, [("a", "2"), ("b", "3")]);
    let input = RemoveTagsFromResourceRequest {
        resource_type: ResourceTypeForTagging::Parameter,
        resource_id: "/a".to_owned(),
        tag_keys: vec!["a".to_owned(), "missing".to_owned()],
    };
    world.call::<ops::RemoveTagsFromResource>(input).await.unwrap();
    assert_eq!(listed(&world, ResourceTypeForTagging::Parameter, "/a").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_parameter_has_fifty_tags_at_most() {
    let world = World::new().await;
    world.put(string("/a", "v")).await;
    let fifty: Vec<Tag> = (0..50).map(|number| tag(&format!("t{number}"), "")).collect();
    assert_eq!(add(&world, fifty).await, "no error");
    assert_eq!(add(&world, vec![tag("t0", "again")]).await, "no error");
    assert_eq!(add(&world, vec![tag("more", "")]).await, "TooManyTagsError");
    assert_eq!(add(&world, vec![tag("aws:x", "")]).await, "ValidationException");
}

#[tokio::test]
async fn tags_of_nothing_and_of_what_is_not_here_are_told_apart() {
    let world = World::new().await;
    let missing = listed(&world, ResourceTypeForTagging::Parameter, "/no").await;
    assert_eq!(missing.err(), Some("InvalidResourceId"));
    let document = listed(&world, ResourceTypeForTagging::Document, "x").await;
    assert_eq!(document.err(), Some("UnsupportedOperation"));
}

#[tokio::test]
async fn tags_come_with_a_new_parameter_only() {
    let world = World::new().await;
    let input = PutParameterRequest {
        tags: Some(vec![tag("a", "1")]),
        overwrite: Some(true),
        ..string("/a", "v")
    };
    assert_eq!(code(world.call::<ops::PutParameter>(input).await), "ValidationException");
}
