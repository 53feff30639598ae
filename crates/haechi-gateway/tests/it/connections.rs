//! Connections: slow, idle, HTTP/2.

use std::time::Duration;

use haechi_gateway::Limits;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;

use crate::stage::{Audit, Stage, kms, raw, rest, stage, with};

async fn impatient() -> Stage {
    let short = Duration::from_millis(200);
    let limits = Limits {
        head_timeout: short,
        body_timeout: short,
        handshake_timeout: short,
        ..Limits::default()
    };
    with(limits, Audit::default()).await
}

#[tokio::test]
async fn whoever_is_slow_or_idle_is_hung_up_on() {
    let stage = impatient().await;
    let request = raw(&stage.signed("kms", kms("ListKeys", "{}")));
    for begun in [
        &b""[..],
        b"P",
        b"PRI * HT",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\n",
        b"\x16\x03\x01",
        &request[..request.len() - 1],
    ] {
        let answer = stage.exchange(begun).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let stage = impatient().await;
    let mut request = stage.signed("kms", kms("ListKeys", "{}"));
    request.headers_mut().insert("connection", http::HeaderValue::from_static("keep-alive"));
    let mut stream = stage.connect().await;
    stream.write_all(&raw(&request)).await.unwrap();
    let answer = rest(stream).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 1, "{answer}");
}

#[tokio::test]
async fn requests_in_one_go_are_answered_in_order() {
    let stage = stage().await;
    let mut bytes = Vec::new();
    for number in 1..=5 {
        let body = format!(r#"{{"NumberOfBytes":{number}}}"#);
        let mut request = stage.signed("kms", kms("GenerateRandom", body));
        let last = if number == 5 { "close" } else { "keep-alive" };
        request.headers_mut().insert("connection", http::HeaderValue::from_static(last));
        bytes.extend(raw(&request));
    }
    let answers = stage.exchange(&bytes).await;
    let lengths: Vec<usize> = answers
        .split("\"Plaintext\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|text| text.len() / 4 * 3 - text.matches('=').count())
        .collect();
    assert_eq!(lengths, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_answered_and_its_authority_is_the_host() {
    let stage = stage().await;
    let io = TokioIo::new(stage.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let signed = stage.signed("kms", kms("ListKeys", "{}"));
    let (mut parts, body) = signed.into_parts();
    parts.headers.remove("host");
    parts.uri = "http://kms.us-east-1.localhost/".parse().unwrap();
    let request = http::Request::from_parts(parts, Full::new(bytes::Bytes::from(body)));
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("\"Keys\":[]"));
}
