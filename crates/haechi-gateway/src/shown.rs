//! What CloudTrail shows of some calls, and no model tells.

use std::borrow::Cow;

use haechi_core::{Caller, Resource, url};
use haechi_wire::json::push_string;

/// `readOnly` of calls that CloudTrail does not judge by their names. It says nothing of whether the
/// store is written: roles are assumed without a trace there.
const READ_ONLY: &[(&str, &str, bool)] = &[
    ("sts", "AssumeRole", true),
    ("sts", "AssumeRoleWithSAML", true),
    ("sts", "AssumeRoleWithWebIdentity", true),
    ("sts", "GetFederationToken", false),
];

/// Versions that CloudTrail writes behind the names of Lambda's older operations. Source: records in
/// published rules of detection; Lambda's developer guide, "Logging AWS Lambda API calls".
const VERSIONS: &[(&str, &[&str])] = &[
    (
        "20150331",
        &[
            "CreateAlias",
            "CreateEventSourceMapping",
            "CreateFunction",
            "DeleteAlias",
            "DeleteEventSourceMapping",
            "DeleteFunction",
            "GetAlias",
            "GetEventSourceMapping",
            "ListAliases",
            "ListEventSourceMappings",
            "ListFunctions",
            "ListVersionsByFunction",
            "PublishVersion",
            "UpdateAlias",
            "UpdateEventSourceMapping",
        ],
    ),
    (
        "20150331v2",
        &[
            "AddPermission",
            "GetFunction",
            "GetFunctionConfiguration",
            "GetPolicy",
            "RemovePermission",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
        ],
    ),
    ("20160819", &["GetAccountSettings"]),
    ("20170331", &["ListTags"]),
    ("20170331v2", &["TagResource", "UntagResource"]),
    ("20171031", &["DeleteFunctionConcurrency", "PutFunctionConcurrency"]),
];

/// Calls that CloudTrail counts as use of data, not as management: they are in no history of events
/// and in the files of those trails that select them. Source: the services' developer guides,
/// "Logging … using AWS CloudTrail".
const DATA_EVENTS: &[(&str, &[&str])] = &[
    ("events", &["PutEvents"]),
    ("lambda", &["Invoke"]),
    ("sns", &["Publish", "PublishBatch"]),
    (
        "sqs",
        &[
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListDeadLetterSourceQueues",
            "ListQueueTags",
            "ListQueues",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        ],
    ),
];

/// `eventName` of a record.
pub(crate) fn event_name<'a>(service: &str, operation: &'a str) -> Cow<'a, str> {
    if service != "lambda" {
        return Cow::Borrowed(operation);
    }
    match VERSIONS.iter().find(|(_, names)| names.contains(&operation)) {
        Some((version, _)) => Cow::Owned([operation, version].concat()),
        None => Cow::Borrowed(operation),
    }
}

/// Whether a record is of a data event.
pub(crate) fn is_data_event(service: &str, operation: &str) -> bool {
    DATA_EVENTS.iter().any(|(name, names)| *name == service && names.contains(&operation))
}

/// `readOnly` of a record.
pub(crate) fn read_only(service: &str, operation: &str, by_model: bool) -> bool {
    let known = READ_ONLY.iter().find(|(name, known, _)| (*name, *known) == (service, operation));
    known.map_or(by_model, |(_, _, read_only)| *read_only)
}

/// `requestParameters` of a record, with what CloudTrail adds to what was sent:
///
/// - of a role that is assumed from a session, the tags that the new session inherits from it
///   ("Passing session tags in AWS STS", CloudTrail);
/// - of an encryption by KMS, its algorithm, also where it was left to KMS (as in real records).
///
/// And without the password of an endpoint that is subscribed to a topic.
pub(crate) fn parameters<'a>(
    service: &str,
    operation: &str,
    caller: Option<&Caller>,
    written: &'a [u8],
) -> Cow<'a, [u8]> {
    let Some(rest) = written.strip_prefix(b"{") else { return Cow::Borrowed(written) };
    let more = match (service, operation) {
        ("sns", "Subscribe") => return without_passwords(written),
        ("sts", "AssumeRole") => incoming_tags(caller),
        ("kms", "ReEncrypt") => algorithms(written),
        ("kms", "Encrypt" | "Decrypt") if !has(written, b"\"encryptionAlgorithm\":") => {
            Some(b"\"encryptionAlgorithm\":\"SYMMETRIC_DEFAULT\"".to_vec())
        }
        _ => None,
    };
    let Some(more) = more else { return Cow::Borrowed(written) };
    let comma: &[u8] = if rest == b"}" { b"" } else { b"," };
    Cow::Owned([b"{", more.as_slice(), comma, rest].concat())
}

/// `responseElements` of a record, with what CloudTrail adds to what was answered: where KMS changed
/// something of a key, that key's ARN, also if the answer does not tell it (since December 2022).
pub(crate) fn elements(service: &str, written: Vec<u8>, resources: &[Resource]) -> Vec<u8> {
    if service != "kms" || has(&written, b"\"keyId\":") {
        return written;
    }
    let Some(key) = resources.iter().find(|resource| resource.kind == "AWS::KMS::Key") else {
        return written;
    };
    let mut out = b"{\"keyId\":".to_vec();
    push_string(&mut out, &key.arn);
    match written.strip_prefix(b"{").filter(|rest| *rest != b"}") {
        Some(rest) => out.extend([b",", rest].concat()),
        None => out.push(b'}'),
    }
    out
}

/// The same JSON, its endpoints as SNS shows them.
fn without_passwords(written: &[u8]) -> Cow<'_, [u8]> {
    const ENDPOINT: &[u8] = b"\"endpoint\":\"";
    let (mut out, mut rest) = (Vec::with_capacity(written.len()), written);
    while let Some(at) = memchr::memmem::find(rest, ENDPOINT) {
        let Some((before, behind)) = rest.split_at_checked(at + ENDPOINT.len()) else { break };
        let Some((value, behind)) = behind.split_at_checked(string_end(behind)) else { break };
        out.extend_from_slice(before);
        // Nothing that a password is told by is escaped in JSON.
        out.extend_from_slice(url::without_password(&String::from_utf8_lossy(value)).as_bytes());
        rest = behind;
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// Where the string ends that JSON goes on with.
fn string_end(json: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = json.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.unwrap_or(json.len())
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Of an encryption anew, the algorithms that were left to KMS.
fn algorithms(written: &[u8]) -> Option<Vec<u8>> {
    let names = ["sourceEncryptionAlgorithm", "destinationEncryptionAlgorithm"];
    let left = names.into_iter().filter(|name| !has(written, format!("\"{name}\":").as_bytes()));
    let added: Vec<String> = left.map(|name| format!("\"{name}\":\"SYMMETRIC_DEFAULT\"")).collect();
    (!added.is_empty()).then(|| added.join(",").into_bytes())
}

fn incoming_tags(caller: Option<&Caller>) -> Option<Vec<u8>> {
    let tags = &caller?.session.as_ref()?.transitive_tags;
    if tags.is_empty() {
        return None;
    }
    let mut out = b"\"incomingTransitiveTags\":".to_vec();
    for (index, (key, value)) in tags.iter().enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        push_string(&mut out, key);
        out.push(b':');
        push_string(&mut out, value);
    }
    out.push(b'}');
    Some(out)
}

#[cfg(test)]
mod tests {
    use haechi_core::{Session, SessionHolder};

    use super::*;

    #[test]
    fn cloudtrail_calls_assuming_a_role_reading_and_making_a_federated_user_not() {
        assert!(read_only("sts", "AssumeRole", false));
        assert!(!read_only("sts", "GetFederationToken", true));
        assert!(read_only("sts", "GetSessionToken", true));
        assert!(!read_only("kms", "CreateKey", false));
    }

    #[test]
    fn functions_are_told_of_by_the_older_names_and_their_use_is_no_management() {
        let name = |service, operation| event_name(service, operation).into_owned();
        assert_eq!(name("lambda", "UpdateFunctionCode"), "UpdateFunctionCode20150331v2");
        assert_eq!(name("lambda", "TagResource"), "TagResource20170331v2");
        assert_eq!(name("kms", "TagResource"), "TagResource");
        assert_eq!(name("lambda", "PutFunctionEventInvokeConfig"), "PutFunctionEventInvokeConfig");
        assert!(is_data_event("lambda", "Invoke") && is_data_event("sns", "PublishBatch"));
        assert!(!is_data_event("kms", "Decrypt") && !is_data_event("sqs", "PurgeQueue"));
    }

    fn chained(tags: &[(&str, &str)]) -> Caller {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let session = Session {
            holder: SessionHolder::Root,
            transitive_tags: tags.collect(),
            source_identity: None,
            mfa: None,
            federated_provider: None,
            source_function: None,
        };
        Caller { session: Some(session), ..Caller::anonymous() }
    }

    #[test]
    fn a_role_assumed_from_a_session_is_told_with_the_tags_that_it_inherits() {
        let caller = chained(&[("Team", "a\"b"), ("Stage", "x")]);
        let text = |written: &[u8]| {
            let shown = parameters("sts", "AssumeRole", Some(&caller), written);
            String::from_utf8(shown.into_owned()).unwrap()
        };
        let tags = r#""incomingTransitiveTags":{"Team":"a\"b","Stage":"x"}"#;
        assert_eq!(text(b"{\"roleArn\":\"r\"}"), format!("{{{tags},\"roleArn\":\"r\"}}"));
        assert_eq!(text(b"{}"), format!("{{{tags}}}"));
        assert_eq!(text(b""), "");
        let plain = b"{\"keyId\":\"k\"}";
        assert_eq!(*parameters("kms", "DescribeKey", Some(&caller), plain), plain[..]);
        assert_eq!(*parameters("sts", "AssumeRole", Some(&chained(&[])), plain), plain[..]);
        assert_eq!(*parameters("sts", "AssumeRole", None, plain), plain[..]);
    }

    #[test]
    fn a_subscription_is_told_without_the_password_of_its_endpoint() {
        let text = |written: &str| {
            let shown = parameters("sns", "Subscribe", None, written.as_bytes());
            String::from_utf8(shown.into_owned()).unwrap()
        };
        for (written, told) in [
            (
                r#"{"topicArn":"t","endpoint":"https://u:hunter2@h/x","attributes":{"a":"b"}}"#,
                r#"{"topicArn":"t","endpoint":"https://u:****@h/x","attributes":{"a":"b"}}"#,
            ),
            (
                r#"{"protocol":"\"endpoint\":\"","endpoint":"https://u:hun\"ter\\2@h"}"#,
                r#"{"protocol":"\"endpoint\":\"","endpoint":"https://u:****@h"}"#,
            ),
            (
                r#"{"attributes":{"endpoint":"x"},"endpoint":"https://u:hunter2@h"}"#,
                r#"{"attributes":{"endpoint":"x"},"endpoint":"https://u:****@h"}"#,
            ),
        ] {
            assert_eq!(text(written), told);
        }
        let plain = r#"{"topicArn":"t","endpoint":"https://h:8443/x@y"}"#;
        assert_eq!(text(plain), plain);
        assert_eq!(text("{}"), "{}");
    }

    #[test]
    fn a_change_of_a_key_is_told_with_its_arn() {
        let resource = |arn: &str, kind| Resource { arn: arn.into(), account: "1".into(), kind };
        let noted = [resource("an-alias", "AWS::KMS::Alias"), resource("a-key", "AWS::KMS::Key")];
        let text = |service, written: &[u8]| {
            String::from_utf8(elements(service, written.to_vec(), &noted)).unwrap()
        };
        assert_eq!(text("kms", b""), r#"{"keyId":"a-key"}"#);
        assert_eq!(text("kms", br#"{"grantId":"1"}"#), r#"{"keyId":"a-key","grantId":"1"}"#);
        let told = r#"{"keyMetadata":{"keyId":"a-key"}}"#;
        assert_eq!(text("kms", told.as_bytes()), told);
        assert_eq!(text("iam", b""), "");
        assert_eq!(elements("kms", Vec::new(), &noted[..1]), b"");
        assert_eq!(text("kms", b"{}"), text("kms", b""));
    }

    #[test]
    fn an_encryption_is_told_with_its_algorithm_also_where_it_was_left_to_kms() {
        let text = |written: &[u8]| {
            let shown = parameters("kms", "Decrypt", None, written);
            String::from_utf8(shown.into_owned()).unwrap()
        };
        let algorithm = r#""encryptionAlgorithm":"SYMMETRIC_DEFAULT""#;
        assert_eq!(text(b"{\"keyId\":\"k\"}"), format!("{{{algorithm},\"keyId\":\"k\"}}"));
        assert_eq!(text(b"{}"), format!("{{{algorithm}}}"));
        let given = r#"{"keyId":"k","encryptionAlgorithm":"RSAES_OAEP_SHA_256"}"#;
        assert_eq!(text(given.as_bytes()), given);
        assert_eq!(text(b"null"), "null");
        let anew = |written: &[u8]| {
            let shown = parameters("kms", "ReEncrypt", None, written);
            String::from_utf8(shown.into_owned()).unwrap()
        };
        let (from, to) = (
            r#""sourceEncryptionAlgorithm":"SYMMETRIC_DEFAULT""#,
            r#""destinationEncryptionAlgorithm":"SYMMETRIC_DEFAULT""#,
        );
        assert_eq!(anew(b"{\"a\":1}"), format!("{{{from},{to},\"a\":1}}"));
        assert_eq!(anew(format!("{{{to}}}").as_bytes()), format!("{{{from},{to}}}"));
    }
}
