//! What `LookupEvents` filters by, and its token.

use haechi_cloudtrail_model::shapes::{LookupAttribute, LookupAttributeKey, LookupEventsRequest};
use haechi_core::AuditWindow;
use haechi_core::paging::Cursor;
use haechi_wire::Timestamp;

use crate::event::Event;
use crate::merge::{Ask, Places};
use crate::sha256;

/// How far back events can be looked up.
const DAYS_90_SECONDS: i64 = 90 * 86_400;

/// What is looked for, in one account and Region.
pub(crate) struct Query {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) attribute: Option<LookupAttribute>,
    /// The request's own parameters, hashed: what a token is good for.
    parameters: [u8; 8],
}

impl Query {
    /// From a request that came at `now`.
    pub(crate) fn new(
        account: &str,
        region: &str,
        now: Timestamp,
        input: LookupEventsRequest,
    ) -> Query {
        let attribute = input.lookup_attributes.and_then(|list| list.into_iter().next());
        let (key, value) = match &attribute {
            Some(LookupAttribute { attribute_key, attribute_value }) => {
                (attribute_key.as_str(), attribute_value.as_str())
            }
            None => ("", ""),
        };
        let time = |time: Option<Timestamp>| time.map_or(0, Timestamp::millis);
        let text = format!(
            "{account}\n{region}\n{}\n{}\n{key}\n{value}",
            time(input.start_time),
            time(input.end_time)
        );
        let hash = sha256(text.as_bytes());
        let parameters = hash.first_chunk().copied().unwrap_or_default();
        let oldest = now.plus_seconds(-DAYS_90_SECONDS);
        Query {
            account: account.to_owned(),
            region: region.to_owned(),
            since: input.start_time.unwrap_or(oldest).max(oldest),
            until: input.end_time.unwrap_or(now),
            attribute,
            parameters,
        }
    }

    /// The times that the log is to be read for.
    pub(crate) fn window(&self) -> AuditWindow {
        // Records of a segment may be a little older than the segment: they wait for the disk.
        AuditWindow { since: self.since.plus_seconds(-60), until: self.until }
    }

    /// Whether an event is one of those looked for.
    pub(crate) fn wants(&self, event: &Event<'_>) -> bool {
        let time = event.time();
        event.event_category == "Management"
            && event.recipient_account_id == self.account
            && event.aws_region == self.region
            && (self.since.seconds()..=self.until.seconds()).contains(&time.seconds())
            && self.attribute.as_ref().is_none_or(|attribute| has(event, attribute))
    }

    /// What is asked of other nodes.
    pub(crate) fn ask(&self, before: Places, limit: usize) -> Ask {
        let attribute = self.attribute.as_ref().map(|attribute| {
            (attribute.attribute_key.as_str().to_owned(), attribute.attribute_value.clone())
        });
        Ask {
            account: self.account.clone(),
            region: self.region.clone(),
            since_ms: self.since.millis(),
            until_ms: self.until.millis(),
            attribute,
            limit,
            before,
        }
    }

    /// What another node asks for; `None` if this version does not know it.
    pub(crate) fn asked(ask: &Ask) -> Option<Query> {
        let attribute = match &ask.attribute {
            None => None,
            Some((key, value)) => Some(LookupAttribute {
                attribute_key: LookupAttributeKey::parse(key)?,
                attribute_value: value.clone(),
            }),
        };
        Some(Query {
            account: ask.account.clone(),
            region: ask.region.clone(),
            since: Timestamp::from_millis(ask.since_ms),
            until: Timestamp::from_millis(ask.until_ms),
            attribute,
            parameters: [0; 8],
        })
    }

    /// The token for what comes after (is older than) these places.
    pub(crate) fn token(&self, places: &Places) -> String {
        let mut bytes = self.parameters.to_vec();
        // A map of text to numbers has a JSON form.
        bytes.extend(serde_json::to_vec(places).unwrap_or_default());
        Cursor(bytes).encode()
    }

    /// Where a token goes on; `None` if it was not made for these parameters.
    pub(crate) fn resume(&self, token: &str) -> Option<Places> {
        let bytes = Cursor::decode(token)?.0;
        let (parameters, rest) = bytes.split_first_chunk::<8>()?;
        let places = serde_json::from_slice(rest).ok()?;
        (*parameters == self.parameters).then_some(places)
    }
}

fn has(event: &Event<'_>, attribute: &LookupAttribute) -> bool {
    let value = attribute.attribute_value.as_str();
    match attribute.attribute_key {
        LookupAttributeKey::EventId => event.event_id == value,
        LookupAttributeKey::EventName => event.event_name == value,
        LookupAttributeKey::EventSource => event.event_source == value,
        LookupAttributeKey::ReadOnly => value == if event.read_only { "true" } else { "false" },
        LookupAttributeKey::Username => event.username() == Some(value),
        LookupAttributeKey::AccessKeyId => {
            event.user_identity.access_key_id.as_deref() == Some(value)
        }
        LookupAttributeKey::ResourceType => event.resources.iter().any(|seen| seen.kind == value),
        LookupAttributeKey::ResourceName => event
            .resources
            .iter()
            .any(|seen| seen.arn == value || seen.arn.rsplit(['/', ':']).next() == Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::record;

    fn query(key: LookupAttributeKey, value: &str) -> Query {
        let attribute = LookupAttribute { attribute_key: key, attribute_value: value.to_owned() };
        let input = LookupEventsRequest {
            lookup_attributes: Some(vec![attribute]),
            ..LookupEventsRequest::default()
        };
        let now = Timestamp::parse("2026-01-02T00:00:00Z").unwrap();
        Query::new("111122223333", "eu-west-1", now, input)
    }

    #[test]
    fn each_attribute_finds_its_event_and_no_other_value_does() {
        use LookupAttributeKey as Key;
        let bytes = record("111122223333", "eu-west-1", "CreateKey", "2026-01-01T00:00:00Z");
        let event = Event::parse(&bytes).unwrap();
        let cases = [
            (Key::EventId, "CreateKey-2026-01-01T00:00:00Z"),
            (Key::EventName, "CreateKey"),
            (Key::EventSource, "kms.amazonaws.com"),
            (Key::ReadOnly, "false"),
            (Key::Username, "eve"),
            (Key::AccessKeyId, "AKIAEVE"),
            (Key::ResourceType, "AWS::KMS::Key"),
            (Key::ResourceName, "k-1"),
            (Key::ResourceName, "arn:aws:kms:eu-west-1:111122223333:key/k-1"),
        ];
        for (key, value) in cases {
            assert!(query(key, value).wants(&event), "{key:?} {value}");
            assert!(!query(key, "other").wants(&event), "{key:?}");
        }
    }

    #[test]
    fn data_events_are_not_seen() {
        let bytes = record("111122223333", "eu-west-1", "CreateKey", "2026-01-01T00:00:00Z");
        let text = String::from_utf8(bytes).unwrap();
        let data = text.replace(r#""eventCategory":"Management""#, r#""eventCategory":"Data""#);
        let query = query(LookupAttributeKey::EventName, "CreateKey");
        assert!(query.wants(&Event::parse(text.as_bytes()).unwrap()));
        assert!(!query.wants(&Event::parse(data.as_bytes()).unwrap()));
    }

    #[test]
    fn other_accounts_regions_and_times_are_not_seen() {
        let query = query(LookupAttributeKey::EventName, "CreateKey");
        for (account, region, time) in [
            ("444455556666", "eu-west-1", "2026-01-01T00:00:00Z"),
            ("111122223333", "eu-west-2", "2026-01-01T00:00:00Z"),
            ("111122223333", "eu-west-1", "2025-10-01T00:00:00Z"),
            ("111122223333", "eu-west-1", "2026-01-03T00:00:00Z"),
        ] {
            let bytes = record(account, region, "CreateKey", time);
            assert!(!query.wants(&Event::parse(&bytes).unwrap()), "{account} {region} {time}");
        }
    }

    #[test]
    fn what_another_node_is_asked_for_is_what_is_looked_for_here() {
        let here = query(LookupAttributeKey::EventName, "CreateKey");
        let there = Query::asked(&here.ask(Places::new(), 50)).unwrap();
        let bytes = record("111122223333", "eu-west-1", "CreateKey", "2026-01-01T00:00:00Z");
        let other = record("111122223333", "eu-west-1", "DeleteKey", "2026-01-01T00:00:00Z");
        for query in [&here, &there] {
            assert!(query.wants(&Event::parse(&bytes).unwrap()));
            assert!(!query.wants(&Event::parse(&other).unwrap()));
        }
    }

    #[test]
    fn a_token_is_good_for_its_own_parameters_only() {
        let one = query(LookupAttributeKey::EventName, "CreateKey");
        let other = query(LookupAttributeKey::EventName, "DeleteKey");
        let places = Places::from([("one".to_owned(), (7, 3)), ("two".to_owned(), (1, 0))]);
        assert_eq!(one.resume(&one.token(&places)), Some(places.clone()));
        assert_eq!(other.resume(&one.token(&places)), None);
        assert_eq!(one.resume("nonsense"), None);
    }
}
