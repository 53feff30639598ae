//! Requests as text, as the vectors have them, and a signing identity.

use haechi_sigv4::{RequestView, SigningKey, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// 2015-08-30T12:36:00Z, the time of the vectors.
pub fn signing_time() -> Timestamp {
    Timestamp::parse_basic("20150830T123600Z").unwrap()
}

pub fn key(service: &str) -> SigningKey {
    SigningKey::derive(SECRET, "20150830", "us-east-1", service)
}

/// An owned request that may hold what no `http::Uri` can (the vectors have raw spaces).
#[derive(Debug, Clone)]
pub struct RawRequest {
    pub method: Method,
    pub path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl RawRequest {
    pub fn view(&self) -> RequestView<'_> {
        RequestView {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &self.headers,
            authority: None,
        }
    }

    /// Reads `GET /path?query HTTP/1.1`, header lines (folded ones too), an empty line, the body.
    pub fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines: Vec<String> = Vec::new();
        for line in head.lines() {
            match lines.last_mut() {
                Some(last) if line.starts_with(' ') => *last = format!("{last} {line}"),
                _ => lines.push(line.to_owned()),
            }
        }
        let (method, target) = lines[0].split_once(' ').unwrap();
        let target = target.trim_end_matches(" HTTP/1.1");
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let mut headers = HeaderMap::new();
        for line in &lines[1..] {
            let (name, value) = line.split_once(':').unwrap();
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        Self {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            query,
            headers,
            body: body.as_bytes().to_vec(),
        }
    }
}
