//! Answers as AWS gave them, recorded in LocalStack's snapshots.

use std::collections::BTreeMap;

use haechi_lambda_model::ops::{GetFunctionUrlConfig, Invoke, PutFunctionConcurrency, TagResource};
use haechi_lambda_model::shapes::{
    GetFunctionUrlConfigRequest, InvocationRequest, PutFunctionConcurrencyRequest,
    TagResourceRequest,
};
use haechi_wire::SecretBlob;

use crate::fixture::{ACCOUNT, Fixture, arn_of};

#[tokio::test]
async fn concurrency_of_no_function_is_told_of_what_is_not_published() {
    let fixture = Fixture::new("f").await;
    let input = PutFunctionConcurrencyRequest {
        function_name: "doesnotexist".to_owned(),
        reserved_concurrent_executions: 1,
    };
    let told = fixture.refused::<PutFunctionConcurrency>(input).await;
    let message = format!("Function not found: {}", arn_of("doesnotexist:$LATEST"));
    assert_eq!(told, ("ResourceNotFoundException", message));
}

#[tokio::test]
async fn the_url_of_a_function_elsewhere_is_not_reachable_and_of_none_not_there() {
    let fixture = Fixture::new("f").await;
    let elsewhere = format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f");
    let unreachable = "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')";
    let missing = "The resource you requested does not exist.";
    for (name, message) in
        [(elsewhere.as_str(), unreachable), ("f", missing), ("doesnotexist", missing)]
    {
        let input =
            GetFunctionUrlConfigRequest { function_name: name.to_owned(), ..Default::default() };
        let told = fixture.refused::<GetFunctionUrlConfig>(input).await;
        assert_eq!(told, ("ResourceNotFoundException", message.to_owned()));
    }
}

#[tokio::test]
async fn no_tags_are_not_put() {
    let fixture = Fixture::new("f").await;
    let tags = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    fixture.done::<TagResource>(TagResourceRequest { resource: arn_of("f"), tags }).await;
    let input = TagResourceRequest { resource: arn_of("f"), tags: BTreeMap::new() };
    let told = fixture.refused::<TagResource>(input).await;
    let message = "An error occurred and the request cannot be processed.";
    assert_eq!(told, ("InvalidParameterValueException", message.to_owned()));
}

#[tokio::test]
async fn an_event_that_is_no_text_is_refused_with_the_place() {
    let fixture = Fixture::new("f").await;
    let value = "expected a valid value (JSON String, Number, Array, Object or token 'null', \
                 'true' or 'false')";
    for (payload, why, place) in [
        (&b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt"[..], "Invalid UTF-8 start byte 0x87", (1, 3)),
        (
            b"\x99\xeb,j\x07\xa1zYh",
            &format!("Unexpected character ((CTRL-CHAR, code 153)): {value}"),
            (1, 1),
        ),
        (b"\n \xff", &format!("Unexpected character ('\u{ff}' (code 255)): {value}"), (2, 2)),
        (b"{\n\"a\": \"\x80\"}", "Invalid UTF-8 start byte 0x80", (2, 8)),
    ] {
        let input = InvocationRequest {
            function_name: "f".to_owned(),
            payload: Some(SecretBlob(payload.to_vec())),
            ..Default::default()
        };
        let message = format!(
            "Could not parse request body into json: Could not parse payload into json: {why}\n at \
             [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: \
             {}, column: {}]",
            place.0, place.1
        );
        let told = fixture.refused::<Invoke>(input).await;
        assert_eq!(told, ("InvalidRequestContentException", message));
    }
}
