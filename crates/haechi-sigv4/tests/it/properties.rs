//! What holds for every request: signing then verifying succeeds, any change is refused, and
//! nothing that is received panics.

use haechi_sigv4::{
    AuthError, Expected, Payload, RequestView, Rules, Scratch, Signer, parse, verify,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use crate::support::{ACCESS_KEY_ID, RawRequest, key, signing_time};

const SERVICE: Expected<'_> = Expected { service: "service", region_is_valid: |_| true };

/// Requests as HTTP servers hand them over: any visible ASCII.
fn request() -> impl Strategy<Value = RawRequest> {
    let method = prop::sample::select(vec![Method::GET, Method::POST, Method::PUT]);
    let path = "/[!-\"$->@-~]{0,20}";
    let query = prop::option::of("([a-zA-Z0-9%+=~_.-]{1,10}&){0,4}[!-%'-~]{0,10}");
    let header = ("[a-z][a-z0-9-]{0,8}", "[!-~][ -~]{0,12}");
    let headers = prop::collection::vec(header, 0..4);
    let body = prop::collection::vec(any::<u8>(), 0..64);
    (method, path, query, headers, body).prop_map(|(method, path, query, pairs, body)| {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("kms.us-east-1.localhost:4566"));
        for (name, value) in pairs {
            // A prefix keeps them out of the names that mean something.
            let name = HeaderName::from_bytes(format!("my-{name}").as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(&value).unwrap());
        }
        headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
        RawRequest { method, path, query, headers, body }
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    prop::sample::select(vec![Rules::STANDARD, Rules::S3])
}

fn sign(mut request: RawRequest, rules: Rules, presigned: bool) -> RawRequest {
    let (key, mut scratch) = (key("service"), Scratch::default());
    let signer = Signer {
        access_key_id: ACCESS_KEY_ID,
        session_token: None,
        key: &key,
        timestamp: signing_time(),
        rules,
    };
    if rules.s3_payload && !presigned {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &request.body);
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        request.headers.insert("x-amz-content-sha256", hex.parse().unwrap());
    }
    let payload = Payload::Bytes(&request.body);
    if presigned {
        let query = signer.presigned_query(&request.view(), payload, 60, &mut scratch).unwrap();
        request.query = Some(query);
    } else {
        let header = signer.authorization(&request.view(), payload, &mut scratch).unwrap();
        request.headers.insert("authorization", header.parse().unwrap());
    }
    request
}

fn authenticate(request: &RawRequest, rules: &Rules) -> Result<(), AuthError> {
    let view = request.view();
    let presented = parse(&view)?;
    presented.check(signing_time(), &SERVICE, rules)?;
    let payload = Payload::Bytes(&request.body);
    verify(&presented, &view, payload, &key("service"), rules, &mut Scratch::default()).map(|_| ())
}

/// Another letter or digit, so that what is changed stays a request.
fn other(byte: u8) -> u8 {
    if byte == b'a' { b'b' } else { b'a' }
}

fn changed(text: &str, index: prop::sample::Index) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.is_empty() {
        return None;
    }
    let at = index.index(bytes.len());
    bytes[at] = other(bytes[at]);
    String::from_utf8(bytes).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_signed_verifies(request in request(), rules in rules(), presigned: bool) {
        let signed = sign(request, rules, presigned);
        prop_assert_eq!(authenticate(&signed, &rules), Ok(()));
    }

    #[test]
    fn a_changed_method_is_refused(request in request(), rules in rules(), presigned: bool) {
        let mut signed = sign(request, rules, presigned);
        signed.method = Method::DELETE;
        prop_assert!(authenticate(&signed, &rules).is_err());
    }

    #[test]
    fn a_changed_path_byte_is_refused_in_s3(
        mut request in request(), path in "/[!-\"$&->@-~]{0,20}", presigned: bool,
        index: prop::sample::Index,
    ) {
        // Without `%`: `%A1` and `%a1` are the same path.
        request.path = path;
        let mut signed = sign(request, Rules::S3, presigned);
        signed.path = changed(&signed.path, index).unwrap();
        prop_assert!(authenticate(&signed, &Rules::S3).is_err());
    }

    /// Elsewhere `/a/../` and the like mean the same path; a byte of a plain segment does not.
    #[test]
    fn a_changed_byte_of_a_plain_path_is_refused(
        mut request in request(), path in "/[a-z%@:]{1,20}", presigned: bool,
        index: prop::sample::Index,
    ) {
        request.path = path;
        let mut signed = sign(request, Rules::STANDARD, presigned);
        signed.path = changed(&signed.path, index).unwrap();
        prop_assert!(authenticate(&signed, &Rules::STANDARD).is_err());
    }

    #[test]
    fn a_changed_query_byte_is_refused(
        mut request in request(), query in "[a-z0-9]{1,8}=[a-z0-9]{1,8}(&[a-z0-9]{1,8}=[a-z0-9]{1,8}){0,3}",
        rules in rules(), presigned: bool, index: prop::sample::Index,
    ) {
        request.query = Some(query.clone());
        let mut signed = sign(request, rules, presigned);
        let changed = changed(&query, index).unwrap();
        signed.query = Some(signed.query.unwrap().replacen(&query, &changed, 1));
        // Two pairs swapped into one another are the same request.
        let sorted = |query: &str| {
            let mut pairs: Vec<String> = query.split('&').map(str::to_owned).collect();
            pairs.sort();
            pairs
        };
        prop_assume!(sorted(&query) != sorted(&changed));
        prop_assert!(authenticate(&signed, &rules).is_err());
    }

    #[test]
    fn a_changed_signed_header_is_refused(
        mut request in request(), value in "[a-z0-9]{1,12}", rules in rules(), presigned: bool,
        index: prop::sample::Index,
    ) {
        request.headers.insert("x-amz-target", value.parse().unwrap());
        let mut signed = sign(request, rules, presigned);
        let value = changed(&value, index).unwrap();
        signed.headers.insert("x-amz-target", value.parse().unwrap());
        prop_assert!(authenticate(&signed, &rules).is_err());
    }

    #[test]
    fn a_removed_or_added_header_value_is_refused(
        mut request in request(), rules in rules(), presigned: bool,
    ) {
        request.headers.insert("my-signed", HeaderValue::from_static("1"));
        let signed = sign(request, rules, presigned);
        let mut less = signed.clone();
        less.headers.remove("my-signed");
        prop_assert!(authenticate(&less, &rules).is_err());
        let mut more = signed;
        more.headers.append("my-signed", HeaderValue::from_static("1"));
        prop_assert!(authenticate(&more, &rules).is_err());
    }

    #[test]
    fn a_changed_body_byte_is_refused(
        mut request in request(), body in prop::collection::vec(any::<u8>(), 1..64),
        rules in rules(), presigned: bool, index: prop::sample::Index, mask in 1u8..,
    ) {
        request.body = body;
        let mut signed = sign(request, rules, presigned);
        let at = index.index(signed.body.len());
        signed.body[at] ^= mask;
        // A presigned S3 request does not sign its body.
        prop_assert_eq!(authenticate(&signed, &rules).is_ok(), rules.s3_payload && presigned);
    }

    #[test]
    fn a_changed_signature_byte_is_refused(
        request in request(), rules in rules(), index in 0usize..64,
    ) {
        let mut signed = sign(request, rules, false);
        let mut header = signed.headers["authorization"].as_bytes().to_vec();
        let at = header.len() - 64 + index;
        header[at] = if header[at] == b'0' { b'1' } else { b'0' };
        signed.headers.insert("authorization", HeaderValue::from_bytes(&header).unwrap());
        prop_assert!(authenticate(&signed, &rules).is_err());
    }

    #[test]
    fn nothing_received_panics(
        path in ".{0,40}", query in prop::option::of(".{0,80}"),
        authorization in prop::collection::vec(any::<u8>(), 0..80),
        pairs in "(X-Amz-(Algorithm|Credential|Signature|SignedHeaders|Date|Expires)=[!-~é]{0,12}&){0,6}",
    ) {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&authorization) {
            headers.insert("authorization", value);
        }
        let query = query.map(|query| format!("{pairs}{query}"));
        for with_header in [true, false] {
            if !with_header {
                headers.clear();
            }
            let view = RequestView {
                method: &Method::GET,
                path: &path,
                query: query.as_deref(),
                headers: &headers,
                authority: Some("localhost"),
            };
            let Ok(presented) = parse(&view) else { continue };
            for rules in [Rules::STANDARD, Rules::S3] {
                let checked = presented.check(signing_time(), &SERVICE, &rules);
                let mut scratch = Scratch::default();
                let (key, payload) = (key("service"), Payload::Bytes(b""));
                let verified = verify(&presented, &view, payload, &key, &rules, &mut scratch);
                prop_assert!(verified.is_err(), "{checked:?}");
            }
        }
    }
}
