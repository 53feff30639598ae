//! Writes an output to status, headers and body.

use crate::json::JsonWriter;
use crate::schema::{Kind, Location, Member, Schema};
use crate::{Timestamp, Writer};

/// An answer, but for what every answer has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status, where the output names it.
    pub status: Option<u16>,
    /// Headers that the output names.
    pub headers: Vec<(String, String)>,
    /// The content type of a payload that is no document.
    pub content_type: Option<&'static str>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

/// Writes an output structure.
#[derive(Default)]
pub struct RestWriter {
    response: Response,
    document: JsonWriter,
    /// Open collections, the output itself included.
    depth: usize,
    /// Where the output's member goes whose value comes next.
    place: Place,
    /// The same of each value of an open list or map that goes to headers.
    collection: Option<Place>,
    /// Whether the document is the output's payload, so that nothing of the output stands around it.
    payload: Option<bool>,
}

#[derive(Default, Clone)]
enum Place {
    #[default]
    Document,
    Status,
    Header(String),
    /// Headers that begin so; the map's keys are to come.
    Headers(&'static str),
    /// The body itself.
    Bytes,
}

impl RestWriter {
    /// Of an operation with this output.
    pub fn new(output: &'static Schema) -> Self {
        let payload = output.members().iter().find(|member| member.location == Location::Payload);
        let payload = payload
            .map(|member| !matches!(member.schema.kind, Kind::Blob | Kind::String | Kind::Enum(_)));
        RestWriter { document: JsonWriter::new(), payload, ..RestWriter::default() }
    }

    /// The finished answer.
    pub fn finish(mut self) -> Response {
        if self.payload != Some(false) {
            self.response.body = self.document.finish();
        }
        self.response
    }

    /// Takes a simple value that does not stand in the document.
    fn bound(&mut self, text: impl FnOnce() -> String) -> bool {
        match std::mem::take(&mut self.place) {
            Place::Document => return false,
            Place::Status => self.response.status = text().parse().ok(),
            Place::Header(name) => self.header(name, text()),
            Place::Headers(_) => {}
            Place::Bytes => self.raw(text().into_bytes(), "text/plain"),
        }
        true
    }

    /// Several values of one header, as of a list, stand in one line.
    fn header(&mut self, name: String, value: String) {
        match self.response.headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => *values = format!("{values}, {value}"),
            None => self.response.headers.push((name, value)),
        }
    }

    fn raw(&mut self, bytes: Vec<u8>, content_type: &'static str) {
        self.response.body = bytes;
        self.response.content_type = Some(content_type);
    }

    /// Enters a list or map whose values go to headers, if it is one.
    fn enter(&mut self) -> bool {
        match std::mem::take(&mut self.place) {
            place @ (Place::Header(_) | Place::Headers(_)) => self.collection = Some(place),
            _ => self.depth += 1,
        }
        self.collection.is_some()
    }

    /// Leaves it, if it was one.
    fn leave(&mut self) -> bool {
        let bound = self.collection.take().is_some();
        self.depth = self.depth.saturating_sub(usize::from(!bound));
        bound
    }
}

impl Writer for RestWriter {
    fn begin_structure(&mut self) {
        self.depth += 1;
        if self.depth > 1 || self.payload.is_none() {
            self.document.begin_structure();
        }
    }

    fn member(&mut self, member: &'static Member) {
        if self.depth > 1 {
            return self.document.member(member);
        }
        self.place = match member.location {
            Location::StatusCode => Place::Status,
            Location::Header(name) => Place::Header(name.to_owned()),
            Location::Headers(prefix) => Place::Headers(prefix),
            Location::Payload if self.payload == Some(false) => Place::Bytes,
            Location::Payload => Place::Document,
            _ => {
                if self.payload.is_none() {
                    self.document.member(member);
                }
                Place::Document
            }
        };
    }

    fn end_structure(&mut self) {
        if self.depth > 1 || self.payload.is_none() {
            self.document.end_structure();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn begin_list(&mut self, item: &'static Member) {
        if !self.enter() {
            self.document.begin_list(item);
        }
    }

    fn item(&mut self) {
        match &self.collection {
            Some(place) => self.place = place.clone(),
            None => self.document.item(),
        }
    }

    fn end_list(&mut self) {
        if !self.leave() {
            self.document.end_list();
        }
    }

    fn begin_map(&mut self) {
        if !self.enter() {
            self.document.begin_map();
        }
    }

    fn key(&mut self, key: &str) {
        match &self.collection {
            Some(Place::Headers(prefix)) => self.place = Place::Header(format!("{prefix}{key}")),
            _ => self.document.key(key),
        }
    }

    fn end_map(&mut self) {
        if !self.leave() {
            self.document.end_map();
        }
    }

    fn string(&mut self, value: &str, schema: &'static Schema) {
        if !self.bound(|| value.to_owned()) {
            self.document.string(value, schema);
        }
    }

    fn blob(&mut self, value: &[u8], schema: &'static Schema) {
        if matches!(self.place, Place::Bytes) {
            self.place = Place::Document;
            return self.raw(value.to_vec(), "application/octet-stream");
        }
        self.document.blob(value, schema);
    }

    fn boolean(&mut self, value: bool) {
        if !self.bound(|| value.to_string()) {
            self.document.boolean(value);
        }
    }

    fn integer(&mut self, value: i64) {
        if !self.bound(|| value.to_string()) {
            self.document.integer(value);
        }
    }

    fn double(&mut self, value: f64) {
        if !self.bound(|| value.to_string()) {
            self.document.double(value);
        }
    }

    fn timestamp(&mut self, value: Timestamp) {
        if !self.bound(|| value.format("%a, %d %b %Y %H:%M:%S GMT")) {
            self.document.timestamp(value);
        }
    }
}
