//! Each fault of a request, and what AWS answers for it.

use haechi_sigv4::{
    AuthError, Expected, Payload, PayloadClaim, Protocol, RequestView, Rules, Scratch, Signer,
    Timestamp, parse, verify,
};
use http::{HeaderValue, Request, request::Parts};

use crate::support::{ACCESS_KEY_ID, key, signing_time};

const KMS: Expected<'_> = Expected { service: "kms", region_is_valid: |r| r == "us-east-1" };
const BODY: &[u8] = b"{}";

fn unsigned() -> Parts {
    let request = Request::post("https://kms.us-east-1.amazonaws.com/")
        .header("host", "kms.us-east-1.amazonaws.com")
        .header("x-amz-target", "TrentService.ListKeys");
    request.body(()).unwrap().into_parts().0
}

fn signed() -> Parts {
    let mut parts = unsigned();
    let key = key("kms");
    signer(&key).sign(&mut parts, Payload::Bytes(BODY), &mut Scratch::default()).unwrap();
    parts
}

fn signer(key: &haechi_sigv4::SigningKey) -> Signer<'_> {
    Signer {
        access_key_id: ACCESS_KEY_ID,
        session_token: None,
        key,
        timestamp: signing_time(),
        rules: Rules::STANDARD,
    }
}

fn presigned(rules: Rules, expires: u32) -> Parts {
    let mut parts = unsigned();
    let key = key("kms");
    let signer = Signer { rules, ..signer(&key) };
    signer.presign(&mut parts, Payload::Bytes(BODY), expires, &mut Scratch::default()).unwrap();
    parts
}

fn authenticate(parts: &Parts, now: Timestamp, rules: &Rules) -> Result<PayloadClaim, AuthError> {
    let view = RequestView::from(parts);
    let presented = parse(&view)?;
    presented.check(now, &KMS, rules)?;
    let payload = Payload::Bytes(BODY);
    verify(&presented, &view, payload, &key("kms"), rules, &mut Scratch::default())
}

fn refusal(parts: &Parts) -> AuthError {
    authenticate(parts, signing_time(), &Rules::STANDARD).unwrap_err()
}

/// The signed request with its `Authorization` header edited.
fn with_authorization(edit: impl Fn(&str) -> String) -> Parts {
    let mut parts = signed();
    let header = edit(parts.headers["authorization"].to_str().unwrap());
    parts.headers.insert("authorization", HeaderValue::from_str(&header).unwrap());
    parts
}

fn with_query(parts: &Parts, edit: impl Fn(&str) -> String) -> Parts {
    let mut parts = parts.clone();
    parts.uri = edit(&parts.uri.to_string()).parse().unwrap();
    parts
}

#[test]
fn a_signed_request_is_accepted() {
    let now = signing_time();
    assert_eq!(authenticate(&signed(), now, &Rules::STANDARD), Ok(PayloadClaim::Verified));
    let parts = presigned(Rules::STANDARD, 60);
    assert_eq!(authenticate(&parts, now, &Rules::STANDARD), Ok(PayloadClaim::Verified));
}

#[test]
fn an_unsigned_request_misses_its_token() {
    let refused = refusal(&unsigned());
    assert_eq!(refused, AuthError::MissingAuthenticationToken);
    assert_eq!(refused.code(Protocol::Json), "MissingAuthenticationTokenException");
    assert_eq!(refused.code(Protocol::Query), "MissingAuthenticationToken");
    assert_eq!(refused.to_string(), "Request is missing Authentication Token");
    assert_eq!((refused.status(Protocol::Json), refused.status(Protocol::Query)), (400, 403));
}

#[test]
fn header_and_query_signature_together_are_refused() {
    let mut parts = presigned(Rules::STANDARD, 60);
    parts.headers.insert("authorization", HeaderValue::from_static("AWS4-HMAC-SHA256 a=b"));
    assert_eq!(refusal(&parts), AuthError::TwoSignatures);
}

#[test]
fn missing_header_parameters_are_all_named() {
    let mut parts = with_authorization(|_| "AWS4-HMAC-SHA256".into());
    parts.headers.remove("x-amz-date");
    let refused = refusal(&parts);
    assert_eq!(refused.code(Protocol::Json), "IncompleteSignatureException");
    assert_eq!(
        refused.to_string(),
        "Authorization header requires 'Credential' parameter. Authorization header requires \
         'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
         (Hashed with SHA-256 and encoded with Base64) \
         Authorization="
            .to_owned()
            + &fingerprint("AWS4-HMAC-SHA256")
    );
}

fn fingerprint(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    STANDARD.encode(digest)
}

#[test]
fn a_header_of_another_scheme_is_no_list_of_pairs() {
    let refused = refusal(&with_authorization(|_| "Bearer abc".into()));
    let shown = fingerprint("Bearer abc");
    assert_eq!(
        refused.to_string(),
        format!(
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with \
             SHA-256 and encoded with Base64): '{shown}'."
        )
    );
}

#[test]
fn two_authorization_headers_are_refused() {
    let mut parts = signed();
    let again = parts.headers["authorization"].clone();
    parts.headers.append("authorization", again);
    assert!(matches!(refusal(&parts), AuthError::MalformedAuthorization { .. }));
}

#[test]
fn missing_query_parameters_are_all_named() {
    let parts = with_query(&unsigned(), |uri| format!("{uri}?X-Amz-Algorithm=AWS4-HMAC-SHA256"));
    assert_eq!(
        refusal(&parts).to_string(),
        "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters \
         must include 'X-Amz-Signature'. AWS query-string parameters must include \
         'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine \
         the query-string parameters."
    );
}

#[test]
fn an_old_request_has_expired() {
    let five_minutes = signing_time().plus_seconds(300);
    assert!(authenticate(&signed(), five_minutes, &Rules::STANDARD).is_ok());
    let now = five_minutes.plus_seconds(1);
    let refused = authenticate(&signed(), now, &Rules::STANDARD).unwrap_err();
    assert_eq!(refused.code(Protocol::Json), "InvalidSignatureException");
    assert_eq!(refused.code(Protocol::Query), "SignatureDoesNotMatch");
    assert_eq!(
        refused.to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
         (20150830T124101Z - 5 min.)"
    );
}

#[test]
fn a_request_of_the_future_is_not_yet_current() {
    let five_minutes = signing_time().plus_seconds(-300);
    assert!(authenticate(&signed(), five_minutes, &Rules::STANDARD).is_ok());
    let now = five_minutes.plus_seconds(-1);
    let refused = authenticate(&signed(), now, &Rules::STANDARD).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
         (20150830T123059Z + 5 min.)"
    );
}

#[test]
fn a_presigned_request_is_good_for_fifteen_minutes_but_in_s3_for_what_it_asks() {
    let later = |seconds| signing_time().plus_seconds(seconds);
    let parts = presigned(Rules::STANDARD, 60);
    assert!(authenticate(&parts, later(900), &Rules::STANDARD).is_ok());
    let refused = authenticate(&parts, later(901), &Rules::STANDARD).unwrap_err();
    assert!(refused.to_string().ends_with("(20150830T125101Z - 15 min.)"), "{refused}");
    let parts = presigned(Rules::S3, 60);
    assert_eq!(authenticate(&parts, later(60), &Rules::S3), Ok(PayloadClaim::Unsigned));
    let refused = authenticate(&parts, later(61), &Rules::S3).unwrap_err();
    assert_eq!(refused.code(Protocol::S3), "AccessDenied");
    assert_eq!(refused.message(Protocol::S3), "Request has expired");
    assert_eq!(refused.status(Protocol::S3), 403);
}

#[test]
fn x_amz_expires_is_a_number_from_1_to_604800() {
    let message = |expires: &str| {
        let parts = presigned(Rules::S3, 60);
        let parts = with_query(&parts, |uri| {
            uri.replace("X-Amz-Expires=60", &format!("X-Amz-Expires={expires}"))
        });
        authenticate(&parts, signing_time(), &Rules::S3).unwrap_err().message(Protocol::S3)
    };
    assert_eq!(message("a"), "X-Amz-Expires should be a number");
    assert_eq!(message("-1"), "X-Amz-Expires must be non-negative");
    assert_eq!(message("0"), "X-Amz-Expires must be non-negative");
    for too_much in ["604801", "99999999999999999999"] {
        assert_eq!(
            message(too_much),
            "X-Amz-Expires must be less than a week (in seconds); that is, the given \
             X-Amz-Expires must be less than 604800 seconds"
        );
    }
    assert!(authenticate(&presigned(Rules::S3, 604_800), signing_time(), &Rules::S3).is_ok());
}

#[test]
fn a_date_must_be_in_basic_format() {
    let mut parts = signed();
    parts.headers.insert("x-amz-date", HeaderValue::from_static("2015-08-30"));
    assert_eq!(
        refusal(&parts).to_string(),
        "Date must be in ISO-8601 'basic format'. Got '2015-08-30'. See \
         http://en.wikipedia.org/wiki/ISO_8601"
    );
}

#[test]
fn the_date_header_serves_where_x_amz_date_is_absent() {
    for date in ["20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT"] {
        let mut parts = unsigned();
        parts.headers.insert("date", HeaderValue::from_static(date));
        let (key, mut scratch) = (key("kms"), Scratch::default());
        let view = RequestView::from(&parts);
        let header = signer(&key).authorization(&view, Payload::Bytes(BODY), &mut scratch).unwrap();
        parts.headers.insert("authorization", header.parse().unwrap());
        let claim = authenticate(&parts, signing_time(), &Rules::STANDARD);
        assert_eq!(claim, Ok(PayloadClaim::Verified), "{date}");
    }
}

#[test]
fn the_host_must_be_signed() {
    let refused = refusal(&with_authorization(|header| header.replace("host;", "")));
    assert_eq!(refused.code(Protocol::Query), "SignatureDoesNotMatch");
    assert_eq!(
        refused.to_string(),
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );
}

#[test]
fn the_authority_of_http2_is_the_host() {
    let mut parts = signed();
    parts.headers.remove("host");
    let claim = authenticate(&parts, signing_time(), &Rules::STANDARD);
    assert_eq!(claim, Ok(PayloadClaim::Verified));
}

#[test]
fn amazon_headers_must_be_signed() {
    let mut parts = signed();
    parts.headers.insert("x-amz-foo", HeaderValue::from_static("1"));
    assert_eq!(
        refusal(&parts).to_string(),
        "'x-amz-foo' must be a 'SignedHeader' in the AWS Authorization."
    );
    parts.headers.remove("x-amz-foo");
    parts.headers.insert("x-amzn-trace-id", HeaderValue::from_static("1"));
    assert!(authenticate(&parts, signing_time(), &Rules::STANDARD).is_ok());
}

#[test]
fn another_algorithm_is_unsupported() {
    let refused = refusal(&with_authorization(|header| header.replace("SHA256", "SHA25")));
    assert_eq!(
        refused.to_string(),
        "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). "
    );
}

#[test]
fn a_credential_has_five_parts() {
    let refused = refusal(&with_authorization(|header| header.replace("/aws4_request", "")));
    assert_eq!(
        refused.to_string(),
        "Credential must have exactly 5 slash-delimited elements, e.g. \
         keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/kms'"
    );
}

#[test]
fn all_faults_of_the_scope_are_named() {
    let refused = refusal(&with_authorization(|header| {
        header.replace("20150830/us-east-1/kms/aws4_request", "20150829/mars/iam/aws5_request")
    }));
    assert_eq!(
        refused.to_string(),
        "Credential should be scoped to a valid region, not 'mars'. Credential should be scoped \
         to correct service: 'kms'. Credential should be scoped with a valid terminator: \
         'aws4_request', not 'aws5_request'. Date in Credential scope does not match YYYYMMDD \
         from ISO-8601 version of date from HTTP: '20150829' != '20150830', from \
         '20150830T123600Z'."
    );
}

#[test]
fn a_mismatch_shows_what_should_have_been_signed() {
    let refused = refusal(&with_authorization(|header| {
        let (head, _) = header.split_once("Signature=").unwrap();
        format!("{head}Signature={}", "0".repeat(64))
    }));
    let AuthError::SignatureMismatch(mismatch) = &refused else { panic!("{refused:?}") };
    let canonical_hash = mismatch.string_to_sign.lines().last().unwrap();
    assert_eq!(
        refused.to_string(),
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\n\
         host:kms.us-east-1.amazonaws.com\nx-amz-date:20150830T123600Z\n\
         x-amz-target:TrentService.ListKeys\n\nhost;x-amz-date;x-amz-target\n\
         44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'\n\nThe String-to-Sign \
         should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n\
         20150830/us-east-1/kms/aws4_request\n\
         CANONICAL_HASH'\n"
            .replace("CANONICAL_HASH", canonical_hash)
    );
    assert_eq!(
        refused.message(Protocol::S3),
        "The request signature we calculated does not match the signature you provided. Check \
         your key and signing method."
    );
}

#[test]
fn an_unsigned_payload_needs_a_presigned_request_or_s3() {
    let sign = |rules| {
        let mut parts = unsigned();
        let unsigned = HeaderValue::from_static("UNSIGNED-PAYLOAD");
        parts.headers.insert("x-amz-content-sha256", unsigned);
        let key = key("kms");
        let signer = Signer { rules, ..signer(&key) };
        signer.sign(&mut parts, Payload::Unread, &mut Scratch::default()).unwrap();
        authenticate(&parts, signing_time(), &rules)
    };
    assert!(matches!(sign(Rules::STANDARD), Err(AuthError::SignatureMismatch(_))));
    assert_eq!(sign(Rules::S3), Ok(PayloadClaim::Unsigned));
}

#[test]
fn s3_compares_the_declared_hash_with_the_body_after_the_signature() {
    let mut parts = unsigned();
    let key = key("kms");
    let signer = Signer { rules: Rules::S3, ..signer(&key) };
    signer.sign(&mut parts, Payload::Bytes(b"other"), &mut Scratch::default()).unwrap();
    let refused = authenticate(&parts, signing_time(), &Rules::S3).unwrap_err();
    assert_eq!(refused.code(Protocol::S3), "XAmzContentSHA256Mismatch");
    let view = RequestView::from(&parts);
    let presented = parse(&view).unwrap();
    let mut scratch = Scratch::default();
    let claim = verify(&presented, &view, Payload::Unread, &key, &Rules::S3, &mut scratch);
    assert!(matches!(claim, Ok(PayloadClaim::Declared(_))), "{claim:?}");
}

#[test]
fn s3_needs_a_valid_content_hash() {
    let mut parts = signed();
    let refused = authenticate(&parts, signing_time(), &Rules::S3).unwrap_err();
    assert_eq!(
        refused.message(Protocol::S3),
        "Missing required header for this request: x-amz-content-sha256"
    );
    parts = unsigned();
    parts.headers.insert("x-amz-content-sha256", HeaderValue::from_static("abc"));
    let key = key("kms");
    signer(&key).sign(&mut parts, Payload::Unread, &mut Scratch::default()).unwrap();
    let refused = authenticate(&parts, signing_time(), &Rules::S3).unwrap_err();
    assert_eq!(
        (refused.code(Protocol::S3), refused.status(Protocol::S3)),
        ("InvalidArgument", 400)
    );
}

#[test]
fn s3_recognises_chunked_payloads() {
    let mut parts = unsigned();
    let format = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    parts.headers.insert("x-amz-content-sha256", HeaderValue::from_static(format));
    let key = key("kms");
    let signer = Signer { rules: Rules::S3, ..signer(&key) };
    signer.sign(&mut parts, Payload::Unread, &mut Scratch::default()).unwrap();
    let claim = authenticate(&parts, signing_time(), &Rules::S3);
    assert_eq!(claim, Ok(PayloadClaim::Streaming(format.to_owned())));
}

#[test]
fn an_unknown_access_key_has_a_code_per_protocol() {
    let refused = AuthError::UnknownAccessKey { access_key_id: "AKIA".into() };
    assert_eq!(refused.code(Protocol::Json), "UnrecognizedClientException");
    assert_eq!(refused.code(Protocol::Query), "InvalidClientTokenId");
    assert_eq!(refused.code(Protocol::Ec2), "AuthFailure");
    assert_eq!(refused.code(Protocol::S3), "InvalidAccessKeyId");
    assert_eq!(refused.to_string(), "The security token included in the request is invalid.");
    assert_eq!(AuthError::ExpiredToken.code(Protocol::Query), "ExpiredToken");
}

#[test]
fn the_session_token_is_handed_over_in_both_forms() {
    let key = key("kms");
    let signer = Signer { session_token: Some("to/ken+="), ..signer(&key) };
    let mut parts = unsigned();
    signer.sign(&mut parts, Payload::Bytes(BODY), &mut Scratch::default()).unwrap();
    assert_eq!(parse(&RequestView::from(&parts)).unwrap().session_token(), Some("to/ken+="));
    assert!(authenticate(&parts, signing_time(), &Rules::STANDARD).is_ok());
    let mut parts = unsigned();
    signer.presign(&mut parts, Payload::Bytes(BODY), 60, &mut Scratch::default()).unwrap();
    assert_eq!(parse(&RequestView::from(&parts)).unwrap().session_token(), Some("to/ken+="));
    assert!(authenticate(&parts, signing_time(), &Rules::STANDARD).is_ok());
}

#[test]
fn debug_output_shows_neither_signature_nor_token() {
    let key = key("kms");
    let signer = Signer { session_token: Some("hidden"), ..signer(&key) };
    let mut parts = unsigned();
    signer.sign(&mut parts, Payload::Bytes(BODY), &mut Scratch::default()).unwrap();
    let view = RequestView::from(&parts);
    let presented = parse(&view).unwrap();
    let shown = format!("{presented:?}");
    assert!(!shown.contains("hidden") && !shown.contains(presented.signature()), "{shown}");
}
