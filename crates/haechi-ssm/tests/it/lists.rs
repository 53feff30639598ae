//! Paths and lists: what they find, and in which pages.

use std::collections::BTreeSet;

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{ACCOUNT, OTHER, World, code, new_value, secure, string};

async fn tree() -> World {
    let world = World::new().await;
    for name in ["/a/1", "/a/2", "/a/b/1", "/a/b/c/1", "/ab/1", "top"] {
        world.put(string(name, "v")).await;
    }
    world.put(secure("/a/secret", "v")).await;
    world
}

fn path(path: &str, recursive: bool) -> GetParametersByPathRequest {
    GetParametersByPathRequest {
        path: path.to_owned(),
        recursive: Some(recursive),
        ..Default::default()
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn all(world: &World, mut input: GetParametersByPathRequest) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    loop {
        let (names, next) = world.by_path(input.clone()).await;
        let before = found.len() + names.len();
        found.extend(names);
        assert_eq!(found.len(), before, "nothing is shown twice");
        input.next_token = next;
        if input.next_token.is_none() {
            return found;
        }
    }
}

fn filter(key: &str, option: Option<&str>, values: &[&str]) -> ParameterStringFilter {
    ParameterStringFilter {
        key: key.to_owned(),
        option: option.map(str::to_owned),
        values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
    }
}

async fn described(world: &World, filters: Vec<ParameterStringFilter>) -> BTreeSet<String> {
    let mut input = DescribeParametersRequest {
        parameter_filters: Some(filters),
        max_results: Some(2),
        ..Default::default()
    };
    let mut found = BTreeSet::new();
    loop {
        let page = world.call::<ops::DescribeParameters>(input.clone()).await.unwrap();
        let parameters = page.parameters.unwrap();
        assert!(parameters.len() <= 2);
        for parameter in parameters {
            assert!(found.insert(parameter.name.unwrap()), "nothing is shown twice");
        }
        input.next_token = page.next_token;
        if input.next_token.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn a_path_is_one_level_unless_asked_for_all() {
    let world = tree().await;
    assert_eq!(all(&world, path("/a", false)).await, set(&["/a/1", "/a/2", "/a/secret"]));
    let below = set(&["/a/1", "/a/2", "/a/secret", "/a/b/1", "/a/b/c/1"]);
    assert_eq!(all(&world, path("/a/", true)).await, below);
    assert_eq!(all(&world, path("/", false)).await, set(&["top"]));
    assert_eq!(all(&world, path("/", true)).await.len(), 7);
    assert!(all(&world, path("/nowhere", true)).await.is_empty());
    // The last level of a name is no path.
    assert!(all(&world, path("/a/1", true)).await.is_empty());
}

#[tokio::test]
async fn a_path_comes_in_pages_of_ten_and_the_last_has_no_token() {
    let world = World::new().await;
    for number in 0..20 {
        world.put(string(&format!("/p/{number}"), "v")).await;
    }
    let (first, next) = world.by_path(path("/p", true)).await;
    assert_eq!(first.len(), 10);
    let (second, end) =
        world.by_path(GetParametersByPathRequest { next_token: next, ..path("/p", true) }).await;
    assert_eq!((second.len(), end), (10, None));
    let by_three = GetParametersByPathRequest { max_results: Some(3), ..path("/p", true) };
    assert_eq!(all(&world, by_three).await.len(), 20);
    let broken =
        GetParametersByPathRequest { next_token: Some("?".to_owned()), ..path("/p", true) };
    assert_eq!(code(world.call::<ops::GetParametersByPath>(broken).await), "InvalidNextToken");
}

#[tokio::test]
async fn a_path_is_narrowed_by_type_key_and_label() {
    let world = tree().await;
    world.put(new_value("/a/1", "new")).await;
    world.label("/a/1", 1, &["live"]).await.unwrap();
    let with = |filter| GetParametersByPathRequest {
        parameter_filters: Some(vec![filter]),
        ..path("/a", true)
    };
    let secret = all(&world, with(filter("Type", None, &["SecureString"]))).await;
    assert_eq!(secret, set(&["/a/secret"]));
    let by_key = with(filter("KeyId", Some("BeginsWith"), &["alias/aws"]));
    assert_eq!(all(&world, by_key).await, set(&["/a/secret"]));
    let labelled = with(filter("Label", None, &["live"]));
    let page = world.call::<ops::GetParametersByPath>(labelled).await.unwrap();
    let found = page.parameters.unwrap();
    // The version that has the label, not the newest.
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].version, found[0].value.as_ref().unwrap().0.as_str()), (Some(1), "v"));
    let by_name = with(filter("Name", None, &["/a/1"]));
    assert_eq!(code(world.call::<ops::GetParametersByPath>(by_name).await), "InvalidFilterKey");
}

#[tokio::test]
async fn a_list_is_narrowed_by_every_filter() {
    let world = tree().await;
    world
        .put(PutParameterRequest {
            tier: Some(ParameterTier::Advanced),
            data_type: Some("integer".to_owned()),
            tags: Some(vec![Tag { key: "team".to_owned(), value: "blue".to_owned() }]),
            ..string("/n/7", "7")
        })
        .await;
    for (filters, expected) in [
        (
            vec![filter("Name", None, &["/a/1", "top", "/no", "/a/b/1"])],
            &["/a/1", "top", "/a/b/1"][..],
        ),
        (vec![filter("Name", Some("BeginsWith"), &["/a/b"])], &["/a/b/1", "/a/b/c/1"]),
        (vec![filter("Name", Some("BeginsWith"), &["/a/b", "to"])], &["/a/b/1", "/a/b/c/1", "top"]),
        (vec![filter("Name", Some("Contains"), &["b"])], &["/a/b/1", "/a/b/c/1", "/ab/1"]),
        (vec![filter("Path", None, &["/a/b"])], &["/a/b/1"]),
        (
            vec![filter("Path", Some("Recursive"), &["/a/b", "/ab"])],
            &["/a/b/1", "/a/b/c/1", "/ab/1"],
        ),
        (vec![filter("Type", None, &["SecureString"])], &["/a/secret"]),
        (vec![filter("Type", Some("BeginsWith"), &["Sec"])], &["/a/secret"]),
        (vec![filter("KeyId", None, &["alias/aws/ssm"])], &["/a/secret"]),
        (vec![filter("Tier", None, &["Advanced"])], &["/n/7"]),
        (vec![filter("DataType", None, &["integer"])], &["/n/7"]),
        (vec![filter("tag:team", None, &["red", "blue"])], &["/n/7"]),
        (vec![filter("tag:other", None, &["blue"])], &[]),
        (vec![filter("tag:team", None, &[])], &["/n/7"]),
        (
            vec![
                filter("Path", Some("Recursive"), &["/a"]),
                filter("Type", None, &["SecureString"]),
            ],
            &["/a/secret"],
        ),
    ] {
        let found = described(&world, filters.clone()).await;
        let shown: Vec<String> = filters.iter().map(|f| f.key.clone()).collect();
        assert_eq!(found, set(expected), "{shown:?}");
    }
}

#[tokio::test]
async fn the_older_form_of_filters_works_alone() {
    let world = tree().await;
    let older =
        ParametersFilter { key: ParametersFilterKey::Name, values: vec!["/a/b".to_owned()] };
    let input =
        DescribeParametersRequest { filters: Some(vec![older.clone()]), ..Default::default() };
    let page = world.call::<ops::DescribeParameters>(input).await.unwrap();
    assert_eq!(page.parameters.unwrap().len(), 2);
    let both = DescribeParametersRequest {
        filters: Some(vec![older]),
        parameter_filters: Some(vec![filter("Type", None, &["String"])]),
        ..Default::default()
    };
    assert_eq!(code(world.call::<ops::DescribeParameters>(both).await), "ValidationException");
}

#[tokio::test]
async fn a_list_shows_no_value_and_comes_ten_at_a_time() {
    let world = World::new().await;
    for number in 0..11 {
        world.put(string(&format!("n{number}"), "v")).await;
    }
    let page = world.call::<ops::DescribeParameters>(Default::default()).await.unwrap();
    assert_eq!(page.parameters.unwrap().len(), 10);
    let next = DescribeParametersRequest { next_token: page.next_token, ..Default::default() };
    let page = world.call::<ops::DescribeParameters>(next).await.unwrap();
    assert_eq!((page.parameters.unwrap().len(), page.next_token), (1, None));
}

#[tokio::test]
async fn paths_that_are_none_are_refused() {
    let world = World::new().await;
    for text in ["a", "/a//b", "/ssm", "/a b", "/awsx/y"] {
        let read = world.call::<ops::GetParametersByPath>(path(text, true)).await;
        assert_eq!(code(read), "ValidationException", "{text}");
    }
}

/// Values under `/a`, as `user` gets them.
async fn values(
    world: &World,
    user: &std::sync::Arc<haechi_core::Caller>,
) -> Result<Vec<String>, haechi_wire::Problem> {
    let mut input = path("/a", false);
    input.with_decryption = Some(true);
    let page = world.as_user::<ops::GetParametersByPath>(user, input).await?;
    let parameters = page.parameters.unwrap().into_iter();
    let mut values: Vec<String> = parameters.map(|found| found.value.unwrap().0.clone()).collect();
    values.sort();
    Ok(values)
}

#[tokio::test]
async fn a_page_that_was_shown_before_shows_what_is_there_now_and_only_to_who_may_see_it() {
    let world = World::new().await;
    for (name, value) in [("/a/1", "one"), ("/a/2", "two")] {
        world.put(secure(name, value)).await;
    }
    // Twice: it is kept from the first time on.
    for _ in 0..2 {
        assert_eq!(values(&world, &world.root).await.unwrap(), ["one", "two"]);
    }
    let nobody = world.kit.user(ACCOUNT, "nobody", &[]);
    assert_eq!(code(values(&world, &nobody).await), "AccessDeniedException");
    world.put(new_value("/a/1", "changed")).await;
    for _ in 0..2 {
        assert_eq!(values(&world, &world.root).await.unwrap(), ["changed", "two"]);
    }
    world.delete("/a/2").await.unwrap();
    world.put(secure("/a/3", "three")).await;
    for _ in 0..2 {
        assert_eq!(values(&world, &world.root).await.unwrap(), ["changed", "three"]);
    }
    // Another account's path of the same name is another page.
    let other = world.kit.root(OTHER);
    assert!(values(&world, &other).await.unwrap().is_empty());
}

#[tokio::test]
async fn blanks_around_a_name_that_is_looked_for_are_dropped_and_within_it_refused() {
    let world = tree().await;
    for option in [None, Some("BeginsWith"), Some("Contains")] {
        let found = described(&world, vec![filter("Name", option, &[" /a/1 "])]).await;
        assert_eq!(found, set(&["/a/1"]), "{option:?}");
        let input = DescribeParametersRequest {
            parameter_filters: Some(vec![filter("Name", option, &["/a 1"])]),
            ..Default::default()
        };
        assert_eq!(code(world.call::<ops::DescribeParameters>(input).await), "ValidationException");
    }
    let older = |name: &str| DescribeParametersRequest {
        filters: Some(vec![ParametersFilter {
            key: ParametersFilterKey::Name,
            values: vec![name.to_owned()],
        }]),
        ..Default::default()
    };
    let found = world.call::<ops::DescribeParameters>(older(" /a/1")).await.unwrap();
    assert_eq!(found.parameters.unwrap().len(), 1);
    let refused = world.call::<ops::DescribeParameters>(older("/a 1")).await;
    assert_eq!(code(refused), "ValidationException");
}
