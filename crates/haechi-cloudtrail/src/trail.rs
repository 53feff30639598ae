//! A trail: what it is, and which records it wants (pure).

use std::collections::BTreeMap;

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::shapes::Trail;
use haechi_core::database::Unknown;
use haechi_core::{Cx, Record, Resource};
use haechi_wire::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::selectors::Selectors;

/// Trails whose home is one Region.
pub(crate) const TRAILS_MAX: usize = 5;
/// How long a span of logging that has ended is kept in mind: until all of it is delivered.
const SPAN_KEPT_SECONDS: i64 = 86_400;

/// A trail as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TrailRecord {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) home_region: String,
    pub(crate) bucket: String,
    pub(crate) prefix: Option<String>,
    pub(crate) include_global_service_events: bool,
    pub(crate) is_multi_region: bool,
    pub(crate) has_validation: bool,
    /// The organization whose members' records it keeps too.
    #[serde(default)]
    pub(crate) organization: Option<String>,
    pub(crate) selectors: Selectors,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_ms: i64,
    /// When it logged: oldest first, the last one may go on.
    pub(crate) spans: Vec<Span>,
    /// Fields of the future.
    #[serde(flatten)]
    pub(crate) unknown: Unknown,
}

impl Record for TrailRecord {}

/// From StartLogging to StopLogging.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: Option<i64>,
}

impl TrailRecord {
    /// Whether it logs now.
    pub(crate) fn is_logging(&self) -> bool {
        self.spans.last().is_some_and(|span| span.to_ms.is_none())
    }

    /// Starts logging, if it does not log.
    pub(crate) fn start(&mut self, now: Timestamp) {
        let kept = now.plus_seconds(-SPAN_KEPT_SECONDS).millis();
        if !self.is_logging() {
            self.spans.retain(|span| span.to_ms.is_some_and(|to_ms| to_ms > kept));
            self.spans.push(Span { from_ms: now.millis(), to_ms: None });
        }
    }

    /// Stops logging, if it logs.
    pub(crate) fn stop(&mut self, now: Timestamp) {
        if let Some(span) = self.spans.last_mut() {
            span.to_ms.get_or_insert(now.millis());
        }
    }

    /// Whether it keeps records of an account, which is in `organization` or in none.
    fn covers(&self, account: &str, organization: Option<&str>) -> bool {
        match self.organization.as_deref() {
            Some(own) => organization == Some(own),
            None => account == self.account,
        }
    }

    /// Whether it keeps this record, whose recipient is in `organization` or in none.
    pub(crate) fn wants(&self, event: &Event<'_>, organization: Option<&str>) -> bool {
        // Records tell whole seconds.
        let second = event.time().seconds();
        let seconds = |ms: i64| Timestamp::from_millis(ms).seconds();
        self.covers(&event.recipient_account_id, organization)
            && (self.is_multi_region || event.aws_region == self.home_region)
            && (self.include_global_service_events || !event.is_global())
            && self.spans.iter().any(|span| {
                seconds(span.from_ms) <= second
                    && span.to_ms.is_none_or(|to_ms| second <= seconds(to_ms))
            })
            && self.selectors.wants(event)
    }

    /// As it is answered.
    pub(crate) fn shown(&self) -> Trail {
        Trail {
            name: Some(self.name.clone()),
            s3_bucket_name: Some(self.bucket.clone()),
            s3_key_prefix: self.prefix.clone(),
            include_global_service_events: Some(self.include_global_service_events),
            is_multi_region_trail: Some(self.is_multi_region),
            home_region: Some(self.home_region.clone()),
            trail_arn: Some(self.arn.clone()),
            log_file_validation_enabled: Some(self.has_validation),
            has_custom_event_selectors: Some(self.selectors.are_custom()),
            has_insight_selectors: Some(false),
            is_organization_trail: Some(self.organization.is_some()),
            ..Trail::default()
        }
    }

    /// Notes it for the audit record of the call.
    pub(crate) fn note(&self, cx: &Cx) {
        let (arn, account) = (self.arn.clone(), self.account.clone());
        cx.note(Resource { arn, account, kind: "AWS::CloudTrail::Trail" });
    }

    /// What a trail that keeps no global events across Regions is refused with.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_multi_region && !self.include_global_service_events {
            return Err(Error::InvalidParameterCombinationException(
                "Multi-Region trail must include global service events.".to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::event::tests::record;

    pub(crate) fn trail() -> TrailRecord {
        TrailRecord {
            name: "main".to_owned(),
            arn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main".to_owned(),
            account: "111122223333".to_owned(),
            home_region: "eu-west-1".to_owned(),
            bucket: "logs".to_owned(),
            prefix: None,
            include_global_service_events: true,
            is_multi_region: false,
            has_validation: true,
            organization: None,
            selectors: Selectors::default(),
            tags: BTreeMap::new(),
            created_ms: 0,
            spans: Vec::new(),
            unknown: Unknown::new(),
        }
    }

    fn wants(trail: &TrailRecord, account: &str, region: &str, second: i64) -> bool {
        let time = Timestamp::from_seconds(second).iso8601();
        let bytes = record(account, region, "CreateKey", &time);
        trail.wants(&Event::parse(&bytes).unwrap(), Some("o-own"))
    }

    #[test]
    fn a_trail_of_an_organization_keeps_what_its_members_do() {
        let mut trail = trail();
        trail.start(Timestamp::from_seconds(0));
        let mut kept = |organization: &str, account: &str| {
            trail.organization = Some(organization.to_owned());
            wants(&trail, account, "eu-west-1", 5)
        };
        assert!(kept("o-own", "111122223333"));
        assert!(kept("o-own", "444455556666"));
        assert!(!kept("o-other", "111122223333"), "it has left");
    }

    #[test]
    fn a_trail_keeps_what_came_while_it_logged() {
        let mut trail = trail();
        let wanted =
            |trail: &TrailRecord, second| wants(trail, "111122223333", "eu-west-1", second);
        assert!(!trail.is_logging() && !wanted(&trail, 5));
        trail.start(Timestamp::from_seconds(10));
        trail.start(Timestamp::from_seconds(12));
        trail.stop(Timestamp::from_seconds(20));
        trail.start(Timestamp::from_seconds(30));
        assert!(trail.is_logging());
        let kept: Vec<i64> = [9, 10, 20, 21, 29, 30, 99]
            .into_iter()
            .filter(|second| wanted(&trail, *second))
            .collect();
        assert_eq!(kept, [10, 20, 30, 99]);
    }

    #[test]
    fn a_trail_keeps_its_own_account_and_its_regions() {
        let mut trail = trail();
        trail.start(Timestamp::from_seconds(0));
        assert!(!wants(&trail, "444455556666", "eu-west-1", 5));
        assert!(!wants(&trail, "111122223333", "eu-west-2", 5));
        trail.is_multi_region = true;
        assert!(wants(&trail, "111122223333", "eu-west-2", 5));
    }
}
