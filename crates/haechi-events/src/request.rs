//! The request that an API destination gets. Pure.
//!
//! Source: User Guide, "API destinations as targets". What a connection adds comes before what the
//! target of the rule adds under the same name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::connection::{Authorization, Method, Parameters, Secret};
use crate::store::{ApiDestinationRecord, HttpRecord};
use crate::web::HttpRequest;
use crate::{endpoint, transform};

/// Who says that he calls.
pub(crate) const USER_AGENT: &str = "Amazon/EventBridge/ApiDestinations";

/// Headers that nobody may give: they are about the connection between two machines.
const MANAGED: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header is not the user's to give.
pub(crate) fn is_managed(name: &str) -> bool {
    MANAGED.iter().any(|managed| managed.eq_ignore_ascii_case(name))
}

/// Headers that are sent unless others of the name are given.
const HEADERS: [(&str, &str); 4] = [
    ("User-Agent", USER_AGENT),
    ("Content-Type", "application/json; charset=utf-8"),
    ("Range", "bytes=0-1048575"),
    ("Accept-Encoding", "gzip,deflate"),
];

/// The parameters of a target, with what the event says where they are JSON paths.
pub(crate) fn filled(parameters: &HttpRecord, event: &Value) -> HttpRecord {
    let fill = |text: &String| match text.starts_with('$') {
        true => match transform::at(event, text).as_deref() {
            Some(Value::String(found)) => found.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        },
        false => text.clone(),
    };
    let pair = |(name, value): (&String, &String)| (name.clone(), fill(value));
    HttpRecord {
        path: parameters.path.iter().map(fill).collect(),
        headers: parameters.headers.iter().map(pair).collect(),
        query: parameters.query.iter().map(pair).collect(),
    }
}

/// A URL with more in its query.
pub(crate) fn with_query(url: &str, query: &[(String, Secret)]) -> Secret {
    let (url, fragment) = url.split_once('#').map_or((url, None), |(url, end)| (url, Some(end)));
    let mut out = Zeroizing::new(url.to_owned());
    for (name, value) in query {
        let is_first = !out.contains('?');
        out.push(if is_first { '?' } else { '&' });
        out.push_str(&endpoint::escaped(name));
        out.push('=');
        out.push_str(&Zeroizing::new(endpoint::escaped(value)));
    }
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(fragment);
    }
    out
}

/// An endpoint with values in place of its asterisks.
fn with_path(url: &str, values: &[String]) -> String {
    let mut values = values.iter();
    let mut out = String::with_capacity(url.len());
    for character in url.chars() {
        match (character, values.as_slice().is_empty()) {
            ('*', false) => {
                out.push_str(
                    &values.next().map(|value| endpoint::escaped(value)).unwrap_or_default(),
                );
            }
            _ => out.push(character),
        }
    }
    out
}

/// Sets a header in place of others of the name.
fn set(headers: &mut Vec<(String, Secret)>, name: &str, value: Secret) {
    headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value));
}

/// A body with more members, if it is an object.
fn with_members(body: &str, parameters: &Parameters) -> Secret {
    if !parameters.body_parameters.is_empty()
        && let Ok(Value::Object(mut members)) = serde_json::from_str(body)
    {
        for added in &parameters.body_parameters {
            members.insert(added.key.clone(), Value::String(added.value.to_string()));
        }
        return Zeroizing::new(Value::Object(members).to_string());
    }
    Zeroizing::new(body.to_owned())
}

fn method(name: &str) -> &'static str {
    let all = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
    all.into_iter().find(|known| *known == name).unwrap_or("POST")
}

/// The request by which a destination gets a body.
pub(crate) fn build(
    destination: &ApiDestinationRecord,
    target: &HttpRecord,
    authorization: &Authorization,
    token: Option<&Secret>,
    body: &str,
) -> HttpRequest {
    let none = Parameters::default();
    let added = authorization.invocation_http_parameters.as_ref().unwrap_or(&none);
    let of_target =
        |(name, value): (&String, &String)| (name.clone(), Zeroizing::new(value.clone()));
    let mut query: Vec<(String, Secret)> = target.query.iter().map(of_target).collect();
    for own in &added.query_string_parameters {
        query.retain(|(name, _)| *name != own.key);
        query.push((own.key.clone(), own.value.clone()));
    }
    let mut headers: Vec<(String, Secret)> =
        HEADERS.map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned()))).into();
    for (name, value) in target.headers.iter().filter(|(name, _)| !is_managed(name)) {
        set(&mut headers, name, Zeroizing::new(value.clone()));
    }
    for own in added.header_parameters.iter().filter(|own| !is_managed(&own.key)) {
        set(&mut headers, &own.key, own.value.clone());
    }
    match (&authorization.method, token) {
        (Method::Basic { username, password }, _) => {
            let both = Zeroizing::new(format!("{username}:{}", password.as_str()));
            let encoded = Zeroizing::new(STANDARD.encode(both.as_bytes()));
            set(&mut headers, "Authorization", Zeroizing::new(format!("Basic {}", *encoded)));
        }
        (Method::ApiKey { api_key_name, api_key_value }, _) => {
            set(&mut headers, api_key_name.trim(), api_key_value.clone());
        }
        (Method::OAuth(_), Some(token)) => {
            set(
                &mut headers,
                "Authorization",
                Zeroizing::new(format!("Bearer {}", token.as_str())),
            );
        }
        (Method::OAuth(_), None) => {}
    }
    let method = method(&destination.method);
    let body = match method {
        // Their bodies mean nothing.
        "GET" | "HEAD" => Secret::default(),
        _ => with_members(body, added),
    };
    let url = with_query(&with_path(&destination.endpoint, &target.path), &query);
    HttpRequest { method, url, headers, body }
}

#[cfg(test)]
mod tests;
