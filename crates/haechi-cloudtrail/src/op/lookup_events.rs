//! `LookupEvents`.

use std::sync::Arc;

use haechi_cloudtrail_model::Error;
use haechi_cloudtrail_model::ops::LookupEvents;
use haechi_cloudtrail_model::shapes::{
    Event as Shown, EventCategory, LookupEventsRequest, LookupEventsResponse, Resource,
};
use haechi_core::{Cx, Handle};
use haechi_wire::Fault;

use crate::event::Event;
use crate::lookup::Query;
use crate::merge::{Ask, Part, Places, merged, part};
use crate::{CloudTrail, blocking};

/// Events on a page, unless asked otherwise.
const PAGE: usize = 50;

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
        let query = Arc::new(query);
        let before = match &token {
            Some(token) => query.resume(token).ok_or_else(|| {
                Error::InvalidNextTokenException(
                    "Invalid NextToken: it was not issued for a request with these parameters."
                        .to_owned(),
                )
            })?,
            None => Places::new(),
        };
        let (records, next) = self.looked_up(&query, before, limit).await?;
        let shown = records.iter().filter_map(|record| {
            Event::parse(record.as_bytes()).map(|event| shown(&event, record))
        });
        let next_token = next.map(|places| query.token(&places));
        Ok(LookupEventsResponse { events: Some(shown.collect()), next_token })
    }
}

impl CloudTrail {
    /// The newest records of all nodes, and where the next page begins.
    async fn looked_up(
        &self,
        query: &Arc<Query>,
        before: Places,
        limit: usize,
    ) -> Result<(Vec<String>, Option<Places>), Fault> {
        let others = self.others.get();
        let own = others.map(|others| others.own()).unwrap_or_default();
        let place = before.get(&own).copied();
        let (audit, asked) = (Arc::clone(&self.audit), Arc::clone(query));
        let here = blocking(move || part(&*audit, &asked, place, limit));
        let Some(others) = others else {
            return Ok(merged(vec![(own, here.await?)], &before, limit));
        };
        let ask = serde_json::to_vec(&query.ask(before.clone(), limit)).map_err(Fault::internal)?;
        let (here, there) = tokio::join!(here, others.ask(ask));
        let mut parts = vec![(own, here?)];
        for (node, answer) in there? {
            parts.push((node, serde_json::from_slice::<Part>(&answer).map_err(Fault::internal)?));
        }
        Ok(merged(parts, &before, limit))
    }

    /// What this node has of what another one asks for.
    ///
    /// # Errors
    /// If the log cannot be read, or the question is another version's.
    pub async fn answer(&self, own: &str, ask: &[u8]) -> Result<Vec<u8>, Fault> {
        let ask: Ask = serde_json::from_slice(ask).map_err(Fault::internal)?;
        let query = Query::asked(&ask).ok_or_else(|| Fault::internal("an unknown attribute"))?;
        let (audit, place) = (Arc::clone(&self.audit), ask.before.get(own).copied());
        let part = blocking(move || part(&*audit, &query, place, ask.limit)).await?;
        serde_json::to_vec(&part).map_err(Fault::internal)
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

fn shown(event: &Event<'_>, record: &str) -> Shown {
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
        cloud_trail_event: Some(record.to_owned()),
    }
}
