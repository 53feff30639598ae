//! Reads an input from path, query string, headers and body.

use std::borrow::Cow;
use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;

use super::route::labels;
use crate::json::JsonReader;
use crate::schema::{Kind, Location, Member, Schema};
use crate::{Malformed, Reader, Timestamp};

/// Parameters in one query string, at most.
const PARAMETERS_MAX: usize = 1_000;

/// What an input is read from.
pub struct Request<'a> {
    /// The operation's URI pattern.
    pub pattern: &'static str,
    /// The path as it was sent, encoded.
    pub path: &'a str,
    /// The query string as it was sent, without `?`.
    pub query: &'a str,
    /// Names, in lower case, and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body.
    pub body: &'a [u8],
}

/// Reads an input structure.
pub struct RestReader<'a> {
    labels: Vec<(&'static str, Cow<'a, str>)>,
    query: Vec<(String, String)>,
    headers: Vec<(&'a str, &'a str)>,
    raw: &'a [u8],
    body: JsonReader<'a>,
    /// Whether the next structure is the input itself.
    outermost: bool,
    /// The member whose value comes next, if it does not stand in the body.
    bound: Option<Bound>,
    /// Members of the input that do not stand in the body and are still to be told of.
    announced: Option<VecDeque<(usize, Bound)>>,
    /// How many structures, lists and maps of the body's document are open, beside the input.
    depth: usize,
    /// Whether the document was begun: only then it must have an end.
    begun: bool,
}

/// A value that does not stand in the body.
enum Bound {
    /// One text, or several for a list.
    Texts(VecDeque<String>),
    /// Names and values, for a map.
    Entries(VecDeque<(String, String)>),
    /// The bytes of the body.
    Raw,
    /// The document in the body.
    Document,
}

impl<'a> RestReader<'a> {
    /// Over this request to an operation with this input.
    ///
    /// # Errors
    /// If the path does not fit its pattern, or the query string cannot be read.
    pub fn new(request: Request<'a>, input: &'static Schema) -> Result<Self, Malformed> {
        let (pattern, _) = request.pattern.split_once('?').unwrap_or((request.pattern, ""));
        let labels = labels(pattern, request.path)
            .ok_or_else(|| Malformed("The path is not that of the operation".to_owned()))?;
        let payload = input.members().iter().find(|member| member.location == Location::Payload);
        let is_document = payload.is_none_or(|member| is_document(member.schema));
        let body: &[u8] = if is_document { request.body } else { b"" };
        let mut reader = RestReader {
            labels,
            query: parameters(request.query)?,
            headers: request.headers,
            raw: request.body,
            body: JsonReader::new(body),
            outermost: true,
            bound: None,
            announced: None,
            depth: 0,
            begun: false,
        };
        let bound = input.members().iter().enumerate();
        reader.announced =
            Some(bound.filter_map(|(index, member)| Some((index, reader.bind(member)?))).collect());
        Ok(reader)
    }

    /// What the request has for a member, unless it stands in the body's document or nowhere.
    fn bind(&self, member: &'static Member) -> Option<Bound> {
        let texts = |found: Vec<String>| {
            (!found.is_empty()).then(|| Bound::Texts(found.into_iter().collect()))
        };
        match member.location {
            Location::Body | Location::StatusCode => None,
            Location::Payload if is_document(member.schema) => {
                (!self.raw.is_empty()).then_some(Bound::Document)
            }
            Location::Payload => (!self.raw.is_empty()).then_some(Bound::Raw),
            Location::Uri(name) => {
                let found = self.labels.iter().find(|(label, _)| *label == name);
                texts(found.map(|(_, value)| value.clone().into_owned()).into_iter().collect())
            }
            Location::Query(name) => {
                let values = self.query.iter().filter(|(key, _)| key == name);
                texts(values.map(|(_, value)| value.clone()).collect())
            }
            Location::Header(name) => {
                let values = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
                let values = values.map(|(_, value)| *value);
                texts(if matches!(member.schema.kind, Kind::List(_)) {
                    let parts = values.flat_map(|value| value.split(','));
                    parts.map(|part| part.trim().to_owned()).collect()
                } else {
                    values.map(|value| value.trim().to_owned()).collect()
                })
            }
            Location::Headers(prefix) => {
                let entries = self.headers.iter().filter_map(|(key, value)| {
                    let start = key.get(..prefix.len())?;
                    let name = key.get(prefix.len()..)?;
                    start
                        .eq_ignore_ascii_case(prefix)
                        .then(|| (name.to_owned(), (*value).to_owned()))
                });
                let entries: VecDeque<(String, String)> = entries.collect();
                (!entries.is_empty()).then_some(Bound::Entries(entries))
            }
        }
    }

    /// The text that stands for a simple value outside of the body.
    fn text(&mut self) -> Option<String> {
        match self.bound.as_mut()? {
            Bound::Texts(texts) => texts.pop_front(),
            Bound::Entries(entries) => entries.pop_front().map(|(_, value)| value),
            Bound::Raw | Bound::Document => None,
        }
    }

    /// Whether the next value stands in the body's document.
    fn in_document(&mut self) -> bool {
        if matches!(self.bound, Some(Bound::Document)) {
            self.bound = None;
        }
        self.begun |= self.bound.is_none();
        self.bound.is_none()
    }

    fn parsed<T: std::str::FromStr>(&mut self, wanted: &str) -> Result<T, Malformed> {
        let text = self.text().unwrap_or_default();
        text.parse().map_err(|_| Malformed(format!("{text:?} can not be converted to {wanted}")))
    }
}

/// Whether a payload of this shape is a document, and not bytes as they are.
fn is_document(schema: &Schema) -> bool {
    !matches!(schema.kind, Kind::Blob | Kind::String | Kind::Enum(_))
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, Malformed> {
    let mut found = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if found.len() >= PARAMETERS_MAX {
            return Err(Malformed(format!("More than {PARAMETERS_MAX} parameters")));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        found.push((decoded(name)?, decoded(value)?));
    }
    Ok(found)
}

fn decoded(text: &str) -> Result<String, Malformed> {
    let spaced = text.replace('+', " ");
    let bytes: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
    String::from_utf8(bytes).map_err(|_| Malformed("A parameter is not valid UTF-8".to_owned()))
}

impl Reader for RestReader<'_> {
    fn null(&mut self) -> Result<bool, Malformed> {
        if self.outermost || !self.in_document() { Ok(false) } else { self.body.null() }
    }

    fn begin_structure(&mut self) -> Result<(), Malformed> {
        if std::mem::take(&mut self.outermost) {
            return Ok(());
        }
        self.in_document();
        self.depth += 1;
        self.body.begin_structure()
    }

    fn next_member(&mut self, members: &'static [Member]) -> Result<Option<usize>, Malformed> {
        if self.depth > 0 {
            let next = self.body.next_member(members)?;
            self.depth -= usize::from(next.is_none());
            return Ok(next);
        }
        // The input itself: first what is bound, then what the document has.
        if let Some((index, bound)) = self.announced.as_mut().and_then(VecDeque::pop_front) {
            self.bound = Some(bound);
            return Ok(Some(index));
        }
        self.bound = None;
        let payload = members.iter().any(|member| member.location == Location::Payload);
        if payload {
            return Ok(None);
        }
        if self.announced.take().is_some() {
            self.begun = true;
            self.body.begin_structure()?;
        }
        loop {
            let next = self.body.next_member(members)?;
            let Some(member) = next.and_then(|index| members.get(index)) else { return Ok(next) };
            if member.location == Location::Body {
                return Ok(next);
            }
            // A member that stands elsewhere counts only there.
            self.body.skip()?;
        }
    }

    fn begin_list(&mut self, item: &'static Member) -> Result<(), Malformed> {
        if !self.in_document() {
            return Ok(());
        }
        self.depth += 1;
        self.body.begin_list(item)
    }

    fn next_item(&mut self) -> Result<bool, Malformed> {
        match &self.bound {
            Some(Bound::Texts(texts)) => Ok(!texts.is_empty()),
            Some(_) => Ok(false),
            None => {
                let more = self.body.next_item()?;
                self.depth -= usize::from(!more);
                Ok(more)
            }
        }
    }

    fn begin_map(&mut self) -> Result<(), Malformed> {
        if !self.in_document() {
            return Ok(());
        }
        self.depth += 1;
        self.body.begin_map()
    }

    fn next_key(&mut self) -> Result<Option<String>, Malformed> {
        match &self.bound {
            Some(Bound::Entries(entries)) => Ok(entries.front().map(|(name, _)| name.clone())),
            Some(_) => Ok(None),
            None => {
                let key = self.body.next_key()?;
                self.depth -= usize::from(key.is_none());
                Ok(key)
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'_, str>, Malformed> {
        match &self.bound {
            None | Some(Bound::Document) => self.body.string(),
            Some(Bound::Raw) => std::str::from_utf8(self.raw)
                .map(Cow::Borrowed)
                .map_err(|_| Malformed("The body is not valid UTF-8".to_owned())),
            Some(_) => Ok(Cow::Owned(self.text().unwrap_or_default())),
        }
    }

    fn blob(&mut self) -> Result<Vec<u8>, Malformed> {
        match &self.bound {
            None | Some(Bound::Document) => self.body.blob(),
            Some(Bound::Raw) => Ok(self.raw.to_vec()),
            Some(_) => STANDARD
                .decode(self.text().unwrap_or_default())
                .map_err(|_| Malformed("Invalid base64 in a blob".to_owned())),
        }
    }

    fn boolean(&mut self) -> Result<bool, Malformed> {
        if self.in_document() {
            return self.body.boolean();
        }
        match self.text().as_deref() {
            // A parameter that only has a name is meant.
            Some("true" | "") => Ok(true),
            Some("false") => Ok(false),
            other => Err(Malformed(format!("{other:?} can not be converted to a Boolean"))),
        }
    }

    fn integer(&mut self) -> Result<i64, Malformed> {
        if self.in_document() { self.body.integer() } else { self.parsed("an Integer") }
    }

    fn double(&mut self) -> Result<f64, Malformed> {
        if self.in_document() { self.body.double() } else { self.parsed("a Double") }
    }

    fn timestamp(&mut self) -> Result<Timestamp, Malformed> {
        if self.in_document() {
            return self.body.timestamp();
        }
        let text = self.text().unwrap_or_default();
        Timestamp::parse(&text)
            .or_else(|| Timestamp::parse_http_date(&text))
            .ok_or_else(|| Malformed("The value is not a point in time".to_owned()))
    }

    fn finish(&mut self) -> Result<(), Malformed> {
        if self.begun { self.body.finish() } else { Ok(()) }
    }
}
