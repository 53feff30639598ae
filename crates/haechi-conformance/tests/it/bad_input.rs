//! What no well-behaved client sends: each gets AWS's error or a clean close, and the next request
//! is served.

use std::io::{Read, Write};

use haechi_conformance::{Answer, Launch, Server, exchange, request, send};

/// The next request is answered: nothing died, nothing hangs.
fn still_serves(server: &Server) {
    let answer = send(server, &request("GenerateRandom", &[], br#"{"NumberOfBytes":8}"#));
    assert_eq!(answer.status, Some(200), "{answer:?}");
}

/// Sends, expects an error of the caller or a close, and that the server goes on.
fn refused(server: &Server, bytes: &[u8]) -> Answer {
    let answer = send(server, bytes);
    assert!(answer.refuses(), "{answer:?}");
    still_serves(server);
    answer
}

/// Sends a body that is not what the operation takes and expects AWS's word for it.
fn serialization_error(server: &Server, body: &[u8]) {
    let answer = refused(server, &request("GenerateRandom", &[], body));
    assert_eq!(answer.status, Some(400), "{answer:?}");
    assert!(answer.text.contains("SerializationException"), "{answer:?}");
}

#[test]
fn bodies_that_are_not_json() {
    let server = Launch::dev().start();
    for body in [
        &b"{\"NumberOfBytes\": 8"[..],
        b"{\"NumberOfBytes\"",
        b"{",
        b"nonsense",
        b"{\"NumberOfBytes\": 8}}",
        b"{\"NumberOfBytes\": 8,}",
        b"{\"NumberOfBytes\": \xff\xfe}",
        b"{\"CustomKeyStoreId\": \"\xc3\x28\"}",
        b"{\"CustomKeyStoreId\": \"\\ud800\"}",
        b"{\"NumberOfBytes\": 1e999}",
    ] {
        serialization_error(&server, body);
    }
}

#[test]
fn json_of_the_wrong_type() {
    let server = Launch::dev().start();
    for body in [
        &b"[]"[..],
        b"\"text\"",
        b"17",
        b"{\"NumberOfBytes\": \"many\"}",
        b"{\"NumberOfBytes\": {}}",
        b"{\"NumberOfBytes\": [8]}",
        b"{\"NumberOfBytes\": true}",
        b"{\"NumberOfBytes\": 99999999999999999999}",
        b"{\"CustomKeyStoreId\": 5}",
    ] {
        serialization_error(&server, body);
    }
    let wrong_blob = request("Decrypt", &[], b"{\"CiphertextBlob\": \"***\"}");
    let answer = refused(&server, &wrong_blob);
    assert_eq!(answer.status, Some(400), "{answer:?}");
}

#[test]
fn deep_nesting_ends_in_an_error_and_not_in_the_stack() {
    let server = Launch::dev().start();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        serialization_error(&server, deep.as_bytes());
        let inside = format!("{{\"NumberOfBytes\": 8, \"Unknown\": {deep}}}");
        refused(&server, &request("GenerateRandom", &[], inside.as_bytes()));
    }
    let policy = format!("{}{}", "[".repeat(15_000), "]".repeat(15_000));
    let body = format!("{{\"Policy\": \"{policy}\"}}");
    let answer = refused(&server, &request("CreateKey", &[], body.as_bytes()));
    assert!(answer.text.contains("MalformedPolicyDocumentException"), "{answer:?}");
}

#[test]
fn bodies_that_are_too_large() {
    let server = Launch::dev().start();
    let field = format!("{{\"Description\": \"{}\"}}", "x".repeat(10 * 1024 * 1024));
    let answer = refused(&server, &request("CreateKey", &[], field.as_bytes()));
    if let Some(status) = answer.status {
        assert!([400, 413].contains(&status), "{answer:?}");
    }
    // Announced, never sent: the answer must not wait for it.
    let head = request("CreateKey", &[], b"");
    let head = String::from_utf8(head).unwrap();
    let announced = head.replace("Content-Length: 0", "Content-Length: 99999999999");
    refused(&server, announced.as_bytes());
    // Headers without end.
    let long = format!("X-Long: {}", "x".repeat(1024 * 1024));
    refused(&server, &request("GenerateRandom", &[&long], b"{}"));
    let many: Vec<String> = (0..10_000).map(|number| format!("X-{number}: x")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    refused(&server, &request("GenerateRandom", &many, b"{}"));
}

#[test]
fn headers_that_contradict_each_other() {
    let server = Launch::dev().start();
    let body = br#"{"NumberOfBytes":8}"#;
    for header in [
        "Content-Length: 3",
        "Transfer-Encoding: chunked",
        "Content-Length: -1",
        "Authorization: AWS4-HMAC-SHA256 Credential=other",
        "X-Amz-Target: TrentService.CreateKey",
        "No colon here",
        "X-Bad\0: x",
        "Content-Encoding: no-such-encoding",
    ] {
        let answer = send(&server, &request("GenerateRandom", &[header], body));
        assert!(answer.refuses(), "{header:?}: {answer:?}");
        still_serves(&server);
    }
}

#[test]
fn targets_and_paths_that_do_not_exist() {
    let server = Launch::dev().start();
    for target in ["NoSuchOperation", "", "Encrypt.More", "../../etc/passwd"] {
        let answer = send(&server, &request(target, &[], b"{}"));
        assert!(answer.status.is_some_and(|status| status >= 400), "{target}: {answer:?}");
        still_serves(&server);
    }
    for line in ["GET / HTTP/1.1", "DELETE /x HTTP/1.1", "BREW / HTTP/1.1"] {
        let raw = format!("{line}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = send(&server, raw.as_bytes());
        assert!(answer.status.is_none_or(|status| status >= 400), "{line}: {answer:?}");
        still_serves(&server);
    }
}

#[test]
fn garbage_instead_of_http() {
    let server = Launch::dev().start();
    for bytes in [
        &b"\0\0\0\0\0\0\0\0\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage that is no frame at all, and long enough",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST  /  HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n\r\nnot a request\r\n\r\n",
    ] {
        let mut stream = exchange(&server);
        stream.write_all(bytes).unwrap();
        // The server may have refused and reset the connection before we are done: a close too.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received);
        let text = String::from_utf8_lossy(&received);
        assert!(!text.starts_with("HTTP/1.1 2"), "{text}");
        still_serves(&server);
    }
}

#[test]
fn garbage_after_a_good_request_spoils_only_its_own_connection() {
    let server = Launch::dev().start();
    let good = request("GenerateRandom", &[], br#"{"NumberOfBytes":8}"#);
    let mut bytes =
        String::from_utf8(good).unwrap().replace("Connection: close\r\n", "").into_bytes();
    bytes.extend_from_slice(b"\0garbage\r\n\r\n");
    let answer = send(&server, &bytes);
    assert_eq!(answer.status, Some(200), "{answer:?}");
    assert_eq!(answer.text.matches("HTTP/1.1 200").count(), 1, "{answer:?}");
    still_serves(&server);
}

#[test]
fn query_protocol_bodies_that_are_wrong() {
    let server = Launch::dev().start();
    for body in [
        "",
        "Action=",
        "Action=NoSuchAction&Version=2010-05-08",
        "Action=CreateUser&Version=1999-01-01&UserName=x",
        "Action=CreateUser&Action=DeleteUser&Version=2010-05-08",
        "Action=CreateUser&Version=2010-05-08&UserName=%ff%fe",
        "Action=CreateUser&Version=2010-05-08&UserName=%zz",
        "Action=CreateUser&Version=2010-05-08&Tags.member.99999999999.Key=x",
        "&&&===&&&",
    ] {
        let raw = request("x", &[], body.as_bytes());
        let raw = String::from_utf8(raw)
            .unwrap()
            .replace("X-Amz-Target: TrentService.x\r\n", "")
            .replace("application/x-amz-json-1.1", "application/x-www-form-urlencoded")
            .replace("/kms/", "/iam/");
        let answer = send(&server, raw.as_bytes());
        assert!(answer.status.is_some_and(|status| status >= 400), "{body}: {answer:?}");
        still_serves(&server);
    }
}
