//! `LookupEvents`.

use std::ops::ControlFlow;
use std::sync::Arc;

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::LookupEvents;
use haechi_cloudtrail_model::shapes::{
    Event as Shown, EventCategory, LookupEventsRequest, LookupEventsResponse, Resource,
};
use haechi_core::{AuditPosition, AuditReader, Cx, Handle};
use haechi_wire::Fault;

use crate::event::Event;
use crate::lookup::Query;
use crate::{CloudTrail, blocking};

/// Events on a page, unless asked otherwise.
const PAGE: usize = 50;
/// Records that one call reads at most. A page may be short, or empty, and have a token: then there
/// is more to read.
const SCANNED_MAX: u32 = 100_000;

impl Handle<LookupEvents> for CloudTrail {
    async fn handle(
        &self,
        cx: &Cx,
        input: LookupEventsRequest,
    ) -> Result<LookupEventsResponse, Error> {
        cx.authorize_any()?;
        check(&input)?;
        let limit = input.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE);
        // Insights are not done, so there are none.
        if input.event_category == Some(EventCategory::Insight) {
            return Ok(LookupEventsResponse { events: Some(Vec::new()), next_token: None });
        }
        let token = input.next_token.clone();
        let query = Query::new(cx.account().as_str(), cx.region.as_str(), cx.now(), input);
        let before = match &token {
            Some(token) => Some(query.resume(token).ok_or_else(|| {
                Error::InvalidNextTokenException(
                    "Invalid NextToken: it was not issued for a request with these parameters."
                        .to_owned(),
                )
            })?),
            None => None,
        };
        let audit = Arc::clone(&self.audit);
        let page = blocking(move || page(&*audit, &query, before, limit)).await?;
        Ok(LookupEventsResponse { events: Some(page.0), next_token: page.1 })
    }
}

fn check(input: &LookupEventsRequest) -> Result<(), Error> {
    if input.lookup_attributes.as_ref().is_some_and(|list| list.len() > 1) {
        return Err(Error::InvalidLookupAttributesException(
            "You can specify only one lookup attribute.".to_owned(),
        ));
    }
    if let (Some(start), Some(end)) = (input.start_time, input.end_time)
        && start > end
    {
        return Err(Error::InvalidTimeRangeException(
            "The start time must be before the end time.".to_owned(),
        ));
    }
    Ok(())
}

/// A page of events, and the token of the next. Blocks.
fn page(
    audit: &dyn AuditReader,
    query: &Query,
    before: Option<AuditPosition>,
    limit: usize,
) -> Result<(Vec<Shown>, Option<String>), Fault> {
    let (mut events, mut scanned, mut next) = (Vec::new(), 0, None);
    let mut last = None;
    audit
        .newest_first(before, query.window(), &mut |position, record| {
            if events.len() >= limit || scanned >= SCANNED_MAX {
                next = last.map(|last| query.token(last));
                return ControlFlow::Break(());
            }
            scanned += 1;
            last = Some(position);
            if let Some(event) = Event::parse(record).filter(|event| query.wants(event)) {
                events.push(shown(&event, record));
            }
            ControlFlow::Continue(())
        })
        .map_err(Fault::internal)?;
    Ok((events, next))
}

fn shown(event: &Event<'_>, record: &[u8]) -> Shown {
    let resources = event.resources.iter().map(|seen| Resource {
        resource_type: Some(seen.kind.clone().into_owned()),
        resource_name: Some(seen.arn.clone().into_owned()),
    });
    Shown {
        event_id: Some(event.event_id.clone().into_owned()),
        event_name: Some(event.event_name.clone().into_owned()),
        read_only: Some(event.read_only.to_string()),
        access_key_id: event.user_identity.access_key_id.clone().map(std::borrow::Cow::into_owned),
        event_time: Some(event.time()),
        event_source: Some(event.event_source.clone().into_owned()),
        username: event.username().map(str::to_owned),
        resources: Some(resources.collect()),
        cloud_trail_event: Some(String::from_utf8_lossy(record).into_owned()),
    }
}
