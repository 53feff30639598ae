//! An API destination gets an event: as the target's role, with the connection's authorization, not
//! more often than it is to be asked.
//!
//! Source: User Guide, "API destinations as targets", "Using dead-letter queues".

use std::sync::Arc;

use haechi_core::{Ask, NoContext, Operation as _};
use haechi_events_model::ops::PutEvents;
use haechi_events_model::shapes::ConnectionState;
use haechi_policy::ResourceRule;
use haechi_wire::{Problem, Timestamp};

use crate::connection::{self, Method, Named};
use crate::delivery::{Delivery, Refusal};
use crate::store::{ApiDestinationRecord, ConnectionRecord, HttpRecord};
use crate::web::HttpAnswer;
use crate::{Events, request};

/// Seconds until a connection that is being authorised is looked at again.
const AUTHORIZING_SECONDS: i64 = 2;

/// One try.
pub(crate) async fn invoke(
    events: &Arc<Events>,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), Refusal> {
    let arn = &delivery.message.target_arn;
    let named = Named::parse(arn, "api-destination");
    let named = named.ok_or_else(|| Refusal::gone(format!("{arn} is no API destination.")))?;
    let found = events.api_destination_at(arn).await.map_err(Refusal::Temporary)?;
    let destination =
        found.ok_or_else(|| Refusal::gone(format!("API destination {arn} does not exist.")))?;
    // First: what waits for its turn makes no sessions.
    let seconds = events.rates.take(arn, destination.rate_per_second, now);
    seconds.map_err(|seconds| Refusal::Later {
        seconds,
        is_try: false,
        message: "Its InvocationRateLimitPerSecond is reached.".to_owned(),
    })?;
    events.permitted(delivery, &named).await?;
    let connection = events.authorized(&destination).await?;
    let place = (&named.account, &named.region);
    let kept = events.authorization(place, &connection, now).await;
    let authorization = kept.map_err(|problem| match problem {
        Problem::Fault(fault) => Refusal::of(fault),
        refused => Refusal::denied(refused.message()),
    })?;
    let token = match &authorization.method {
        Method::OAuth(oauth) => Some(events.token(&connection, oauth, now).await?),
        _ => None,
    };
    let none = HttpRecord::default();
    let parameters = delivery.http.as_ref().unwrap_or(&none);
    let body = &delivery.message.body;
    let request = request::build(&destination, parameters, &authorization, token.as_deref(), body);
    let answer = events.around.http.send(request).await.map_err(connection::unreached)?;
    if matches!(answer.status, 401 | 407) {
        // The next try asks for another one.
        events.tokens.forget(&connection);
    }
    judged(&answer)
}

/// What an endpoint's answer means.
fn judged(answer: &HttpAnswer) -> Result<(), Refusal> {
    let code = "ERROR_FROM_TARGET";
    let message = format!("The endpoint answered {}.", answer.status);
    match answer.status {
        200..=299 => Ok(()),
        401 | 407 | 408 | 409 | 429 | 500.. => {
            let seconds = answer.retry_after_seconds.unwrap_or_default();
            Err(Refusal::Failed { code, message, seconds })
        }
        _ => Err(Refusal::Permanent { code: code.to_owned(), message }),
    }
}

impl Events {
    /// Whether the target's role may invoke the destination.
    async fn permitted(&self, delivery: &Delivery, named: &Named<'_>) -> Result<(), Refusal> {
        let role = delivery.role_arn.as_deref();
        let role = role.ok_or_else(|| Refusal::denied("The target has no role."))?;
        let source = delivery.source();
        let region = &named.region;
        let session = self.around.roles.assume("events", &source, region, role).await;
        let session = session.map_err(Refusal::of_role)?;
        let cx = session.cx(&self.env, region.clone(), PutEvents::SCHEMA);
        let cx = cx.map_err(Refusal::of)?;
        cx.authorize(&Ask {
            action: "events:InvokeApiDestination",
            resource: &delivery.message.target_arn,
            resource_account: named.account.as_str(),
            policy: None,
            rule: ResourceRule::Union,
            context: &NoContext,
        })
        .map(drop)
        .map_err(Refusal::of)
    }

    /// The connection of a destination, if it is authorised.
    async fn authorized(
        &self,
        destination: &ApiDestinationRecord,
    ) -> Result<ConnectionRecord, Refusal> {
        let arn = &destination.connection_arn;
        let found = self.connection_at(arn).await.map_err(Refusal::Temporary)?;
        let record =
            found.ok_or_else(|| Refusal::gone(format!("Connection {arn} does not exist.")))?;
        let record = record.value;
        if connection::is(&record, ConnectionState::Authorized) {
            return Ok(record);
        }
        if connection::is(&record, ConnectionState::Authorizing) {
            let message = format!("Connection {arn} is not authorized yet.");
            return Err(Refusal::Later { seconds: AUTHORIZING_SECONDS, is_try: false, message });
        }
        Err(Refusal::denied(format!("Connection {arn} is not authorized.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_not_earlier_than_the_endpoint_asks() {
        let outcome = |status| {
            judged(&HttpAnswer { status, retry_after_seconds: Some(7), ..HttpAnswer::default() })
        };
        for status in [200, 202, 204] {
            assert!(outcome(status).is_ok(), "{status}");
        }
        for status in [401, 407, 408, 409, 429, 500, 502, 503, 504] {
            assert!(matches!(outcome(status), Err(Refusal::Failed { seconds: 7, .. })), "{status}");
        }
        for status in [301, 307, 400, 403, 404, 410, 422] {
            assert!(matches!(outcome(status), Err(Refusal::Permanent { .. })), "{status}");
        }
    }
}
