//! Signatures, told in the words of both protocol families.

use http::{HeaderValue, Request};

use crate::stage::{NOW, assert_answer, iam, kms, stage};

const RANDOM: &str = r#"{"NumberOfBytes":8}"#;

#[tokio::test]
async fn nobody_signed() {
    let stage = stage().await;
    let answer = stage.call(&kms("GenerateRandom", RANDOM)).await;
    assert_answer(&answer, 400, &["\"__type\":\"MissingAuthenticationTokenException\""]);
    let answer = stage.call(&iam("Action=ListUsers")).await;
    assert_answer(&answer, 403, &["<Code>MissingAuthenticationToken</Code>"]);
    let record = stage.audit.last();
    assert_eq!(record["eventName"], "ListUsers");
    assert_eq!(record["userIdentity"]["type"], "Unknown");
}

#[tokio::test]
async fn what_was_signed_was_changed() {
    let stage = stage().await;
    let mut request = stage.signed("kms", kms("GenerateRandom", RANDOM));
    *request.body_mut() = br#"{"NumberOfBytes":9}"#.to_vec();
    let answer = stage.call(&request).await;
    assert_answer(&answer, 400, &["InvalidSignatureException", "The Canonical String for this"]);
    let record = stage.audit.last();
    assert_eq!(record["errorCode"], "InvalidSignatureException");
    let told = record["errorMessage"].as_str().unwrap();
    assert!(!told.contains("Canonical"), "the audit log shows no headers: {told}");
    let mut request = stage.signed("iam", iam("Action=ListUsers"));
    *request.body_mut() = b"Action=ListAccessKeys&Version=2010-05-08".to_vec();
    assert_answer(&stage.call(&request).await, 403, &["<Code>SignatureDoesNotMatch</Code>"]);
}

#[tokio::test]
async fn another_operation_than_the_one_signed() {
    let stage = stage().await;
    let mut request = stage.signed("kms", kms("GenerateRandom", "{}"));
    let other = HeaderValue::from_static("TrentService.CreateKey");
    request.headers_mut().insert("x-amz-target", other);
    assert_answer(&stage.call(&request).await, 400, &["InvalidSignatureException"]);
    let mut request = stage.signed("sts", iam("Action=GetCallerIdentity"));
    request
        .headers_mut()
        .insert("x-amz-target", HeaderValue::from_static("TrentService.CreateKey"));
    assert_answer(&stage.call(&request).await, 400, &["x-amz-target"]);
    assert_answer(&stage.kms("ListKeys", "{}").await, 200, &["\"Keys\":[]"]);
}

#[tokio::test]
async fn a_key_that_does_not_exist() {
    let stage = stage().await;
    let rename = |mut request: Request<Vec<u8>>| {
        let signed = request.headers()["authorization"].to_str().unwrap();
        let other = signed.replace(&stage.key.0, "AKIAIOSFODNN7EXAMPLE");
        request.headers_mut().insert("authorization", HeaderValue::from_str(&other).unwrap());
        request
    };
    let answer = stage.call(&rename(stage.signed("kms", kms("ListKeys", "{}")))).await;
    assert_answer(&answer, 400, &["\"__type\":\"UnrecognizedClientException\""]);
    let answer = stage.call(&rename(stage.signed("iam", iam("Action=ListUsers")))).await;
    assert_answer(&answer, 403, &["<Code>InvalidClientTokenId</Code>"]);
    assert_eq!(stage.audit.last()["userIdentity"]["accessKeyId"], "AKIAIOSFODNN7EXAMPLE");
}

#[tokio::test]
async fn too_old_too_new_and_for_another_service() {
    let stage = stage().await;
    for (time, word) in [(NOW - 301, "Signature expired"), (NOW + 301, "Signature not yet current")]
    {
        let answer = stage.call(&stage.signed_at(time, "kms", kms("ListKeys", "{}"))).await;
        assert_answer(&answer, 400, &["InvalidSignatureException", word]);
        let answer = stage.call(&stage.signed_at(time, "iam", iam("Action=ListUsers"))).await;
        assert_answer(&answer, 403, &["SignatureDoesNotMatch", word]);
    }
    let answer = stage.call(&stage.signed("sts", kms("ListKeys", "{}"))).await;
    assert_answer(&answer, 400, &["Credential should be scoped to correct service: 'kms'"]);
}

#[tokio::test]
async fn a_service_without_regions_is_called_in_the_region_that_sdks_name_so() {
    let stage = stage().await;
    let signed = |service: &str, request| stage.signed_for("aws-global", NOW, service, request);
    let answer = stage.call(&signed("iam", iam("Action=ListUsers"))).await;
    assert_answer(&answer, 200, &["<ListUsersResult>"]);
    assert_eq!(stage.audit.last()["awsRegion"], "us-east-1");
    let answer = stage.call(&signed("kms", kms("ListKeys", "{}"))).await;
    assert_answer(
        &answer,
        400,
        &["Credential should be scoped to a valid region, not 'aws-global'."],
    );
}

#[tokio::test]
async fn an_accepted_call_is_noted_as_the_keys_last_use() {
    let stage = stage().await;
    assert_answer(&stage.kms("ListKeys", "{}").await, 200, &[]);
    let asked = format!("Action=GetAccessKeyLastUsed&AccessKeyId={}", stage.key.0);
    let answer = stage.iam(&asked).await;
    // The question itself is a use.
    assert_answer(&answer, 200, &["<ServiceName>iam</ServiceName>", "<LastUsedDate>2026-01-01T"]);
}
