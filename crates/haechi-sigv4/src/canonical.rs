//! The canonical request and the string to sign.
//!
//! ```text
//! METHOD \n path \n sorted query \n (name:value \n)* \n signed;headers \n payload hash
//! ```
//!
//! Source: IAM User Guide, "Create a signed AWS API request", steps 1 to 3. All is written into
//! buffers that are kept from request to request, so that verifying allocates nothing.

use std::{cmp::Ordering, ops::Range};

use http::HeaderMap;

use crate::{
    ALGORITHM,
    encode::{push_hex, push_path_encoded_again, push_path_encoded_once, push_query},
    payload::sha256,
    request::RequestView,
    rules::PathRule,
};

/// Buffers to reuse; keep one per thread or connection. What they hold between calls is that of
/// the last request, its session token included.
#[derive(Default)]
pub struct Scratch {
    pub(crate) canonical: Vec<u8>,
    pub(crate) string_to_sign: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    encoded: Vec<u8>,
    pairs: Vec<Pair>,
}

/// A query pair, as places in `Scratch::encoded`.
struct Pair {
    name: Range<usize>,
    value: Range<usize>,
}

impl Scratch {
    /// Writes the canonical request; its last line is `self.payload`.
    pub(crate) fn write_canonical(
        &mut self,
        request: &RequestView<'_>,
        signed_headers: &str,
        rule: PathRule,
    ) {
        self.canonical.clear();
        self.canonical.extend_from_slice(request.method.as_str().as_bytes());
        self.canonical.push(b'\n');
        push_path(&mut self.canonical, request.path, rule);
        self.canonical.push(b'\n');
        self.push_query_string(request);
        self.canonical.push(b'\n');
        for name in signed_headers.split(';').filter(|name| !name.is_empty()) {
            self.canonical.extend_from_slice(name.as_bytes());
            self.canonical.push(b':');
            if name == "host" {
                push_trimmed(&mut self.canonical, request.host().unwrap_or_default());
            } else {
                push_header(&mut self.canonical, request.headers, name);
            }
            self.canonical.push(b'\n');
        }
        self.canonical.push(b'\n');
        self.canonical.extend_from_slice(signed_headers.as_bytes());
        self.canonical.push(b'\n');
        self.canonical.extend_from_slice(&self.payload);
    }

    /// Writes the string to sign for the canonical request written last.
    pub(crate) fn write_string_to_sign(&mut self, timestamp: &[u8; 16], scope: &str) {
        let out = &mut self.string_to_sign;
        out.clear();
        out.extend_from_slice(ALGORITHM.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(timestamp);
        out.push(b'\n');
        out.extend_from_slice(scope.as_bytes());
        out.push(b'\n');
        push_hex(out, &sha256(&self.canonical));
    }

    /// All pairs but the signature itself, sorted by encoded name, then encoded value.
    fn push_query_string(&mut self, request: &RequestView<'_>) {
        let Self { canonical, encoded, pairs, .. } = self;
        encoded.clear();
        pairs.clear();
        for (name, value) in request.query_pairs() {
            let start = encoded.len();
            push_query(encoded, name.as_bytes());
            let middle = encoded.len();
            if encoded.get(start..middle) == Some(b"X-Amz-Signature") {
                encoded.truncate(start);
                continue;
            }
            push_query(encoded, value.as_bytes());
            pairs.push(Pair { name: start..middle, value: middle..encoded.len() });
        }
        let text = |range: &Range<usize>| encoded.get(range.clone()).unwrap_or_default();
        pairs.sort_by(|a, b| match text(&a.name).cmp(text(&b.name)) {
            Ordering::Equal => text(&a.value).cmp(text(&b.value)),
            unequal => unequal,
        });
        for (index, pair) in pairs.iter().enumerate() {
            if index > 0 {
                canonical.push(b'&');
            }
            canonical.extend_from_slice(text(&pair.name));
            canonical.push(b'=');
            canonical.extend_from_slice(text(&pair.value));
        }
    }
}

/// Appends the canonical path.
fn push_path(out: &mut Vec<u8>, path: &str, rule: PathRule) {
    if path.is_empty() || path == "/" {
        return out.push(b'/');
    }
    let push = if rule.encode_again { push_path_encoded_again } else { push_path_encoded_once };
    if !rule.normalise {
        return push(out, path.as_bytes());
    }
    // RFC 3986, section 5.2.4, and empty segments go too. Each segment is written at once and
    // taken back by a later `..`.
    let start = out.len();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                let written = out.get(start..).unwrap_or_default();
                let last = written.iter().rposition(|byte| *byte == b'/').unwrap_or_default();
                out.truncate(start + last);
            }
            _ => {
                out.push(b'/');
                push(out, segment.as_bytes());
            }
        }
    }
    if path.ends_with('/') || out.len() == start {
        out.push(b'/');
    }
}

/// Appends all values of a header, each trimmed, joined by commas in the order received.
fn push_header(out: &mut Vec<u8>, headers: &HeaderMap, name: &str) {
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_trimmed(out, value.as_bytes());
    }
}

/// Appends a value without white space at its ends and with each run of it as one space.
fn push_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    // Nearly every value has no white space at all.
    if !value.iter().any(is_space) {
        return out.extend_from_slice(value);
    }
    let words = value.split(|byte| is_space(byte)).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str, normalise: bool, encode_again: bool) -> String {
        let mut out = b"before".to_vec();
        push_path(&mut out, path, PathRule { normalise, encode_again });
        String::from_utf8(out.split_off(6)).unwrap()
    }

    #[test]
    fn dot_segments_and_empty_segments_are_removed() {
        for (sent, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("/a/..", "/"),
            ("/a/b/../../", "/"),
            ("//a//b//", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/a.b/..c", "/a.b/..c"),
        ] {
            assert_eq!(path(sent, true, true), canonical, "{sent}");
        }
    }

    #[test]
    fn s3_keeps_the_path_as_it_is() {
        assert_eq!(path("//a/./../b%20c", false, false), "//a/./../b%20c");
    }

    #[test]
    fn other_services_encode_the_path_twice() {
        assert_eq!(path("/b%20c/arn%3Aaws", true, true), "/b%2520c/arn%253Aaws");
    }

    #[test]
    fn the_signature_is_left_out_of_the_query_however_it_is_spelt() {
        let mut scratch = Scratch::default();
        let headers = HeaderMap::new();
        let request = RequestView {
            method: &http::Method::GET,
            path: "/",
            query: Some("b=2&X-Amz-Signature=1&a&b=1&&X%2dAmz-Signature=3&B=&x-amz-signature=4"),
            headers: &headers,
            authority: None,
        };
        scratch.push_query_string(&request);
        let query = String::from_utf8(scratch.canonical).unwrap();
        assert_eq!(query, "B=&a=&b=1&b=2&x-amz-signature=4");
    }

    #[test]
    fn white_space_in_header_values_is_squeezed() {
        for (value, trimmed) in [("a", "a"), ("  a \t b  ", "a b"), ("", ""), (" ", "")] {
            let mut out = Vec::new();
            push_trimmed(&mut out, value.as_bytes());
            assert_eq!(out, trimmed.as_bytes());
        }
    }
}
