//! What no well-behaved client sends: AWS's error, and nothing else happens.

use haechi_gateway::Limits;
use http::{HeaderValue, Method, Request};

use crate::stage::{Audit, assert_answer, iam, kms, raw, rest, stage, with};

const RANDOM: &str = r#"{"NumberOfBytes":8}"#;

#[tokio::test]
async fn a_body_that_is_not_json_of_the_right_types_is_a_serialization_exception() {
    let stage = stage().await;
    for body in [
        r#"{"NumberOfBytes":8"#.as_bytes(),
        b"nonsense",
        b"[]",
        br#"{"NumberOfBytes":"many"}"#,
        br#"{"NumberOfBytes":99999999999999999999}"#,
        b"{\"CustomKeyStoreId\":\"\xc3\x28\"}",
        "{\"X\":".repeat(50_000).as_bytes(),
        "[".repeat(50_000).as_bytes(),
    ] {
        let answer = stage.kms("GenerateRandom", body).await;
        assert_answer(&answer, 400, &["\"__type\":\"SerializationException\""]);
    }
    assert_answer(&stage.kms("GenerateRandom", RANDOM).await, 200, &["Plaintext"]);
}

#[tokio::test]
async fn input_that_breaks_the_model_is_told_in_the_words_of_each_protocol() {
    let stage = stage().await;
    let answer = stage.kms("GenerateRandom", r#"{"NumberOfBytes":0}"#).await;
    let told = "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy \
                constraint: Member must have value greater than or equal to 1";
    assert_answer(&answer, 400, &["\"__type\":\"ValidationException\"", told]);
    let answer = stage.iam("Action=CreateUser").await;
    let told = "Value at 'userName' failed to satisfy constraint: Member must not be null";
    assert_answer(&answer, 400, &["<Code>ValidationError</Code>", told, "<Type>Sender</Type>"]);
    assert!(answer.contains("content-type: text/xml"), "{answer}");
    let answer = stage.iam("Action=CreateUser&UserName=a&Path=b").await;
    let told = "<Message>The specified value for path is invalid. It must begin and end with / and \
                contain only alphanumeric characters and/or / characters.</Message>";
    assert_answer(&answer, 400, &["<Code>ValidationError</Code>", told]);
}

#[tokio::test]
async fn operations_that_are_missing_or_do_not_exist_say_so() {
    let stage = stage().await;
    assert_answer(&stage.kms("Nonsense", "{}").await, 400, &["UnknownOperationException"]);
    let missing = stage.iam("Action=CreateDelegationRequest").await;
    assert_answer(&missing, 501, &["<Code>UnsupportedOperation</Code>"]);
    let answer = stage.iam("Action=Nonsense").await;
    let told = "Could not find operation Nonsense for version 2010-05-08";
    assert_answer(&answer, 400, &["<Code>InvalidAction</Code>", told]);
    let mut unversioned = iam("");
    *unversioned.body_mut() = b"Action=ListUsers".to_vec();
    let answer = stage.call(&stage.signed("iam", unversioned)).await;
    assert_answer(&answer, 400, &["operation ListUsers for version NO_VERSION_SPECIFIED"]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_answered_although_its_sender_has_not_read_yet() {
    let stage = stage().await;
    let large = format!(r#"{{"Description":"{}"}}"#, "x".repeat(10 << 20));
    let answer = stage.kms("CreateKey", large).await;
    assert_answer(
        &answer,
        413,
        &["RequestEntityTooLarge", "x-amzn-requestid", "connection: close"],
    );
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_refused_as_well() {
    let stage = stage().await;
    let head = String::from_utf8(raw(&kms("CreateKey", ""))).unwrap();
    let mut bytes = head.replace("content-length: 0", "transfer-encoding: chunked").into_bytes();
    for _ in 0..9 {
        bytes.extend_from_slice(b"80000\r\n");
        bytes.extend_from_slice(&vec![b'x'; 0x80000]);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    assert_answer(&stage.exchange(&bytes).await, 413, &["RequestEntityTooLarge"]);
}

#[tokio::test]
async fn a_body_that_is_announced_and_not_sent_is_not_waited_for() {
    let stage = stage().await;
    let head = String::from_utf8(raw(&kms("CreateKey", ""))).unwrap();
    let huge = head.replace("content-length: 0", "content-length: 99999999999");
    assert_answer(&stage.exchange(huge.as_bytes()).await, 413, &[]);
    let expecting = "content-length: 5000000\r\nexpect: 100-continue";
    let expecting = head.replace("content-length: 0", expecting);
    assert_answer(&stage.exchange(expecting.as_bytes()).await, 413, &[]);
}

#[tokio::test]
async fn bodies_that_together_take_too_much_room_are_throttled() {
    let limits = Limits { bodies_bytes_max: 16 << 10, ..Limits::default() };
    let stage = with(limits, Audit::default()).await;
    let large = format!(r#"{{"Description":"{}"}}"#, "x".repeat(64 << 10));
    assert_answer(&stage.kms("CreateKey", large).await, 400, &["ThrottlingException"]);
    let small = format!(r#"{{"Description":"{}"}}"#, "x".repeat(12 << 10));
    assert_answer(&stage.kms("CreateKey", small).await, 400, &["ValidationException"]);
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_told_to_go_on() {
    let stage = stage().await;
    let mut request = kms("GenerateRandom", RANDOM);
    request.headers_mut().insert("expect", HeaderValue::from_static("100-continue"));
    let request = stage.signed("kms", request);
    let answer = stage.call(&request).await;
    assert!(answer.starts_with("HTTP/1.1 100 Continue"), "{answer}");
    assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn headers_that_decide_something_may_be_there_once_only() {
    let stage = stage().await;
    for (name, value) in [
        ("x-amz-target", "TrentService.CreateKey"),
        ("host", "other"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-amz-date", "20260101T000000Z"),
    ] {
        let mut request = stage.signed("kms", kms("GenerateRandom", RANDOM));
        request.headers_mut().append(name, HeaderValue::from_static(value));
        let told = format!("The header {name} is there more than once");
        assert_answer(&stage.call(&request).await, 400, &["SerializationException", &told]);
    }
    let mut request = stage.signed("kms", kms("GenerateRandom", RANDOM));
    let other = HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=x");
    request.headers_mut().append("authorization", other);
    assert_answer(&stage.call(&request).await, 400, &["IncompleteSignatureException"]);
    assert_eq!(stage.audit.last()["errorCode"], "IncompleteSignatureException");
}

#[tokio::test]
async fn compressed_bodies_are_refused() {
    let stage = stage().await;
    for encoding in [&b"gzip"[..], b"aws-chunked", b"identity, gzip", b"\xff"] {
        let mut request = kms("GenerateRandom", RANDOM);
        request
            .headers_mut()
            .insert("content-encoding", HeaderValue::from_bytes(encoding).unwrap());
        let answer = stage.call(&request).await;
        assert_answer(&answer, 400, &["SerializationException", "is not supported"]);
    }
}

#[tokio::test]
async fn only_post_carries_a_target_and_only_get_and_post_an_action() {
    let stage = stage().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let mut request = kms("GenerateRandom", RANDOM);
        *request.method_mut() = method.clone();
        let answer = stage.call(&stage.signed("kms", request)).await;
        assert_answer(&answer, 400, &["UnknownOperationException"]);
        if method != Method::GET {
            let query = Request::builder()
                .method(method)
                .uri("/?Action=ListUsers&Version=2010-05-08")
                .header("host", "iam.localhost")
                .body(Vec::new())
                .unwrap();
            let answer = stage.call(&stage.signed("iam", query)).await;
            assert_answer(&answer, 400, &["InvalidAction"]);
        }
    }
    let mut head = kms("GenerateRandom", "");
    *head.method_mut() = Method::HEAD;
    assert_answer(&stage.call(&head).await, 400, &[]);
    assert_eq!(stage.audit.count(), 0, "nothing was called");
}

#[tokio::test]
async fn bytes_beyond_ascii_in_headers_and_paths_name_nothing() {
    let stage = stage().await;
    for (line, header) in [
        ("POST / HTTP/1.1", &b"x-amz-target: TrentService.\xff\xfe"[..]),
        ("POST / HTTP/1.1", b"authorization: \xff"),
        ("POST /%ff%00?Action=%ff HTTP/1.1", b"x-a: b"),
    ] {
        let mut bytes = format!("{line}\r\nhost: x\r\nconnection: close\r\n").into_bytes();
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(b"\r\ncontent-length: 0\r\n\r\n");
        assert_answer(&stage.exchange(&bytes).await, 400, &[]);
    }
}

#[tokio::test]
async fn what_is_no_http_is_closed_on() {
    let stage = stage().await;
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x00\x05garbage",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage that is no frame at all, and long enough",
    ] {
        let answer = stage.exchange(bytes).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    assert_answer(&stage.kms("GenerateRandom", RANDOM).await, 200, &[]);
}

#[tokio::test]
async fn garbage_after_a_request_does_not_spoil_its_answer() {
    use tokio::io::AsyncWriteExt;
    let stage = stage().await;
    let mut request = stage.signed("kms", kms("GenerateRandom", RANDOM));
    request.headers_mut().insert("connection", HeaderValue::from_static("keep-alive"));
    let mut bytes = raw(&request);
    bytes.extend_from_slice(&raw(&request));
    bytes.extend_from_slice(b"\x01\x02garbage\r\n\r\n");
    let mut stream = stage.connect().await;
    stream.write_all(&bytes).await.unwrap();
    let answers = rest(stream).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert_eq!(answers.matches("HTTP/1.1 400").count(), 1, "{answers}");
}

#[tokio::test]
async fn a_parameter_in_the_query_cannot_be_overridden_in_the_body() {
    let stage = stage().await;
    let request = Request::post("/?Action=ListUsers&Version=2010-05-08")
        .header("host", "iam.localhost")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(b"Action=CreateUser&UserName=eve".to_vec())
        .unwrap();
    let answer = stage.call(&stage.signed("iam", request)).await;
    assert_answer(&answer, 400, &["<Code>MalformedInput</Code>", "Action is there twice"]);
}
