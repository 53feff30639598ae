//! Signatures as anyone may send them: nothing panics, and what is signed here verifies.
//!
//! Input: lines of `method`, `path`, `query`, then `name:value` headers, an empty line, the body.
#![no_main]

use haechi_sigv4::{
    Expected, Payload, RequestView, Rules, Scratch, Signer, SigningKey, Timestamp,
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    parse, verify,
};
use libfuzzer_sys::fuzz_target;

const EXPECTED: Expected<'_> = Expected { service: "kms", region_is_valid: |_| true };

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.split('\n');
    let method = lines.next().and_then(|line| line.parse().ok()).unwrap_or(Method::POST);
    let path = lines.next().unwrap_or("/");
    let query = lines.next().filter(|line| !line.is_empty());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    let view = RequestView { method: &method, path, query, headers: &headers, authority: None };
    let now = Timestamp::from_unix_seconds(1_440_938_160);
    let key = SigningKey::derive("secret", "20150830", "us-east-1", "kms");
    let payload = Payload::Bytes(body.as_bytes());
    let mut scratch = Scratch::default();
    for rules in [Rules::STANDARD, Rules::S3] {
        if let Ok(presented) = parse(&view) {
            let _ = presented.check(now, &EXPECTED, &rules).map_err(|error| error.to_string());
            let _ = verify(&presented, &view, payload, &key, &rules, &mut scratch);
        }
        sign_and_verify(&view, payload, &rules, &key, now, &mut scratch);
    }
});

/// A presigned copy of the request, whatever it holds, must verify, unless it was signed before.
fn sign_and_verify(
    view: &RequestView<'_>,
    payload: Payload<'_>,
    rules: &Rules,
    key: &SigningKey,
    now: Timestamp,
    scratch: &mut Scratch,
) {
    let mut headers = view.headers.clone();
    headers.remove("authorization");
    headers.remove("x-amz-content-sha256");
    headers.insert("host", HeaderValue::from_static("localhost"));
    let query = view.query.filter(|query| !query.contains(['%', '+']) && !query.contains("X-Amz-"));
    let view = RequestView { headers: &headers, query, ..*view };
    let signer =
        Signer { access_key_id: "AKID", session_token: None, key, timestamp: now, rules: *rules };
    let query = signer.presigned_query(&view, payload, 60, scratch).expect("signable");
    let view = RequestView { query: Some(&query), ..view };
    let presented = parse(&view).expect("well-formed");
    presented.check(now, &EXPECTED, rules).expect("current and in scope");
    verify(&presented, &view, payload, key, rules, scratch).expect("our own signature");
}
