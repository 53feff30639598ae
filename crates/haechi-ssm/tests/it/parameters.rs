//! Writing, reading and deleting.

use haechi_ssm_model::ops;
use haechi_ssm_model::shapes::*;

use crate::world::{ACCOUNT, World, code, new_value, string, words};

#[tokio::test]
async fn a_parameter_is_read_as_it_was_written() {
    let world = World::new().await;
    let put = world.put(string("/app/prod/db", "localhost")).await;
    assert_eq!((put.version, put.tier), (Some(1), Some(ParameterTier::Standard)));
    let parameter = world.get("/app/prod/db").await.unwrap();
    assert_eq!(parameter.name.as_deref(), Some("/app/prod/db"));
    assert_eq!(parameter.r#type, Some(ParameterType::String));
    assert_eq!(parameter.value.unwrap().0, "localhost");
    assert_eq!(parameter.version, Some(1));
    assert_eq!(parameter.data_type.as_deref(), Some("text"));
    assert_eq!(parameter.last_modified_date, Some(world.kit.env.now()));
    let arn = format!("arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/app/prod/db");
    assert_eq!(parameter.arn.as_deref(), Some(arn.as_str()));
    assert_eq!(parameter.selector, None);
    assert_eq!(world.value(&arn).await, "localhost");
}

#[tokio::test]
async fn what_is_there_is_overwritten_only_if_the_request_says_so() {
    let world = World::new().await;
    world.put(string("a", "1")).await;
    let again = world.call::<ops::PutParameter>(string("a", "2")).await;
    assert_eq!(code(again), "ParameterAlreadyExists");
    assert_eq!(world.put(new_value("a", "2")).await.version, Some(2));
    assert_eq!(world.value("a").await, "2");
    // To overwrite what is not there is to make it.
    let request = PutParameterRequest { overwrite: Some(true), ..string("b", "1") };
    assert_eq!(world.put(request).await.version, Some(1));
}

#[tokio::test]
async fn a_new_value_keeps_what_is_not_sent_and_an_empty_text_takes_it_away() {
    let world = World::new().await;
    world
        .put(PutParameterRequest {
            description: Some("port".to_owned()),
            allowed_pattern: Some(r"\d+".to_owned()),
            data_type: Some("integer".to_owned()),
            ..string("port", "5432")
        })
        .await;
    let letters = world.call::<ops::PutParameter>(new_value("port", "54a")).await;
    assert_eq!(code(letters), "ValidationException");
    let described = |world: World| async move {
        let page = world.call::<ops::DescribeParameters>(Default::default()).await.unwrap();
        (world, page.parameters.unwrap().remove(0))
    };
    world.put(new_value("port", "5433")).await;
    let (world, shown) = described(world).await;
    assert_eq!(shown.description.as_deref(), Some("port"));
    assert_eq!(shown.allowed_pattern.as_deref(), Some(r"\d+"));
    assert_eq!(shown.data_type.as_deref(), Some("integer"));
    let cleared = PutParameterRequest {
        description: Some(String::new()),
        allowed_pattern: Some(String::new()),
        data_type: Some("text".to_owned()),
        ..new_value("port", "none")
    };
    world.put(cleared).await;
    let (_, shown) = described(world).await;
    assert_eq!((shown.description, shown.allowed_pattern), (None, None));
}

#[tokio::test]
async fn a_value_must_match_its_allowed_pattern() {
    let world = World::new().await;
    let pattern = |pattern: &str| PutParameterRequest {
        allowed_pattern: Some(pattern.to_owned()),
        ..string("p", "abc")
    };
    let mismatch = world.call::<ops::PutParameter>(pattern(r"^\d+$")).await;
    assert_eq!(code(mismatch), "ParameterPatternMismatchException");
    let broken = world.call::<ops::PutParameter>(pattern("(")).await;
    assert_eq!(code(broken), "InvalidAllowedPatternException");
    world.put(pattern("[a-c]{3}")).await;
}

#[tokio::test]
async fn reserved_and_malformed_names_are_refused_in_aws_words() {
    let world = World::new().await;
    let put = |name: &'static str| world.call::<ops::PutParameter>(string(name, "v"));
    let reserved = "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).";
    for name in ["awsome", "/AWS", "ssm-x", "/SSMx"] {
        assert_eq!(words(put(name).await), reserved, "{name}");
    }
    let denied = put("/aws/service/x").await;
    assert_eq!(words(put("/aws/x").await), "No access to reserved parameter name: /aws/x.");
    assert_eq!(code(denied), "AccessDeniedException");
    for name in ["/ssm/x", "/a//b", "/a b", "a$", "/a/", "/"] {
        assert!(words(put(name).await).contains("sub-paths divided by slash symbol"), "{name}");
    }
    assert_eq!(words(put("a/b").await), "Parameter name must be a fully qualified name.");
    // Blanks around a name are dropped.
    world.put(string(" /a/b ", "v")).await;
    assert_eq!(world.get("/a/b").await.unwrap().name.as_deref(), Some("/a/b"));
}

#[tokio::test]
async fn a_type_is_needed_once_and_may_change() {
    let world = World::new().await;
    let untyped = PutParameterRequest { r#type: None, ..string("t", "1") };
    assert_eq!(code(world.call::<ops::PutParameter>(untyped).await), "ValidationException");
    world.put(string("t", "1")).await;
    let list =
        PutParameterRequest { r#type: Some(ParameterType::StringList), ..new_value("t", "1,2") };
    world.put(list).await;
    assert_eq!(world.get("t").await.unwrap().r#type, Some(ParameterType::StringList));
}

#[tokio::test]
async fn a_path_without_the_slash_before_it_names_nothing() {
    let world = World::new().await;
    world.put(string("/a/b/c", "1")).await;
    for name in ["a/b/c", "/a//b//c"] {
        assert!(
            words(world.get(name).await).contains("sub-paths divided by slash symbol"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn several_are_read_at_once_and_the_missing_are_named_apart() {
    let world = World::new().await;
    world.put(string("a", "1")).await;
    world.put(string("/b", "2")).await;
    world.put(new_value("/b", "3")).await;
    let names = ["a", "/b:1", "/c", "/b:9", "/b:live", "a"].map(str::to_owned).to_vec();
    let input = GetParametersRequest { names, with_decryption: None };
    let read = world.call::<ops::GetParameters>(input).await.unwrap();
    let found: Vec<(String, String)> = read
        .parameters
        .unwrap()
        .into_iter()
        .map(|one| (one.name.unwrap(), one.value.unwrap().0.clone()))
        .collect();
    // In the order of their names, whatever was asked first.
    assert_eq!(found, [("/b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())]);
    assert_eq!(read.invalid_parameters.unwrap(), ["/c", "/b:9", "/b:live"]);
}

#[tokio::test]
async fn what_is_deleted_is_gone_with_its_versions() {
    let world = World::new().await;
    world.put(string("/a/b", "1")).await;
    world.put(new_value("/a/b", "2")).await;
    world.delete("/a/b").await.unwrap();
    assert_eq!(code(world.get("/a/b").await), "ParameterNotFound");
    assert_eq!(code(world.delete("/a/b").await), "ParameterNotFound");
    assert_eq!(world.put(string("/a/b", "3")).await.version, Some(1));
    assert_eq!(code(world.get("/a/b:2").await), "ParameterVersionNotFound");
    let names = ["/a/b", "/nowhere"].map(str::to_owned).to_vec();
    let gone = world.call::<ops::DeleteParameters>(DeleteParametersRequest { names }).await;
    let gone = gone.unwrap();
    assert_eq!(gone.deleted_parameters.unwrap(), ["/a/b"]);
    assert_eq!(gone.invalid_parameters.unwrap(), ["/nowhere"]);
}

#[tokio::test]
async fn what_is_deleted_is_named_without_the_blanks_around_it() {
    let world = World::new().await;
    world.put(string("/a", "1")).await;
    let names = [" /a ", "/a", " /nowhere "].map(str::to_owned).to_vec();
    let gone = world.call::<ops::DeleteParameters>(DeleteParametersRequest { names }).await;
    let gone = gone.unwrap();
    assert_eq!(gone.deleted_parameters.unwrap(), ["/a"]);
    assert_eq!(gone.invalid_parameters.unwrap(), [" /nowhere "]);
}

#[tokio::test]
async fn accounts_and_regions_do_not_see_each_others_parameters() {
    let mut world = World::new().await;
    world.put(string("a", "1")).await;
    let stranger = world.kit.root(crate::world::OTHER);
    let input = GetParameterRequest { name: "a".to_owned(), with_decryption: None };
    let read = world.as_user::<ops::GetParameter>(&stranger, input).await;
    assert_eq!(code(read), "ParameterNotFound");
    world.kit.region = haechi_core::Region::parse("eu-west-1").unwrap();
    assert_eq!(code(world.get("a").await), "ParameterNotFound");
}

#[tokio::test]
async fn a_parameter_is_found_with_and_without_the_slash_before_it() {
    let world = World::new().await;
    world.put(string("/db", "1")).await;
    // It is told as it was asked for; by its ARN, as it was put.
    let arn = "arn:aws:ssm:us-east-1:111111111111:parameter/db";
    for (asked, told) in [("db", "db"), ("/db", "/db"), ("db:1", "db"), (arn, "/db")] {
        let read = world.get(asked).await.unwrap();
        assert_eq!(read.name.as_deref(), Some(told), "{asked}");
        assert_eq!(read.arn.as_deref(), Some(arn));
    }
    let twin = world.call::<ops::PutParameter>(string("db", "2")).await;
    assert_eq!(code(twin), "ParameterAlreadyExists");
}
