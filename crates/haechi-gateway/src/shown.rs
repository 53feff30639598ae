//! What CloudTrail shows of some calls, and no model tells.

use std::borrow::Cow;

use haechi_core::Caller;
use haechi_wire::json::push_string;

/// `readOnly` of calls that CloudTrail does not judge by their names. It says nothing of whether the
/// store is written: roles are assumed without a trace there.
const READ_ONLY: &[(&str, &str, bool)] = &[
    ("sts", "AssumeRole", true),
    ("sts", "AssumeRoleWithSAML", true),
    ("sts", "AssumeRoleWithWebIdentity", true),
    ("sts", "GetFederationToken", false),
];

/// `readOnly` of a record.
pub(crate) fn read_only(service: &str, operation: &str, by_model: bool) -> bool {
    let known = READ_ONLY.iter().find(|(name, known, _)| (*name, *known) == (service, operation));
    known.map_or(by_model, |(_, _, read_only)| *read_only)
}

/// `requestParameters` of a record: of a role that is assumed from a session also the tags that the
/// new session inherits from it ("Passing session tags in AWS STS", CloudTrail).
pub(crate) fn parameters<'a>(
    service: &str,
    operation: &str,
    caller: Option<&Caller>,
    written: &'a [u8],
) -> Cow<'a, [u8]> {
    let session = caller.and_then(|caller| caller.session.as_ref());
    let tags = session.map_or(&[][..], |session| &session.transitive_tags);
    let Some(rest) = written.strip_prefix(b"{") else { return Cow::Borrowed(written) };
    if (service, operation) != ("sts", "AssumeRole") || tags.is_empty() {
        return Cow::Borrowed(written);
    }
    let mut out = b"{\"incomingTransitiveTags\":".to_vec();
    for (index, (key, value)) in tags.iter().enumerate() {
        out.push(if index == 0 { b'{' } else { b',' });
        push_string(&mut out, key);
        out.push(b':');
        push_string(&mut out, value);
    }
    out.push(b'}');
    if rest != b"}" {
        out.push(b',');
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
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

    fn chained(tags: &[(&str, &str)]) -> Caller {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let session = Session {
            holder: SessionHolder::Root,
            transitive_tags: tags.collect(),
            source_identity: None,
            mfa: None,
            federated_provider: None,
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
        assert_eq!(*parameters("kms", "Encrypt", Some(&caller), plain), plain[..]);
        assert_eq!(*parameters("sts", "AssumeRole", Some(&chained(&[])), plain), plain[..]);
        assert_eq!(*parameters("sts", "AssumeRole", None, plain), plain[..]);
    }
}
