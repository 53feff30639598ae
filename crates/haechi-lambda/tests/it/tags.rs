//! Who puts tags on what he creates, and who sees them.

use std::collections::BTreeMap;

use haechi_lambda_model::ops::{
    CreateAlias, CreateEventSourceMapping, CreateFunction, GetFunction, PublishVersion, TagResource,
};
use haechi_lambda_model::shapes::{
    CreateAliasRequest, CreateEventSourceMappingRequest, CreateFunctionRequest, GetFunctionRequest,
    PublishVersionRequest, TagResourceRequest,
};

use crate::fixture::{ACCOUNT, Fixture, arn_of, new_function, queue_of};

fn tags() -> BTreeMap<String, String> {
    BTreeMap::from([("team".to_owned(), "x".to_owned())])
}

fn policy(action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement":
            {{"Effect": "Allow", "Action": {action}, "Resource": "{resource}"}}}}"#
    )
}

#[tokio::test]
async fn tags_of_a_new_function_need_leave_to_tag_it() {
    let fixture = Fixture::new("f").await;
    let creates = policy(r#"["lambda:CreateFunction", "iam:PassRole"]"#, "*");
    let creator = fixture.kit.user(ACCOUNT, "ann", &[&creates]);
    let tagged = || CreateFunctionRequest { tags: Some(tags()), ..new_function(ACCOUNT, "g") };
    let (code, message) = fixture.refused_to::<CreateFunction>(&creator, tagged()).await;
    assert_eq!(code, "AccessDeniedException");
    let asked = format!("lambda:TagResource on resource: {}", arn_of("g"));
    assert!(message.contains(&asked), "{message}");
    for none in [None, Some(BTreeMap::new())] {
        let name = if none.is_none() { "plain" } else { "empty" };
        let input = CreateFunctionRequest { tags: none, ..new_function(ACCOUNT, name) };
        fixture.done_as::<CreateFunction>(&creator, input).await;
    }
    let tags = policy(r#""lambda:TagResource""#, &arn_of("g"));
    let tagger = fixture.kit.user(ACCOUNT, "bob", &[&creates, &tags]);
    fixture.done_as::<CreateFunction>(&tagger, tagged()).await;
}

#[tokio::test]
async fn tags_of_a_new_mapping_need_leave_to_tag_it() {
    let fixture = Fixture::new("f").await;
    let creates = policy(r#""lambda:CreateEventSourceMapping""#, "*");
    let creator = fixture.kit.user(ACCOUNT, "ann", &[&creates]);
    let input = |queue: &str, tags| CreateEventSourceMappingRequest {
        function_name: "f".to_owned(),
        event_source_arn: Some(queue_of(queue)),
        tags,
        ..Default::default()
    };
    let tagged = || input("tagged", Some(tags()));
    let (code, message) = fixture.refused_to::<CreateEventSourceMapping>(&creator, tagged()).await;
    assert_eq!(code, "AccessDeniedException");
    let mappings = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:");
    let asked = format!("lambda:TagResource on resource: {mappings}");
    assert!(message.contains(&asked), "{message}");
    fixture.done_as::<CreateEventSourceMapping>(&creator, input("plain", None)).await;
    let tags = policy(r#""lambda:TagResource""#, &format!("{mappings}*"));
    let tagger = fixture.kit.user(ACCOUNT, "bob", &[&creates, &tags]);
    fixture.done_as::<CreateEventSourceMapping>(&tagger, tagged()).await;
}

#[tokio::test]
async fn a_function_is_shown_with_its_tags_to_those_who_may_list_them() {
    let fixture = Fixture::new("f").await;
    let input = TagResourceRequest { resource: arn_of("f"), tags: tags() };
    fixture.done::<TagResource>(input).await;
    let function_name = "f".to_owned();
    let input = PublishVersionRequest { function_name, ..Default::default() };
    fixture.done::<PublishVersion>(input).await;
    let input = CreateAliasRequest {
        function_name: "f".to_owned(),
        name: "live".to_owned(),
        function_version: "1".to_owned(),
        ..Default::default()
    };
    fixture.done::<CreateAlias>(input).await;
    let reads = policy(r#""lambda:GetFunction""#, "*");
    let lists = policy(r#""lambda:ListTags""#, &arn_of("f"));
    let reader = fixture.kit.user(ACCOUNT, "ann", &[&reads]);
    let lister = fixture.kit.user(ACCOUNT, "bob", &[&reads, &lists]);
    // Tags are the whole function's, whatever of it is shown.
    for name in ["f", "f:live"] {
        let input = || GetFunctionRequest { function_name: name.to_owned(), qualifier: None };
        let shown = fixture.done_as::<GetFunction>(&reader, input()).await;
        let denied = shown.tags_error.unwrap();
        assert_eq!((shown.tags, denied.error_code.as_str()), (None, "AccessDeniedException"));
        let asked = format!("to perform: lambda:ListTags on resource: {} because", arn_of("f"));
        assert!(denied.message.contains(&asked), "{}", denied.message);
        let shown = fixture.done_as::<GetFunction>(&lister, input()).await;
        assert_eq!((shown.tags, shown.tags_error.is_none()), (Some(tags()), true));
    }
}
