//! What services call endpoints by.

use std::time::Duration;

use async_trait::async_trait;
use haechi_events::{HttpAnswer, HttpClient, HttpRequest, Unreached};
use haechi_sns::{HttpMessage, Refusal};
use haechi_wire::Fault;
use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::{Call, CallError, Outbound};

/// How long a subscriber of a topic may take: what AWS gives it.
const SUBSCRIBER_MAX: Duration = Duration::from_secs(15);

/// How long an API destination may take: what AWS gives it.
const DESTINATION_MAX: Duration = Duration::from_secs(5);

fn temporary(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Refusal {
    let message = "The endpoint could not be reached.";
    Refusal::Temporary(Fault::Unavailable { message, source: error.into() })
}

impl Outbound {
    /// Posts a message of a topic to a subscriber.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn post(&self, message: HttpMessage) -> Result<(), Refusal> {
        let call = Call {
            method: Method::POST,
            url: &message.url,
            headers: message.headers.iter().map(|(name, value)| (*name, value.as_str())).collect(),
            body: message.body.as_bytes(),
            timeout: SUBSCRIBER_MAX,
        };
        let answer = self.call(call).await.map_err(|error| match error {
            CallError::Never(told) => Refusal::Permanent(told),
            error => temporary(error),
        })?;
        match StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY) {
            status if status.is_success() => Ok(()),
            StatusCode::TOO_MANY_REQUESTS => Err(temporary("it answered 429")),
            status if status.is_client_error() => {
                Err(Refusal::Permanent(format!("it answered {}", status.as_u16())))
            }
            status => Err(temporary(format!("it answered {}", status.as_u16()))),
        }
    }
}

/// Endpoints, for EventBridge.
pub struct ApiEndpoints {
    /// The way.
    pub outbound: std::sync::Arc<Outbound>,
    /// What time it is, for those who say when they want to be asked again.
    pub env: haechi_core::Env,
}

#[async_trait]
impl HttpClient for ApiEndpoints {
    async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, Unreached> {
        let method = Method::from_bytes(request.method.as_bytes());
        let call = Call {
            method: method.map_err(|_| Unreached::Never("the method is not valid".to_owned()))?,
            url: &request.url,
            headers: request
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            body: request.body.as_bytes(),
            timeout: DESTINATION_MAX,
        };
        let answer = self.outbound.call(call).await.map_err(|error| match error {
            CallError::Never(told) => Unreached::Never(told),
            CallError::ForNow(told) => Unreached::ForNow(told),
            CallError::TimeOut(_) => Unreached::TimeOut,
        })?;
        let now_seconds = self.env.now().millis().div_euclid(1000);
        let wait = |text: &String| seconds(text, now_seconds);
        Ok(HttpAnswer {
            status: answer.status,
            retry_after_seconds: answer.retry_after.as_ref().and_then(wait),
            body: answer.body,
        })
    }
}

/// The seconds that a `Retry-After` asks for: a number, or a date.
fn seconds(text: &str, now_seconds: i64) -> Option<i64> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(i64::from(seconds));
    }
    let date: Timestamp = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some((date.as_second() - now_seconds).max(0))
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn when_to_come_again_is_told_in_seconds_or_by_a_date() {
        assert_eq!(seconds("120", 0), Some(120));
        assert_eq!(seconds("Thu, 01 Jan 1970 00:01:40 GMT", 40), Some(60));
        assert_eq!(seconds("Thu, 01 Jan 1970 00:01:40 GMT", 4000), Some(0));
        assert_eq!(seconds("soon", 0), None);
        assert_eq!(seconds("-1", 0), None);
    }
}
