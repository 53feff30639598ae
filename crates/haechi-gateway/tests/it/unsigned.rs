//! Calls without a signature: only of operations that the model lets anybody call so.

use http::Request;

use crate::stage::{Stage, assert_answer, stage};

fn sts(host: &str, form: &str) -> Request<Vec<u8>> {
    Request::post("/")
        .header("host", host)
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .body(format!("{form}&Version=2011-06-15").into_bytes())
        .unwrap()
}

const WEB_IDENTITY: &str = "Action=AssumeRoleWithWebIdentity&RoleSessionName=pod\
    &RoleArn=arn:aws:iam::123456789012:role/r&WebIdentityToken=secret-token";

async fn call(stage: &Stage, host: &str, form: &str) -> String {
    stage.call(&sts(host, form)).await
}

#[tokio::test]
async fn a_token_of_a_provider_takes_the_place_of_a_signature() {
    let stage = stage().await;
    // This stage has no providers, and its handler says so: the call has reached it.
    let answer = call(&stage, "localhost:4566", WEB_IDENTITY).await;
    assert_answer(&answer, 501, &["<Code>UnsupportedOperation</Code>"]);
    let record = stage.audit.last();
    assert_eq!(record["eventName"], "AssumeRoleWithWebIdentity");
    assert_eq!(record["userIdentity"]["type"], "Unknown");
    assert_eq!(record["awsRegion"], "us-east-1");
    assert!(!record.to_string().contains("secret-token"), "{record}");
}

#[tokio::test]
async fn its_region_is_that_of_the_host() {
    let stage = stage().await;
    call(&stage, "sts.eu-west-1.localhost:4566", WEB_IDENTITY).await;
    assert_eq!(stage.audit.last()["awsRegion"], "eu-west-1");
}

#[tokio::test]
async fn a_signature_of_nobody_does_no_harm_there() {
    let stage = stage().await;
    let mut request = sts("localhost", WEB_IDENTITY);
    let nobody = "AWS4-HMAC-SHA256 Credential=AKIAUNKNOWN/20260101/eu-west-3/sts/aws4_request, \
                  SignedHeaders=host, Signature=00";
    request.headers_mut().insert("authorization", nobody.parse().unwrap());
    assert_answer(&stage.call(&request).await, 501, &["UnsupportedOperation"]);
}

#[tokio::test]
async fn every_other_operation_still_wants_a_signature() {
    let stage = stage().await;
    for form in [
        "Action=GetCallerIdentity",
        "Action=AssumeRole&RoleSessionName=pod&RoleArn=arn:aws:iam::123456789012:role/r",
        "Action=GetSessionToken",
    ] {
        let answer = call(&stage, "localhost", form).await;
        assert_answer(&answer, 403, &["<Code>MissingAuthenticationToken</Code>"]);
    }
}

#[tokio::test]
async fn one_that_is_not_done_says_so_to_anybody() {
    let stage = stage().await;
    let form = "Action=AssumeRoleWithSAML&RoleArn=r&PrincipalArn=p&SAMLAssertion=a";
    assert_answer(&call(&stage, "localhost", form).await, 501, &["UnsupportedOperation"]);
}

#[tokio::test]
async fn a_client_that_accepts_json_alone_is_answered_in_it_in_query_too() {
    let stage = stage().await;
    let asking = |accept: &'static str| {
        let mut request = sts("sts.us-east-1.localhost", "Action=GetCallerIdentity");
        request.headers_mut().insert("accept", accept.parse().unwrap());
        request
    };
    let answer = stage.call(&stage.signed("sts", asking("application/json"))).await;
    let told = r#"{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"#;
    let arn = r#""Arn":"arn:aws:iam::123456789012:root""#;
    assert_answer(&answer, 200, &["content-type: application/json\r\n", told, arn]);
    let refused = stage.call(&asking("application/json")).await;
    let code = r#"{"Error":{"Code":"MissingAuthenticationToken","Message":""#;
    assert_answer(&refused, 403, &[code, r#""Type":"Sender"},"RequestId":""#]);
    for accept in ["*/*", "text/xml, application/json", "application/xml;q=0.9,application/json"] {
        let answer = stage.call(&stage.signed("sts", asking(accept))).await;
        assert_answer(&answer, 200, &["<GetCallerIdentityResponse "]);
    }
}
