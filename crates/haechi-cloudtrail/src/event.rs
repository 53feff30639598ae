//! The parts of a record that CloudTrail itself asks for; the rest is passed on as it stands.

use std::borrow::Cow;

use haechi_wire::Timestamp;
use serde::Deserialize;

/// A record, read as far as needed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    #[serde(borrow, rename = "eventID")]
    pub(crate) event_id: Cow<'a, str>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) event_name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) event_source: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) event_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) event_category: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) aws_region: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) recipient_account_id: Cow<'a, str>,
    pub(crate) read_only: bool,
    #[serde(borrow, default)]
    pub(crate) error_code: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) user_identity: Identity<'a>,
    #[serde(borrow, default)]
    pub(crate) resources: Vec<Touched<'a>>,
}

/// Who called.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Identity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    principal_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    invoked_by: Option<Cow<'a, str>>,
}

/// A resource that the call touched.
#[derive(Debug, Deserialize)]
pub(crate) struct Touched<'a> {
    #[serde(borrow, rename = "type", default)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, rename = "ARN", default)]
    pub(crate) arn: Cow<'a, str>,
}

impl<'a> Event<'a> {
    /// Reads a record; `None` if it is none, which is haechi's own mistake.
    pub(crate) fn parse(record: &'a [u8]) -> Option<Event<'a>> {
        let parsed = serde_json::from_slice(record);
        parsed.inspect_err(|error| tracing::error!(%error, "a record of a call is no JSON")).ok()
    }

    /// When the call came; the epoch if the record does not say.
    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::parse(&self.event_time).unwrap_or_default()
    }

    /// Whether it is of a service that has no Regions.
    pub(crate) fn is_global(&self) -> bool {
        ["iam.amazonaws.com", "sts.amazonaws.com", "organizations.amazonaws.com"]
            .contains(&self.event_source.as_ref())
            && self.aws_region == "us-east-1"
    }

    /// What the console shows as "User name".
    pub(crate) fn username(&self) -> Option<&str> {
        let identity = &self.user_identity;
        match identity.kind.as_ref() {
            "Root" => Some("root"),
            // The session's name follows the role's unique id.
            "AssumedRole" | "FederatedUser" => identity.principal_id.split(':').nth(1),
            "AWSService" => identity.invoked_by.as_deref(),
            _ => identity.user_name.as_deref(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A record with what tests ask for.
    pub(crate) fn record(account: &str, region: &str, name: &str, time: &str) -> Vec<u8> {
        format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::{account}:user/eve","accountId":"{account}","accessKeyId":"AKIAEVE","userName":"eve"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"{name}","awsRegion":"{region}","sourceIPAddress":"::1","userAgent":"a \"b\"","requestParameters":null,"responseElements":null,"requestID":"r","eventID":"{name}-{time}","readOnly":false,"resources":[{{"accountId":"{account}","type":"AWS::KMS::Key","ARN":"arn:aws:kms:{region}:{account}:key/k-1"}}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"{account}","eventCategory":"Management"}}"#
        )
        .into_bytes()
    }

    #[test]
    fn a_record_is_read_as_far_as_needed() {
        let bytes = record("111122223333", "eu-west-1", "CreateKey", "2026-01-01T00:00:00Z");
        let event = Event::parse(&bytes).unwrap();
        assert_eq!(event.username(), Some("eve"));
        assert_eq!(event.time(), Timestamp::from_seconds(1_767_225_600));
        assert_eq!(event.resources[0].kind, "AWS::KMS::Key");
        assert!(!event.is_global());
        assert!(Event::parse(b"{}").is_none());
    }
}
