use super::*;

fn every_error() -> Vec<AuthError> {
    let time = Timestamp::from_unix_seconds(0);
    let text = String::new;
    vec![
        AuthError::MissingAuthenticationToken,
        AuthError::TwoSignatures,
        AuthError::MalformedAuthorization { fingerprint: text() },
        AuthError::IncompleteHeader {
            missing: vec!["Credential"],
            date_missing: false,
            fingerprint: text(),
        },
        AuthError::IncompleteQuery { missing: vec!["X-Amz-Date"] },
        AuthError::InvalidDate { date: text() },
        AuthError::UnsupportedAlgorithm { algorithm: text() },
        AuthError::MalformedCredential { credential: text() },
        AuthError::HostNotSigned,
        AuthError::HeadersNotSigned { headers: vec!["x-amz-a".into()] },
        AuthError::Expired {
            signed_at: time,
            earliest: time,
            now: time,
            minutes: 5,
            expires: None,
        },
        AuthError::NotYetCurrent { signed_at: time, latest: time, now: time, minutes: 5 },
        AuthError::InvalidExpires { expires: text() },
        AuthError::WrongScope { faults: vec!["fault".into()] },
        AuthError::UnknownAccessKey { access_key_id: text() },
        AuthError::InvalidToken,
        AuthError::ExpiredToken,
        AuthError::InvalidContentSha256 { declared: None },
        AuthError::ContentSha256Mismatch { declared: [0; 32], actual: [1; 32] },
    ]
}

#[test]
fn every_failure_has_a_code_a_message_and_a_client_status_in_every_protocol() {
    for error in every_error() {
        for protocol in
            [Protocol::Json, Protocol::RestJson, Protocol::Query, Protocol::Ec2, Protocol::S3]
        {
            assert!(!error.message(protocol).is_empty(), "{error:?}");
            assert!(matches!(error.status(protocol), 400 | 403), "{error:?}");
            let code = error.code(protocol);
            let is_json = matches!(protocol, Protocol::Json | Protocol::RestJson);
            assert_eq!(code.ends_with("Exception"), is_json, "{code}");
        }
    }
}

#[test]
fn an_incomplete_signature_is_400_in_query_services_and_all_else_403() {
    let incomplete = AuthError::IncompleteQuery { missing: vec![] };
    assert_eq!(incomplete.status(Protocol::Query), 400);
    assert_eq!(AuthError::HostNotSigned.status(Protocol::Query), 403);
    assert_eq!(AuthError::HostNotSigned.status(Protocol::Json), 400);
}
