//! Tokens of OAuth: asked for with the client's credentials, and kept for as long as they count.
//!
//! Source: RFC 6749, section 4.4; User Guide, "Authorization methods for connections".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use haechi_core::{AccountId, Batch, Job, JobHandler, Region};
use haechi_events_model::shapes::ConnectionState;
use haechi_wire::{Fault, Problem, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Method, OAuth, Parameter, Secret, is, key};
use crate::delivery::Refusal;
use crate::secrets::Whereabouts;
use crate::store::{ConnectionRecord, Place};
use crate::web::{HttpRequest, Unreached};
use crate::{Events, endpoint, matching, request};

/// The kind of the jobs that get a connection's first token.
pub(crate) const AUTHORIZE: &str = "event-authorize";

/// Tries to get it.
const TRIES: u32 = 3;

/// A token is not used in its last seconds.
const MARGIN_MS: i64 = 30_000;

/// Tokens that are kept at a time.
const TOKENS_MAX: usize = 1024;

/// A token, and until when it counts.
struct Token {
    text: Arc<Secret>,
    until_ms: Option<i64>,
}

/// The tokens, by connection and version of its secret.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<String, Token>>);

impl Tokens {
    fn find(&self, key: &str, now: Timestamp) -> Option<Arc<Secret>> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = |token: &&Token| token.until_ms.is_none_or(|until| until > now.millis());
        tokens.get(key).filter(counts).map(|token| Arc::clone(&token.text))
    }

    fn keep(&self, key: String, token: Token, now: Timestamp) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, token| token.until_ms.is_some_and(|until| until > now.millis()));
        }
        if tokens.len() < TOKENS_MAX {
            tokens.insert(key, token);
        }
    }

    /// Forgets a token that was refused.
    pub(crate) fn forget(&self, record: &ConnectionRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(record));
    }
}

/// What a token endpoint answers.
#[derive(Deserialize)]
struct Answer {
    access_token: Secret,
    #[serde(default)]
    expires_in: serde_json::Value,
}

impl Answer {
    fn seconds(&self) -> Option<i64> {
        let text = || self.expires_in.as_str()?.parse().ok();
        self.expires_in.as_i64().or_else(text)
    }
}

/// The request for a token: the client's credentials in the body, or with `GET` in the query.
fn asking(oauth: &OAuth) -> HttpRequest {
    let added = oauth.oauth_http_parameters.clone().unwrap_or_default();
    let mut form: Vec<(String, Secret)> = [
        ("grant_type", "client_credentials"),
        ("client_id", oauth.client_id.as_str()),
        ("client_secret", oauth.client_secret.as_str()),
    ]
    .map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned())))
    .into();
    for Parameter { key, value, .. } in added.body_parameters {
        form.retain(|(name, _)| *name != key);
        form.push((key, value));
    }
    let mut query = added.query_string_parameters.into_iter().map(|one| (one.key, one.value));
    let mut headers: Vec<(String, Secret)> = Vec::new();
    let named = |name: &str, value: &str| (name.to_owned(), Zeroizing::new(value.to_owned()));
    headers.push(named("User-Agent", request::USER_AGENT));
    headers.push(named("Accept", "application/json"));
    let own = added.header_parameters.into_iter().map(|one| (one.key, one.value));
    headers.extend(own.filter(|(name, _)| !request::is_managed(name)));
    let (method, url, body) = if oauth.http_method == "GET" {
        let query: Vec<_> = query.by_ref().chain(form).collect();
        ("GET", request::with_query(&oauth.authorization_endpoint, &query), Secret::default())
    } else {
        let query: Vec<_> = query.collect();
        let is_json = headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && value.contains("json")
        });
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(named("Content-Type", "application/x-www-form-urlencoded"));
        }
        let method = if oauth.http_method == "PUT" { "PUT" } else { "POST" };
        let body = if is_json { json(&form) } else { urlencoded(&form) };
        (method, request::with_query(&oauth.authorization_endpoint, &query), body)
    };
    HttpRequest { method, url, headers, body }
}

fn urlencoded(form: &[(String, Secret)]) -> Secret {
    let mut out = Secret::default();
    for (name, value) in form {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(&endpoint::escaped(name));
        out.push('=');
        out.push_str(&Zeroizing::new(endpoint::escaped(value)));
    }
    out
}

fn json(form: &[(String, Secret)]) -> Secret {
    let members: std::collections::BTreeMap<&str, &str> =
        form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Zeroizing::new(serde_json::to_string(&members).unwrap_or_default())
}

/// What a failure to reach a server means for a delivery.
pub(crate) fn unreached(error: Unreached) -> Refusal {
    let (code, message) = match error {
        Unreached::Never(message) => {
            return Refusal::Permanent { code: "CONNECTION_FAILURE".to_owned(), message };
        }
        Unreached::ForNow(message) => ("CONNECTION_FAILURE", message),
        Unreached::TimeOut => ("TIMEOUT", "It did not answer in time.".to_owned()),
    };
    Refusal::Failed { code, message, seconds: 0 }
}

impl Events {
    /// A token for a connection: the one that is kept, or a new one.
    pub(crate) async fn token(
        &self,
        record: &ConnectionRecord,
        oauth: &OAuth,
        now: Timestamp,
    ) -> Result<Arc<Secret>, Refusal> {
        let key = key(record);
        if let Some(token) = self.tokens.find(&key, now) {
            return Ok(token);
        }
        let answer = self.around.http.send(asking(oauth)).await.map_err(unreached)?;
        let told = |what: &str| format!("The authorization endpoint {what}.");
        match answer.status {
            200..=299 => {}
            status @ (408 | 429 | 500..) => {
                let seconds = answer.retry_after_seconds.unwrap_or_default();
                let message = told(&format!("answered {status}"));
                return Err(Refusal::Failed { code: "CONNECTION_FAILURE", message, seconds });
            }
            status => {
                let message = told(&format!("answered {status}"));
                return Err(Refusal::Permanent { code: "CONNECTION_FAILURE".to_owned(), message });
            }
        }
        let answer: Answer =
            serde_json::from_slice(&answer.body).map_err(|_| Refusal::Permanent {
                code: "CONNECTION_FAILURE".to_owned(),
                message: told("answered no access_token"),
            })?;
        let expires = |seconds: i64| {
            now.millis().saturating_add(seconds.saturating_mul(1000)).saturating_sub(MARGIN_MS)
        };
        let until_ms = answer.seconds().map(expires);
        let text = Arc::new(answer.access_token);
        self.tokens.keep(key, Token { text: Arc::clone(&text), until_ms }, now);
        Ok(text)
    }
}

/// A connection that waits for its first token.
#[derive(Serialize, Deserialize)]
struct Waiting {
    account: AccountId,
    region: Region,
    name: String,
    id: String,
    version: Option<String>,
    tries: u32,
}

/// The job that gets the first token of a connection.
pub(crate) fn authorizing(
    (account, region): Whereabouts<'_>,
    record: &ConnectionRecord,
    id: String,
    now: Timestamp,
) -> Result<Job, Fault> {
    let waiting = Waiting {
        account: account.clone(),
        region: region.clone(),
        name: record.name.clone(),
        id: record.id.clone(),
        version: record.secret_version.clone(),
        tries: 0,
    };
    let payload = serde_json::to_string(&waiting).map_err(Fault::internal)?;
    Ok(Job::at_once(AUTHORIZE, &id, now, payload))
}

/// Authorises connections.
pub(crate) struct Authorizing {
    /// Weak, as the service holds the jobs that hold this.
    pub(crate) events: Weak<Events>,
}

#[async_trait]
impl JobHandler for Authorizing {
    async fn run(&self, job: &Job, now: Timestamp) -> Result<Batch, Fault> {
        let events = matching::alive(&self.events)?;
        let mut waiting: Waiting = serde_json::from_str(&job.payload).map_err(Fault::internal)?;
        let mut batch = Batch::new();
        let path = Place::new(&waiting.account, &waiting.region).connection(&waiting.name);
        let Some(found) = events.database.load::<ConnectionRecord>(&path).await? else {
            return Ok(batch);
        };
        let mut record = found.value.clone();
        // Changed meanwhile, which has a job of its own.
        let is_current = record.id == waiting.id && record.secret_version == waiting.version;
        if !is_current || !is(&record, ConnectionState::Authorizing) {
            return Ok(batch);
        }
        events.tokens.forget(&record);
        let place = (&waiting.account, &waiting.region);
        let outcome = match events.authorization(place, &record, now).await {
            Ok(authorization) => match &authorization.method {
                Method::OAuth(oauth) => events.token(&record, oauth, now).await.map(|_| ()),
                _ => Ok(()),
            },
            Err(Problem::Fault(fault @ (Fault::Internal(_) | Fault::Unavailable { .. }))) => {
                return Err(fault);
            }
            Err(refused) => Err(Refusal::denied(refused.message())),
        };
        match outcome {
            Ok(()) => {
                ConnectionState::Authorized.as_str().clone_into(&mut record.state);
                record.authorized_ms = Some(now.millis());
            }
            Err(Refusal::Failed { seconds, .. }) if waiting.tries + 1 < TRIES => {
                waiting.tries += 1;
                let wait = seconds.clamp(1 << waiting.tries, 30);
                let payload = serde_json::to_string(&waiting).map_err(Fault::internal)?;
                batch.schedule(&Job::new(AUTHORIZE, &job.id, now.plus_seconds(wait), payload));
                return Ok(batch);
            }
            Err(refusal) => {
                ConnectionState::Deauthorized.as_str().clone_into(&mut record.state);
                record.state_reason = Some(refusal.message());
            }
        }
        batch.replace(&found, &record);
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(method: &str, parameters: Option<&str>) -> OAuth {
        OAuth {
            client_id: "id".to_owned(),
            client_secret: Zeroizing::new("s&cret".to_owned()),
            authorization_endpoint: "https://a.example/token?x=1".to_owned(),
            http_method: method.to_owned(),
            oauth_http_parameters: parameters.map(|text| serde_json::from_str(text).unwrap()),
        }
    }

    #[test]
    fn the_credentials_of_a_client_are_in_the_body_or_with_get_in_the_query() {
        let asked = asking(&client("POST", None));
        assert_eq!(
            *asked.body,
            "grant_type=client_credentials&client_id=id&client_secret=s%26cret"
        );
        assert_eq!((asked.method, asked.url.as_str()), ("POST", "https://a.example/token?x=1"));
        let asked = asking(&client("GET", None));
        assert!(asked.body.is_empty());
        assert!(
            asked.url.ends_with(
                "?x=1&grant_type=client_credentials&client_id=id&client_secret=s%26cret"
            )
        );
    }

    #[test]
    fn parameters_are_added_and_a_body_may_be_json() {
        let parameters = r#"{"header_parameters": [{"key": "Content-Type", "value": "application/json"},
            {"key": "Host", "value": "other"}],
            "query_string_parameters": [{"key": "q", "value": "a b"}],
            "body_parameters": [{"key": "grant_type", "value": "other"}, {"key": "audience", "value": "api"}]}"#;
        let asked = asking(&client("PUT", Some(parameters)));
        assert_eq!(
            *asked.body,
            r#"{"audience":"api","client_id":"id","client_secret":"s&cret","grant_type":"other"}"#
        );
        assert_eq!(
            (asked.method, asked.url.as_str()),
            ("PUT", "https://a.example/token?x=1&q=a%20b")
        );
        assert!(!asked.headers.iter().any(|(name, _)| name == "Host"));
    }
}
