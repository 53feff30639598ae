//! Services whose operations are named by method and path.

use http::Request;

use crate::stage::{Stage, assert_answer, stage};

async fn call(stage: &Stage, method: &str, target: &str, body: &[u8]) -> String {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "notes.us-east-1.localhost")
        .body(body.to_vec())
        .unwrap();
    stage.call(&stage.signed("notes", request)).await
}

#[tokio::test]
async fn method_and_path_name_the_operation_and_carry_its_members() {
    let stage = stage().await;
    let target = "/notes/arn%3Aa%2Fb?colour=blue%20green";
    let answer = call(&stage, "PUT", target, br#"{"Text":"hello"}"#).await;
    let body = r#"{"Name":"arn:a/b"}"#;
    assert_answer(&answer, 201, &["application/json", "x-colour: blue green", body]);
    let record = stage.audit.last();
    assert_eq!(record["eventName"], "PutNote");
    assert_eq!(record["requestParameters"]["name"], "arn:a/b");
    let answer = call(&stage, "GET", "/notes/arn%3Aa%2Fb", b"").await;
    assert_answer(&answer, 200, &["application/octet-stream", "\r\n\r\nhello"]);
}

#[tokio::test]
async fn errors_tell_their_code_in_a_header() {
    let stage = stage().await;
    let answer = call(&stage, "GET", "/notes/none", b"").await;
    let body = r#"{"Message":"No note none","Type":"User"}"#;
    assert_answer(&answer, 404, &["x-amzn-errortype: NoSuchNoteException", body]);
    let answer = call(&stage, "GET", "/notes/secret", b"").await;
    assert_answer(&answer, 403, &["x-amzn-errortype: AccessDeniedException", "No."]);
    let answer = call(&stage, "PUT", "/notes/a", b"{").await;
    assert_answer(&answer, 400, &["x-amzn-errortype: SerializationException"]);
    let long = format!("/notes/{}", "a".repeat(101));
    let answer = call(&stage, "GET", &long, b"").await;
    assert_answer(&answer, 400, &["x-amzn-errortype: ValidationException", "at 'name'"]);
}

#[tokio::test]
async fn what_is_missing_and_what_is_nothing_are_told_apart() {
    let stage = stage().await;
    let answer = call(&stage, "GET", "/notes", b"").await;
    assert_answer(&answer, 501, &["x-amzn-errortype: UnsupportedOperation", "notes:ListNotes"]);
    let answer = call(&stage, "DELETE", "/notes/a", b"").await;
    assert_answer(&answer, 404, &["x-amzn-errortype: UnknownOperationException"]);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_before_anything_is_read() {
    let stage = stage().await;
    let request = Request::get("/notes/a").header("host", "notes.us-east-1.localhost");
    let mut request = stage.signed("notes", request.body(Vec::new()).unwrap());
    *request.uri_mut() = "/notes/b".parse().unwrap();
    let answer = stage.call(&request).await;
    assert_answer(&answer, 403, &["x-amzn-errortype: InvalidSignatureException"]);
}

#[tokio::test]
async fn a_service_can_take_larger_bodies_than_others() {
    let stage = stage().await;
    let body = format!(r#"{{"Text":"a","Other":"{}"}}"#, "a".repeat(5 << 20));
    let answer = call(&stage, "PUT", "/notes/a", body.as_bytes()).await;
    assert_answer(&answer, 201, &[]);
    let body = format!(r#"{{"Other":"{}"}}"#, "a".repeat(6 << 20));
    let answer = call(&stage, "PUT", "/notes/a", body.as_bytes()).await;
    assert_answer(&answer, 413, &["RequestEntityTooLarge"]);
    let answer = stage.kms("ListKeys", "a".repeat(5 << 20)).await;
    assert_answer(&answer, 413, &["RequestEntityTooLarge"]);
}
