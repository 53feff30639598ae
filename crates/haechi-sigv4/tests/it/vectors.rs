//! AWS's signing test suite: both forms, signing and verifying.

use std::{fs, path::Path};

use haechi_sigv4::{
    AuthError, Expected, PathRule, Payload, PayloadClaim, Presented, Rules, Scratch, Signer,
    SigningKey, Timestamp, parse, verify,
};
use http::HeaderValue;
use serde_json::Value;

use crate::support::RawRequest;

struct Case {
    name: String,
    request: RawRequest,
    context: Value,
    rules: Rules,
    files: Box<dyn Fn(&str) -> String>,
}

impl Case {
    fn text(&self, field: &str) -> &str {
        self.context[field].as_str().unwrap()
    }

    fn flag(&self, field: &str) -> bool {
        self.context[field].as_bool().unwrap_or(false)
    }

    fn credential(&self, field: &str) -> Option<&str> {
        self.context["credentials"][field].as_str()
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::parse_basic(&self.text("timestamp").replace(['-', ':'], "")).unwrap()
    }

    fn key(&self) -> SigningKey {
        let secret = self.credential("secret_access_key").unwrap();
        let date = self.timestamp().date();
        SigningKey::derive(secret, &date, self.text("region"), self.text("service"))
    }

    /// The token of the signature itself; the suite adds the omitted one after signing.
    fn signed_token(&self) -> Option<&str> {
        if self.flag("omit_session_token") { None } else { self.credential("token") }
    }

    fn signer<'a>(&'a self, key: &'a SigningKey) -> Signer<'a> {
        Signer {
            access_key_id: self.credential("access_key_id").unwrap(),
            session_token: self.signed_token(),
            key,
            timestamp: self.timestamp(),
            rules: self.rules,
        }
    }

    fn check_and_verify(
        &self,
        presented: &Presented<'_>,
        request: &RawRequest,
        scratch: &mut Scratch,
    ) -> Result<PayloadClaim, AuthError> {
        let expected =
            Expected { service: self.text("service"), region_is_valid: |r| r == "us-east-1" };
        presented.check(self.timestamp(), &expected, &self.rules)?;
        let payload = Payload::Bytes(&request.body);
        verify(presented, &request.view(), payload, &self.key(), &self.rules, scratch)
    }
}

/// The cases with a context; the two of the older format are tests of their own below.
fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/v4");
    let mut cases = Vec::new();
    for entry in fs::read_dir(&root).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(context) = fs::read_to_string(folder.join("context.json")) else { continue };
        let context: Value = serde_json::from_str(&context).unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let files = move |file: &str| fs::read_to_string(folder.join(file)).unwrap();
        // The suite is made for signers told to encode the path once.
        let normalise = context["normalize"].as_bool().unwrap();
        let path = PathRule { normalise, encode_again: false };
        cases.push(Case {
            name,
            request: RawRequest::parse(&files("request.txt")),
            context,
            rules: Rules {
                path,
                presigned_window: haechi_sigv4::PresignedWindow::Requested,
                ..Rules::STANDARD
            },
            files: Box::new(files),
        });
    }
    assert_eq!(cases.len(), 38, "the whole suite is there");
    cases
}

/// The request with what the signer adds before signing by headers.
fn complete_headers(case: &Case) -> RawRequest {
    let mut request = case.request.clone();
    let date = HeaderValue::from_str(&case.timestamp().to_string()).unwrap();
    request.headers.insert("x-amz-date", date);
    if let Some(token) = case.signed_token() {
        request.headers.insert("x-amz-security-token", HeaderValue::from_str(token).unwrap());
    }
    if case.flag("sign_body") {
        let canonical = (case.files)("header-canonical-request.txt");
        let hash = canonical.lines().last().unwrap();
        request.headers.insert("x-amz-content-sha256", HeaderValue::from_str(hash).unwrap());
    }
    request
}

#[test]
fn signing_by_headers_gives_amazons_signatures() {
    for case in cases() {
        let (key, mut scratch) = (case.key(), Scratch::default());
        let request = complete_headers(&case);
        let payload = Payload::Bytes(&request.body);
        let header =
            case.signer(&key).authorization(&request.view(), payload, &mut scratch).unwrap();
        let expected = (case.files)("header-signed-request.txt");
        assert!(expected.contains(&header), "{}: {header}", case.name);
        let signature = (case.files)("header-signature.txt");
        assert!(header.ends_with(signature.trim()), "{}", case.name);
    }
}

#[test]
fn presigning_gives_amazons_urls() {
    for case in cases() {
        let (key, mut scratch) = (case.key(), Scratch::default());
        let expires =
            u32::try_from(case.context["expiration_in_seconds"].as_u64().unwrap()).unwrap();
        let payload = Payload::Bytes(&case.request.body);
        let query = case
            .signer(&key)
            .presigned_query(&case.request.view(), payload, expires, &mut scratch)
            .unwrap();
        let signature = (case.files)("query-signature.txt");
        assert!(query.ends_with(signature.trim()), "{}: {query}", case.name);
        // Parameter order does not matter to a verifier; with a token added last it differs.
        let expected = RawRequest::parse(&(case.files)("query-signed-request.txt")).query.unwrap();
        let sorted = |query: &str| {
            let mut pairs: Vec<String> = query
                .split('&')
                .filter(|pair| !case.flag("omit_session_token") || !pair.contains("Security-Token"))
                .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
                .collect();
            pairs.sort();
            pairs
        };
        assert_eq!(sorted(&query), sorted(&expected), "{}", case.name);
    }
}

#[test]
fn requests_that_amazon_signed_by_headers_verify() {
    let mut scratch = Scratch::default();
    for case in cases() {
        let mut request = RawRequest::parse(&(case.files)("header-signed-request.txt"));
        if case.flag("omit_session_token") {
            let refused = parse(&request.view()).unwrap_err();
            let headers = vec!["x-amz-security-token".to_owned()];
            assert_eq!(refused, AuthError::HeadersNotSigned { headers }, "{}", case.name);
            request.headers.remove("x-amz-security-token");
        }
        let view = request.view();
        let presented = parse(&view).unwrap();
        assert_eq!(presented.session_token(), case.signed_token(), "{}", case.name);
        let claim = case.check_and_verify(&presented, &request, &mut scratch);
        assert_eq!(claim, Ok(PayloadClaim::Verified), "{}", case.name);
    }
}

#[test]
fn requests_that_amazon_presigned_verify() {
    let mut scratch = Scratch::default();
    for case in cases() {
        let mut request = RawRequest::parse(&(case.files)("query-signed-request.txt"));
        if case.flag("omit_session_token") {
            let query = request.query.take().unwrap();
            let kept = query.split('&').filter(|pair| !pair.starts_with("X-Amz-Security-Token"));
            request.query = Some(kept.collect::<Vec<_>>().join("&"));
        }
        let view = request.view();
        let presented = parse(&view).unwrap();
        assert_eq!(presented.session_token(), case.signed_token(), "{}", case.name);
        let claim = case.check_and_verify(&presented, &request, &mut scratch);
        assert_eq!(claim, Ok(PayloadClaim::Verified), "{}", case.name);
    }
}

#[test]
fn the_canonical_request_and_string_to_sign_are_amazons() {
    let mut scratch = Scratch::default();
    for case in cases() {
        for form in ["header", "query"] {
            let mut request =
                RawRequest::parse(&(case.files)(&format!("{form}-signed-request.txt")));
            if case.flag("omit_session_token") {
                continue;
            }
            // A wrong signature makes the verifier show what it calculated.
            let wrong = "0".repeat(64);
            if form == "header" {
                let header = request.headers["authorization"].to_str().unwrap();
                let header = header.split("Signature=").next().unwrap().to_owned();
                let header = format!("{header}Signature={wrong}");
                request.headers.insert("authorization", header.parse().unwrap());
            } else {
                let query = request.query.take().unwrap();
                let query = query.split("&X-Amz-Signature=").next().unwrap().to_owned();
                request.query = Some(format!("{query}&X-Amz-Signature={wrong}"));
            }
            let view = request.view();
            let presented = parse(&view).unwrap();
            let refused = case.check_and_verify(&presented, &request, &mut scratch).unwrap_err();
            let AuthError::SignatureMismatch(mismatch) = refused else {
                panic!("{}: {refused:?}", case.name)
            };
            let canonical = (case.files)(&format!("{form}-canonical-request.txt"));
            assert_eq!(mismatch.canonical_request, canonical, "{}", case.name);
            let to_sign = (case.files)(&format!("{form}-string-to-sign.txt"));
            assert_eq!(mismatch.string_to_sign, to_sign, "{}", case.name);
        }
    }
}

/// The two cases of the older format: paths that are encoded when they arrive.
#[test]
fn an_encoded_path_is_encoded_once_more() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/v4");
    for name in ["double-encode-path", "double-url-encode"] {
        let read = |file: &str| fs::read_to_string(root.join(name).join(file)).unwrap();
        let mut request = RawRequest::parse(&read("request.txt"));
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20210511/us-east-2/lambda/\
            aws4_request, SignedHeaders=host;x-amz-date, Signature=0";
        request.headers.insert("authorization", HeaderValue::from_static(authorization));
        request.headers.insert("x-amz-date", HeaderValue::from_static("20210511T154045Z"));
        let view = request.view();
        let key = SigningKey::derive("secret", "20210511", "us-east-2", "lambda");
        let refused = verify(
            &parse(&view).unwrap(),
            &view,
            Payload::Bytes(b""),
            &key,
            &Rules::STANDARD,
            &mut Scratch::default(),
        );
        let Err(AuthError::SignatureMismatch(mismatch)) = refused else { panic!("{refused:?}") };
        assert_eq!(mismatch.canonical_request, read("header-canonical-request.txt"));
    }
}
